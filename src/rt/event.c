/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an event to its programs: builds the context that Linux 6.18 gives to programs of that kind
 * (tracefs `format` files; kernel/trace/trace_syscalls.c, include/trace/events/sched.h) and runs
 * every program that is attached. Contexts lie in the vCPU's private scratch memory.
 *
 * The first eight bytes of a tracepoint's context are the kernel's own; programs cannot read them.
 */
#include <linux/errno.h>

#include "rt/event.h"
#include "rt/mem.h"
#include "rt/prog.h"
#include "rt/vcpu.h"

struct tp_syscall {
	u64 common;
	s32 nr;
	u32 pad;
	u64 args[6]; /* for an exit, args[0] is the result */
};

struct tp_raw_syscall {
	u64 common;
	s64 id;
	u64 args[6];
};

/* A __data_loc field: offset from the record's start, length with the NUL in the upper half. */
typedef u32 data_loc;

struct tp_sched_fork {
	u64 common;
	data_loc parent_comm;
	s32 parent_pid;
	data_loc child_comm;
	s32 child_pid;
	char data[32];
};

struct tp_sched_exec {
	u64 common;
	data_loc filename;
	s32 pid, old_pid;
	char data[4096]; /* PATH_MAX */
};

struct tp_sched_exit {
	u64 common;
	char comm[16];
	s32 pid, prio;
	u8 group_dead;
};

/* Contexts of one event; an event of the same thread that nests has another vCPU. */
struct scratch {
	struct rt_pt_regs regs;
	u64 raw[4]; /* struct bpf_raw_tracepoint_args */
	union {
		struct tp_syscall syscall;
		struct tp_raw_syscall raw_syscall;
		struct tp_sched_fork fork;
		struct tp_sched_exec exec;
		struct tp_sched_exit exit;
	};
};

_Static_assert(sizeof(struct scratch) <= RT_VCPU_SCRATCH_SIZE, "contexts fit the scratch memory");
_Static_assert(offsetof(struct tp_sched_exec, data) == 20,
	       "sched_process_exec as 6.18 lays it out");
_Static_assert(offsetof(struct tp_sched_fork, data) == 24,
	       "sched_process_fork as 6.18 lays it out");
_Static_assert(offsetof(struct tp_sched_exit, group_dead) == 32, "sched_process_exit of 6.18");

u64 rt_event_run(const struct rt_event_progs *progs, const void *ctx, struct rt_vcpu *vcpu)
{
	u64 result = 0;

	for (u32 i = 0; i < progs->nr; i++) {
		const struct rt_prog *prog =
			__atomic_load_n(&progs->prog[i].prog, __ATOMIC_ACQUIRE);

		/* Detached where there was no memory for a shorter array. */
		if (unlikely(!prog))
			continue;
		vcpu->cookie = progs->prog[i].cookie;
		result = rt_prog_run(prog, ctx, vcpu);
	}
	return result;
}

void rt_event_missed(const struct rt_event_progs *progs)
{
	if (!progs)
		return;
	for (u32 i = 0; i < progs->nr; i++)
		if (progs->prog[i].missed)
			__atomic_fetch_add(progs->prog[i].missed, 1, __ATOMIC_RELAXED);
}

static const struct rt_event_progs *other(enum rt_event_kind kind)
{
	return __atomic_load_n(&RT_CONTROL->events->other[kind], __ATOMIC_ACQUIRE);
}

static const struct rt_event_progs *by_number(u64 nr, bool exit)
{
	struct rt_event_table *events = RT_CONTROL->events;

	if (nr >= RT_SYSCALL_MAX)
		return NULL;
	return __atomic_load_n(exit ? &events->sys_exit[nr] : &events->sys_enter[nr],
			       __ATOMIC_ACQUIRE);
}

void rt_event_sys_missed(u32 nr, bool exit)
{
	rt_event_missed(other(exit ? RT_EVENT_RAWTP_SYS_EXIT : RT_EVENT_RAWTP_SYS_ENTER));
	rt_event_missed(other(exit ? RT_EVENT_RAW_SYS_EXIT : RT_EVENT_RAW_SYS_ENTER));
	rt_event_missed(by_number(nr, exit));
}

u32 rt_event_context_size(enum rt_event_kind kind)
{
	switch (kind) {
	case RT_EVENT_RAW_SYS_ENTER: return 64;
	case RT_EVENT_RAW_SYS_EXIT: return 24;
	case RT_EVENT_SCHED_FORK: return offsetof(struct tp_sched_fork, data);
	case RT_EVENT_SCHED_EXEC: return offsetof(struct tp_sched_exec, data);
	case RT_EVENT_SCHED_EXIT: return 33;
	default: return 0; /* raw tracepoints: their arguments are the verifier's matter */
	}
}

static struct scratch *scratch_of(struct rt_vcpu *vcpu)
{
	return (struct scratch *)vcpu->scratch;
}

static void run_raw_tracepoint(struct rt_vcpu *vcpu, enum rt_event_kind kind, u64 a, u64 b, u64 c)
{
	const struct rt_event_progs *progs = other(kind);
	struct scratch *scratch = scratch_of(vcpu);

	if (!progs)
		return;
	scratch->raw[0] = a;
	scratch->raw[1] = b;
	scratch->raw[2] = c;
	rt_event_run(progs, scratch->raw, vcpu);
}

/* Where the task's user code is, for its stack, and its registers. */
static void note_user_code(struct rt_vcpu *vcpu, const struct rt_pt_regs *regs, bool entering)
{
	vcpu->task.ip = regs->ip;
	vcpu->task.bp = regs->bp;
	vcpu->task.flags |= RT_TASK_HAS_REGS;
	vcpu->user_regs = regs;
	vcpu->entering = entering;
}

