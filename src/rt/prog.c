/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running one program: native code if it has some, else the interpreter; run count and time when
 * they are wanted (bpf_enable_stats(2) and its sysctl).
 */
#include "rt/helper.h"
#include "rt/clock.h"
#include "rt/native.h"
#include "rt/prog.h"
#include "rt/trampoline.h"
#include "rt/vcpu.h"

static u64 now(struct rt_vcpu *vcpu)
{
	return rt_helpers[BPF_FUNC_ktime_get_ns](0, 0, 0, 0, 0, vcpu);
}

/* What is attached to a function; nearly always nothing. */
static const struct rt_trampoline *trampoline_of(const struct rt_prog *prog, u32 subprog)
{
	const struct rt_trampoline *const *all = READ_ONCE(prog->trampolines);

	return unlikely(all != NULL) ? __atomic_load_n(&all[subprog], __ATOMIC_ACQUIRE) : NULL;
}

/* The function that a trampoline is on. */
struct original {
	const struct rt_prog *prog;
	struct rt_vcpu *vcpu;
	u32 subprog;
};

static u64 run_function(const struct rt_prog *prog, u32 subprog, const u64 args[5],
			struct rt_vcpu *vcpu)
{
	return prog->native ? rt_native_call(prog, subprog, args, vcpu)
			    : rt_interp_call(prog, subprog, args, vcpu);
}

static u64 call_original(void *arg, const u64 *args)
{
	const struct original *original = arg;

	return run_function(original->prog, original->subprog, args, original->vcpu);
}

/* In the frame vcpu->frame. */
static u64 call(const struct rt_prog *prog, u32 subprog, const u64 args[5], struct rt_vcpu *vcpu)
{
	const struct rt_trampoline *trampoline = trampoline_of(prog, subprog);
	struct original original = { prog, vcpu, subprog };

	if (!trampoline)
		return run_function(prog, subprog, args, vcpu);
	if (trampoline->extension)
		return call(trampoline->extension, 0, args, vcpu);
	return rt_trampoline_run(trampoline, vcpu, args, call_original, &original);
}

u64 rt_prog_call(const struct rt_prog *prog, u32 subprog, const u64 args[5], struct rt_vcpu *vcpu)
{
	const struct rt_prog *running = vcpu->prog;
	u32 frame = vcpu->frame;
	u64 result;

	if (frame + 2 >= RT_FRAMES)
		return 0;
	vcpu->frame = frame + 1;
	result = call(prog, subprog, args, vcpu);
	vcpu->frame = frame;
	vcpu->prog = running;
	return result;
}

/* The whole program, with its context, in the frame vcpu->frame. */
static u64 run_traced(const struct rt_prog *prog, const void *ctx, struct rt_vcpu *vcpu)
{
	const u64 args[5] = { (u64)ctx };

	vcpu->tail_calls = 0;
	return call(prog, 0, args, vcpu);
}

static u64 count(const struct rt_prog *prog, const void *ctx, struct rt_vcpu *vcpu,
		 u64 (*run_it)(const struct rt_prog *, const void *, struct rt_vcpu *))
{
	u64 start = now(vcpu), result = run_it(prog, ctx, vcpu);

	__atomic_fetch_add(&prog->stats->run_time_ns, now(vcpu) - start, __ATOMIC_RELAXED);
	__atomic_fetch_add(&prog->stats->run_cnt, 1, __ATOMIC_RELAXED);
	return result;
}

u64 rt_prog_run_inside(const struct rt_prog *prog, const void *ctx, struct rt_vcpu *vcpu)
{
	const struct rt_prog *running = vcpu->prog;
	u32 frame = vcpu->frame, tail_calls = vcpu->tail_calls;
	u64 result;

	if (frame + 2 >= RT_FRAMES) {
		__atomic_fetch_add(&prog->stats->recursion_misses, 1, __ATOMIC_RELAXED);
		return 0;
	}
	vcpu->frame = frame + 1;
	result = prog->stats_enabled ? count(prog, ctx, vcpu, run_traced)
				     : run_traced(prog, ctx, vcpu);
	vcpu->frame = frame;
	vcpu->tail_calls = tail_calls;
	vcpu->prog = running;
	return result;
}

static u64 run(const struct rt_prog *prog, const void *ctx, struct rt_vcpu *vcpu)
{
	if (trampoline_of(prog, 0)) {
		vcpu->prog = prog;
		vcpu->frame = 0;
		return run_traced(prog, ctx, vcpu);
	}
	return likely(prog->native != NULL) ? rt_native_run(prog, ctx, vcpu)
					    : rt_interp_run(prog, ctx, vcpu);
}

u64 rt_prog_run(const struct rt_prog *prog, const void *ctx, struct rt_vcpu *vcpu)
{
	if (likely(!prog->stats_enabled))
		return run(prog, ctx, vcpu);
	return count(prog, ctx, vcpu, run);
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
