/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See lock.h. Messages of Linux 6.18: process_spin_lock() and check_map_prog_compatibility() in
 * kernel/bpf/verifier.c.
 */
#include "verify/lock.h"

#include <errno.h>

#include "abi/kfunc.h"
#include "verify/async.h"
#include "verify/kfunc.h"

static struct reference *find_lock(struct vstate *state, u32 id, const void *ptr)
{
	for (u32 i = 0; i < state->nr_refs; i++)
		if (state->refs[i].kind == REFERENCE_LOCK && state->refs[i].id == id &&
		    state->refs[i].ptr == ptr)
			return &state->refs[i];
	return NULL;
}

static int unlock(struct verify_env *env, const struct reg *reg)
{
	struct vstate *state = env->cur;
	struct reference *held = find_lock(state, reg->id, reg->map);

	if (!state->active_locks) {
		verbose(env, "bpf_spin_unlock without taking a lock\n");
		return -EINVAL;
	}
	if (!held) {
		verbose(env, "bpf_spin_unlock of different lock\n");
		return -EINVAL;
	}
	for (u32 i = (u32)(held - state->refs); i + 1 < state->nr_refs; i++)
		state->refs[i] = state->refs[i + 1];
	state->nr_refs--;
	state->active_locks--;
	return 0;
}

int lock_check_argument(struct verify_env *env, u32 regno, bool unlocks)
{
	const struct reg *reg = &env_regs(env)[regno];
	struct reference held = {
		.kind = REFERENCE_LOCK, .id = reg->id, .insn_idx = env->insn_idx, .ptr = reg->map
	};
	int err = field_check_place(env, regno, BTF_FIELD_SPIN_LOCK);

	if (err || unlocks)
		return err ? err : unlock(env, reg);
	if (env->cur->active_locks) {
		verbose(env, "Locking two bpf_spin_locks are not allowed\n");
		return -EINVAL;
	}
	env->cur->active_locks++;
	return vstate_acquire(env->cur, &held);
}

int lock_check_call(struct verify_env *env, const struct bpf_insn *insn)
{
	const struct abi_kfunc *kfunc = kfunc_of(env, env->insn_idx);
	bool allowed = true;

	if (!env->cur->active_locks)
		return 0;
	if (insn_is_helper_call(insn))
		allowed = insn->imm == BPF_FUNC_spin_unlock || insn->imm == BPF_FUNC_kptr_xchg;
	else if (insn_is_kfunc_call(insn))
		allowed = kfunc && kfunc->flags & KFUNC_UNDER_LOCK;
	if (allowed)
		return 0;
	verbose(env, "function calls are not allowed while holding a lock\n");
	return -EINVAL;
}

static bool is_tracing(u32 prog_type)
{
	switch (prog_type) {
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_PERF_EVENT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE: return true;
	default: return false;
	}
}

int lock_check_map(struct verify_env *env, const struct verify_map *map)
{
	static const u32 not_traced[] = { BTF_FIELD_SPIN_LOCK, BTF_FIELD_TIMER,
					  BTF_FIELD_WORKQUEUE };
	u32 type = env->input->prog_type;

	for (u32 i = 0; i < ARRAY_SIZE(not_traced); i++) {
		const char *name = btf_field_name(not_traced[i]);

		if (!btf_field_of(map->fields, not_traced[i]))
			continue;
		if (not_traced[i] == BTF_FIELD_SPIN_LOCK && type == BPF_PROG_TYPE_SOCKET_FILTER) {
			verbose(env, "socket filter progs cannot use %s yet\n", name);
			return -EINVAL;
		}
		if (is_tracing(type)) {
			verbose(env, "tracing progs cannot use %s yet\n", name);
			return -EINVAL;
		}
	}
	return 0;
}
