/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Back edges by loop and chain of calls, and settling them.
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
	struct backedge *next;
};

struct visit {
	struct chain chain;
	struct vstate *first; /* NULL: no path is in the loop */
	struct backedge *backedges;
	struct backedge *unfit; /* their paths have to go on */
	u32 nr_backedges;	/* that count as states */
	u32 revisits;
	struct visit *next;
};

/*
 * The chain of calls to the lowest frame that is in a loop, of the control flow or (callbacks) of
 * any kind. false: there is none; or of callbacks, a loop of the control flow is around it, which
 * decides.
 */
static bool find_chain(const struct verify_env *env, const struct vstate *state, bool callbacks,
		       struct chain *chain)
{
	for (u32 f = 0; f <= state->curframe; f++) {
		u32 insn = vstate_frame_insn(state, f);
		const struct insn_aux *aux = &env->aux[insn];

		chain->loop = callbacks ? aux->loop : aux->scc;
		if (chain->loop) {
			chain->depth = f;
			return !callbacks || !aux->scc;
		}
		chain->callsite[f] = insn;
	}
	return false;
}

static struct visit *find_visit(const struct verify_env *env, const struct chain *chain)
{
	struct visit *visit = env->visits ? env->visits[chain->loop - 1] : NULL;

	while (visit && (visit->chain.depth != chain->depth ||
			 memcmp(visit->chain.callsite, chain->callsite,
				chain->depth * sizeof(chain->callsite[0]))))
		visit = visit->next;
	return visit;
}

static struct visit *scc_visit(const struct verify_env *env, const struct vstate *state)
{
	struct chain chain;

	return env->visits && find_chain(env, state, false, &chain) ? find_visit(env, &chain)
								    : NULL;
}

/* The callback's loop that state is in, while a path is in it; or NULL. */
static struct visit *callback_visit(const struct verify_env *env, const struct vstate *state)
{
	struct visit *visit = NULL;
	struct chain chain;

	if (env->visits && find_chain(env, state, true, &chain))
		visit = find_visit(env, &chain);
	return visit && visit->first ? visit : NULL;
}

/*
 * Callbacks that run later begin paths of their own: a loop may be entered again from another one
 * while paths are in it, and its first state does not wait for those.
 */
static bool is_trusted(const struct verify_env *env, const struct visit *visit)
{
	return !visit->first->frame[0]->in_async && visit->revisits < REVISITS_MAX &&
	       !env->input->test_all_paths;
}

bool loops_incomplete(const struct verify_env *env, const struct vstate *state)
{
	const struct visit *visit = scc_visit(env, state);

	if (visit && visit->backedges)
		return true;
	visit = callback_visit(env, state);
	return visit && visit->backedges && !is_trusted(env, visit);
}

