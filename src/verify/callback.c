/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Callbacks. Which states paths in them are pruned by, and what is owed then: loops.h.
 *
 * may_goto loops the same way: the path that goes on in the loop ends when it comes back with
 * nothing new and has spent some of its budget. A way back that spends none is found as an endless
 * loop, or, behind a state that was proven on another way, ended by the engine (rt/interp.c).
 */
#include "verify/callback.h"

#include <errno.h>

#include "btf/btf.h"
#include "verify/backtrack.h"
#include "verify/call.h"
#include "verify/compare.h"
#include "verify/explore.h"
#include "verify/graph.h"
#include "verify/operand.h"
#include "verify/slots.h"

static u32 vma_struct(const struct verify_env *env)
{
	const struct btf *btf = env_kernel_btf(env);

	return btf ? btf_find(btf, "vm_area_struct", BTF_KIND_STRUCT) : 0;
}

static int set_arguments(struct verify_env *env, u32 func_id, const struct frame *caller,
			 struct frame *callee, const struct verify_map *map)
{
	struct reg *regs = callee->regs;

	for (u32 r = BPF_REG_1; r <= BPF_REG_5; r++)
		reg_set_not_init(&regs[r]);
	callee->in_callback = true;
	callee->callback_range = (struct ret_range){ 0, 1, true };
	if (func_id == CALLBACK_LESS)
		return graph_set_less_arguments(env, caller, callee);
	if (func_id == BPF_FUNC_loop) {
		env_set_unknown(env, &regs[BPF_REG_1]);
		regs[BPF_REG_2] = caller->regs[BPF_REG_3];
		return 0;
	}
	if (func_id == BPF_FUNC_find_vma) {
		regs[BPF_REG_1] = caller->regs[BPF_REG_1];
		reg_set_pointer(&regs[BPF_REG_2], PTR_TO_BTF_ID);
		regs[BPF_REG_2].btf = env_kernel_btf(env);
		regs[BPF_REG_2].btf_id = vma_struct(env);
		regs[BPF_REG_3] = caller->regs[BPF_REG_4];
		return 0;
	}
	if (func_id == BPF_FUNC_user_ringbuf_drain) {
		reg_set_pointer(&regs[BPF_REG_1], CONST_PTR_TO_DYNPTR);
		regs[BPF_REG_1].dynptr = DYNPTR_LOCAL;
		regs[BPF_REG_1].id = ++env->id_gen;
		regs[BPF_REG_2] = caller->regs[BPF_REG_3];
		return 0;
	}
	switch (map->type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY: break;
	default:
		verbose(env, "callback function not allowed for map\n");
		return -524; /* ENOTSUPP */
	}
	regs[BPF_REG_1] = caller->regs[BPF_REG_1];
	reg_set_pointer(&regs[BPF_REG_2], PTR_TO_MAP_KEY);
	reg_set_pointer(&regs[BPF_REG_3], PTR_TO_MAP_VALUE);
	regs[BPF_REG_2].map = regs[BPF_REG_3].map = map;
	regs[BPF_REG_4] = caller->regs[BPF_REG_3];
	return 0;
}

int callback_push(struct verify_env *env, u32 func_id, u32 subprog, const struct verify_map *map)
{
	struct vstate *state = explore_push(env, env->subprog[subprog].start, env->insn_idx);
	struct frame *caller;
	int err;

	if (!state)
		return explore_push_error(env);
	err = push_frame(env, state, subprog, env->insn_idx);
	if (err)
		return err;
	env->subprog[subprog].is_callback = true;
	caller = vstate_own_frame(state, state->curframe - 1);
	err = set_arguments(env, func_id, caller, vstate_frame(state), map);
	if (err)
		return err;
	state->callback_unroll_depth++;
	caller->callback_depth++;
	vstate_frame(env->cur)->callback_depth = 0;
	return 0;
}

