/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The current task's place in the system, which the kernel's files tell, and signals to it. A task
 * of another process (remote_pid) is looked up by its own id.
 */
#include "rt/cgroup.h"
#include "rt/helper/families.h"
#include "rt/mem.h"
#include "rt/proc.h"
#include "rt/sys.h"

#define SIGNAL_MAX 64
#define SI_KERNEL  0x80
#define TO_THREAD  0x80u

/* What stat(2) of x86-64 begins with. */
struct file_status {
	u64 dev, ino;
	u64 rest[16];
};

RT_HELPER(get_current_cgroup_id)
{
	struct rt_cgroup group;

	return rt_cgroup_of_task(vcpu, 0, &group) ? group.id : 0;
}

RT_HELPER(get_current_ancestor_cgroup_id)
{
	struct rt_cgroup group, above;

	return (s32)r1 >= 0 && rt_cgroup_of_task(vcpu, 0, &group) &&
			       rt_cgroup_ancestor(&group, (u32)r1, &above)
		       ? above.id
		       : 0;
}

/* (device, inode, info, size) */
RT_HELPER(get_ns_current_pid_tgid)
{
	struct bpf_pidns_info *info = (struct bpf_pidns_info *)r3;
	struct file_status status = { 0 };
	struct rt_path path;

	if ((u32)r4 != sizeof(*info))
		goto refused;
	rt_path_of_task(&path, vcpu, 0, "ns/pid");
	if (rt_syscall3(__NR_stat, (u64)path.text, (u64)&status, 0) || status.dev != r1 ||
	    status.ino != r2)
		goto refused;
	info->pid = vcpu->task.pid;
	info->tgid = vcpu->task.tgid;
	return 0;
refused:
	memset(info, 0, (u32)r4);
	return (u64)-EINVAL;
}

/* The task gets it when the program has ended: it may be its death. */
static u64 send(struct rt_vcpu *vcpu, u32 signal, bool thread)
{
	const struct rt_task *task = &vcpu->task;

	/* There is no task. */
	if (task->remote_pid == UINT32_MAX || !task->pid || !task->tgid)
		return (u64)-EPERM;
	if (signal > SIGNAL_MAX)
		return (u64)-EINVAL;
	signal |= thread ? TO_THREAD : 0;
	for (u32 i = 0; i < vcpu->nr_signals; i++)
		if (vcpu->signals[i] == signal)
			return 0;
	if (vcpu->nr_signals >= ARRAY_SIZE(vcpu->signals))
		return (u64)-EBUSY;
	if (signal & ~TO_THREAD)
		vcpu->signals[vcpu->nr_signals++] = (u8)signal;
	return 0;
}

void rt_signals_send(const struct rt_task *task, const u8 *signals, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		u32 signal = signals[i] & ~TO_THREAD;
		bool thread = signals[i] & TO_THREAD;
		/* siginfo_t: number, error, code, and then who has sent it, which is nobody. */
		u32 info[32] = { signal, 0, SI_KERNEL };

		/* Nobody may say of another process's signal that it is the kernel's. */
		if (task->remote_pid)
			rt_syscall3(thread ? __NR_tkill : __NR_kill, task->remote_pid, signal, 0);
		else if (thread)
			rt_syscall4(__NR_rt_tgsigqueueinfo, task->tgid, task->pid, signal,
				    (u64)info);
		/* ... nor, if it is not the first one, a thread of its own process. */
		else if (rt_syscall3(__NR_rt_sigqueueinfo, task->tgid, signal, (u64)info) == -EPERM)
			rt_syscall3(__NR_kill, task->tgid, signal, 0);
	}
}

RT_HELPER(send_signal)
{
	return send(vcpu, (u32)r1, false);
}

RT_HELPER(send_signal_thread)
{
	return send(vcpu, (u32)r1, true);
}
