/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Subprograms are followed into, with a frame of their own; global functions are verified once by
 * themselves and trusted by their prototype.
 */
#include "verify/call.h"

#include <errno.h>

#include "abi/bpf_new.h"
#include "btf/btf.h"

#include "verify/backtrack.h"
#include "verify/callback.h"
#include "verify/explore.h"
#include "verify/global.h"
#include "verify/live_stack.h"
#include "verify/btf_target.h"
#include "verify/operand.h"
#include "verify/packet.h"
#include "verify/section.h"

int push_frame(struct verify_env *env, struct vstate *state, u32 subprog, u32 callsite)
{
	const struct frame *caller = vstate_frame(state);
	struct frame *callee;

	if (state->curframe + 1 >= MAX_FRAMES) {
		verbose(env, "the call stack of %u frames is too deep\n", state->curframe + 2);
		return -E2BIG;
	}
	callee = frame_new(callsite, state->curframe + 1, subprog);
	if (!callee)
		return -ENOMEM;
	for (u32 r = BPF_REG_1; r <= BPF_REG_5; r++)
		callee->regs[r] = caller->regs[r];
	state->frame[++state->curframe] = callee;
	log_scratch_all(env);
	return 0;
}

void clear_caller_saved(struct verify_env *env)
{
	for (u32 r = BPF_REG_0; r <= BPF_REG_5; r++) {
		reg_set_not_init(&env_regs(env)[r]);
		scratch_reg(env, r);
	}
}

static int call_global(struct verify_env *env, u32 subprog)
{
	struct subprog *callee = &env->subprog[subprog];
	int err = global_check_call(env, subprog),
	    section_err = section_check_global(env, callee->might_sleep);

	if (section_err)
		return section_err;
	if (err) {
		verbose(env, "Caller passes invalid args into func#%u ('%s')\n", subprog,
			callee->name);
		return err;
	}
	verbose(env, "Func#%u ('%s') is global and assumed valid.\n", subprog, callee->name);
	if (callee->changes_packet)
		packet_forget(env);
	callee->called = true;
	clear_caller_saved(env);
	env_set_unknown(env, &env_regs(env)[BPF_REG_0]);
	return 0;
}

int check_subprog_call(struct verify_env *env, const struct bpf_insn *insn, u32 *ret_next)
{
	struct vstate *state = env->cur;
	int subprog = env_find_subprog(env, env->insn_idx + insn->imm + 1), err;
	struct frame *caller;

	if (subprog < 0)
		return verify_bug(env, "No program starts at insn %d",
				  env->insn_idx + insn->imm + 1);
	*ret_next = env->insn_idx + 1;
	if (env->subprog[subprog].is_global)
		return call_global(env, subprog);
	global_look_at_call(env, subprog);
	err = push_frame(env, state, subprog, env->insn_idx);
	if (err)
		return err;
	caller = vstate_own_frame(state, state->curframe - 1);
	for (u32 r = BPF_REG_0; r <= BPF_REG_5; r++) {
		reg_set_not_init(&caller->regs[r]);
		scratch_reg(env, r);
	}
	*ret_next = env->subprog[subprog].start;
	if (env->input->log.level & (LOG_LEVEL1 | LOG_LEVEL2)) {
		verbose(env, "caller:\n");
		log_frame(env, state, state->curframe - 1, true);
		verbose(env, "callee:\n");
		log_frame(env, state, state->curframe, true);
	}
	return 0;
}

static int check_references_released(struct verify_env *env, const char *what)
{
	const struct vstate *state = env->cur;

	bool leak = false;

	for (u32 i = 0; i < state->nr_refs; i++) {
		if (state->refs[i].kind != REFERENCE_POINTER)
			continue;
		verbose(env, "Unreleased reference id=%u alloc_insn=%u\n", state->refs[i].id,
			state->refs[i].insn_idx);
		leak = true;
	}
	if (!leak)
		return 0;
	verbose(env, "%s would lead to reference leak\n", what);
	return -EINVAL;
}

