/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals to any task (kernel/trace/bpf_trace.c). The current one gets its signal as from
 * bpf_send_signal(), when the program has ended; another one at once, from whoever runs the program
 * and with its rights.
 */
#include "rt/helper/families.h"
#include "rt/kfunc/families.h"
#include "rt/proc.h"
#include "rt/sys.h"
#include "rt/task_model.h"

#define TYPE_PID   0u /* PIDTYPE_PID, PIDTYPE_TGID */
#define TYPE_TGID  1u
#define SIGNAL_MAX 64
#define SI_QUEUE   (-1)

/* siginfo_t of a queued signal. */
struct info {
	s32 number, error, code, pad;
	u32 pid, uid;
	u64 value;
	u8 rest[96];
};
_Static_assert(sizeof(struct info) == 128, "siginfo_t");

/* The supervisor's rights are not those of whom it runs a program for. */
static bool may_signal(struct rt_vcpu *vcpu, u32 pid)
{
	struct rt_task_facts current, other;

	if (!vcpu->task.remote_pid && !RT_PROCESS->is_supervisor)
		return true;
	rt_task_current(vcpu, &current);
	return rt_task_facts_of(vcpu, pid, &other) &&
	       (!current.euid || current.euid == other.uid || current.uid == other.uid);
}

/* (task, signal, type, value) */
RT_KFUNC(bpf_send_signal_task)
{
	u32 pid = rt_task_image_pid(r1, vcpu), tgid = rt_task_image_tgid(r1, vcpu);
	u32 signal = (u32)r2, type = (u32)r3;
	struct info info = {
		.number = (s32)signal, .code = SI_QUEUE, .pid = vcpu->task.tgid, .value = r4
	};

	if (type != TYPE_PID && type != TYPE_TGID)
		return rt_kfunc_int(-EINVAL);
	/* Neither the idle task nor the first one. */
	if (pid <= 1 || !tgid)
		return rt_kfunc_int(-EPERM);
	if (signal > SIGNAL_MAX)
		return rt_kfunc_int(-EINVAL);
	if (pid == vcpu->task.pid)
		return rt_kfunc_int(
			(long)(type == TYPE_PID ? rt_helper_send_signal_thread(r2, 0, 0, 0, 0, vcpu)
						: rt_helper_send_signal(r2, 0, 0, 0, 0, vcpu)));
	if (!may_signal(vcpu, pid))
		return rt_kfunc_int(-EPERM);
	return rt_kfunc_int(
		type == TYPE_PID
			? rt_syscall4(__NR_rt_tgsigqueueinfo, tgid, pid, signal, (u64)&info)
			: rt_syscall3(__NR_rt_sigqueueinfo, tgid, signal, (u64)&info));
}
