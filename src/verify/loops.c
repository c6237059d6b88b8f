/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops: components by Tarjan's algorithm, and back edges by loop and chain of calls.
 */
#include "verify/loops.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "verify/backtrack.h"
#include "verify/cfg.h"
#include "verify/compare.h"

#define ROUNDS_MAX 64 /* after so many rounds everything counts as precise */

struct chain {
	u32 callsite[MAX_FRAMES];
	u32 depth; /* frames below the one that is in the loop */
	u32 loop;
};

struct backedge {
	struct vstate state;
	const struct vstate *equal; /* the checkpoint that stood for it */
	struct backedge *next;
};

struct visit {
	struct chain chain;
	const struct vstate *first; /* NULL: no path is in the loop */
	struct backedge *backedges;
	u32 nr_backedges; /* that count as states */
	struct visit *next;
};

struct tarjan {
	struct verify_env *env;
	u32 *order, *low; /* 0: not met yet; low: UINT32_MAX when its component is known */
	u32 *path, nr_path;
	u32 *component, nr_component; /* met, component not known yet */
	u32 met;
};

/* w is the first one met of its component: takes that from the stack. */
static void close_component(struct tarjan *t, u32 w)
{
	struct verify_env *env = t->env;
	bool loop = t->component[t->nr_component - 1] != w;
	u32 next[2], member;

	for (u32 e = cfg_successors(env, w, next); e; e--)
		loop |= next[e - 1] == w;
	env->nr_scc += loop;
	do {
		member = t->component[--t->nr_component];
		t->low[member] = UINT32_MAX;
		if (loop)
			env->aux[member].scc = env->nr_scc;
	} while (member != w);
}

/* Looks at the instruction on top of the path. */
static void look(struct tarjan *t, u32 w)
{
	u32 next[2], nr = cfg_successors(t->env, w, next);

	if (!t->order[w]) {
		t->order[w] = t->low[w] = ++t->met;
		t->component[t->nr_component++] = w;
	}
	for (u32 e = 0; e < nr; e++) {
		if (!t->order[next[e]]) {
			t->path[t->nr_path++] = next[e];
			return;
		}
		if (t->low[next[e]] < t->low[w])
			t->low[w] = t->low[next[e]];
	}
	if (t->low[w] == t->order[w])
		close_component(t, w);
	t->nr_path--;
}

