/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events, the supervisor's side: the catalogue of what can be attached to, publishing attached
 * programs to the data plane, entering processes at their exec stop, and firing events for
 * processes that the agent has not reached.
 */
#ifndef SKEP_HOOK_HOOK_H
#define SKEP_HOOK_HOOK_H

#include <sys/types.h>
#include "base/types.h"
#include "object/object.h"
#include "rt/event.h"
#include "sys/sys.h"

struct arena;
struct hook;

/* One row of the catalogue: a tracepoint as tracefs shows it. */
struct hook_event {
	u32 id;		   /* tracefs id, perf_event_attr.config */
	const char *group; /* "syscalls", "raw_syscalls", "sched" */
	const char *name;
	u16 kind; /* enum rt_event_kind, or HOOK_SYS_ENTER, HOOK_SYS_EXIT with nr */
	u16 nr;
	const char *unavailable; /* why it cannot fire in user space; NULL: it can */
};
#define HOOK_SYS_ENTER 0x100
#define HOOK_SYS_EXIT  0x101

const struct hook_event *hook_event_by_id(u32 id);
const struct hook_event *hook_event_by_name(const char *group, const char *name);
/* Walks the catalogue; index from 0, NULL at its end. */
const struct hook_event *hook_event_at(u32 index);
/* The tracefs `format` text of an event; length or -ENOSPC. */
long hook_event_format(const struct hook_event *event, char *text, u64 size);
/* The façade's files are there, or cannot be made: agents ask no more. */
void hook_facade_made(struct hook *hook);
/* Tells catalogues with different contents apart; known since skep was built. */
u64 hook_catalogue_digest(void);

struct hook *hook_new(struct arena *arena);
struct hook *hook_free(struct hook *hook);
/* How many threads have to ask for AGENT_CLOSES (agent/protocol.h). */
void hook_set_closing(struct hook *hook, u32 nr);
/* Sentences for the person behind the hive: a process that could not be entered, and why. */
void hook_set_message(struct hook *hook, void (*message)(void *arg, const char *text), void *arg);

/* To wire into sys_hive_options: arg is the struct hook. */
extern const struct sys_attach_ops hook_attach_ops;

/*
 * A perf event of perf_event_open(2): checks attr (already copied, any size the kernel accepts),
 * makes an object of kind OBJECT_PERF. -errno as the kernel. *ret_reason gets a sentence when skep
 * refuses.
 */
struct perf_event_attr;
int hook_perf_open(struct hook *hook, struct object_table *objects,
		   const struct perf_event_attr *attr, pid_t pid, int cpu, struct object **ret_perf,
		   const char **ret_reason);
int hook_perf_enable(struct object *perf, bool enable);
/* The buffer of a BPF_OUTPUT event and its memory for mmap: pages of header + data in the data
 * segment. */
struct rt_perf_buffer *hook_perf_buffer(struct object *perf);
int hook_perf_map(struct hook *hook, struct object *perf, u64 length, void **ret_memory);
/* fdinfo and TASK_FD_QUERY: the catalogue row, NULL for other kinds. */
const struct hook_event *hook_perf_event(const struct object *perf);

/*
 * Entering processes. The gate tells of an execve notification before it lets the call go on; hook
 * seizes the thread, injects at the exec stop, detaches. Calls made by the thread that traces:
 * always the same supervisor thread. quiet: no events fire for the new program itself.
 */
int hook_exec_begin(struct hook *hook, pid_t tid, bool quiet);
/* A process went on after execve without a stop (it failed): lets it go. */
void hook_exec_abandon(struct hook *hook, pid_t tid);
/*
 * waitpid(2) status of any tracee. The gate's loop calls this for every status that is not an exit
 * of its own child. Returns true if it was a tracee's.
 */
bool hook_wait_status(struct hook *hook, pid_t tid, int status);
/* A request of the agent (protocol.h). The result to give the caller. */
long hook_agent_call(struct hook *hook, struct sys_client *client, u32 cmd, u64 attr, u32 size,
		     int (*install_raw_fd)(struct sys_client *client, int fd));

/* Every process that is entered from now on, and each that it forks, names this one as its tracer.
 */
void hook_set_tracer(struct hook *hook, pid_t tracer);
/* Agents take other numbers for the calls that a filter around the hive denies (AGENT_FOR_BPF). */
void hook_calls_denied(struct hook *hook);

/* Maps get descriptors from now on: agents watch the calls that change what a descriptor stands
 * for. */
void hook_track_descriptors(struct hook *hook);
/* Is it one of those calls, or one after which two processes may share memory or descriptors? */
bool hook_changes_descriptors(u32 nr);

/*
 * Iterators exist from now on: agents ask the supervisor for what is read of descriptors that may
 * be ones.
 */
void hook_read_objects(struct hook *hook);
bool hook_reads_objects(const struct hook *hook);

/* A system call seen by the notifier, from a site that is not rewritten: fires enter events
 * remotely. */
void hook_remote_sys_enter(struct hook *hook, pid_t tid, const struct rt_pt_regs *regs);

#endif
