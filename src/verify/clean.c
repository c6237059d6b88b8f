/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dead registers are those of the control flow (live_regs.h); dead slots have been found while
 * paths were explored (live_stack.h).
 */
#include "verify/clean.h"

#include "verify/compare.h"
#include "verify/live_stack.h"

static void clean_regs(const struct verify_env *env, struct vstate *state)
{
	for (u32 f = 0; f <= state->curframe; f++) {
		struct reg *regs = state->frame[f]->regs;
		u16 live = env->aux[vstate_frame_insn(state, f)].live_regs;

		for (u32 r = 0; r < BPF_REG_10; r++)
			if (!(live & (1u << r)) && regs[r].type != NOT_INIT)
				reg_set_not_init(&regs[r]);
	}
}

void state_clean(struct verify_env *env, struct vstate *state)
{
	clean_regs(env, state);
	live_stack_query(env, state);
	for (u32 f = 0; f <= state->curframe; f++) {
		struct frame *frame = state->frame[f];

		for (u32 s = 0; s < frame->nr_slots; s++)
			if (!slot_is_invalid(&frame->slots[s]) &&
			    !live_stack_alive(env, state, f, s))
				slot_forget(&frame->slots[s]);
	}
	state->cleaned = true;
	compare_prepare(env, state);
}

void state_mask_dead(struct verify_env *env, struct vstate *state)
{
	clean_regs(env, state);
	compare_prepare(env, state);
	live_stack_query(env, state);
	for (u32 f = 0; f <= state->curframe; f++) {
		struct frame *frame = state->frame[f];

		for (u64 left = frame->counting_slots; left; left &= left - 1) {
			u32 s = (u32)__builtin_ctzll(left);

			if (!live_stack_alive(env, state, f, s))
				frame->counting_slots &= ~(1ULL << s);
		}
		frame->scalar_slots &= frame->counting_slots;
	}
	state->masked = true;
}
