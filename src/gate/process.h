/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the gate has to know of a process for as long as it lives: whether its events are wanted,
 * and which objects it has mapped. Few processes need an entry; its end is seen through a pidfd.
 */
#ifndef SKEP_GATE_PROCESS_H
#define SKEP_GATE_PROCESS_H

#include <sys/types.h>
#include "base/types.h"
#include "gate/call_slots.h"
#include "object/object.h"

struct process_table;

struct process_table *process_table_new(void);
struct process_table *process_table_free(struct process_table *table);

/* An epoll descriptor: readable when processes of the table have ended; then call
 * process_table_collect(). */
int process_table_fd(const struct process_table *table);
void process_table_collect(struct process_table *table);

/*
 * This process, which is about to execute a program, fires no events, as long as it runs that
 * program. Its children do.
 */
int process_set_quiet(struct process_table *table, pid_t pid);
/* Will the program that thread tid is about to execute be a quiet one? */
bool process_executes_quietly(struct process_table *table, pid_t tid);
/* Is thread tid of such a process? */
bool process_is_quiet(struct process_table *table, pid_t tid);
/* Process pid has executed a program: what was true of it before is so no more. */
void process_executed(struct process_table *table, pid_t pid);

/*
 * A call that its agent did not see has changed, or will change, what the process's descriptors
 * stand for. False: there is no room to remember that.
 */
bool process_set_untracked(struct process_table *table, pid_t pid);
bool process_is_untracked(struct process_table *table, pid_t pid);

/*
 * The process's call slots, NULL: it has none. Given once, they are the table's; taken back when
 * the process ends or executes a program. 0 or -errno, then they are still the caller's.
 */
struct call_slots *process_call_slots(struct process_table *table, pid_t pid);
int process_give_call_slots(struct process_table *table, pid_t pid, struct call_slots *slots);

/* The process maps size bytes of the arena, which are object's: holds a reference until it ends,
 * executes a program, or was seen without them. 0 or -errno. */
int process_add_mapping(struct process_table *table, pid_t pid, struct object *object, u64 address,
			u64 size);
/* Looks for what is not mapped any more (gate/mapping.h). True: some is to be looked at again. */
bool process_sweep_mappings(struct process_table *table);

/*
 * Of thread tid: its process, and the user and group it runs as. Remembered for a second at most. 0
 * or -ESRCH.
 */
struct process_identity {
	u32 tid, tgid;
	u32 uid, gid;
};
int process_identify(struct process_table *table, pid_t tid, struct process_identity *ret_identity);

/*
 * A copy of descriptor fd of thread tid, which process_identify() has just been asked about: -EBADF
 * when it is not open, -EPERM or another error when the kernel does not give copies.
 */
int process_copy_fd(struct process_table *table, pid_t tid, int fd);

/*
 * What descriptor fd was found to stand for, and when: what its process's agent said about changes
 * (struct agent_fds_head), the epoch of tickets, how many handles had ended. It is remembered with
 * the thread, and recalled as long as all of that is the same.
 */
struct process_fd {
	int fd;
	u32 epoch, changes;
	u64 born, ended;
	struct object *object; /* borrowed: valid until the next handle ends */
	int access;
};
void process_remember_fd(struct process_table *table, pid_t tid, const struct process_fd *fd);
/* Fills object and access. */
bool process_recall_fd(struct process_table *table, pid_t tid, struct process_fd *fd);

#endif
