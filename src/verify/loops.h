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
 * more, so that comes to an end; when it happens too often these states become incomplete, too.
 *
 * What has to be settled together are the components of the graph of checkpoints, whose edges are
 * what followed from each and the back edges; Tarjan's algorithm finds them while exploration goes
 * depth first. Checkpoints are numbered as they are made; each keeps the lowest number that a path
 * behind it ended in. One from which no path went further back than to itself is the root of a
 * component: everything behind it is known then, and nothing of it can change any more. One that
 * is in a loop of the control flow is in one component with the loop's first state, as soon as some
 * path owes that loop anything. So a state that is not "unsettled" misses nothing, and ending in it
 * leaves nothing owed.
 */
#ifndef SKEP_VERIFY_LOOPS_H
#define SKEP_VERIFY_LOOPS_H

#include "verify/env.h"

/* state is a new checkpoint: if it lies in a loop that no path is in, it is the first. 0, -ENOMEM.
 */
int loops_enter(struct verify_env *env, struct vstate *state);

/*
 * All paths from state were explored: settles what is owed, if that is possible now. A path that
 * has to go on is pending then, and state has a branch again. Checkpoints that were kept for back
 * edges alone are put into env->loops.settled, to be freed. 0 or -errno.
 */
int loops_exit(struct verify_env *env, struct vstate *state);

/*
 * Is more going to be found out about what matters in this checkpoint, so that all has to count?
 * (In one that is unsettled but not incomplete, too; it is compared with on trust, must hold again
 * later, and nothing of it may be lost until then.)
 */
bool loops_incomplete(const struct verify_env *env, const struct vstate *state);

/* The current path ends in old: notes that if it is owed anything. 0 or -errno. */
int loops_end_in(struct verify_env *env, struct vstate *old);

/* Forgets what one entry's exploration left. */
void loops_done(struct verify_env *env);

#endif
