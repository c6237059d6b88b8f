/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops, and what a path that ends in one still owes.
 *
 * A path may end in a state of a loop that is still being explored, since its values lie within
 * that state's. What will then be found to matter in that state (its precise scalars) must reach
 * the path that ended: the path's last state is kept as a back edge, and when everything from the
 * loop's first state on was explored, precision is carried over all back edges until nothing
 * changes. Until then the loop's states are incomplete: comparing with them counts each scalar.
 *
 * A loop is a strongly connected component of a subprogram's control flow, reached through a chain
 * of calls; a call of a helper that calls the program back is one by itself. Numbered as the
 * kernel's verifier does since 6.16, which prints the numbers.
 */
#ifndef SKEP_VERIFY_LOOPS_H
#define SKEP_VERIFY_LOOPS_H

#include "verify/env.h"

/* Finds the components: aux.scc and aux.loop of each instruction. 0 or -ENOMEM. */
int loops_find(struct verify_env *env);

/* state is a new checkpoint: if it lies in a loop that no path is in, it is the first. 0, -ENOMEM.
 */
int loops_enter(struct verify_env *env, const struct vstate *state);

/* All paths from state were explored: if it was a loop's first state, settles what is owed. */
int loops_exit(struct verify_env *env, const struct vstate *state);

/* Is more going to be found out about what matters in this checkpoint? */
bool loops_incomplete(const struct verify_env *env, const struct vstate *state);

/* The current path ends in old, a state of a loop. 0 or -ENOMEM. */
int loops_add_backedge(struct verify_env *env, const struct vstate *old);

/* Frees what one entry's exploration left. */
void loops_done(struct verify_env *env);

#endif
