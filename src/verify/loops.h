/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops, and what a path that ends in one still owes.
 *
 * A path may end in a state of a loop that is still being explored, since its values lie within
 * that state's. What will then be found to matter in that state (its precise scalars) must reach
 * the path that ended: the path's last state is kept as a back edge, and when everything from the
 * loop's first state on was explored, precision is carried over all back edges until nothing
 * changes.
 *
 * A loop of the control flow is a component (scc.h) reached through a chain of calls. Until it is
 * settled its states are incomplete: comparing with them counts each scalar. So does the kernel.
 *
 * A call of a helper that calls the program back is a loop too, of all that the callback does. The
 * kernel takes what it has found of these states for all there is. Here that is done on trust:
 * their comparisons count what is known to matter by then, each path that ends so is kept as a back
 * edge, and when the loop is settled each must still fit, with all that was found to matter. From
 * one that does not its path goes on; then the loop is settled anew. What matters only becomes
 * more, so that comes to an end; a loop in which it happens too often becomes an incomplete one.
 */
#ifndef SKEP_VERIFY_LOOPS_H
#define SKEP_VERIFY_LOOPS_H

#include "verify/env.h"

/* state is a new checkpoint: if it lies in a loop that no path is in, it is the first. 0, -ENOMEM.
 */
int loops_enter(struct verify_env *env, struct vstate *state);

/*
 * All paths from state were explored: if it was a loop's first state, settles what is owed. A path
 * that has to go on is pending then, and state has a branch again. 1: what was taken on trust has
 * been found to hold. 0 or -errno.
 */
int loops_exit(struct verify_env *env, struct vstate *state);

/* Is more going to be found out about what matters in this checkpoint, so that all has to count? */
bool loops_incomplete(const struct verify_env *env, const struct vstate *state);

/* ... or so that comparing with it has to hold again later? Nothing of it may be lost until then.
 */
bool loops_on_trust(const struct verify_env *env, const struct vstate *state);

/* The current path ends in old: notes that if it is owed anything. 0 or -errno. */
int loops_end_in(struct verify_env *env, struct vstate *old, bool incomplete);

/* Frees what one entry's exploration left. */
void loops_done(struct verify_env *env);

#endif
