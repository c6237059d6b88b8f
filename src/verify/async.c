/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See async.h. Messages of Linux 6.18: check_map_field_pointer() and push_async_cb() in
 * kernel/bpf/verifier.c.
 */
#include "verify/object.h"
#include "verify/async.h"

#include <errno.h>

#include "abi/kfunc.h"
#include "base/alloc.h"
#include "verify/explore.h"

bool async_is_helper(s32 func_id)
{
	return func_id == BPF_FUNC_timer_set_callback;
}

bool async_is_call(const struct verify_env *env, u32 i)
{
	const struct bpf_insn *insn = &env->insns[i];

	if (insn_is_kfunc_call(insn))
		return env->aux[i].kfunc == ABI_KFUNC_bpf_wq_set_callback_impl + 1;
	return insn_is_helper_call(insn) && async_is_helper(insn->imm);
}

int field_check_place(struct verify_env *env, u32 regno, enum btf_field_kind kind)
{
	const struct reg *reg = &env_regs(env)[regno];
	const struct verify_map *map = reg->type == PTR_TO_MAP_VALUE ? reg->map : NULL;
	const char *name = btf_field_name(kind);
	const struct btf_field *field;
	s64 offset = (s64)reg->s.var_off.value + reg->off;

	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env,
			"R%u doesn't have constant offset. %s has to be at the constant offset\n",
			regno, name);
		return -EINVAL;
	}
	if (map && !map->btf && !(map->fields && map->fields->nr)) {
		verbose(env, "map '%.*s' has to have BTF in order to use %s\n", BPF_OBJ_NAME_LEN,
			map->name, name);
		return -EINVAL;
	}
	field = btf_field_of(reg_fields(reg), kind);
	if (!field) {
		verbose(env, "%s '%.*s' has no valid %s\n", map ? "map" : "local", BPF_OBJ_NAME_LEN,
			map ? map->name : "kptr", name);
		return -EINVAL;
	}
	if (field->offset != offset) {
		verbose(env, "off %lld doesn't point to 'struct %s' that is at %u\n",
			(long long)offset, name, field->offset);
		return -EINVAL;
	}
	return 0;
}

int async_check_same_map(struct verify_env *env, const struct verify_map *map, u32 uid, u32 regno,
			 const char *what)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (map == reg->map && uid == reg->map_uid)
		return 0;
	verbose(env, "%s pointer in R1 map_uid=%u doesn't match map pointer in R2 map_uid=%u\n",
		what, uid, reg->map_uid);
	return -EINVAL;
}

static int note(struct verify_env *env, u32 subprog, const struct verify_map *map)
{
	struct verify_async *async = env->async;

	for (u32 i = 0; i < env->nr_async; i++)
		if (async[i].subprog == subprog && async[i].map == map)
			return 0;
	async = base_realloc(async, env->nr_async + 1, sizeof(*async));
	if (!async)
		return -ENOMEM;
	async[env->nr_async++] = (struct verify_async){ subprog, map, map->handle };
	env->async = async;
	return 0;
}

int async_push(struct verify_env *env, const struct verify_map *map, u32 uid, u32 subprog,
	       bool sleepable)
{
	u32 entries = vstate_frame(env->cur)->async_entries;
	struct vstate *state = explore_push_entry(env, subprog, env->insn_idx);
	struct frame *frame;

	if (!state)
		return explore_push_error(env);
	if (note(env, subprog, map))
		return -ENOMEM;
	env->subprog[subprog].is_callback = env->subprog[subprog].is_async = true;
	state->sleepable = sleepable;
	frame = vstate_frame(state);
	frame->in_async = true;
	frame->async_entries = entries + 1;
	log_scratch_all(env);
	reg_set_pointer(&frame->regs[BPF_REG_1], CONST_PTR_TO_MAP);
	reg_set_pointer(&frame->regs[BPF_REG_2], PTR_TO_MAP_KEY);
	reg_set_pointer(&frame->regs[BPF_REG_3], PTR_TO_MAP_VALUE);
	for (u32 r = BPF_REG_1; r <= BPF_REG_3; r++) {
		frame->regs[r].map = map;
		frame->regs[r].map_uid = uid;
	}
	return 0;
}
