/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Explored states: checkpoints are kept at prune points, and a path that arrives in a state covered
 * by a proven one ends there. Which states are kept follows the kernel's heuristics, so that the
 * counters in the log agree.
 */
#ifndef SKEP_VERIFY_PRUNE_H
#define SKEP_VERIFY_PRUNE_H

#include "verify/env.h"

/* 1: the current state is covered, end the path. 0: go on (a checkpoint may have been taken).
 * -errno. */
int prune_visit(struct verify_env *env);

/* A path through state ended: its checkpoints with no more open paths are proven. 0 or -errno. */
int prune_path_done(struct verify_env *env, struct vstate *state);

/* Frees all explored states. */
void prune_done(struct verify_env *env);

#endif