static void log_bad_value(struct verify_env *env, const struct reg *reg, struct ret_range range)
{
	verbose(env, "At callback return the register R0 has");
	if (reg->s.smin > INT64_MIN)
		verbose(env, " smin=%lld", (long long)reg->s.smin);
	if (reg->s.smax < INT64_MAX)
		verbose(env, " smax=%lld", (long long)reg->s.smax);
	if (reg->s.smin == INT64_MIN && reg->s.smax == INT64_MAX)
		verbose(env, " unknown scalar value");
	verbose(env, " should have been in [%d, %d]\n", range.min, range.max);
}

int callback_return(struct verify_env *env)
{
	struct frame *callee = vstate_frame(env->cur);
	const struct reg *r0 = &callee->regs[BPF_REG_0];
	int err;

	if (r0->type != SCALAR_VALUE) {
		verbose(env, "R0 not a scalar value\n");
		return -EACCES;
	}
	err = mark_precise(env, BPF_REG_0);
	if (err)
		return err;
	if (r0->s.smin < callee->callback_range.min || r0->s.smax > callee->callback_range.max) {
		log_bad_value(env, r0, callee->callback_range);
		return -EINVAL;
	}
	return 0;
}

static bool is_widened(struct verify_env *env, const struct reg *old, const struct reg *cur)
{
	if (old->type != SCALAR_VALUE || cur->type != SCALAR_VALUE)
		return false;
	return !scalar_equal(&old->s, &cur->s) || old->off != cur->off ||
	       !map_ids(&env->id_map, old->id, cur->id);
}

/* From old back over its parents, the newest state that was at insn in the frames of state. */
static const struct vstate *previous_iteration(const struct vstate *state, const struct vstate *old,
					       u32 insn)
{
	for (; old; old = old->parent)
		if (old->insn_idx == insn && vstate_same_callsites(old, state))
			return old;
	return NULL;
}

static void widen_since(struct verify_env *env, struct vstate *state, const struct vstate *old)
{
	env->id_map.nr = 0;
	if (env->input->test_no_widening)
		return;
	for (int f = (int)state->curframe; old && f >= 0; f--) {
		const struct frame *cur = state->frame[f], *prev = old->frame[f];

		for (u32 r = 0; r < MAX_REG; r++)
			if (!prev->regs[r].precise && !cur->regs[r].precise &&
			    is_widened(env, &prev->regs[r], &cur->regs[r])) {
				env_set_unknown(env, &vstate_own_frame(state, f)->regs[r]);
				cur = state->frame[f];
			}
		for (u32 s = 0; s < prev->nr_slots && s < cur->nr_slots; s++)
			if (slot_is_scalar(frame_slot(prev, s)) &&
			    slot_is_scalar(frame_slot(cur, s)) && !slot_is_precise(prev, s) &&
			    !slot_is_precise(cur, s) &&
			    is_widened(env, frame_slot(prev, s)->spilled,
				       frame_slot(cur, s)->spilled)) {
				env_set_unknown(env, slot_write(frame_own_slot(
							     vstate_own_frame(state, f), s)));
				cur = state->frame[f];
			}
	}
}

void callback_widen(struct verify_env *env, struct vstate *state, u32 callsite)
{
	widen_since(env, state, previous_iteration(state, state->parent, callsite));
}

void callback_widen_loop(struct verify_env *env, struct vstate *state)
{
	/* The parent is the checkpoint that was made here, for this very iteration. */
	const struct vstate *here = env->cur->parent;

	if (here)
		widen_since(env, state, previous_iteration(state, here->parent, env->insn_idx));
}

int callback_may_goto(struct verify_env *env, const struct bpf_insn *insn, u32 *ret_next)
{
	struct vstate *inside = explore_push(env, env->insn_idx + 1, env->insn_idx);

	if (!inside)
		return -ENOMEM; /* the kernel's answer here, also where it is too complex */
	inside->may_goto_depth++;
	callback_widen_loop(env, inside);
	*ret_next = env->insn_idx + 1 + insn->off;
	return 0;
}
