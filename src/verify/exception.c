/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See exception.h. Messages of Linux 6.18: bpf_find_exception_callback_insn_off() in
 * kernel/bpf/verifier.c.
 */
#include "verify/exception.h"

#include <errno.h>
#include <string.h>

#include "abi/kfunc.h"
#include "btf/btf.h"

#define PREFIX "exception_callback:"

/* The value of the tag of function id: 0 with *ret_value (NULL: it has none), or -EEXIST. */
static int find_tag(const struct btf *btf, u32 id, const char **ret_value)
{
	*ret_value = NULL;
	for (u32 i = 1; i < btf_nr_types(btf); i++) {
		const struct btf_type *type = btf_type_by_id(btf, i);
		const char *name;

		if (btf_kind_of(type) != BTF_KIND_DECL_TAG || type->type != id ||
		    ((const struct btf_decl_tag *)(type + 1))->component_idx != -1)
			continue;
		name = btf_string(btf, type->name_off);
		if (!name || strncmp(name, PREFIX, sizeof(PREFIX) - 1))
			continue;
		if (*ret_value)
			return -EEXIST;
		*ret_value = name + sizeof(PREFIX) - 1;
	}
	return 0;
}

static int find_start(struct verify_env *env, u32 id, u32 *ret_insn)
{
	for (u32 i = 0; i < env->nr_func_info; i++) {
		if (env->func_info[i].type_id != id)
			continue;
		*ret_insn = env->func_info[i].insn_off;
		if (*ret_insn)
			return 0;
		verbose(env, "invalid exception callback insn_off in func_info: 0\n");
		return -EINVAL;
	}
	verbose(env, "exception callback type id not found in func_info\n");
	return -EINVAL;
}

int exception_find_callback(struct verify_env *env, u32 *ret_insn)
{
	const struct btf *btf = env->input->btf;
	const char *name;
	u32 id;
	int err;

	*ret_insn = 0;
	if (!env->nr_func_info)
		return 0;
	err = find_tag(btf, env->func_info[0].type_id, &name);
	if (err)
		verbose(env, "multiple exception callback tags for main subprog\n");
	if (err || !name)
		return err;
	id = btf_find(btf, name, BTF_KIND_FUNC);
	if (!id) {
		verbose(env, "exception callback '%s' could not be found in BTF\n", name);
		return -ENOENT;
	}
	if (btf_func_linkage(btf, id) != BTF_FUNC_GLOBAL) {
		verbose(env, "exception callback '%s' must have global linkage\n", name);
		return -EINVAL;
	}
	return find_start(env, id, ret_insn);
}

bool exception_is_throw(const struct verify_env *env, u32 i)
{
	return insn_is_kfunc_call(&env->insns[i]) && env->aux[i].kfunc == ABI_KFUNC_bpf_throw + 1;
}
