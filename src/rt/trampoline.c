/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running a function together with what is attached to it. Programs run one call deeper than the
 * function that calls it, so that their stacks lie behind what is in use; afterwards the vCPU is as
 * it was before.
 */
#include "rt/trampoline.h"
#include "rt/mem.h"
#include "rt/prog.h"
#include "rt/vcpu.h"

/* The context: the function, the number of arguments, the arguments, the result. */
struct trampoline_ctx {
	u64 ip, nr;
	u64 args[RT_TRAMPOLINE_ARGS + 1];
};

static u64 run_link(const struct rt_trampoline_link *link, struct trampoline_ctx *ctx,
		    struct rt_vcpu *vcpu)
{
	u64 cookie = vcpu->cookie, result;

	vcpu->cookie = link->cookie;
	result = rt_prog_run_inside(link->prog, ctx->args, vcpu);
	vcpu->cookie = cookie;
	return result;
}

u64 rt_trampoline_run(const struct rt_trampoline *trampoline, struct rt_vcpu *vcpu, const u64 *args,
		      rt_traced_fn function, void *arg)
{
	const struct rt_trampoline_link *link = trampoline->links;
	struct trampoline_ctx ctx = { .ip = trampoline->ip, .nr = trampoline->nr_args };
	u64 result = 0;
	u32 i;

	memcpy(ctx.args, args, trampoline->nr_args * sizeof(u64));
	if (trampoline->hides_ctx)
		ctx.args[0] = 0;
	for (i = 0; i < trampoline->nr_entry; i++)
		run_link(link++, &ctx, vcpu);
	for (i = 0; i < trampoline->nr_modify && !result; i++) {
		result = run_link(&link[i], &ctx, vcpu);
		ctx.args[ctx.nr] = result;
	}
	link += trampoline->nr_modify;
	if (!result) {
		result = function(arg, args);
		ctx.args[ctx.nr] = result;
	}
	for (i = 0; i < trampoline->nr_exit; i++)
		run_link(link++, &ctx, vcpu);
	return result;
}
