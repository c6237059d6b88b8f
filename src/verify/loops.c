/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Back edges, the components of checkpoints that they make, and settling these.
 */
#include "verify/loops.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "verify/backtrack.h"
#include "verify/clean.h"
#include "verify/compare.h"
#include "verify/explore.h"
#include "verify/live_stack.h"

#define ROUNDS_MAX   64 /* after so many rounds everything counts as precise */
#define REVISITS_MAX 64 /* after so many paths that had to go on nothing is taken on trust */

struct chain {
	u32 callsite[MAX_FRAMES];
	u32 depth; /* frames below the one that is in the loop */
	u32 loop;
};

struct backedge {
	struct vstate state;
	struct vstate *equal; /* the checkpoint that stood for it */
	u32 prev_insn_idx;
	u32 since;	     /* the newest checkpoint's index when the path ended */
	struct visit *visit; /* the loop that will settle it; NULL: it is on trust */
	struct vstate *root; /* of one that is unfit: whose component it is in */
	struct backedge *next;
};

/* Paths are in a loop of the control flow, by way of a chain of calls. */
struct visit {
	struct chain chain;
	struct vstate *first; /* NULL: no path is in the loop */
	u32 nr_backedges;
	struct visit *next;
};

/*
 * The chain of calls to the lowest frame that is in a loop of the control flow. false: none is.
 */
static bool find_chain(const struct verify_env *env, const struct vstate *state,
		       struct chain *chain)
{
	for (u32 f = 0; f <= state->curframe; f++) {
		u32 insn = vstate_frame_insn(state, f);

		if (env->aux[insn].scc) {
			chain->loop = env->aux[insn].scc;
			chain->depth = f;
			return true;
		}
		chain->callsite[f] = insn;
	}
	return false;
}

static struct visit *find_visit(const struct verify_env *env, const struct chain *chain)
{
	struct visit *visit = env->loops.visits ? env->loops.visits[chain->loop - 1] : NULL;

	while (visit && (visit->chain.depth != chain->depth ||
			 memcmp(visit->chain.callsite, chain->callsite,
				chain->depth * sizeof(chain->callsite[0]))))
		visit = visit->next;
	return visit;
}

/* The loop that state is in, while paths are in it; or NULL. */
static struct visit *visit_of(const struct verify_env *env, const struct vstate *state)
{
	struct visit *visit = NULL;
	struct chain chain;

	if (env->loops.visits && find_chain(env, state, &chain))
		visit = find_visit(env, &chain);
	return visit && visit->first ? visit : NULL;
}

/*
 * Callbacks that run later begin paths of their own, which do not end before those that wait for
 * them: none of these could go on.
 */
static bool is_trusted(const struct verify_env *env, const struct vstate *state)
{
	return !state->frame[0]->in_async && env->loops.revisits < REVISITS_MAX &&
	       !env->input->test_all_paths;
}

bool loops_incomplete(const struct verify_env *env, const struct vstate *state)
{
	const struct visit *visit;

	if (state->unsettled && !is_trusted(env, state))
		return true;
	visit = visit_of(env, state);
	return visit && visit->nr_backedges;
}

static void log_visit(struct verify_env *env, const char *what, const struct chain *chain)
{
	if (!(env->input->log.level & LOG_LEVEL2))
		return;
	verbose(env, "SCC %s (", what);
	for (u32 f = 0; f < chain->depth && chain->callsite[f]; f++)
		verbose(env, "%u,", chain->callsite[f]);
	verbose(env, "%u)\n", chain->loop);
}

/* state is in the loop: the first one if no path is. 0, or -ENOMEM. */
static int enter(struct verify_env *env, const struct chain *chain, struct vstate *state)
{
	struct loops *loops = &env->loops;
	struct visit *visit;

	if (!loops->visits)
		loops->visits = base_zalloc(env->nr_scc, sizeof(*loops->visits));
	if (!loops->visits)
		return -ENOMEM;
	visit = find_visit(env, chain);
	if (!visit) {
		visit = base_zalloc(1, sizeof(*visit));
		if (!visit)
			return -ENOMEM;
		visit->chain = *chain;
		visit->next = loops->visits[chain->loop - 1];
		loops->visits[chain->loop - 1] = visit;
	}
	if (visit->first)
		return 0;
	visit->first = state;
	log_visit(env, "enter", chain);
	return 0;
}

