/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dead registers are those of the control flow (live_regs.h); dead slots have been found while
 * paths were explored (live_stack.h).
 *
 * States that share a caller's frame share it afterwards too if the same parts of it are dead: the
 * frame keeps what became of it.
 */
#include "verify/clean.h"

#include "base/pool.h"
#include "verify/compare.h"
#include "verify/live_stack.h"

static u16 dead_regs(const struct verify_env *env, const struct vstate *state, u32 f)
{
	const struct reg *regs = state->frame[f]->regs;
	u16 live = env->aux[vstate_frame_insn(state, f)].live_regs, dead = 0;

	for (u32 r = 0; r < BPF_REG_10; r++)
		if (!(live & (1u << r)) && regs[r].type != NOT_INIT)
			dead |= (u16)(1u << r);
	return dead;
}

/* Slots that hold something. */
static u64 written_slots(const struct frame *frame)
{
	u64 written = 0;

	for (u32 s = 0; s < frame->nr_slots; s++)
		if (!slot_is_invalid(frame_slot(frame, s)))
			written |= 1ULL << s;
	return written;
}

static u64 dead_slots(struct verify_env *env, const struct vstate *state, u32 f, u64 slots)
{
	u64 dead = 0;

	for (; slots; slots &= slots - 1) {
		u32 s = (u32)__builtin_ctzll(slots);

		if (!live_stack_alive(env, state, f, s))
			dead |= 1ULL << s;
	}
	return dead;
}

/* Frame number f becomes what another state made of it. false: that was not the same. */
static bool take_cleaned(struct vstate *state, u32 f, const struct dead_parts *dead)
{
	const struct frame *frame = state->frame[f];
	const struct cleaned_frame *cleaned = frame->cleaned;

	if (!cleaned || cleaned->dead.slots != dead->slots || cleaned->dead.regs != dead->regs ||
	    cleaned->dead.forget != dead->forget)
		return false;
	state->frame[f] = frame_share(cleaned->frame);
	frame_drop(frame);
	return true;
}

/* For want of memory the next state will do it again. */
static void keep_cleaned(const struct frame *frame, const struct frame *cleaned,
			 const struct dead_parts *dead)
{
	struct cleaned_frame **kept = &((struct frame *)frame)->cleaned;

	if (*kept)
		frame_drop((*kept)->frame);
	else
		*kept = pool_alloc(state_memory(), sizeof(**kept));
	if (*kept)
		**kept = (struct cleaned_frame){ *dead, frame_share(cleaned) };
}

static void clean_frame(struct verify_env *env, struct vstate *state, u32 f, bool forget)
{
	const struct frame *before = state->frame[f];
	u64 scalar, counting = compare_count_slots(env, before, &scalar);
	const struct dead_parts dead = {
		.slots = dead_slots(env, state, f, forget ? written_slots(before) : counting),
		.regs = dead_regs(env, state, f),
		.forget = forget,
	};
	struct frame *frame;

	counting &= ~dead.slots;
	scalar &= ~dead.slots;
	if (!dead.regs && !(forget && dead.slots) && counting == before->counting_slots &&
	    scalar == before->scalar_slots)
		return;
	if (take_cleaned(state, f, &dead))
		return;
	frame = vstate_own_frame(state, f);
	for (u32 left = dead.regs; left; left &= left - 1)
		reg_set_not_init(&frame->regs[__builtin_ctz(left)]);
	for (u64 left = forget ? dead.slots : 0; left; left &= left - 1)
		slot_forget(frame_own_slot(frame, (u32)__builtin_ctzll(left)));
	frame->counting_slots = counting;
	frame->scalar_slots = scalar;
	if (frame != before)
		keep_cleaned(before, frame, &dead);
}

static void clean_frames(struct verify_env *env, struct vstate *state, bool forget)
{
	live_stack_query(env, state);
	for (u32 f = 0; f <= state->curframe; f++)
		clean_frame(env, state, f, forget);
}

void state_clean(struct verify_env *env, struct vstate *state)
{
	clean_frames(env, state, true);
	state->cleaned = true;
}

void state_mask_dead(struct verify_env *env, struct vstate *state)
{
	clean_frames(env, state, false);
	state->masked = true;
}
