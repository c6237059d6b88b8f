/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets as the kernel's structures (btf_struct_ids_match() and the btf_sock_ids of Linux 6.18).
 */
#include "verify/socket.h"

#include <errno.h>

#include "abi/helper.h"
#include "btf/btf.h"
#include "btf/walk.h"
#include "verify/btf_ptr.h"

#define NESTING_MAX 16

static const struct btf *kernel_btf(struct verify_env *env)
{
	const struct verify_ops *ops = env->input->ops;

	return ops->kernel_btf ? ops->kernel_btf(env->input->ops_arg) : NULL;
}

/* The structure that is the member at byte off of id; *off becomes the place in it. 0: none. */
static u32 member_at(const struct btf *btf, u32 id, u32 *off)
{
	const struct btf_type *type = btf_type_by_id(btf, id), *inner;
	const struct btf_member *members = btf_members_of(type);

	for (u32 i = 0; i < btf_vlen_of(type); i++) {
		u32 at = btf_member_offset(type, &members[i]) / 8, member, size;

		inner = btf_skip_modifiers(btf, members[i].type, &member);
		if (!inner || !btf_is_struct(inner) || btf_size_of(btf, member, &size))
			continue;
		if (*off < at || *off - at >= size)
			continue;
		*off -= at;
		return member;
	}
	return 0;
}

/* Does a structure `wanted` begin at byte off of id? */
static bool contains(const struct btf *btf, u32 id, u32 off, u32 wanted)
{
	for (u32 depth = 0; id && depth < NESTING_MAX; depth++) {
		const struct btf_type *type = btf_skip_modifiers(btf, id, &id);

		if (!type || !btf_is_struct(type))
			return false;
		if (id == wanted && !off)
			return true;
		id = member_at(btf, id, &off);
	}
	return false;
}

int socket_check_btf(struct verify_env *env, u32 regno, u32 arg)
{
	const char *name = arg == ARG_PTR_TO_SOCKET ? "sock" : "sock_common";
	const struct reg *reg = &env_regs(env)[regno];
	const struct btf *btf = kernel_btf(env);
	u32 wanted = btf ? btf_find(btf, name, BTF_KIND_STRUCT) : 0;

	if (wanted && reg->btf == btf && reg->off >= 0 &&
	    contains(btf, reg->btf_id, (u32)reg->off, wanted))
		return 0;
	verbose(env, "R%u is of type %s but %s is expected\n", regno, btf_ptr_type_name(reg), name);
	return -EACCES;
}

int socket_set_struct(struct verify_env *env, const char *name, u32 flags)
{
	struct reg *r0 = &env_regs(env)[BPF_REG_0];
	const struct btf *btf = kernel_btf(env);
	u32 id = btf ? btf_find(btf, name, BTF_KIND_STRUCT) : 0;

	if (!id) {
		verbose(env, "the hive's kernel BTF has no structure %s\n", name);
		return -EINVAL;
	}
	reg_set_pointer(r0, PTR_TO_BTF_ID | flags);
	r0->btf = btf;
	r0->btf_id = id;
	return 0;
}
