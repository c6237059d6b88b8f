/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running one program: JIT code if it has some, else the interpreter; run count and time when they
 * are wanted (bpf_enable_stats(2) and its sysctl).
 */
#include "rt/helper.h"
#include "rt/clock.h"
#include "rt/prog.h"
#include "rt/vcpu.h"

static u64 run(const struct rt_prog *prog, const void *ctx, struct rt_vcpu *vcpu)
{
	if (prog->jit) {
		vcpu->prog = prog;
		return prog->jit(ctx, vcpu);
	}
	return rt_interp_run(prog, ctx, vcpu);
}

static u64 now(struct rt_vcpu *vcpu)
{
	return rt_helpers[BPF_FUNC_ktime_get_ns](0, 0, 0, 0, 0, vcpu);
}

u64 rt_prog_run(const struct rt_prog *prog, const void *ctx, struct rt_vcpu *vcpu)
{
	u64 start, result;

	if (likely(!prog->stats_enabled))
		return run(prog, ctx, vcpu);
	start = now(vcpu);
	result = run(prog, ctx, vcpu);
	__atomic_fetch_add(&prog->stats->run_time_ns, now(vcpu) - start, __ATOMIC_RELAXED);
	__atomic_fetch_add(&prog->stats->run_cnt, 1, __ATOMIC_RELAXED);
	return result;
}

/* A look at the clock costs more than a small callback: not at every one. */
#define POLLS_PER_LOOK 16

bool rt_prog_out_of_time(struct rt_vcpu *vcpu)
{
	if (!vcpu->deadline || vcpu->stopped)
		return vcpu->stopped;
	if (++vcpu->polls % POLLS_PER_LOOK == 0)
		vcpu->stopped = rt_clock_ns(vcpu, RT_CLOCK_MONOTONIC) > vcpu->deadline;
	return vcpu->stopped;
}
