/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries are made for the processes that were spawned quietly and for those that map objects. The
 * children of a quiet process are processes of their own and traced as usual.
 */
#include "gate/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "base/alloc.h"

#define IDENTITIES	 64 /* a power of two */
#define IDENTITY_LIFE_NS 1000000000ull

struct mapping {
	struct mapping *next;
	struct object *object;
};

struct process {
	struct process *next;
	pid_t pid;
	int pidfd;
	bool quiet;
	bool quiet_program; /* stays quiet with the next program it executes */
	struct mapping *mappings;
};

struct process_table {
	int epoll_fd;
	u32 nr_quiet;
	struct process *processes;
	struct process_identity identities[IDENTITIES];
};

struct process_table *process_table_new(void)
{
	struct process_table *table = base_zalloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (table->epoll_fd < 0) {
		base_free(table);
		return NULL;
	}
	return table;
}

static void drop_mappings(struct process *process)
{
	while (process->mappings) {
		struct mapping *mapping = process->mappings;

		process->mappings = mapping->next;
		object_unref(mapping->object);
		base_free(mapping);
	}
}

static void drop(struct process_table *table, struct process *process)
{
	struct process **link = &table->processes;

	while (*link != process)
		link = &(*link)->next;
	*link = process->next;
	table->nr_quiet -= process->quiet;
	drop_mappings(process);
	close(process->pidfd);
	base_free(process);
}

struct process_table *process_table_free(struct process_table *table)
{
	if (!table)
		return NULL;
	while (table->processes)
		drop(table, table->processes);
	close(table->epoll_fd);
	base_free(table);
	return NULL;
}

int process_table_fd(const struct process_table *table)
{
	return table->epoll_fd;
}

void process_table_collect(struct process_table *table)
{
	struct epoll_event event;

	while (epoll_wait(table->epoll_fd, &event, 1, 0) == 1)
		drop(table, event.data.ptr);
}

static struct process *find(struct process_table *table, pid_t pid)
{
	struct process *process = table->processes;

	while (process && process->pid != pid)
		process = process->next;
	return process;
}

static struct process *get(struct process_table *table, pid_t pid)
{
	struct process *process = find(table, pid);
	struct epoll_event event = { .events = EPOLLIN };

	if (process)
		return process;
	process = base_zalloc(1, sizeof(*process));
	if (!process)
		return NULL;
	process->pid = pid;
	process->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	event.data.ptr = process;
	if (process->pidfd < 0 ||
	    epoll_ctl(table->epoll_fd, EPOLL_CTL_ADD, process->pidfd, &event) < 0) {
		if (process->pidfd >= 0)
			close(process->pidfd);
		base_free(process);
		return NULL;
	}
	process->next = table->processes;
	table->processes = process;
	return process;
}

int process_set_quiet(struct process_table *table, pid_t pid)
{
	struct process *process = get(table, pid);

	if (!process)
		return -ENOMEM;
	table->nr_quiet += !process->quiet;
	process->quiet = process->quiet_program = true;
	return 0;
}

bool process_executes_quietly(struct process_table *table, pid_t tid)
{
	struct process *process = table->nr_quiet ? find(table, tid) : NULL;

	return process && process->quiet_program;
}

bool process_is_quiet(struct process_table *table, pid_t tid)
{
	struct process_identity identity;
	const struct process *process;

	if (!table->nr_quiet)
		return false;
	process = find(table, tid);
	if (!process && process_identify(table, tid, &identity) == 0)
		process = find(table, (pid_t)identity.tgid);
	return process && process->quiet;
}

void process_executed(struct process_table *table, pid_t pid)
{
	struct process *process = find(table, pid);

	memset(table->identities, 0, sizeof(table->identities));
	if (!process)
		return;
	drop_mappings(process);
	if (process->quiet_program) {
		process->quiet_program = false;
		return;
	}
	table->nr_quiet -= process->quiet;
	process->quiet = false;
}

int process_add_mapping(struct process_table *table, pid_t pid, struct object *object)
{
	struct process *process = get(table, pid);
	struct mapping *mapping;

	if (!process)
		return -ENOMEM;
	for (mapping = process->mappings; mapping; mapping = mapping->next)
		if (mapping->object == object)
			return 0;
	mapping = base_zalloc(1, sizeof(*mapping));
	if (!mapping)
		return -ENOMEM;
	mapping->object = object_ref(object);
	mapping->next = process->mappings;
	process->mappings = mapping;
	return 0;
}

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (u64)now.tv_sec * 1000000000ull + (u64)now.tv_nsec;
}

static bool parse_line(const char *text, const char *key, const char *format, u32 *ret_value)
{
	const char *line = strstr(text, key);

	return line && sscanf(line + strlen(key), format, ret_value) == 1;
}

int process_identify(struct process_table *table, pid_t tid, struct process_identity *ret_identity)
{
	struct process_identity *known = &table->identities[(u32)tid % IDENTITIES];
	u64 now = now_ns();
	char path[32], text[1024];
	ssize_t size;
	int fd;

	if (known->tid == (u32)tid && now - known->time_ns < IDENTITY_LIFE_NS) {
		*ret_identity = *known;
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ESRCH;
	size = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (size <= 0)
		return -ESRCH;
	text[size] = '\0';
	*known = (struct process_identity){ .tid = (u32)tid, .time_ns = now };
	/* The second numbers of Uid and Gid are the effective ones. */
	if (!parse_line(text, "\nTgid:", "%u", &known->tgid) ||
	    !parse_line(text, "\nUid:", "%*u %u", &known->uid) ||
	    !parse_line(text, "\nGid:", "%*u %u", &known->gid)) {
		known->tid = 0;
		return -ESRCH;
	}
	*ret_identity = *known;
	return 0;
}
