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

#define LOCK_KINDS     (1u << REFERENCE_LOCK | 1u << REFERENCE_RES_LOCK | 1u << REFERENCE_RES_LOCK_IRQ)
#define RES_LOCK_KINDS (1u << REFERENCE_RES_LOCK | 1u << REFERENCE_RES_LOCK_IRQ)

/* A lock of one of the kinds (a set) that is held. */
static struct reference *find_lock(struct vstate *state, u32 kinds, u32 id, const void *ptr)
{
	for (u32 i = 0; i < state->nr_refs; i++)
		if (kinds & 1u << state->refs[i].kind && state->refs[i].id == id &&
		    state->refs[i].ptr == ptr)
			return &state->refs[i];
	return NULL;
}

static bool holds_kind(const struct vstate *state, u32 kinds)
{
	for (u32 i = 0; i < state->nr_refs; i++)
		if (kinds & 1u << state->refs[i].kind)
			return true;
	return false;
}

/* The lock that was taken last. */
static struct reference *newest_lock(struct vstate *state)
{
	for (u32 i = state->nr_refs; i > 0; i--)
		if (LOCK_KINDS & 1u << state->refs[i - 1].kind)
			return &state->refs[i - 1];
	return NULL;
}

/* What the lock of reg lies in: with the id it says which one it is. */
static const void *place_of(const struct reg *reg)
{
	return reg->type == PTR_TO_MAP_VALUE ? (const void *)reg->map : reg->btf;
}

static int take(struct verify_env *env, const struct reg *reg, u32 kind)
{
	struct reference held = {
		.kind = kind, .id = reg->id, .insn_idx = env->insn_idx, .ptr = place_of(reg)
	};
	struct vstate *state = env->cur;

	if (kind == REFERENCE_LOCK && holds_kind(state, 1u << REFERENCE_LOCK)) {
		verbose(env, "Locking two bpf_spin_locks are not allowed\n");
		return -EINVAL;
	}
	if (kind != REFERENCE_LOCK && find_lock(state, RES_LOCK_KINDS, reg->id, held.ptr)) {
		verbose(env, "Acquiring the same lock again, AA deadlock detected\n");
		return -EINVAL;
	}
	state->active_locks++;
	return vstate_acquire(state, &held);
}

static int give_back(struct verify_env *env, const struct reg *reg, u32 kind)
{
	const char *name = kind == REFERENCE_LOCK ? "bpf_spin" : "bpf_res_spin";
	struct vstate *state = env->cur;
	struct reference *held = find_lock(state, 1u << kind, reg->id, place_of(reg));

	if (!state->active_locks) {
		verbose(env, "%s_unlock without taking a lock\n", name);
		return -EINVAL;
	}
	if (!held) {
		verbose(env, "%s_unlock of different lock\n", name);
		return -EINVAL;
	}
	if (newest_lock(state)->id != reg->id || newest_lock(state)->ptr != place_of(reg)) {
		verbose(env, "%s_unlock cannot be out of order\n", name);
		return -EINVAL;
	}
	for (u32 i = (u32)(held - state->refs); i + 1 < state->nr_refs; i++)
		state->refs[i] = state->refs[i + 1];
	state->nr_refs--;
	state->active_locks--;
	object_forget_unowned(env);
	return 0;
}

int lock_check_argument(struct verify_env *env, u32 regno, u32 kind, bool unlocks)
{
	const struct reg reg = env_regs(env)[regno];
	int err = field_check_place(
		env, regno, kind == REFERENCE_LOCK ? BTF_FIELD_SPIN_LOCK : BTF_FIELD_RES_SPIN_LOCK);

	if (err)
		return err;
	return unlocks ? give_back(env, &reg, kind) : take(env, &reg, kind);
}

bool lock_is_held_for(struct verify_env *env, const struct reg *reg)
{
	if (!env->cur->active_locks)
		return false;
	if (find_lock(env->cur, LOCK_KINDS, reg->id, place_of(reg)))
		return true;
	verbose(env, "held lock and object are not in the same allocation\n");
	return false;
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

	if (map->fields && map->fields->kinds & BTF_FIELDS_ROOT && is_tracing(type)) {
		verbose(env, "tracing progs cannot use bpf_{list_head,rb_root} yet\n");
		return -EINVAL;
	}
	for (u32 i = 0; i < ARRAY_SIZE(not_traced); i++) {
		const char *name = btf_field_name(not_traced[i]);

		/* What is said of one kind of lock is meant of both. */
		if (!btf_field_of(map->fields, not_traced[i]) &&
		    !(not_traced[i] == BTF_FIELD_SPIN_LOCK &&
		      btf_field_of(map->fields, BTF_FIELD_RES_SPIN_LOCK)))
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
