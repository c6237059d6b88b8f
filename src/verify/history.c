/* SPDX-License-Identifier: BSD-2-Clause */
/* See history.h. */
#include "verify/history.h"

#include <errno.h>

int push_history(struct verify_env *env, struct vstate *state, u32 flags,
		 const struct linked_regs *linked)
{
	struct history *entry = env->cur_history;

	/* One entry an instruction: what it adds is joined. */
	if (entry) {
		entry->flags |= flags;
		if (linked && !entry->linked)
			entry->linked = linked_pack(linked);
		return 0;
	}
	entry = vstate_add_history(state);
	if (!entry)
		return -ENOMEM;
	*entry = (struct history){ .idx = env->insn_idx,
				   .prev_idx = env->prev_insn_idx,
				   .flags = flags };
	if (linked)
		entry->linked = linked_pack(linked);
	env->cur_history = entry;
	return 0;
}

void path_walk_begin(const struct verify_env *env, struct path_walk *walk)
{
	*walk = (struct path_walk){ .state = env->cur,
				    .end = env->cur->nr_history,
				    .insn = env->insn_idx };
}

bool path_walk_back(const struct verify_env *env, struct path_walk *walk)
{
	int i = history_previous(walk->state, walk->insn, &walk->end);

	if (i == -ENOENT) {
		i = walk->state->parent ? walk->state->parent->last_insn_idx : -1;
		walk->state = walk->state->parent;
		walk->end = walk->state ? walk->state->nr_history : 0;
	}
	if (i < 0 || i >= (int)env->nr_insns)
		return false;
	walk->insn = (u32)i;
	return true;
}

const struct history *path_walk_history(const struct path_walk *walk)
{
	return history_of(walk->state, walk->end, walk->insn);
}
