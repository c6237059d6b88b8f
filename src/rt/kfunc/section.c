/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions, and sections: RCU, preemption and interrupts off. The verifier proved that they are
 * left again. A program of a hive holds its vCPU all the time, and what a reader may still see is
 * freed only when every vCPU was free once (rt_grace_over()): there is nothing left to do at run
 * time.
 */
#include "rt/kfunc/families.h"

RT_KFUNC(bpf_rcu_read_lock)
{
	return 0;
}

RT_KFUNC(bpf_rcu_read_unlock)
{
	return 0;
}

RT_KFUNC(bpf_preempt_disable)
{
	return 0;
}

RT_KFUNC(bpf_preempt_enable)
{
	return 0;
}

/* (flags) */
RT_KFUNC(bpf_local_irq_save)
{
	*(u64 *)r1 = 0;
	return 0;
}

RT_KFUNC(bpf_local_irq_restore)
{
	return 0;
}

/* (cookie): the engine ends the program (rt/interp.c). */
RT_KFUNC(bpf_throw)
{
	vcpu->cookie_thrown = r1;
	vcpu->thrown = vcpu->aborted = true;
	return 0;
}

/* (obj, btf_id): the verifier gave it its type, made a move of the call (kfunc_fix()), and loads
 * through it are checked at run time. */
RT_KFUNC(bpf_rdonly_cast)
{
	return r1;
}

/*
 * (ctx): some contexts are the kernel's structures; those of test runs have an image of theirs, as
 * they are at this moment. What events measured is nowhere.
 */
RT_KFUNC(bpf_cast_to_kern_ctx)
{
	u32 prog_type = vcpu->call_arg;

	switch (prog_type) {
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case ABI_PROG_TYPE_NETFILTER: return r1;
	case BPF_PROG_TYPE_PERF_EVENT:
		vcpu->perf_ctx[0] = r1; /* the registers are its first member */
		return (u64)vcpu->perf_ctx;
	default: return vcpu->cast ? vcpu->cast(vcpu->cast_arg, prog_type, (void *)r1) : 0;
	}
}

/* A program of a session that is run by hand: what it enters, and what it keeps there for itself.
 */
RT_KFUNC(bpf_session_is_return)
{
	return 0;
}

RT_KFUNC(bpf_session_cookie)
{
	return (u64)&vcpu->session_cookie;
}

/* (nonce): only whoever listens to it would learn of it. */
RT_KFUNC(bpf_modify_return_test_tp)
{
	return rt_kfunc_int((s32)r1);
}

/* The verifier takes no program that reaches it. */
RT_KFUNC(__bpf_trap)
{
	return 0;
}