int loops_enter(struct verify_env *env, struct vstate *state)
{
	struct chain chain;

	state->index = state->low = ++env->loops.newest;
	return find_chain(env, state, &chain) ? enter(env, &chain, state) : 0;
}

static void free_backedge(struct backedge *edge)
{
	vstate_done(&edge->state);
	pool_free(state_memory(), edge, sizeof(*edge));
}

/* The back edges behind a checkpoint are the newest ones. */
static bool is_behind(const struct backedge *edge, const struct vstate *state)
{
	return edge && edge->since >= state->index;
}

/* Carries precision over the back edges behind a checkpoint (of visit, or all) until nothing
 * changes. */
static int settle(struct verify_env *env, const struct vstate *first, const struct visit *visit)
{
	bool changed = true;
	int err = 0;

	for (u32 round = 0; changed && !err; round++) {
		changed = false;
		for (struct backedge *edge = env->loops.backedges; is_behind(edge, first) && !err;
		     edge = edge->next) {
			if (visit && edge->visit != visit)
				continue;
			if (round > ROUNDS_MAX)
				force_all_precise(env, &edge->state);
			else
				err = propagate_precision(env, edge->equal, &edge->state,
							  edge->state.insn_idx, &changed);
		}
	}
	return err;
}

/*
 * A loop of the control flow has no path any more. What was owed in it is on trust from here on,
 * but for what ended in a checkpoint that is settled: that misses nothing, and may be freed any
 * time.
 */
static int exit_loop(struct verify_env *env, struct visit *visit)
{
	const struct vstate *first = visit->first;
	struct backedge **link = &env->loops.backedges;
	int err;

	log_visit(env, "exit", &visit->chain);
	visit->first = NULL;
	env->nr_backedges -= visit->nr_backedges;
	visit->nr_backedges = 0;
	err = settle(env, first, visit);
	while (is_behind(*link, first)) {
		struct backedge *edge = *link;
		const struct vstate *equal = edge->equal;

		if (edge->visit == visit && equal != first && !equal->branches &&
		    !equal->unsettled) {
			*link = edge->next;
			free_backedge(edge);
			continue;
		}
		if (edge->visit == visit) {
			edge->visit = NULL;
			env->loops.nr_on_trust++;
		}
		link = &edge->next;
	}
	return err;
}

/* Takes from the back edges behind root those that do not fit any more. */
static void find_unfit(struct verify_env *env, struct vstate *root)
{
	struct backedge **link = &env->loops.backedges;

	while (is_behind(*link, root)) {
		struct backedge *edge = *link;
		struct mismatch where = { 0 };

		if (edge->visit ||
		    states_equal(env, edge->equal, &edge->state, COMPARE_LOOSE, &where)) {
			link = &edge->next;
			continue;
		}
		*link = edge->next;
		env->loops.nr_on_trust--;
		edge->root = root;
		edge->next = env->loops.unfit;
		env->loops.unfit = edge;
	}
}

static bool has_unfit(const struct verify_env *env, const struct vstate *root)
{
	return env->loops.unfit && env->loops.unfit->root == root;
}

/*
 * The path that ended in one of the unfit ones goes on, with the checkpoints that it came through:
 * one such path at a time, so that what has branches is always a checkpoint of the current path.
 */
static int go_on(struct verify_env *env, const struct vstate *root)
{
	struct backedge *edge = env->loops.unfit;
	struct vstate *state = &edge->state, *p;
	int err;

	env->loops.unfit = edge->next;
	env->loops.revisits++;
	/* Where it ended it noted itself; it will do so again. */
	if (env->aux[state->insn_idx].jmp_point)
		state->nr_history--;
	for (p = state->parent; p && !p->branches++ && p != root; p = p->parent)
		;
	if (p)
		err = explore_push_again(env, state, edge->prev_insn_idx);
	else
		err = verify_bug(env, "a path in %u goes on without its loop", state->insn_idx);
	free_backedge(edge);
	return err;
}

