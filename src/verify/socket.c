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
#include "verify/kernel_memory.h"

static const struct btf *kernel_btf(struct verify_env *env)
{
	const struct verify_ops *ops = env->input->ops;

	return ops->kernel_btf ? ops->kernel_btf(env->input->ops_arg) : NULL;
}

int socket_check_btf(struct verify_env *env, u32 regno, u32 arg)
{
	const char *name = arg == ARG_PTR_TO_SOCKET ? "sock" : "sock_common";
	const struct reg *reg = &env_regs(env)[regno];
	const struct btf *btf = kernel_btf(env);
	u32 wanted = btf ? btf_find(btf, name, BTF_KIND_STRUCT) : 0;

	if (!wanted || reg->btf != btf || reg->off < 0 ||
	    !btf_ptr_contains(btf, reg->btf_id, (u32)reg->off, wanted)) {
		verbose(env, "R%u is of type %s but %s is expected\n", regno,
			btf_ptr_type_name(reg), name);
		return -EACCES;
	}
	if (reg->range != KERNEL_MEMORY_IMAGE)
		return 0;
	verbose(env, "R%u is an image of a socket: helpers take the context's own\n", regno);
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
