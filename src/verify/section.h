/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sections that a program enters and leaves by kfuncs: RCU, preemption off. What a path may do
 * inside of them, and what it must not leave them with.
 */
#ifndef SKEP_VERIFY_SECTION_H
#define SKEP_VERIFY_SECTION_H

#include "verify/env.h"

struct abi_kfunc;

/* Is the path inside an RCU section? Programs that cannot sleep always are. */
static inline bool section_in_rcu(const struct verify_env *env)
{
	return env->cur->active_rcu || env->cur->active_locks || !env->cur->sleepable;
}

/* May the program sleep here? */
static inline bool section_may_sleep(const struct verify_env *env)
{
	const struct vstate *state = env->cur;

	return state->sleepable && !state->active_rcu && !state->active_preempt &&
	       !state->active_locks && !state->active_irq;
}

/* The call of a kfunc that enters or leaves a section, or that may sleep. 0 or -errno. */
int section_check_kfunc(struct verify_env *env, const struct abi_kfunc *kfunc, u32 id);

/* The same for a helper; name without "bpf_". */
int section_check_helper(struct verify_env *env, const char *name, u32 func_id, bool might_sleep);

/* A call of a global function, which may do anything. 0 or -errno. */
int section_check_global(struct verify_env *env, bool might_sleep);

#endif