static int find_components(struct verify_env *env)
{
	struct tarjan t = { .env = env };
	u32 *memory = base_zalloc(env->nr_insns, 4 * sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	t.order = memory;
	t.low = memory + env->nr_insns;
	t.path = t.low + env->nr_insns;
	t.component = t.path + env->nr_insns;
	for (u32 i = 0; i < env->nr_insns; i++) {
		if (t.order[i])
			continue;
		t.path[t.nr_path++] = i;
		while (t.nr_path)
			look(&t, t.path[t.nr_path - 1]);
		if (insn_is_ldimm64(&env->insns[i]))
			i++;
	}
	base_free(memory);
	return 0;
}

int loops_find(struct verify_env *env)
{
	int err = find_components(env);

	env->nr_loops = env->nr_scc;
	for (u32 i = 0; !err && i < env->nr_insns; i++) {
		struct insn_aux *aux = &env->aux[i];

		aux->loop = aux->scc;
		if (!aux->scc && aux->calls_callback)
			aux->loop = ++env->nr_loops;
	}
	return err;
}

/* The loop that state is in: that of the lowest frame that is in one. false: none. */
static bool find_chain(const struct verify_env *env, const struct vstate *state,
		       struct chain *chain)
{
	for (u32 f = 0; f <= state->curframe; f++) {
		u32 insn = vstate_frame_insn(state, f);

		if (env->aux[insn].loop) {
			chain->loop = env->aux[insn].loop;
			chain->depth = f;
			return true;
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

/* A call that calls back: the kernel's verifier does not take that for a loop. */
static bool is_ours(const struct verify_env *env, const struct chain *chain)
{
	return chain->loop > env->nr_scc;
}

static void log_visit(struct verify_env *env, const char *what, const struct chain *chain)
{
	if (!(env->input->log.level & LOG_LEVEL2) || is_ours(env, chain))
		return;
	verbose(env, "SCC %s (", what);
	for (u32 f = 0; f < chain->depth && chain->callsite[f]; f++)
		verbose(env, "%u,", chain->callsite[f]);
	verbose(env, "%u)\n", chain->loop);
}

int loops_enter(struct verify_env *env, const struct vstate *state)
{
	struct chain chain;
	struct visit *visit;

	if (!find_chain(env, state, &chain))
		return 0;
	if (!env->visits)
		env->visits = base_zalloc(env->nr_loops, sizeof(*env->visits));
	if (!env->visits)
		return -ENOMEM;
	visit = find_visit(env, &chain);
	if (!visit) {
		visit = base_zalloc(1, sizeof(*visit));
		if (!visit)
			return -ENOMEM;
		visit->chain = chain;
		visit->next = env->visits[chain.loop - 1];
		env->visits[chain.loop - 1] = visit;
	}
	if (!visit->first) {
		visit->first = state;
		log_visit(env, "enter", &chain);
	}
	return 0;
}

static void free_backedge(struct backedge *edge)
{
	vstate_done(&edge->state);
	pool_free(state_memory(), edge, sizeof(*edge));
}

static void free_backedges(struct visit *visit)
{
	while (visit->backedges) {
		struct backedge *next = visit->backedges->next;

		free_backedge(visit->backedges);
		visit->backedges = next;
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

int loops_exit(struct verify_env *env, const struct vstate *state)
{
	struct visit *visit;
	struct chain chain;
	int err;

	if (!find_chain(env, state, &chain))
		return 0;
	visit = find_visit(env, &chain);
	if (!visit || visit->first != state)
		return 0;
	log_visit(env, "exit", &chain);
	visit->first = NULL;
	env->nr_backedges -= visit->nr_backedges;
	visit->nr_backedges = 0;
	env->quiet = is_ours(env, &chain);
	err = settle(env, visit);
	env->quiet = false;
	free_backedges(visit);
	return err;
}

bool loops_incomplete(const struct verify_env *env, const struct vstate *state)
{
	const struct visit *visit;
	struct chain chain;

	if (!env->visits || !find_chain(env, state, &chain))
		return false;
	visit = find_visit(env, &chain);
	return visit && visit->backedges;
}

int loops_add_backedge(struct verify_env *env, const struct vstate *old)
{
	struct backedge *edge;
	struct visit *visit;
	struct chain chain;

	if (!find_chain(env, old, &chain) || !(visit = find_visit(env, &chain)))
		return verify_bug(env, "a path ends in a loop at %u that was not entered",
				  env->insn_idx);
	edge = pool_zalloc(state_memory(), sizeof(*edge));
	if (!edge)
		return -ENOMEM;
	if (vstate_copy(&edge->state, env->cur) || vstate_copy_history(&edge->state, env->cur)) {
		free_backedge(edge);
		return -ENOMEM;
	}
	log_visit(env, "backedge", &chain);
	edge->state.insn_idx = env->insn_idx;
	edge->equal = old;
	edge->next = visit->backedges;
	visit->backedges = edge;
	if (!is_ours(env, &chain)) {
		visit->nr_backedges++;
		env->nr_backedges++;
	}
	return 0;
}

void loops_done(struct verify_env *env)
{
	for (u32 i = 0; env->visits && i < env->nr_loops; i++) {
		while (env->visits[i]) {
			struct visit *next = env->visits[i]->next;

			base_free(env->visits[i]);
			env->visits[i] = next;
		}
	}
	base_free(env->visits);
	env->visits = NULL;
	env->nr_backedges = 0;
}
