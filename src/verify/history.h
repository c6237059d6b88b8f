/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions that a path has executed, as far as they cannot be told from the program: where
 * it came from by a jump, and facts for backtracking. Each state has those since its parent's.
 */
#ifndef SKEP_VERIFY_HISTORY_H
#define SKEP_VERIFY_HISTORY_H

#include <errno.h>

#include "verify/env.h"

/* A walk backwards through a state's stretch: i is the instruction where it is, end how many
 * entries were noted up to it. The entry of i; NULL: it has none. */
static inline const struct history *history_of(const struct vstate *state, u32 end, u32 i)
{
	if (end && state->history[end - 1].idx == i)
		return &state->history[end - 1];
	return NULL;
}

/* The instruction executed before i, *end becomes what was noted up to that; -ENOENT: i was the
 * first of the stretch. */
static inline int history_previous(const struct vstate *state, u32 i, u32 *end)
{
	u32 left = *end;

	if ((s32)i == state->first_insn_idx) {
		if (!left || (left == 1 && state->history[0].idx == i))
			return -ENOENT;
	}
	if (left && state->history[left - 1].idx == i) {
		i = state->history[left - 1].prev_idx;
		(*end)--;
		return i;
	}
	return (int)i - 1;
}

/* Notes that the current instruction was executed, with facts for backtracking. */
int push_history(struct verify_env *env, struct vstate *state, u32 flags,
		 const struct linked_regs *linked);

/* A place on the path to the current instruction, for walking it backwards. */
struct path_walk {
	const struct vstate *state;
	u32 end, insn;
};

/* At the current instruction; then each call goes to the one executed before; false: none. */
void path_walk_begin(const struct verify_env *env, struct path_walk *walk);
bool path_walk_back(const struct verify_env *env, struct path_walk *walk);
/* What was noted of the walk's instruction; NULL: nothing. */
const struct history *path_walk_history(const struct path_walk *walk);

#endif
