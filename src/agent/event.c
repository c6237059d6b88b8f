/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fires events for the calling thread: takes a vCPU, says who the task is, lets the programs run,
 * gives the vCPU back. An event that finds no vCPU is counted as missed by each program that waited
 * for it.
 */
#include "agent/agent.h"
#include "rt/storage.h"
#include "rt/vcpu.h"

#define PR_GET_NAME	16
#define NICE_0_PRIORITY 120

/* owner holds the vCPU; tid and tgid are whom the event is about. */
static struct rt_vcpu *task_begin(u32 owner, u32 tid, u32 tgid)
{
	struct rt_vcpu *vcpu = rt_vcpu_acquire(owner);

	if (!vcpu)
		return NULL;
	vcpu->task.pid = tid;
	vcpu->task.tgid = tgid;
	vcpu->task.remote_pid = 0;
	vcpu->task.flags = 0;
	return vcpu;
}

void agent_fire_enter(struct agent_thread *thread, const struct rt_pt_regs *regs)
{
	struct rt_vcpu *vcpu;

	if (AGENT_THREADS_TABLE->quiet || regs->orig_ax >= RT_SYSCALL_MAX)
		return;
	vcpu = task_begin(thread->tid, thread->tid, thread->tgid);
	if (!vcpu) {
		rt_event_sys_missed((u32)regs->orig_ax, false);
		return;
	}
	rt_event_sys_enter(vcpu, regs);
	rt_vcpu_release(vcpu);
}

void agent_fire_exit(struct agent_thread *thread, const struct rt_pt_regs *regs)
{
	struct rt_vcpu *vcpu;

	/* -1: the end of rt_sigreturn, which is the exit of no system call. */
	if (AGENT_THREADS_TABLE->quiet || (regs->orig_ax >= RT_SYSCALL_MAX && ~regs->orig_ax))
		return;
	vcpu = task_begin(thread->tid, thread->tid, thread->tgid);
	if (!vcpu) {
		rt_event_sys_missed((u32)regs->orig_ax, true);
		return;
	}
	rt_event_sys_exit(vcpu, regs);
	rt_vcpu_release(vcpu);
}

/* Does anybody listen to this scheduler event, as a tracepoint or raw? */
static bool listening(u32 kind, u32 raw_kind)
{
	struct rt_event_table *events = RT_CONTROL->events;

	return !AGENT_THREADS_TABLE->quiet &&
	       (READ_ONCE(events->other[kind]) || READ_ONCE(events->other[raw_kind]));
}

static struct rt_vcpu *sched_begin(u32 owner, u32 tid, u32 tgid, u32 kind, u32 raw_kind)
{
	struct rt_vcpu *vcpu;

	if (!listening(kind, raw_kind))
		return NULL;
	vcpu = task_begin(owner, tid, tgid);
	if (!vcpu) {
		rt_event_missed(RT_CONTROL->events->other[kind]);
		rt_event_missed(RT_CONTROL->events->other[raw_kind]);
	}
	return vcpu;
}

void agent_fire_fork(u32 owner, u32 tid, u32 tgid, u32 child)
{
	char comm[16];
	struct rt_vcpu *vcpu =
		sched_begin(owner, tid, tgid, RT_EVENT_SCHED_FORK, RT_EVENT_RAWTP_SCHED_FORK);

	if (!vcpu)
		return;
	rt_syscall3(__NR_prctl, PR_GET_NAME, (u64)comm, 0);
	rt_event_sched_fork(vcpu, comm, tid, comm, child);
	rt_vcpu_release(vcpu);
}

void agent_fire_exec(struct agent_thread *thread, const char *filename, u32 old_pid)
{
	struct rt_vcpu *vcpu = sched_begin(thread->tid, thread->tid, thread->tgid,
					   RT_EVENT_SCHED_EXEC, RT_EVENT_RAWTP_SCHED_EXEC);

	if (!vcpu)
		return;
	rt_event_sched_exec(vcpu, filename, thread->tid, old_pid);
	rt_vcpu_release(vcpu);
}

static void fire_exit_of(u32 owner, u32 tid, u32 tgid, const char *comm, bool group_dead)
{
	struct rt_vcpu *vcpu =
		sched_begin(owner, tid, tgid, RT_EVENT_SCHED_EXIT, RT_EVENT_RAWTP_SCHED_EXIT);

	if (!vcpu)
		return;
	rt_event_sched_exit(vcpu, comm, tid, NICE_0_PRIORITY, group_dead);
	rt_vcpu_release(vcpu);
}

/* The name of another thread of this process; the caller's own when it cannot be read. */
static void thread_name(u32 tid, char comm[16])
{
	char path[48] = "/proc/self/task/";
	u32 at = 16, digits = tid, length = 0;
	long fd, got;

	for (; digits; digits /= 10)
		length++;
	for (digits = 0; digits < length; digits++, tid /= 10)
		path[at + length - 1 - digits] = (char)('0' + tid % 10);
	memcpy(path + at + length, "/comm", 6);
	fd = rt_syscall4(__NR_openat, (u64)-100, (u64)path, 02000000, 0);
	if (fd < 0)
		return;
	memset(comm, 0, 16);
	got = rt_syscall3(__NR_read, (u64)fd, (u64)comm, 16);
	if (got > 0)
		comm[got - 1] = 0; /* in place of the newline */
	rt_syscall3(__NR_close, (u64)fd, 0, 0);
}

/* What programs stored for the thread, and with group for the other threads of its process. */
static void leave_storages(const struct agent_thread *thread, bool group)
{
	const struct agent_threads *table = AGENT_THREADS_TABLE;
	struct rt_vcpu *vcpu;

	if (!rt_storages_any() || AGENT_STATE->foreign_pid_ns)
		return;
	vcpu = task_begin(thread->tid, thread->tid, thread->tgid);
	if (!vcpu)
		return;
	rt_storages_leave(thread->tid, vcpu);
	for (u32 i = 0; group && i < AGENT_THREADS; i++) {
		u32 tid = READ_ONCE(table->slots[i].tid);

		if (tid && tid != thread->tid && table->slots[i].tgid == thread->tgid)
			rt_storages_leave(tid, vcpu);
	}
	rt_vcpu_release(vcpu);
}

static void fire_process_exit(struct agent_thread *thread, bool group)
{
	struct agent_threads *table = AGENT_THREADS_TABLE;
	char comm[16], name[16];
	bool alone = true;
	u32 i;

	if (!listening(RT_EVENT_SCHED_EXIT, RT_EVENT_RAWTP_SCHED_EXIT))
		return;
	rt_syscall3(__NR_prctl, PR_GET_NAME, (u64)comm, 0);
	for (i = 0; i < AGENT_THREADS && alone; i++)
		alone = !READ_ONCE(table->slots[i].tid) || &table->slots[i] == thread ||
			table->slots[i].tgid != thread->tgid;
	fire_exit_of(thread->tid, thread->tid, thread->tgid, comm, alone);
	if (!group || alone)
		return;
	/* exit_group ends the others too; the order in which they die is not ours to know. */
	for (i = 0; i < AGENT_THREADS; i++) {
		u32 tid = READ_ONCE(table->slots[i].tid);

		if (!tid || &table->slots[i] == thread || table->slots[i].tgid != thread->tgid)
			continue;
		memcpy(name, comm, sizeof(name));
		thread_name(tid, name);
		fire_exit_of(thread->tid, tid, thread->tgid, name, false);
	}
}

void agent_fire_process_exit(struct agent_thread *thread, bool group)
{
	fire_process_exit(thread, group);
	leave_storages(thread, group);
}