void rt_event_sys_enter(struct rt_vcpu *vcpu, const struct rt_pt_regs *regs)
{
	struct scratch *scratch = scratch_of(vcpu);
	const u64 args[6] = { regs->di, regs->si, regs->dx, regs->r10, regs->r8, regs->r9 };
	const struct rt_event_progs *progs;
	u64 nr = regs->orig_ax;

	note_user_code(vcpu, regs, true);
	if (other(RT_EVENT_RAWTP_SYS_ENTER)) {
		scratch->regs = *regs;
		/* As the kernel's entry code has it until there is a result. */
		scratch->regs.ax = (u64)-ENOSYS;
		run_raw_tracepoint(vcpu, RT_EVENT_RAWTP_SYS_ENTER, (u64)&scratch->regs, nr, 0);
	}

	progs = other(RT_EVENT_RAW_SYS_ENTER);
	if (progs) {
		scratch->raw_syscall = (struct tp_raw_syscall){ .id = (s64)nr };
		memcpy(scratch->raw_syscall.args, args, sizeof(args));
		rt_event_run(progs, &scratch->raw_syscall, vcpu);
	}
	progs = by_number(nr, false);
	if (progs) {
		scratch->syscall = (struct tp_syscall){ .nr = (s32)nr };
		memcpy(scratch->syscall.args, args, sizeof(args));
		rt_event_run(progs, &scratch->syscall, vcpu);
	}
	vcpu->user_regs = NULL;
}

void rt_event_sys_exit(struct rt_vcpu *vcpu, const struct rt_pt_regs *regs)
{
	struct scratch *scratch = scratch_of(vcpu);
	const struct rt_event_progs *progs;
	u64 nr = regs->orig_ax;

	note_user_code(vcpu, regs, false);
	if (other(RT_EVENT_RAWTP_SYS_EXIT)) {
		scratch->regs = *regs;
		run_raw_tracepoint(vcpu, RT_EVENT_RAWTP_SYS_EXIT, (u64)&scratch->regs, regs->ax, 0);
	}

	progs = other(RT_EVENT_RAW_SYS_EXIT);
	if (progs) {
		scratch->raw_syscall =
			(struct tp_raw_syscall){ .id = (s64)nr, .args = { regs->ax } };
		rt_event_run(progs, &scratch->raw_syscall, vcpu);
	}
	progs = by_number(nr, true);
	if (progs) {
		scratch->syscall = (struct tp_syscall){ .nr = (s32)nr, .args = { regs->ax } };
		rt_event_run(progs, &scratch->syscall, vcpu);
	}
	vcpu->user_regs = NULL;
}

/* Copies text with its NUL, at most size bytes; the field's value for a string at offset. */
static data_loc put_string(char *dst, u32 size, u32 offset, const char *text)
{
	u32 length = 0;

	while (length < size - 1 && text[length]) {
		dst[length] = text[length];
		length++;
	}
	dst[length++] = 0;
	return length << 16 | offset;
}

void rt_event_sched_fork(struct rt_vcpu *vcpu, const char *parent_comm, u32 parent_pid,
			 const char *child_comm, u32 child_pid)
{
	const struct rt_event_progs *progs = other(RT_EVENT_SCHED_FORK);
	struct tp_sched_fork *fork = &scratch_of(vcpu)->fork;
	const u32 start = offsetof(struct tp_sched_fork, data);

	run_raw_tracepoint(vcpu, RT_EVENT_RAWTP_SCHED_FORK, 0, 0, 0);
	if (!progs)
		return;
	*fork = (struct tp_sched_fork){ .parent_pid = (s32)parent_pid,
					.child_pid = (s32)child_pid };
	fork->parent_comm = put_string(fork->data, 16, start, parent_comm);

	u32 length = fork->parent_comm >> 16;

	fork->child_comm = put_string(fork->data + length, 16, start + length, child_comm);
	rt_event_run(progs, fork, vcpu);
}

void rt_event_sched_exec(struct rt_vcpu *vcpu, const char *filename, u32 pid, u32 old_pid)
{
	const struct rt_event_progs *progs = other(RT_EVENT_SCHED_EXEC);
	struct tp_sched_exec *exec = &scratch_of(vcpu)->exec;

	run_raw_tracepoint(vcpu, RT_EVENT_RAWTP_SCHED_EXEC, 0, old_pid, 0);
	if (!progs)
		return;
	exec->common = 0;
	exec->pid = (s32)pid;
	exec->old_pid = (s32)old_pid;
	exec->filename = put_string(exec->data, sizeof(exec->data),
				    offsetof(struct tp_sched_exec, data), filename);
	rt_event_run(progs, exec, vcpu);
}

void rt_event_sched_exit(struct rt_vcpu *vcpu, const char *comm, u32 pid, s32 prio, bool group_dead)
{
	const struct rt_event_progs *progs = other(RT_EVENT_SCHED_EXIT);
	struct tp_sched_exit *exit = &scratch_of(vcpu)->exit;

	run_raw_tracepoint(vcpu, RT_EVENT_RAWTP_SCHED_EXIT, 0, group_dead, 0);
	if (!progs)
		return;
	*exit = (struct tp_sched_exit){ .pid = (s32)pid, .prio = prio, .group_dead = group_dead };
	put_string(exit->comm, sizeof(exit->comm), 0, comm);
	rt_event_run(progs, exit, vcpu);
}
