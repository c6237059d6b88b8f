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

/* A thread that executes: seized, and later, no more traced, in the bootstrap. */
struct hook_tracee {
	struct list link;
	pid_t tid;
	bool quiet;
	bool abandoned; /* let go at its next stop */
	bool booting;	/* in the bootstrap */
	bool zero;	/* the last descriptor that it was given is number 0 */
	u32 given;	/* descriptors of the arena: AGENT_ENTER_* comes next */
	u32 old_tid;
	int pidfd; /* of its process; -1 before the exec stop */
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
	bool reads_objects;	 /* there are, or were, iterators */
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
/* AGENT_ENTER of a thread in the bootstrap; the result to give it. */
long hook_enter(struct hook *hook, struct sys_client *client, u64 what,
		int (*install_raw_fd)(struct sys_client *client, int fd));
/* AGENT_NOT_ENTERED: it goes on to its program. */
void hook_not_entered(struct hook *hook, pid_t tid, long error);
/* Does this thread run the bootstrap? */
bool hook_is_booting(struct hook *hook, pid_t tid);

/* attach.c: frees retired arrays whose grace period is over; all of them when the hive ends. */
void hook_retire_reap(struct hook *hook, bool all);

/* catalogue.c: the end of the last field, which bounds what programs may read; and the list that it
 * publishes to. */
u32 hook_event_context_size(const struct hook_event *event);
struct rt_event_progs **hook_event_slot(u16 kind, u16 nr);

#endif
