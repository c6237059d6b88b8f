/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct_ops programs, by the rules of check_struct_ops_btf_id() in kernel/bpf/verifier.c,
 * net/ipv4/bpf_tcp_ca.c and net/bpf/bpf_dummy_struct_ops.c of Linux 6.18.
 */
#include "verify/struct_ops.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "abi/bpf_new.h"
#include "abi/struct_ops.h"
#include "btf/btf.h"
#include "btf/walk.h"
#include "verify/btf_ptr.h"
#include "verify/log.h"

#define NULLABLE "__nullable"

/* The prototype that a member points to; NULL: it is no pointer to a function. */
static const struct btf_type *prototype(const struct btf *btf, const struct btf_member *member)
{
	const struct btf_type *type = btf_skip_modifiers(btf, member->type, NULL);

	if (!type || btf_kind_of(type) != BTF_KIND_PTR)
		return NULL;
	type = btf_skip_modifiers(btf, type->type, NULL);
	return type && btf_kind_of(type) == BTF_KIND_FUNC_PROTO ? type : NULL;
}

static int use_member(struct verify_env *env, const struct btf_type *type, u32 index)
{
	const struct btf *btf = env->input->attach_btf;
	const struct abi_struct_ops *ops = env->struct_ops;
	const struct btf_member *member = &btf_members_of(type)[index];
	const char *name = btf_string(btf, member->name_off);

	env->attach_proto = prototype(btf, member);
	if (!env->attach_proto || !name) {
		verbose(env, "attach to invalid member %s(@idx %u) of struct %s\n",
			name ? name : "", index, ops->name);
		return -EINVAL;
	}
	if (ops->unsupported && !strcmp(ops->unsupported, name)) {
		verbose(env, "attach to unsupported member %s of struct %s\n", name, ops->name);
		return -ABI_ENOTSUPP;
	}
	if (env->sleepable && ops->sleepable && strcmp(ops->sleepable, name)) {
		verbose(env, "attach to unsupported member %s of struct %s\n", name, ops->name);
		return -EINVAL;
	}
	env->attach_name = name;
	env->ctx_is_args = env->attach_is_function = true;
	return 0;
}

int struct_ops_check(struct verify_env *env)
{
	const struct verify_input *input = env->input;
	const struct btf_type *type;
	const char *name;

	if (!input->gpl_compatible) {
		verbose(env, "struct ops programs must have a GPL compatible license\n");
		return -EINVAL;
	}
	if (!input->attach_btf_id || !input->attach_btf)
		return -ABI_ENOTSUPP;
	type = btf_type_by_id(input->attach_btf, input->attach_btf_id);
	name = type && btf_kind_of(type) == BTF_KIND_STRUCT
		       ? btf_string(input->attach_btf, type->name_off)
		       : NULL;
	env->struct_ops = name ? abi_struct_ops_find(name) : NULL;
	if (!env->struct_ops) {
		verbose(env, "attach_btf_id %u is not a supported struct\n", input->attach_btf_id);
		return -ABI_ENOTSUPP;
	}
	if (input->expected_attach_type >= btf_vlen_of(type)) {
		verbose(env, "attach to invalid member idx %u of struct %s\n",
			input->expected_attach_type, name);
		return -EINVAL;
	}
	return use_member(env, type, input->expected_attach_type);
}

/* The kernel names a stub of each member STRUCT__MEMBER, whose parameters' names say more. */
bool struct_ops_may_be_null(const struct verify_env *env, u32 arg)
{
	const struct btf *btf = env->input->attach_btf;
	const struct btf_type *proto;
	char stub[256];
	const char *name;
	size_t length;
	u32 id;

	if (!env->struct_ops)
		return false;
	snprintf(stub, sizeof(stub), "%s__%s", env->struct_ops->name, env->attach_name);
	id = btf_find(btf, stub, BTF_KIND_FUNC);
	proto = id ? btf_func_proto(btf, id) : NULL;
	if (!proto || arg >= btf_vlen_of(proto))
		return false;
	name = btf_string(btf, btf_params_of(proto)[arg].name_off);
	length = name ? strlen(name) : 0;
	return length > strlen(NULLABLE) && !strcmp(name + length - strlen(NULLABLE), NULLABLE);
}

u32 struct_ops_promote(const struct verify_env *env, u32 id)
{
	const struct btf *btf = env->input->attach_btf;
	const struct abi_struct_ops *ops = env->struct_ops;
	const char *name = btf_type_name(btf, id);
	u32 larger = 0;

	if (ops && ops->promoted && name && !strcmp(name, ops->promoted))
		larger = btf_find(btf, ops->written, BTF_KIND_STRUCT);
	return larger ? larger : id;
}

/* The place of a member called name in type, or in what lies in it. */
static bool find_place(const struct btf *btf, u32 id, const char *name, u32 base, u32 *ret_off,
		       u32 *ret_size)
{
	const struct btf_type *type = btf_skip_modifiers(btf, id, NULL);

	if (!type || !btf_is_struct(type))
		return false;
	for (u32 i = 0; i < btf_vlen_of(type); i++) {
		const struct btf_member *member = &btf_members_of(type)[i];
		const char *own = btf_string(btf, member->name_off);
		u32 off = base + btf_member_offset(type, member) / 8;

		if (own && !strcmp(own, name) && !btf_size_of(btf, member->type, ret_size)) {
			*ret_off = off;
			return true;
		}
		/* What it is derived from comes first, or has no name. */
		if ((!btf_member_offset(type, member) || (own && !*own)) &&
		    find_place(btf, member->type, name, off, ret_off, ret_size))
			return true;
	}
	return false;
}

static int refuse_write(struct verify_env *env, bool real, u32 off, u32 size)
{
	if (real)
		verbose(env, "write access at off %u with size %u\n", off, size);
	else
		verbose(env, "no write support to %s at off %u\n", env->struct_ops->written, off);
	return -EACCES;
}

int struct_ops_write(struct verify_env *env, const struct reg *reg, u32 off, u32 size)
{
	const struct abi_struct_ops *ops = env->struct_ops;
	bool real = struct_ops_writes(env);
	u32 start, length;

	if (strcmp(btf_ptr_type_name(reg), ops->written)) {
		verbose(env, real ? "only access to bpf_dummy_ops_state is supported\n"
				  : "only read is supported\n");
		return -EACCES;
	}
	/* What a test run gives is there; a pointer that leads anywhere else is not that. */
	if (real && reg->type != (PTR_TO_BTF_ID | PTR_TRUSTED))
		return refuse_write(env, real, off, size);
	for (u32 i = 0; i < ops->nr_members; i++) {
		const struct abi_struct_ops_member *member = &ops->members[i];

		if (!find_place(reg->btf, reg->btf_id, member->name, 0, &start, &length))
			continue;
		if (member->limit)
			length = member->limit;
		if (member->inside ? off < start || off >= start + length : off != start)
			continue;
		if (off + size <= start + length)
			return 0;
		if (real)
			break;
		verbose(env,
			"write access at off %u with size %u beyond the member of %s ended at "
			"%u\n",
			off, size, ops->written, start + length);
		return -EACCES;
	}
	return refuse_write(env, real, off, size);
}

bool struct_ops_writes(const struct verify_env *env)
{
	return env->struct_ops && !env->struct_ops->registers;
}
