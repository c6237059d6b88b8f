/* SPDX-License-Identifier: BSD-2-Clause */
/* The iterator over tasks, and what the ones over their files and memory share (iter_task.h). */
#include "sys/iter_task.h"
#include "base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TEXT_MAX (64u << 20)

/* What /proc/PID/task/TID/stat and status tell. */
struct facts {
	char comm[16];
	char state;
	u32 parent, flags, nr_threads;
	s32 priority, nice;
	u64 min_flt, maj_flt, utime, stime, start; /* times in ticks */
	u32 uid, euid, gid, egid;
};

int iter_attach_task(struct sys_call *call, const union bpf_iter_link_info *info,
		     struct sys_iter_aux *aux)
{
	struct sys_client *client = call->client;
	long pid;

	if (!!info->task.tid + !!info->task.pid + !!info->task.pid_fd > 1)
		return -EINVAL;
	if (info->task.tid) {
		aux->task_type = SYS_ITER_TID;
		aux->pid = info->task.tid;
	}
	if (info->task.pid) {
		aux->task_type = SYS_ITER_TGID;
		aux->pid = info->task.pid;
	}
	if (info->task.pid_fd) {
		pid = client->ops->pid_of_fd
			      ? client->ops->pid_of_fd(client, (int)info->task.pid_fd)
			      : -EBADF;
		if (pid < 0)
			return -EBADF;
		aux->task_type = SYS_ITER_TGID;
		aux->pid = (u32)pid;
	}
	return 0;
}

long iter_read_proc(const char *path, char **ret_text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	u64 room = 4096, length = 0;
	char *text = NULL, *grown;
	ssize_t got = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		grown = base_realloc(text, room, 1);
		if (!grown) {
			got = -1;
			break;
		}
		text = grown;
		got = read(fd, text + length, room - length - 1);
		if (got <= 0)
			break;
		length += (u64)got;
		if (room - length < 2048 && room < TEXT_MAX)
			room *= 2;
	}
	close(fd);
	if (got < 0) {
		base_free(text);
		return -ESRCH;
	}
	text[length] = '\0';
	*ret_text = text;
	return (long)length;
}

int iter_task_open(struct iter_session *session, struct sys_client *client)
{
	session->tasks = base_zalloc(1, sizeof(*session->tasks));
	if (!session->tasks)
		return -ENOMEM;
	session->tasks->fd = -1;
	return 0;
}

void iter_task_close(struct iter_session *session)
{
	struct iter_tasks *tasks = session->tasks;

	if (!tasks)
		return;
	base_free(tasks->tasks);
	base_free(tasks->text);
	base_free(tasks);
}

static void add(struct iter_tasks *tasks, u32 tid, u32 tgid)
{
	struct iter_task *grown;
	u32 room = tasks->room ? tasks->room * 2 : 64;

	if (tasks->nr == tasks->room) {
		grown = base_realloc(tasks->tasks, room, sizeof(*grown));
		if (!grown)
			return;
		tasks->tasks = grown;
		tasks->room = room;
	}
	tasks->tasks[tasks->nr++] = (struct iter_task){ tid, tgid };
}

static void add_process(struct iter_tasks *tasks, u32 tgid)
{
	struct dirent *entry;
	char path[64];
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%u/task", tgid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory)))
		if (atoi(entry->d_name) > 0)
			add(tasks, (u32)atoi(entry->d_name), tgid);
	if (directory)
		closedir(directory);
}

static int by_tid(const void *a, const void *b)
{
	const struct iter_task *x = a, *y = b;

	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static bool wanted(const struct iter_session *session, const struct iter_task *task)
{
	switch (session->aux.task_type) {
	case SYS_ITER_TID: return task->tid == session->aux.pid;
	case SYS_ITER_TGID: return task->tgid == session->aux.pid;
	default: return true;
	}
}

/* All tasks of the hive that this walk is about. */
static void collect(struct iter_session *session)
{
	struct sys_client *client = session->client;
	struct iter_tasks *tasks = session->tasks;
	u32 *processes = NULL, nr = 0, kept = 0;

	tasks->nr = 0;
	if (client->ops->processes)
		nr = client->ops->processes(client, &processes);
	else
		add_process(tasks, client->tgid);
	for (u32 i = 0; i < nr; i++)
		add_process(tasks, processes[i]);
	base_free(processes);
	for (u32 i = 0; i < tasks->nr; i++)
		if (wanted(session, &tasks->tasks[i]))
			tasks->tasks[kept++] = tasks->tasks[i];
	tasks->nr = kept;
	if (kept)
		qsort(tasks->tasks, kept, sizeof(*tasks->tasks), by_tid);
}

/* A thread whose descriptors are its leader's is not shown beside it; one of which that cannot be
 * found out is taken for such. */
static bool has_own_files(const struct iter_task *task)
{
	return task->tid == task->tgid ||
	       syscall(SYS_kcmp, task->tid, task->tgid, KCMP_FILES, 0, 0) > 0;
}

static bool is_alive(const struct iter_task *task)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task/%u", task->tgid, task->tid);
	return access(path, F_OK) == 0;
}

