/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of explored states, and when to add to it. States are found by instruction and call
 * site; the newest are tried first; those that never help are evicted.
 */
#include "verify/prune.h"

#include <errno.h>
#include <stddef.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "verify/backtrack.h"
#include "verify/clean.h"
#include "verify/compare.h"
#include "verify/history.h"
#include "verify/loops.h"
#include "verify/slots.h"

#define HISTORY_MAX	    40 /* entries after which a checkpoint is forced */
#define MISSES_ALLOWED	    3  /* a state may miss this many times per hit */
#define MISSES_ALLOWED_LOOP 64

static struct explored **bucket_of(struct verify_env *env, u32 insn)
{
	u32 key = insn ^ vstate_frame(env->cur)->callsite;

	return &env->explored[key % env->nr_insns];
}

/*
 * Checkpoints without what their frames hold, side by side: walking a list of them must not touch a
 * page of memory for each.
 */
#define CHUNK_SIZE 32

_Static_assert(sizeof(struct explored) % POOL_LINE == 0 &&
		       offsetof(struct explored, state.all_precise) < POOL_LINE,
	       "one line is read");

static struct explored *explored_new(struct verify_env *env)
{
	struct explored *explored = env->unused;

	if (!explored) {
		struct explored *chunk = pool_alloc(state_memory(), CHUNK_SIZE * sizeof(*chunk));

		if (!chunk)
			return NULL;
		for (u32 i = 0; i < CHUNK_SIZE; i++) {
			chunk[i].next = env->unused;
			env->unused = &chunk[i];
		}
		explored = env->unused;
	}
	env->unused = explored->next;
	*explored = (struct explored){ 0 };
	return explored;
}

static void explored_free(struct verify_env *env, struct explored *explored)
{
	vstate_done(&explored->state);
	explored->next = env->unused;
	env->unused = explored;
}

static void clean_proven_states(struct verify_env *env, struct explored *list)
{
	for (; list; list = list->next) {
		struct vstate *state = &list->state;

		if (state->branches || state->insn_idx != env->insn_idx || state->cleaned ||
		    !vstate_same_callsites(state, env->cur) || loops_incomplete(env, state))
			continue;
		if (!state->unsettled)
			state_clean(env, state);
		else if (!state->masked)
			state_mask_dead(env, state);
		else
			continue;
		list->mismatch.kind = MISMATCH_NONE;
	}
}

static void update_peak(struct verify_env *env)
{
	u32 states = env->explored_size + env->evicted_size + env->nr_backedges;

	if (states > env->peak_states)
		env->peak_states = states;
}

/* Back edges may have it as parent until its loop is settled. */
static void free_unless_unsettled(struct verify_env *env, struct explored *explored)
{
	if (explored->state.unsettled)
		explored->state.unlisted = true;
	else
		explored_free(env, explored);
}

static void free_settled(struct verify_env *env)
{
	while (env->loops.settled) {
		struct vstate *state = env->loops.settled;

		env->loops.settled = state->next;
		explored_free(env, container_of(state, struct explored, state));
	}
}

static void evict(struct verify_env *env, struct explored **link)
{
	struct explored *explored = *link;

	*link = explored->next;
	env->explored_size--;
	if (!explored->state.branches && !loops_incomplete(env, &explored->state)) {
		free_unless_unsettled(env, explored);
		return;
	}
	/* Open paths, or back edges, still have it as parent. */
	explored->state.in_free_list = true;
	explored->next = env->evicted;
	env->evicted = explored;
	env->evicted_size++;
}

static void free_evicted(struct verify_env *env, struct vstate *state)
{
	for (struct explored **link = &env->evicted; *link; link = &(*link)->next) {
		struct explored *explored = *link;

		if (&explored->state != state)
			continue;
		*link = explored->next;
		env->evicted_size--;
		free_unless_unsettled(env, explored);
		return;
	}
}

int prune_path_done(struct verify_env *env, struct vstate *state)
{
	while (state) {
		struct vstate *parent = state->parent;
		int err;

		if (--state->branches)
			break;
		err = state == env->cur ? 0 : loops_exit(env, state);
		if (err < 0)
			return err;
		if (state->branches)
			break;
		if (state->in_free_list && !loops_incomplete(env, state))
			free_evicted(env, state);
		free_settled(env);
		state = parent;
	}
	return 0;
}

static int infinite_loop(struct verify_env *env, const struct vstate *old)
{
	log_source_line(env, env->insn_idx, "; ");
	verbose(env, "infinite loop detected at insn %u\n", env->insn_idx);
	verbose(env, "cur state:");
	log_frame(env, env->cur, env->cur->curframe, true);
	verbose(env, "old state:");
	log_frame(env, old, env->cur->curframe, true);
	return -EINVAL;
}

enum visit_result { VISIT_MISS, VISIT_HIT };

/* The current state's digest, which is computed when it is first asked for. */
static u64 digest_of_cur(const struct verify_env *env, u64 *digest)
{
	if (!*digest)
		*digest = state_digest(env->cur);
	return *digest;
}

