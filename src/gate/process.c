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
#include <unistd.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/proc.h"
#include "gate/mapping.h"

/* Since Linux 6.9 (include/uapi/linux/pidfd.h). */
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

#define IDENTITIES	 64 /* a power of two */
#define IDENTITY_LIFE_NS 1000000000ull
#define FDS		 4 /* remembered of a thread; a power of two */

struct process {
	struct process *next;
	pid_t pid;
	int pidfd;
	bool quiet;
	bool quiet_program; /* stays quiet with the next program it executes */
	bool untracked;	    /* its agent does not see all that happens to descriptors */
	struct mapping *mappings;
	struct call_slots *call_slots;
};

/* What is known of a thread, and for how long already. */
struct known {
	struct process_identity identity; /* tid 0: nothing */
	u64 time_ns;
	int pidfd; /* of the thread, opened when first needed; valid if has_pidfd */
	bool has_pidfd;
	struct process_fd fds[FDS]; /* object NULL: nothing */
};

struct process_table {
	int epoll_fd;
	u32 nr_quiet;
	struct process *processes;
	struct known known[IDENTITIES];
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

static void drop(struct process_table *table, struct process *process)
{
	struct process **link = &table->processes;

	while (*link != process)
		link = &(*link)->next;
	*link = process->next;
	table->nr_quiet -= process->quiet;
	mapping_drop_all(&process->mappings);
	call_slots_free(process->call_slots);
	close(process->pidfd);
	base_free(process);
}

static void forget(struct known *known)
{
	if (known->has_pidfd)
		close(known->pidfd);
	*known = (struct known){ .identity.tid = 0 };
}

static void forget_all(struct process_table *table)
{
	for (u32 i = 0; i < IDENTITIES; i++)
		forget(&table->known[i]);
}

struct process_table *process_table_free(struct process_table *table)
{
	if (!table)
		return NULL;
	forget_all(table);
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

	forget_all(table);
	if (!process)
		return;
	mapping_drop_all(&process->mappings);
	process->call_slots = call_slots_free(process->call_slots);
	process->untracked = false;
	if (process->quiet_program) {
		process->quiet_program = false;
		return;
	}
	table->nr_quiet -= process->quiet;
	process->quiet = false;
}

bool process_set_untracked(struct process_table *table, pid_t pid)
{
	struct process *process = get(table, pid);

	if (process)
		process->untracked = true;
	return process != NULL;
}

bool process_is_untracked(struct process_table *table, pid_t pid)
{
	const struct process *process = find(table, pid);

	return process && process->untracked;
}

struct call_slots *process_call_slots(struct process_table *table, pid_t pid)
{
	const struct process *process = find(table, pid);

	return process ? process->call_slots : NULL;
}

int process_give_call_slots(struct process_table *table, pid_t pid, struct call_slots *slots)
{
	struct process *process = get(table, pid);

	if (!process)
		return -ENOMEM;
	process->call_slots = slots;
	return 0;
}

int process_add_mapping(struct process_table *table, pid_t pid, struct object *object, u64 address,
			u64 size)
{
	struct process *process = get(table, pid);

	return process ? mapping_add(&process->mappings, object, address, size) : -ENOMEM;
}

bool process_sweep_mappings(struct process_table *table)
{
	bool again = false;

	for (struct process *process = table->processes; process; process = process->next)
		again |= mapping_sweep(&process->mappings, process->pid);
	return again;
}

static bool parse_line(const char *text, const char *key, const char *format, u32 *ret_value)
{
	const char *line = strstr(text, key);

	return line && sscanf(line + strlen(key), format, ret_value) == 1;
}

int process_identify(struct process_table *table, pid_t tid, struct process_identity *ret_identity)
{
	struct known *known = &table->known[(u32)tid % IDENTITIES];
	struct process_identity identity = { .tid = (u32)tid };
	u64 now = base_clock_ns(CLOCK_MONOTONIC_COARSE);
	char text[1024];

	if (known->identity.tid == (u32)tid && now - known->time_ns < IDENTITY_LIFE_NS) {
		*ret_identity = known->identity;
		return 0;
	}
	forget(known);
	if (!base_read_proc((u32)tid, "status", text, sizeof(text)))
		return -ESRCH;
	/* The second numbers of Uid and Gid are the effective ones. */
	if (!parse_line(text, "\nTgid:", "%u", &identity.tgid) ||
	    !parse_line(text, "\nUid:", "%*u %u", &identity.uid) ||
	    !parse_line(text, "\nGid:", "%*u %u", &identity.gid))
		return -ESRCH;
	*known = (struct known){ .identity = identity, .time_ns = now };
	*ret_identity = identity;
	return 0;
}

int process_copy_fd(struct process_table *table, pid_t tid, int fd)
{
	struct known *known = &table->known[(u32)tid % IDENTITIES];
	int copy;

	if (known->identity.tid != (u32)tid)
		return -ESRCH;
	if (!known->has_pidfd) {
		/* A thread's own: it may have a descriptor table of its own. */
		known->pidfd = (int)syscall(SYS_pidfd_open, tid,
					    known->identity.tgid == (u32)tid ? 0 : PIDFD_THREAD);
		if (known->pidfd < 0)
			return -errno;
		known->has_pidfd = true;
	}
	copy = (int)syscall(SYS_pidfd_getfd, known->pidfd, fd, 0);
	return copy < 0 ? -errno : copy;
}

static struct process_fd *place_of_fd(struct process_table *table, pid_t tid, int fd)
{
	struct known *known = &table->known[(u32)tid % IDENTITIES];

	return known->identity.tid == (u32)tid ? &known->fds[(u32)fd % FDS] : NULL;
}

void process_remember_fd(struct process_table *table, pid_t tid, const struct process_fd *fd)
{
	struct process_fd *place = place_of_fd(table, tid, fd->fd);

	if (place)
		*place = *fd;
}

bool process_recall_fd(struct process_table *table, pid_t tid, struct process_fd *fd)
{
	const struct process_fd *place = place_of_fd(table, tid, fd->fd);

	if (!place || !place->object || place->fd != fd->fd || place->epoch != fd->epoch ||
	    place->changes != fd->changes || place->born != fd->born || place->ended != fd->ended)
		return false;
	fd->object = place->object;
	fd->access = place->access;
	return true;
}
