/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Precision: when a check depended on the exact value of a scalar, the registers and stack slots
 * that it was computed from are marked precise in this and all parent states, so that pruning
 * compares their bounds. Scalars that are not precise are equal to any other.
 */
#ifndef SKEP_VERIFY_BACKTRACK_H
#define SKEP_VERIFY_BACKTRACK_H

#include "verify/env.h"

/* A stage of the verification: from now on instructions stay as they are while paths are explored.
 */
int backtrack_prepare(struct verify_env *env);

/* The current value of register regno (of the current frame) mattered. 0 or -errno. */
int mark_precise(struct verify_env *env, u32 regno);

/* The same, where we are stricter than the kernel: its log has nothing of it. */
int mark_precise_quietly(struct verify_env *env, u32 regno);

/* So did what is spilled in a slot of a frame. */
int mark_slot_precise(struct verify_env *env, u32 frameno, u32 slot);

/*
 * Carries the precise marks of a checkpoint to where an equal state came from: cur, the current
 * state at instruction insn, or a copy of it that was kept. *changed (may be NULL) becomes true if
 * something was marked. 0 or -errno.
 */
int propagate_precision(struct verify_env *env, const struct vstate *old, struct vstate *cur,
			u32 insn, bool *changed);

/* Every scalar on the way to the state mattered. */
void force_all_precise(struct verify_env *env, const struct vstate *from);

/* No scalar of the current state is precise: it is about to be saved as a checkpoint. */
void forget_precision(struct verify_env *env);

#endif
