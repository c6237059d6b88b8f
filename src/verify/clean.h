/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What no path from a checkpoint reads does not count where others are compared with it. Asked when
 * all paths from it were explored.
 */
#ifndef SKEP_VERIFY_CLEAN_H
#define SKEP_VERIFY_CLEAN_H

#include "verify/env.h"

/* Clears dead registers and slots. */
void state_clean(struct verify_env *env, struct vstate *state);

/* Passes over dead slots, but keeps them: reads may still be found (loops.h). Asked again it looks
 * again. */
void state_mask_dead(struct verify_env *env, struct vstate *state);

#endif