int check_resources_released(struct verify_env *env, const char *what)
{
	const struct vstate *state = env->cur;
	const char *section = NULL;
	int err;

	if (state->active_locks) {
		verbose(env, "%s cannot be used inside bpf_spin_lock-ed region\n", what);
		return -EINVAL;
	}
	err = check_references_released(env, what);
	if (err)
		return err;
	if (state->active_irq)
		section = "bpf_local_irq_save-ed";
	else if (state->active_rcu)
		section = "bpf_rcu_read_lock-ed";
	else if (state->active_preempt)
		section = "bpf_preempt_disable-ed";
	if (!section)
		return 0;
	verbose(env, "%s cannot be used inside %s region\n", what, section);
	return -EINVAL;
}

static struct ret_range sock_addr_range(u32 attach_type)
{
	switch (attach_type) {
	case BPF_CGROUP_UDP4_RECVMSG:
	case BPF_CGROUP_UDP6_RECVMSG:
	case ABI_CGROUP_UNIX_RECVMSG:
	case BPF_CGROUP_INET4_GETPEERNAME:
	case BPF_CGROUP_INET6_GETPEERNAME:
	case ABI_CGROUP_UNIX_GETPEERNAME:
	case BPF_CGROUP_INET4_GETSOCKNAME:
	case BPF_CGROUP_INET6_GETSOCKNAME:
	case ABI_CGROUP_UNIX_GETSOCKNAME: return (struct ret_range){ 1, 1, true };
	case BPF_CGROUP_INET4_BIND:
	case BPF_CGROUP_INET6_BIND: return (struct ret_range){ 0, 3, true };
	default: return (struct ret_range){ 0, 1, true };
	}
}

/* What a program of this type may return; false: anything. */
static bool return_range(const struct verify_env *env, struct ret_range *range)
{
	u32 attach_type = env->input->expected_attach_type;

	*range = (struct ret_range){ 0, 1, true };
	switch (env->input->prog_type) {
	case BPF_PROG_TYPE_TRACING:
		if (attach_type != BPF_TRACE_FENTRY && attach_type != BPF_TRACE_FEXIT)
			return attach_type == BPF_TRACE_ITER;
		range->max = 0;
		return true;
	case BPF_PROG_TYPE_LSM:
		if (attach_type != BPF_LSM_CGROUP)
			return btf_target_lsm_range(env, range);
		/* A hook that returns nothing lets nothing be refused. */
		range->min = !env->attach_proto->type;
		return true;
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR: *range = sock_addr_range(attach_type); return true;
	case BPF_PROG_TYPE_CGROUP_SKB:
		if (attach_type == BPF_CGROUP_INET_EGRESS)
			range->max = 3;
		return true;
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_SOCK_OPS:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_SK_LOOKUP:
	case ABI_PROG_TYPE_NETFILTER: return true;
	case BPF_PROG_TYPE_KPROBE:
		return attach_type == ABI_TRACE_KPROBE_SESSION ||
		       attach_type == ABI_TRACE_UPROBE_SESSION;
	default: return false;
	}
}

static void log_bad_return(struct verify_env *env, const char *where, u32 regno,
			   const struct reg *reg, struct ret_range range)
{
	bool unknown = true;

	verbose(env, "%s the register R%u has", where, regno);
	if (reg->s.smin > INT64_MIN) {
		verbose(env, " smin=%lld", (long long)reg->s.smin);
		unknown = false;
	}
	if (reg->s.smax < INT64_MAX) {
		verbose(env, " smax=%lld", (long long)reg->s.smax);
		unknown = false;
	}
	if (unknown)
		verbose(env, " unknown scalar value");
	verbose(env, " should have been in [%d, %d]\n", range.min, range.max);
}

