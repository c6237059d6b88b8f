/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that tell who runs, and where. What vcpu->task does not carry is asked of the kernel, for
 * the calling thread; the tasks of other processes always carry it.
 */
#include "rt/clock.h"
#include "rt/event.h"
#include "rt/helper/families.h"
#include "rt/mem.h"
#include "rt/sys.h"

#define COMM_SIZE   16
#define PR_GET_NAME 16

RT_HELPER(get_current_pid_tgid)
{
	return (u64)vcpu->task.tgid << 32 | vcpu->task.pid;
}

RT_HELPER(get_current_uid_gid)
{
	const struct rt_task *task = &vcpu->task;

	if (task->flags & RT_TASK_HAS_IDS)
		return (u64)task->gid << 32 | task->uid;
	if (task->remote_pid)
		return (u64)-EINVAL;
	return (u64)(u32)rt_syscall0(__NR_getgid) << 32 | (u32)rt_syscall0(__NR_getuid);
}

void rt_task_comm(const struct rt_vcpu *vcpu, char *comm)
{
	const struct rt_task *task = &vcpu->task;
	bool ended = false;

	memset(comm, 0, COMM_SIZE);
	if (task->flags & RT_TASK_HAS_COMM)
		memcpy(comm, task->comm, COMM_SIZE);
	else if (!task->remote_pid)
		rt_syscall3(__NR_prctl, PR_GET_NAME, (u64)comm, 0);
	comm[COMM_SIZE - 1] = '\0';
	/* What stands after the name in the kernel's array is nobody's business. */
	for (u32 i = 0; i < COMM_SIZE; i++) {
		ended |= comm[i] == '\0';
		if (ended)
			comm[i] = '\0';
	}
}

RT_HELPER(get_current_comm)
{
	char comm[COMM_SIZE], *out = (char *)r1;
	u32 size = (u32)r2;

	rt_task_comm(vcpu, comm);
	memset(out, 0, size);
	memcpy(out, comm, size < COMM_SIZE ? size : COMM_SIZE);
	if (size)
		out[size - 1] = '\0';
	return 0;
}

RT_HELPER(get_current_task)
{
	return rt_task_model(vcpu);
}

/* Where it is not known how a task looks, one of zeros: it may be read as memory. */
RT_HELPER(get_current_task_btf)
{
	u64 task = rt_task_model(vcpu);

	return task ? task : (u64)RT_CONTROL->zeros;
}

RT_HELPER(get_attach_cookie)
{
	return vcpu->cookie;
}

/*
 * (task): registers of the current task at its system call, as far as there is one; of others
 * nobody here knows them.
 */
RT_HELPER(task_pt_regs)
{
	struct rt_pt_regs *copy = (struct rt_pt_regs *)(void *)vcpu->task_regs;

	_Static_assert(sizeof(*copy) == sizeof(vcpu->task_regs), "registers");
	if (!vcpu->user_regs || !r1 || rt_task_image_pid(r1, vcpu) != vcpu->task.pid)
		return 0;
	*copy = *vcpu->user_regs;
	/* As the kernel's entry code has it until there is a result. */
	if (vcpu->entering)
		copy->ax = (u64)-ENOSYS;
	return (u64)copy;
}

RT_HELPER(get_smp_processor_id)
{
	return vcpu->index;
}

RT_HELPER(get_numa_node_id)
{
	u32 node = 0;

	rt_syscall3(__NR_getcpu, 0, (u64)&node, 0);
	return node;
}

/* xorshift64*: fast and equidistributed; as in the kernel, not for secrets. */
RT_HELPER(get_prandom_u32)
{
	u64 state = vcpu->random;

	if (unlikely(state == 0)) {
		if (rt_syscall3(__NR_getrandom, (u64)&state, sizeof(state), 1) != sizeof(state))
			state = __builtin_ia32_rdtsc() ^ (u64)vcpu;
		state |= 1;
	}
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	vcpu->random = state;
	return state * 0x2545f4914f6cdd1d >> 32;
}