static bool advance(struct iter_session *session, u32 from, bool unshared)
{
	struct iter_tasks *tasks = session->tasks;

	tasks->walks = false;
	for (u32 i = from; i < tasks->nr; i++) {
		struct iter_task *task = &tasks->tasks[i];

		if (task->tid < tasks->tid || !is_alive(task) || (unshared && !has_own_files(task)))
			continue;
		tasks->at = i;
		tasks->tid = task->tid;
		tasks->walks = true;
		return true;
	}
	return false;
}

bool iter_task_find(struct iter_session *session, bool unshared)
{
	collect(session);
	return advance(session, 0, unshared);
}

bool iter_task_find_next(struct iter_session *session, bool unshared)
{
	session->tasks->tid++;
	return advance(session, session->tasks->at + 1, unshared);
}

static void read_status(const char *path, struct facts *facts)
{
	char *text = NULL, *line;

	if (iter_read_proc(path, &text) < 0)
		return;
	line = strstr(text, "\nUid:");
	if (line)
		sscanf(line, "\nUid: %u %u", &facts->uid, &facts->euid);
	line = strstr(text, "\nGid:");
	if (line)
		sscanf(line, "\nGid: %u %u", &facts->gid, &facts->egid);
	base_free(text);
}

static bool read_facts(const struct iter_task *task, struct facts *facts)
{
	char path[80], *text = NULL, *open, *end;
	unsigned long long flt[2], times[2], start;
	u64 length;

	memset(facts, 0, sizeof(*facts));
	snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", task->tgid, task->tid);
	if (iter_read_proc(path, &text) < 0)
		return false;
	open = strchr(text, '(');
	end = strrchr(text, ')');
	if (!open || !end ||
	    sscanf(end,
		   ") %c %u %*d %*d %*d %*d %u %llu %*u %llu %*u %llu %llu %*d %*d %d %d %u %*d "
		   "%llu",
		   &facts->state, &facts->parent, &facts->flags, &flt[0], &flt[1], &times[0],
		   &times[1], &facts->priority, &facts->nice, &facts->nr_threads, &start) != 11) {
		base_free(text);
		return false;
	}
	length = (u64)(end - open - 1);
	memcpy(facts->comm, open + 1, length < 15 ? length : 15);
	facts->min_flt = flt[0];
	facts->maj_flt = flt[1];
	facts->utime = times[0];
	facts->stime = times[1];
	facts->start = start;
	base_free(text);
	snprintf(path, sizeof(path), "/proc/%u/task/%u/status", task->tgid, task->tid);
	read_status(path, facts);
	return true;
}

/* enum of include/linux/sched.h, by the letter that /proc has for it. */
static u32 state_of(char letter)
{
	switch (letter) {
	case 'S': return 1;
	case 'D': return 2;
	case 'T': return 4;
	case 't': return 8;
	case 'X': return 16;
	case 'Z': return 32;
	case 'I': return 0x402;
	default: return 0;
	}
}

static u64 ticks_to_ns(u64 ticks)
{
	return ticks * (1000000000ull / (u64)sysconf(_SC_CLK_TCK));
}

static void *model_cred(struct model *model, const struct facts *facts)
{
	void *cred = model_object(model, "cred");

	model_set(model, cred, MODEL_CRED_UID, facts->uid);
	model_set(model, cred, MODEL_CRED_EUID, facts->euid);
	model_set(model, cred, MODEL_CRED_GID, facts->gid);
	model_set(model, cred, MODEL_CRED_EGID, facts->egid);
	return cred;
}