int check_return_value(struct verify_env *env, u32 regno)
{
	bool async = vstate_frame(env->cur)->in_async;
	const char *where = async ? "At async callback return" : "At program exit";
	const struct reg *reg = &env_regs(env)[regno];
	struct ret_range range = { 0, 0, true };
	int err;

	if (!env->main_subprog && !async &&
	    (env->struct_ops || (env->input->prog_type == BPF_PROG_TYPE_LSM &&
				 env->input->expected_attach_type != BPF_LSM_CGROUP)) &&
	    !env->attach_proto->type)
		return 0;
	err = operand_read(env, regno);
	if (err)
		return err;
	if (reg_is_secret(env, reg)) {
		verbose(env, "R%u leaks addr as return value\n", regno);
		return -EACCES;
	}
	if (!async && env->main_subprog && env->main_subprog != env->exception_cb) {
		if (reg->type == SCALAR_VALUE)
			return 0;
		verbose(env, "At subprogram exit the register R%u is not a scalar value (%s)\n",
			regno, log_reg_type(reg->type));
		return -EINVAL;
	}
	/* A place for an LSM program: it may be verified, but what it may return nobody says. */
	if (!async && env->input->prog_type == BPF_PROG_TYPE_TRACING &&
	    (env->input->expected_attach_type == BPF_LSM_MAC ||
	     env->input->expected_attach_type == BPF_LSM_CGROUP))
		return -ABI_ENOTSUPP;
	if (!async && !return_range(env, &range))
		return 0;
	if (reg->type != SCALAR_VALUE) {
		verbose(env, "%s the register R%u is not a known value (%s)\n", where, regno,
			log_reg_type(reg->type));
		return -EINVAL;
	}
	err = mark_precise(env, regno);
	if (err)
		return err;
	if (range.is64 ? reg->s.smin < range.min || reg->s.smax > range.max
		       : reg->s.smin32 < range.min || reg->s.smax32 > range.max) {
		log_bad_return(env, where, regno, reg, range);
		return -EINVAL;
	}
	return 0;
}

/* Back into the caller. */
static int leave_frame(struct verify_env *env, u32 *ret_next)
{
	struct vstate *state = env->cur;
	struct frame *callee = vstate_frame(state), *caller;
	bool in_callback;
	u32 callsite;

	live_stack_solve(env);
	if (callee->regs[BPF_REG_0].type == PTR_TO_STACK) {
		verbose(env, "cannot return stack pointer to the caller\n");
		return -EINVAL;
	}
	/* It runs again, and may not be shared any more. */
	caller = vstate_own_frame(state, state->curframe - 1);
	in_callback = callee->in_callback;
	callsite = callee->callsite;
	if (in_callback) {
		int err = callback_return(env);

		if (err)
			return err;
	} else {
		caller->regs[BPF_REG_0] = callee->regs[BPF_REG_0];
	}
	*ret_next = in_callback ? callsite : callsite + 1;
	if (env->input->log.level & (LOG_LEVEL1 | LOG_LEVEL2)) {
		verbose(env, "returning from callee:\n");
		log_frame(env, state, state->curframe, true);
		verbose(env, "to caller at %u:\n", *ret_next);
		log_frame(env, state, state->curframe - 1, true);
	}
	state->frame[state->curframe--] = frame_drop(callee);
	if (in_callback)
		callback_widen(env, state, callsite);
	return 0;
}

int check_early_return(struct verify_env *env, bool with_zero, u32 *ret_next)
{
	struct reg *r0 = &env_regs(env)[BPF_REG_0];

	if (!env->cur->curframe)
		return 0;
	if (!explore_push(env, env->insn_idx + 1, env->insn_idx))
		return explore_push_error(env);
	if (with_zero) {
		reg_set_const(r0, 0);
	} else {
		packet_forget(env); /* the other program may have changed it */
		env_set_unknown(env, r0);
	}
	r0->precise = !env->capable;
	return leave_frame(env, ret_next);
}

int check_exit(struct verify_env *env, u32 *ret_next)
{
	int err;

	if (env->cur->curframe)
		return leave_frame(env, ret_next);
	err = check_resources_released(env, "BPF_EXIT instruction in main prog");
	if (!err)
		err = check_return_value(env, BPF_REG_0);
	return err ? err : 1;
}

int check_throw(struct verify_env *env)
{
	int err = check_resources_released(env, "bpf_throw");

	return err ? err : 1;
}