bool loops_on_trust(const struct verify_env *env, const struct vstate *state)
{
	return callback_visit(env, state);
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

/* state is in the loop: the first one if no path is. 1: it is, 0, or -ENOMEM. */
static int enter(struct verify_env *env, const struct chain *chain, struct vstate *state)
{
	struct visit *visit;

	if (!env->visits)
		env->visits = base_zalloc(env->nr_loops, sizeof(*env->visits));
	if (!env->visits)
		return -ENOMEM;
	visit = find_visit(env, chain);
	if (!visit) {
		visit = base_zalloc(1, sizeof(*visit));
		if (!visit)
			return -ENOMEM;
		visit->chain = *chain;
		visit->next = env->visits[chain->loop - 1];
		env->visits[chain->loop - 1] = visit;
	}
	if (visit->first)
		return 0;
	visit->first = state;
	return 1;
}

int loops_enter(struct verify_env *env, struct vstate *state)
{
	struct chain chain;
	int err = 0;

	if (find_chain(env, state, true, &chain))
		err = enter(env, &chain, state);
	if (err < 0 || !find_chain(env, state, false, &chain))
		return err < 0 ? err : 0;
	err = enter(env, &chain, state);
	if (err > 0)
		log_visit(env, "enter", &chain);
	return err < 0 ? err : 0;
}

static void free_backedge(struct backedge *edge)
{
	vstate_done(&edge->state);
	pool_free(state_memory(), edge, sizeof(*edge));
}

static void free_backedges(struct backedge **list)
{
	while (*list) {
		struct backedge *edge = *list;

		*list = edge->next;
		free_backedge(edge);
	}
}

/* Carries precision over the visit's back edges until nothing changes. */
static int settle(struct verify_env *env, struct visit *visit)
{
	bool changed = true;
	int err = 0;

	for (u32 round = 0; changed && !err; round++) {
		changed = false;
		for (struct backedge *edge = visit->backedges; edge && !err; edge = edge->next) {
			if (round > ROUNDS_MAX)
				force_all_precise(env, &edge->state);
			else
				err = propagate_precision(env, edge->equal, &edge->state,
							  edge->state.insn_idx, &changed);
		}
	}
	return err;
}

/* A loop of the control flow. What was owed in it the callback's loop around it will look at again.
 */
static int exit_scc(struct verify_env *env, struct visit *visit)
{
	struct visit *around = callback_visit(env, visit->first);
	struct backedge **end = &visit->backedges;
	int err;

	log_visit(env, "exit", &visit->chain);
	visit->first = NULL;
	env->nr_backedges -= visit->nr_backedges;
	visit->nr_backedges = 0;
	err = settle(env, visit);
	if (err)
		return err;
	while (around && *end)
		end = &(*end)->next;
	if (around) {
		*end = around->backedges;
		around->backedges = visit->backedges;
		visit->backedges = NULL;
	}
	free_backedges(&visit->backedges);
	return 0;
}

/* Takes from the back edges those that do not fit any more. */
static void find_unfit(struct verify_env *env, struct visit *visit)
{
	struct backedge **link = &visit->backedges;

	while (*link) {
		struct backedge *edge = *link;
		struct mismatch where = { 0 };

		if (states_equal(env, edge->equal, &edge->state, COMPARE_LOOSE, &where)) {
			link = &edge->next;
			continue;
		}
		*link = edge->next;
		edge->next = visit->unfit;
		visit->unfit = edge;
	}
}

/*
 * The path that ended in one of the unfit ones goes on, with the checkpoints that it came through:
 * one such path at a time, so that what has branches is always a checkpoint of the current path.
 */
static int go_on(struct verify_env *env, struct visit *visit)
{
	struct backedge *edge = visit->unfit;
	struct vstate *state = &edge->state;
	int err;

	visit->unfit = edge->next;
	visit->revisits++;
	/* Where it ended it noted itself; it will do so again. */
	if (env->aux[state->insn_idx].jmp_point)
		state->nr_history--;
	for (struct vstate *p = state->parent; p; p = p->parent)
		if (p->branches++ || p == visit->first)
			break;
	err = explore_push_again(env, state, edge->prev_insn_idx);
	free_backedge(edge);
	return err;
}

static int exit_callback(struct verify_env *env, struct visit *visit)
{
	int err;

	if (!visit->unfit) {
		live_stack_solve(env);
		for (struct backedge *edge = visit->backedges; edge; edge = edge->next)
			state_mask_dead(env, edge->equal);
		env->quiet = true;
		err = settle(env, visit);
		env->quiet = false;
		if (err)
			return err;
		find_unfit(env, visit);
	}
	if (visit->unfit)
		return go_on(env, visit);
	visit->first = NULL;
	free_backedges(&visit->backedges);
	return 1;
}

int loops_exit(struct verify_env *env, struct vstate *state)
{
	struct visit *visit = scc_visit(env, state);
	int err = 0;

	if (visit && visit->first == state)
		err = exit_scc(env, visit);
	if (err)
		return err;
	visit = callback_visit(env, state);
	return visit && visit->first == state ? exit_callback(env, visit) : 0;
}

int loops_end_in(struct verify_env *env, struct vstate *old, bool incomplete)
{
	struct visit *scc = incomplete ? scc_visit(env, old) : NULL;
	struct visit *visit = scc ? scc : callback_visit(env, old);
	struct backedge *edge;

	if (!visit && incomplete)
		return verify_bug(env, "a path ends in a loop at %u that was not entered",
				  env->insn_idx);
	if (!visit)
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
	edge->next = visit->backedges;
	visit->backedges = edge;
	if (scc) {
		log_visit(env, "backedge", &scc->chain);
		scc->nr_backedges++;
		env->nr_backedges++;
	}
	return 0;
}

void loops_done(struct verify_env *env)
{
	for (u32 i = 0; env->visits && i < env->nr_loops; i++) {
		while (env->visits[i]) {
			struct visit *visit = env->visits[i];

			env->visits[i] = visit->next;
			base_free(visit);
		}
	}
	base_free(env->visits);
	env->visits = NULL;
	env->nr_backedges = 0;
}
