/* SPDX-License-Identifier: BSD-2-Clause */
/* See native.h. */
#include "rt/native.h"

#include "rt/interp.h"
#include "rt/kfunc.h"
#include "rt/map/ops.h"
#include "rt/prog.h"
#include "rt/vcpu.h"

static u64 interpret_tail(const void *ctx, struct rt_vcpu *vcpu)
{
	const u64 args[5] = { (u64)ctx };

	return rt_interp_call(vcpu->prog, 0, args, vcpu);
}

/* After bpf_throw(): the main function returns what the function for exceptions makes of it. */
static u64 catch (struct rt_vcpu *vcpu)
{
	u32 callback = vcpu->prog->exception_callback;

	if (!vcpu->thrown)
		return 0;
	vcpu->thrown = vcpu->aborted = vcpu->ended = false;
	if (!callback)
		return vcpu->cookie_thrown;
	return rt_call_bpf(vcpu, callback, vcpu->cookie_thrown, 0, 0, 0, 0);
}

static const struct rt_native_calls calls = {
	.helpers = rt_helpers,
	.kfuncs = rt_kfuncs,
	.map_types = rt_map_types,
	.step = rt_interp_step,
	.tail_call = rt_interp_tail_call,
	.interpret = interpret_tail,
	.catch = catch,
	.call = rt_prog_call,
};

u64 rt_native_call(const struct rt_prog *prog, u32 subprog, const u64 args[5], struct rt_vcpu *vcpu)
{
	const struct rt_native *native = prog->native;
	u64 result;

	vcpu->prog = prog;
	vcpu->native = &calls;
	vcpu->ended = false;
	result = native->enter(args, vcpu, native->functions[subprog]);
	if (unlikely(vcpu->ended))
		result = catch (vcpu);
	/* What was entered has ended, not who called it. */
	vcpu->ended = false;
	return result;
}

u64 rt_native_run(const struct rt_prog *prog, const void *ctx, struct rt_vcpu *vcpu)
{
	const u64 args[5] = { (u64)ctx };

	vcpu->frame = 0;
	vcpu->tail_calls = 0;
	vcpu->bits_used = 0;
	vcpu->aborted = vcpu->thrown = false;
	return rt_native_call(prog, 0, args, vcpu);
}
