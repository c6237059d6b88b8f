/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See section.h. Messages of Linux 6.18: check_kfunc_call(), check_helper_call() and
 * check_func_call() in kernel/bpf/verifier.c.
 */
#include "verify/section.h"

#include <errno.h>

#include "abi/kfunc.h"
#include "verify/graph.h"
#include "verify/slots.h"

/* What was valid in the section may be gone. */
static bool is_rcu(const struct reg *reg, const void *arg)
{
	return reg->type & MEM_RCU;
}

static void leave_rcu(struct reg *reg, const void *arg)
{
	reg->type &= ~(u32)(MEM_RCU | PTR_MAYBE_NULL);
	reg->type |= PTR_UNTRUSTED;
}

static int refuse_sleep(struct verify_env *env, const char *name, const char *where)
{
	verbose(env, "kernel func %s is sleepable within %s region\n", name, where);
	return -EACCES;
}

static int check_rcu(struct verify_env *env, const struct abi_kfunc *kfunc, u32 id)
{
	struct vstate *state = env->cur;

	if (state->active_rcu && callback_of_tree(env) &&
	    (id == ABI_KFUNC_bpf_rcu_read_lock || id == ABI_KFUNC_bpf_rcu_read_unlock)) {
		verbose(env, "Calling bpf_rcu_read_{lock,unlock} in unnecessary rbtree callback\n");
		return -EACCES;
	}
	if (id == ABI_KFUNC_bpf_rcu_read_lock) {
		if (state->active_rcu) {
			verbose(env, "nested rcu read lock (kernel function %s)\n", kfunc->name);
			return -EINVAL;
		}
		state->active_rcu = 1;
	} else if (id == ABI_KFUNC_bpf_rcu_read_unlock) {
		if (!state->active_rcu) {
			verbose(env, "unmatched rcu read unlock (kernel function %s)\n",
				kfunc->name);
			return -EINVAL;
		}
		vstate_change_regs(state, is_rcu, leave_rcu, NULL);
		iter_leave_rcu(state);
		state->active_rcu = 0;
	} else if (state->active_rcu && kfunc->flags & KFUNC_SLEEPABLE) {
		return refuse_sleep(env, kfunc->name, "rcu_read_lock");
	}
	return 0;
}

static int check_preempt(struct verify_env *env, const struct abi_kfunc *kfunc, u32 id)
{
	struct vstate *state = env->cur;

	if (id == ABI_KFUNC_bpf_preempt_disable) {
		state->active_preempt++;
	} else if (id == ABI_KFUNC_bpf_preempt_enable) {
		if (!state->active_preempt) {
			verbose(env,
				"unmatched attempt to enable preemption (kernel function %s)\n",
				kfunc->name);
			return -EINVAL;
		}
		state->active_preempt--;
	} else if (state->active_preempt && kfunc->flags & KFUNC_SLEEPABLE) {
		return refuse_sleep(env, kfunc->name, "non-preemptible");
	}
	return 0;
}

int section_check_kfunc(struct verify_env *env, const struct abi_kfunc *kfunc, u32 id)
{
	int err = check_rcu(env, kfunc, id);

	if (!err)
		err = check_preempt(env, kfunc, id);
	if (!err && kfunc->flags & KFUNC_RCU_PROTECTED && !section_in_rcu(env)) {
		verbose(env, "kernel func %s requires RCU critical section protection\n",
			kfunc->name);
		err = -EACCES;
	}
	if (!err && env->cur->active_irq && kfunc->flags & KFUNC_SLEEPABLE)
		err = refuse_sleep(env, kfunc->name, "IRQ-disabled");
	return err;
}

int section_check_helper(struct verify_env *env, const char *name, u32 func_id, bool might_sleep)
{
	const struct vstate *state = env->cur;
	const char *where = NULL;

	if (!might_sleep)
		return 0;
	if (state->active_rcu)
		where = "rcu_read_lock";
	else if (state->active_preempt)
		where = "non-preemptible";
	else if (state->active_irq)
		where = "IRQ-disabled";
	if (!where)
		return 0;
	verbose(env, "sleepable helper bpf_%s#%u in %s region\n", name, func_id, where);
	return -EINVAL;
}

int section_check_global(struct verify_env *env, bool might_sleep)
{
	if (env->cur->active_locks) {
		verbose(env, "global function calls are not allowed while holding a lock,\n"
			     "use static function instead\n");
		return -EINVAL;
	}
	if (!might_sleep || section_may_sleep(env))
		return 0;
	verbose(env, "global functions that may sleep are not allowed in non-sleepable context,\n"
		     "i.e., in a RCU/IRQ/preempt-disabled section, or in\n"
		     "a non-sleepable BPF program context\n");
	return -EINVAL;
}