/* Do the paths behind root that ended on trust fit, with all that was found to matter? */
static int judge(struct verify_env *env, struct vstate *root)
{
	int err;

	live_stack_solve(env);
	for (struct backedge *edge = env->loops.backedges; is_behind(edge, root); edge = edge->next)
		if (!edge->visit)
			state_mask_dead(env, edge->equal);
	env->quiet = true;
	err = settle(env, root, NULL);
	env->quiet = false;
	if (!err)
		find_unfit(env, root);
	return err;
}

/* All of a component is known: nothing behind its root can change any more. */
static void close_component(struct verify_env *env, const struct vstate *root)
{
	struct loops *loops = &env->loops;
	struct backedge **link = &loops->backedges;

	while (is_behind(*link, root)) {
		struct backedge *edge = *link;

		if (edge->visit) {
			link = &edge->next;
			continue;
		}
		*link = edge->next;
		loops->nr_on_trust--;
		free_backedge(edge);
	}
	if (!loops->backedges)
		loops->revisits = 0;
	while (loops->unsettled && loops->unsettled->index > root->index) {
		struct vstate *state = loops->unsettled;

		loops->unsettled = state->next;
		state->unsettled = false;
		if (!state->unlisted)
			continue;
		state->next = loops->settled;
		loops->settled = state;
	}
}

/* It belongs to a component whose root is still open. */
static void leave_unsettled(struct verify_env *env, struct vstate *state)
{
	struct vstate *parent = state->parent;

	if (parent && state->low < parent->low)
		parent->low = state->low;
	if (state->unsettled)
		return;
	state->unsettled = true;
	state->next = env->loops.unsettled;
	env->loops.unsettled = state;
}

int loops_exit(struct verify_env *env, struct vstate *state)
{
	struct visit *visit = visit_of(env, state);
	int err = 0;

	if (visit && visit->first == state)
		err = exit_loop(env, visit);
	if (!err && !has_unfit(env, state) && state->low == state->index &&
	    is_behind(env->loops.backedges, state))
		err = judge(env, state);
	if (err)
		return err;
	if (has_unfit(env, state))
		return go_on(env, state);
	if (state->low < state->index)
		leave_unsettled(env, state);
	else
		close_component(env, state);
	return 0;
}

/* Does the kernel, too, keep the path that ends in old until old's loop is settled? */
static struct visit *visit_that_settles(const struct verify_env *env, const struct vstate *old)
{
	struct visit *visit = visit_of(env, old);

	if (!visit ||
	    (old->branches ? env->aux[env->insn_idx].calls_callback : !visit->nr_backedges))
		return NULL;
	return visit;
}

int loops_end_in(struct verify_env *env, struct vstate *old)
{
	struct visit *visit = visit_that_settles(env, old);
	struct vstate *parent = env->cur->parent;
	struct backedge *edge;
	u32 low = UINT32_MAX;

	if (!visit && !old->branches && !old->unsettled)
		return 0;
	edge = pool_zalloc(state_memory(), sizeof(*edge));
	if (!edge)
		return -ENOMEM;
	if (vstate_copy(&edge->state, env->cur) || vstate_copy_history(&edge->state, env->cur)) {
		free_backedge(edge);
		return -ENOMEM;
	}
	edge->state.insn_idx = env->insn_idx;
	edge->prev_insn_idx = env->prev_insn_idx;
	edge->equal = old;
	edge->since = env->loops.newest;
	edge->visit = visit;
	edge->next = env->loops.backedges;
	env->loops.backedges = edge;
	if (old->branches || old->unsettled)
		low = old->low;
	if (visit && visit->first->index < low)
		low = visit->first->index;
	if (parent && low < parent->low)
		parent->low = low;
	if (!visit) {
		env->loops.nr_on_trust++;
		return 0;
	}
	log_visit(env, "backedge", &visit->chain);
	visit->nr_backedges++;
	env->nr_backedges++;
	return 0;
}

void loops_done(struct verify_env *env)
{
	struct loops *loops = &env->loops;

	for (u32 i = 0; loops->visits && i < env->nr_scc; i++) {
		while (loops->visits[i]) {
			struct visit *visit = loops->visits[i];

			loops->visits[i] = visit->next;
			base_free(visit);
		}
	}
	base_free(loops->visits);
	*loops = (struct loops){ 0 };
	env->nr_backedges = 0;
}
