/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When does one state stand for another? old was proven safe (or is being explored): cur needs no
 * exploration of its own if every concrete state of cur is one of old, as far as old's proof
 * depended on it.
 */
#ifndef SKEP_VERIFY_COMPARE_H
#define SKEP_VERIFY_COMPARE_H

#include "verify/env.h"

enum compare_how {
	COMPARE_LOOSE,	/* only what is live and precise in old counts */
	COMPARE_EXACT,	/* the very same: finds infinite loops */
	COMPARE_WITHIN, /* ranges of cur within old's, precise or not */
};

/* *where belongs to old: where it last differed from another state, which is looked at first. */
bool states_equal(struct verify_env *env, const struct vstate *old, const struct vstate *cur,
		  enum compare_how how, struct mismatch *where);

/* A new checkpoint is going to be compared with: notes which of its slots count. */
void compare_prepare(const struct verify_env *env, struct vstate *state);
/* Those of one frame, and which of them hold a scalar. */
u64 compare_count_slots(const struct verify_env *env, const struct frame *frame, u64 *ret_scalar);

/* Of what states_look_same() compares: states with different digests do not look the same. Not 0.
 */
u64 state_digest(const struct vstate *state);

/* Cheap necessary test for COMPARE_EXACT: registers are the same bit for bit. */
bool states_look_same(const struct vstate *old, const struct vstate *cur);

/* Equal ids in one state must be equal ids in the other: notes the pair; false: it does not fit. */
bool map_ids(struct id_map *map, u32 old, u32 cur);

/* The instruction at which frame number i of a checkpoint goes on. */
static inline u32 vstate_frame_insn(const struct vstate *state, u32 i)
{
	return i == state->curframe ? state->insn_idx : state->frame[i + 1]->callsite;
}

#endif
