/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strongly connected components by Tarjan's algorithm, without recursion: the path is an array.
 */
#include "verify/scc.h"

#include <errno.h>

#include "base/alloc.h"
#include "verify/cfg.h"

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

int scc_find(struct verify_env *env)
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
