/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attached programs, as the data plane sees them: an immutable array for each event, published by
 * the supervisor with one pointer store and freed after a grace period (rt/vcpu.h).
 *
 * System-call events are indexed by number so that the agent finds them without a search, and a
 * bitmap a system call tells in one load whether anybody listens.
 */
#ifndef SKEP_RT_EVENT_H
#define SKEP_RT_EVENT_H

#include "rt/arena.h"

struct rt_prog;
struct rt_vcpu;

struct rt_event_prog {
	const struct rt_prog *prog;
	u64 cookie;
	u64 *missed; /* in data: events that found no vCPU */
};

struct rt_event_progs {
	u32 nr;
	struct rt_event_prog prog[];
};

/* Events other than the per-number system-call ones. */
enum rt_event_kind {
	RT_EVENT_RAW_SYS_ENTER,	  /* tracepoint raw_syscalls:sys_enter */
	RT_EVENT_RAW_SYS_EXIT,	  /* tracepoint raw_syscalls:sys_exit */
	RT_EVENT_RAWTP_SYS_ENTER, /* raw_tracepoint sys_enter */
	RT_EVENT_RAWTP_SYS_EXIT,  /* raw_tracepoint sys_exit */
	RT_EVENT_SCHED_FORK,	  /* tracepoint sched:sched_process_fork */
	RT_EVENT_SCHED_EXEC,
	RT_EVENT_SCHED_EXIT,
	RT_EVENT_RAWTP_SCHED_FORK, /* raw_tracepoint sched_process_fork, … */
	RT_EVENT_RAWTP_SCHED_EXEC,
	RT_EVENT_RAWTP_SCHED_EXIT,
	RT_EVENT_KINDS
};

/* In control, at rt_control.events. */
struct rt_event_table {
	u64 enter_mask[RT_SYSCALL_MAX / 64]; /* a bit a system call: any enter event wants it */
	u64 exit_mask[RT_SYSCALL_MAX / 64];
	struct rt_event_progs *sys_enter[RT_SYSCALL_MAX]; /* tracepoints syscalls:sys_enter_NAME */
	struct rt_event_progs *sys_exit[RT_SYSCALL_MAX];
	struct rt_event_progs *other[RT_EVENT_KINDS];
};

/*
 * Runs every program of progs on ctx, in order; the caller holds vcpu and has filled vcpu->task.
 * Returns the last program's R0.
 */
u64 rt_event_run(const struct rt_event_progs *progs, const void *ctx, struct rt_vcpu *vcpu);

/* x86-64 `struct pt_regs` as programs read it (arch/x86/include/uapi/asm/ptrace.h). */
struct rt_pt_regs {
	u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs,
		flags, sp, ss;
};

/*
 * Fires everything that listens to the entry (exit) of a system call: builds the contexts of the
 * tracepoint syscalls:sys_enter_*, raw_syscalls:sys_enter and the raw tracepoint in vcpu->scratch
 * from regs. The same code serves the agent (the thread itself) and the supervisor (a remote task).
 * regs->orig_ax is the number; arguments are in di, si, dx, r10, r8, r9; on exit ax is the result.
 */
void rt_event_sys_enter(struct rt_vcpu *vcpu, const struct rt_pt_regs *regs);
void rt_event_sys_exit(struct rt_vcpu *vcpu, const struct rt_pt_regs *regs);

/* sched:sched_process_* as Linux 6.18 lays them out (tracefs `format` files). */
void rt_event_sched_fork(struct rt_vcpu *vcpu, const char *parent_comm, u32 parent_pid,
			 const char *child_comm, u32 child_pid);
void rt_event_sched_exec(struct rt_vcpu *vcpu, const char *filename, u32 pid, u32 old_pid);
void rt_event_sched_exit(struct rt_vcpu *vcpu, const char *comm, u32 pid, s32 prio,
			 bool group_dead);

/*
 * What a program attached to a tracepoint may read of its context, in bytes: attaching one whose
 * accesses go further is -EACCES (kernel/events/core.c, trace_event_get_offsets()).
 */
u32 rt_event_context_size(enum rt_event_kind kind);

static inline u32 rt_event_sys_enter_size(u32 nr_args)
{
	return nr_args ? 16 + 8 * nr_args : 12;
}

#define RT_EVENT_SYS_EXIT_SIZE 24

/* Counts an event that found no vCPU, for every program that listens to it. */
void rt_event_missed(const struct rt_event_progs *progs);
void rt_event_sys_missed(u32 nr, bool exit);

#endif
