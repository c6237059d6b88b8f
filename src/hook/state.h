/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of src/hook share: the hive's side of struct agent_control, attached programs,
 * processes at their exec stop.
 */
#ifndef SKEP_HOOK_STATE_H
#define SKEP_HOOK_STATE_H

#include "agent/protocol.h"
#include "base/list.h"
#include "hook/hook.h"
#include "rt/vcpu.h"

#define HOOK_ENTRY_SAVED 256 /* most bytes of a program that the bootstrap overwrites */

/* A thread that executes: seized, later running the bootstrap in place of its program. */
struct hook_tracee {
	struct list link;
	pid_t tid;
	bool quiet;
	bool booting;
	bool asked;	/* the bootstrap has had its descriptors */
	bool abandoned; /* let go at its next stop */
	u64 entry, stack;
	u64 page; /* where the bootstrap lies */
	u8 saved[HOOK_ENTRY_SAVED];
	u32 exec_nr;
	u32 old_tid;
};

/* Arrays that the data plane may still be reading. */
struct hook_retired {
	struct list link;
	struct rt_event_progs *progs;
	u64 size;
	struct rt_grace grace;
};

struct hook {
	struct arena *arena;
	struct agent_control *control; /* in the control segment */
	struct list tracees;
	struct list retired;
	bool tracks_descriptors; /* agents remember what descriptors stand for */
	u64 agent_start;	 /* in the image; 0: this image has no agent, nothing is entered */
	u64 next_perf_id;
	void (*message)(void *arg, const char *text);
	void *message_arg;
};

void hook_say(struct hook *hook, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* control.c: recomputes who wants which system call, after programs were attached or detached. */
void hook_refresh_interest(struct hook *hook);

/* modules.c: the site table of a file mapping of process pid. 0 or -errno; fills ask's out fields.
 */
int hook_find_sites(struct hook *hook, pid_t pid, struct agent_sites *ask);

/* enter.c */
void hook_tracees_free(struct hook *hook);
/* AGENT_ENTER of this thread: may it have the arena's descriptors? */
bool hook_may_enter(struct hook *hook, pid_t tid);
/* Does this thread run the bootstrap? */
bool hook_is_booting(struct hook *hook, pid_t tid);

/* attach.c: frees retired arrays whose grace period is over; all of them when the hive ends. */
void hook_retire_reap(struct hook *hook, bool all);

/* catalogue.c: the end of the last field, which bounds what programs may read; and the list that it
 * publishes to. */
u32 hook_event_context_size(const struct hook_event *event);
struct rt_event_progs **hook_event_slot(u16 kind, u16 nr);

#endif