/* The task alone; what it points to is its caller's. */
static void *model_one(struct iter_session *session, const struct iter_task *task,
		       struct facts *facts)
{
	struct model *model = session->hive->model;
	void *image = model_object(model, "task_struct"), *cred;
	struct rt_seq *seq = &session->seq;

	if (image && seq->nr_tasks < RT_SEQ_TASKS) {
		seq->task[seq->nr_tasks].image = (u64)image;
		seq->task[seq->nr_tasks++].tid = task->tid;
	}

	model_set(model, image, MODEL_TASK_PID, task->tid);
	model_set(model, image, MODEL_TASK_TGID, task->tgid);
	if (!read_facts(task, facts))
		return image;
	model_set_text(model, image, MODEL_TASK_COMM, facts->comm);
	model_set(model, image, MODEL_TASK_FLAGS, facts->flags);
	model_set(model, image, MODEL_TASK_STATE, state_of(facts->state));
	/* /proc shows priorities less 100, and nice for static_prio less 120. */
	model_set(model, image, MODEL_TASK_PRIO, (u64)(s64)(facts->priority + 100));
	model_set(model, image, MODEL_TASK_STATIC_PRIO, (u64)(s64)(facts->nice + 120));
	model_set(model, image, MODEL_TASK_UTIME, ticks_to_ns(facts->utime));
	model_set(model, image, MODEL_TASK_STIME, ticks_to_ns(facts->stime));
	model_set(model, image, MODEL_TASK_MIN_FLT, facts->min_flt);
	model_set(model, image, MODEL_TASK_MAJ_FLT, facts->maj_flt);
	model_set(model, image, MODEL_TASK_START, ticks_to_ns(facts->start));
	model_set(model, image, MODEL_TASK_START_BOOT, ticks_to_ns(facts->start));
	cred = model_cred(model, facts);
	model_set_pointer(model, image, MODEL_TASK_CRED, cred);
	model_set_pointer(model, image, MODEL_TASK_REAL_CRED, cred);
	return image;
}

/* Members that all threads of a process share. */
static void set_shared(struct model *model, void *image, void *signal, void *mm, void *files)
{
	model_set_pointer(model, image, MODEL_TASK_SIGNAL, signal);
	model_set_pointer(model, image, MODEL_TASK_MM, mm);
	model_set_pointer(model, image, MODEL_TASK_FILES, files);
}

void *iter_task_model(struct iter_session *session, const struct iter_task *task)
{
	struct model *model = session->hive->model;
	struct iter_task leader = { task->tgid, task->tgid }, other;
	struct facts facts, others;
	void *image = model_one(session, task, &facts), *first = image, *parent;
	void *signal = model_object(model, "signal_struct"), *mm = model_object(model, "mm_struct"),
	     *files = model_object(model, "files_struct");

	if (task->tid != task->tgid)
		first = model_one(session, &leader, &others);
	other = (struct iter_task){ facts.parent, facts.parent };
	parent = facts.parent ? model_one(session, &other, &others) : first;
	model_set_pointer(model, parent, MODEL_TASK_LEADER, parent);
	model_set(model, signal, MODEL_SIGNAL_THREADS, facts.nr_threads);
	for (u32 i = 0; i < 2; i++) {
		void *each = i ? first : image;

		model_set_pointer(model, each, MODEL_TASK_LEADER, first);
		model_set_pointer(model, each, MODEL_TASK_PARENT, parent);
		model_set_pointer(model, each, MODEL_TASK_REAL_PARENT, parent);
		set_shared(model, each, signal, mm, files);
	}
	if (image != first && has_own_files(task))
		model_set_pointer(model, image, MODEL_TASK_FILES,
				  model_object(model, "files_struct"));
	return image;
}

static bool start(struct iter_session *session)
{
	return iter_task_find(session, false);
}

static bool next(struct iter_session *session)
{
	return iter_task_find_next(session, false);
}

static void stop(struct iter_session *session)
{
	session->tasks->walks = false;
}

static void build(struct iter_session *session, u64 *ctx)
{
	struct iter_tasks *tasks = session->tasks;

	if (tasks->walks)
		ctx[0] = (u64)iter_task_model(session, &tasks->tasks[tasks->at]);
}

const struct iter_ops iter_task_ops = { .open = iter_task_open,
					.close = iter_task_close,
					.start = start,
					.next = next,
					.stop = stop,
					.build = build };