/* Compares with a state that is still being explored: only loops get here. */
static int visit_open(struct verify_env *env, struct explored *explored, u64 *digest, bool *add,
		      bool force)
{
	const struct vstate *old = &explored->state;
	struct mismatch *where = &explored->mismatch;
	const struct frame *frame = vstate_frame(old), *cur = vstate_frame(env->cur);

	if (cur->in_async && frame->in_async && frame->async_entries != cur->async_entries) {
		/* The callback set itself again: no loop, and not covered as long as the one before
		 * has not come to its end. */
	} else if (env->aux[env->insn_idx].calls_callback) {
		if (states_equal(env, old, env->cur, COMPARE_WITHIN, where))
			return VISIT_HIT;
	} else if (env->aux[env->insn_idx].iter_next) {
		if (states_equal(env, old, env->cur, COMPARE_WITHIN, where) &&
		    iter_is_active(env->cur))
			return VISIT_HIT;
	} else if (insn_is_may_goto(&env->insns[env->insn_idx]) &&
		   old->may_goto_depth != env->cur->may_goto_depth &&
		   states_equal(env, old, env->cur, COMPARE_WITHIN, where)) {
		return VISIT_HIT;
	} else if (explored->digest == digest_of_cur(env, digest) &&
		   states_look_same(old, env->cur) &&
		   old->may_goto_depth == env->cur->may_goto_depth &&
		   old->callback_unroll_depth == env->cur->callback_unroll_depth &&
		   !iter_depths_differ(old, env->cur) &&
		   states_equal(env, old, env->cur, COMPARE_EXACT, where)) {
		return infinite_loop(env, old);
	}
	/* Iterations differ from each other: few checkpoints in a loop are enough. */
	if (!force && env->jmps_processed - env->prev_jmps_processed < 20 &&
	    env->insns_processed - env->prev_insns_processed < 100)
		*add = false;
	return VISIT_MISS;
}

static int end_by(struct verify_env *env, struct explored *explored)
{
	int err = 0;

	explored->hits++;
	if (env->aux[env->insn_idx].jmp_point)
		err = push_history(env, env->cur, 0, NULL);
	if (!err)
		err = propagate_precision(env, &explored->state, env->cur, env->insn_idx, NULL);
	if (!err)
		err = loops_end_in(env, &explored->state);
	update_peak(env);
	return err ? err : 1;
}

static int add_checkpoint(struct verify_env *env, u64 digest)
{
	struct explored **bucket = bucket_of(env, env->insn_idx);
	struct explored *explored = explored_new(env);
	struct vstate *cur = env->cur;

	if (!explored)
		return -ENOMEM;
	env->total_states++;
	env->explored_size++;
	update_peak(env);
	env->prev_jmps_processed = env->jmps_processed;
	env->prev_insns_processed = env->insns_processed;
	if (env->capable)
		forget_precision(env);
	if (vstate_copy(&explored->state, cur) || vstate_copy_history(&explored->state, cur)) {
		explored_free(env, explored);
		env->explored_size--;
		return -ENOMEM;
	}
	explored->digest = digest;
	explored->state.insn_idx = env->insn_idx;
	if (loops_enter(env, &explored->state)) {
		explored_free(env, explored);
		env->explored_size--;
		return -ENOMEM;
	}
	compare_prepare(env, &explored->state);
	explored->next = *bucket;
	*bucket = explored;
	cur->parent = &explored->state;
	cur->first_insn_idx = env->insn_idx;
	cur->nr_history = 0;
	env->cur_history = NULL;
	return 0;
}

int prune_visit(struct verify_env *env)
{
	struct explored **link = bucket_of(env, env->insn_idx);
	bool force = env->test_state_freq || env->aux[env->insn_idx].force_checkpoint ||
		     env->cur->nr_history > HISTORY_MAX;
	bool add = force || (env->jmps_processed - env->prev_jmps_processed >= 2 &&
			     env->insns_processed - env->prev_insns_processed >= 8);
	u64 digest = 0;
	u32 seen = 0;

	clean_proven_states(env, *link);
	while (*link) {
		struct explored *explored = *link;
		bool in_loop = true;
		u32 allowed;
		int visit;

		seen++;
		if (explored->state.insn_idx != env->insn_idx) {
			link = &explored->next;
			continue;
		}
		if (explored->state.branches) {
			visit = visit_open(env, explored, &digest, &add, force);
		} else {
			in_loop = loops_incomplete(env, &explored->state);
			visit = (in_loop || !env->input->test_all_paths) &&
				states_equal(env, &explored->state, env->cur,
					     in_loop ? COMPARE_WITHIN : COMPARE_LOOSE,
					     &explored->mismatch);
		}
		if (visit < 0)
			return visit;
		if (visit == VISIT_HIT)
			return end_by(env, explored);
		/* Misses count only where a state would be added: loops would evict their own. */
		if (add)
			explored->misses++;
		allowed = env->aux[env->insn_idx].force_checkpoint && explored->state.branches
				  ? MISSES_ALLOWED_LOOP
				  : MISSES_ALLOWED;
		if (explored->misses > explored->hits * allowed + allowed)
			evict(env, link);
		else
			link = &explored->next;
	}
	if (seen > env->max_states_per_insn)
		env->max_states_per_insn = seen;
	if (!env->capable && seen > STATES_PER_INSN_MAX)
		return 0;
	return add ? add_checkpoint(env, digest_of_cur(env, &digest)) : 0;
}

void prune_done(struct verify_env *env)
{
	base_free(env->explored);
	env->explored = NULL;
	env->evicted = NULL;
	env->unused = NULL;
}
