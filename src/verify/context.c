/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to contexts and to what only contexts give: buffers, flow keys and sockets. Which
 * members there are is in src/abi (context.h).
 */
#include "verify/context.h"

#include <errno.h>

#include "abi/context.h"
#include "abi/profile.h"
#include "btf/btf.h"
#include "verify/btf_ptr.h"
#include "verify/mem.h"
#include "verify/operand.h"

/* A buffer of unknown size: how far the program reaches is compared with it later. */
int context_reach_buffer(struct verify_env *env, u32 regno, int off, int size)
{
	const struct reg *reg = &env_regs(env)[regno];
	bool rdonly = reg->type & MEM_RDONLY;
	u32 *max = rdonly ? &env->max_rdonly_access : &env->max_rdwr_access;
	char text[64];

	if (off < 0) {
		verbose(env, "R%u invalid %s buffer access: off=%d, size=%d\n", regno,
			rdonly ? "rdonly" : "rdwr", off, size);
		return -EACCES;
	}
	if (!tnum_is_zero(reg->s.var_off)) {
		verbose(env, "R%u invalid variable buffer offset: off=%d, var_off=%s\n", regno, off,
			log_tnum(text, reg->s.var_off));
		return -EACCES;
	}
	if ((u32)off + (u32)size > *max)
		*max = (u32)off + (u32)size;
	return 0;
}

/*
 * How much of a writable tracepoint's buffer a program uses is checked when it is attached; no
 * event of a hive has one, so a program that uses any finds no event that has so much to show.
 */
int context_access_tp_buffer(struct verify_env *env, u32 regno, int off, int size, bool write,
			     int value)
{
	const struct reg *reg = &env_regs(env)[regno];
	char text[64];

	if (off < 0) {
		verbose(env, "R%u invalid tracepoint buffer access: off=%d, size=%d\n", regno, off,
			size);
		return -EACCES;
	}
	if (!tnum_is_zero(reg->s.var_off)) {
		verbose(env, "R%u invalid variable buffer offset: off=%d, var_off=%s\n", regno, off,
			log_tnum(text, reg->s.var_off));
		return -EACCES;
	}
	env->max_ctx_offset = UINT32_MAX;
	mem_load_unknown(env, value, write);
	return 0;
}

/* A context that is a function's arguments. */
static int access_args(struct verify_env *env, int off, int size, bool write, int value)
{
	struct reg loaded;

	if (btf_ptr_load_arg(env, off, size, write, &loaded)) {
		verbose(env, "invalid bpf_context access off=%d size=%d\n", off, size);
		log_source_line(env, env->insn_idx, "; ");
		return -EACCES;
	}
	if ((u32)(off + size) > env->max_ctx_offset)
		env->max_ctx_offset = off + size;
	if (value >= 0)
		env_regs(env)[value] = loaded;
	return 0;
}

/* The register type that a pointer in the context gives. */
static const u32 ctx_pointers[] = {
	[ABI_CTX_PACKET] = PTR_TO_PACKET,
	[ABI_CTX_PACKET_END] = PTR_TO_PACKET_END,
	[ABI_CTX_PACKET_META] = PTR_TO_PACKET_META,
	[ABI_CTX_SOCKET] = PTR_TO_SOCKET,
	[ABI_CTX_SOCKET_OR_NULL] = PTR_TO_SOCKET | PTR_MAYBE_NULL,
	[ABI_CTX_SOCK_COMMON_OR_NULL] = PTR_TO_SOCK_COMMON | PTR_MAYBE_NULL,
	[ABI_CTX_FLOW_KEYS] = PTR_TO_FLOW_KEYS,
	[ABI_CTX_TP_BUFFER] = PTR_TO_TP_BUFFER,
};

int context_access(struct verify_env *env, u32 regno, int off, int size, bool write, int value,
		   bool sign_extend)
{
	const struct abi_ctx_field *field;
	struct reg *dst;
	u32 btf_id = 0;
	int err = mem_refuse_leak(env, value, write, "ctx");

	if (!err)
		err = check_unmodified(env, regno, false);
	if (err)
		return err;
	if (btf_ptr_has_args(env))
		return access_args(env, off, size, write, value);
	field = off >= 0 ? abi_ctx_access(env->ctx, env_ctx_user(env), off, size, write) : NULL;
	if (field && !ENV_KERNEL_HAS(env, abi_since_context(env->input->prog_type, (u32)off)))
		field = NULL;
	if (field && field->value != ABI_CTX_SCALAR && sign_extend)
		field = NULL;
	if (field && field->value == ABI_CTX_BTF) {
		btf_id = env_kernel_btf(env)
				 ? btf_find(env_kernel_btf(env), field->btf_name, BTF_KIND_STRUCT)
				 : 0;
		field = btf_id ? field : NULL;
	}
	if (!field) {
		verbose(env, "invalid bpf_context access off=%d size=%d\n", off, size);
		log_source_line(env, env->insn_idx, "; ");
		return -EACCES;
	}
	if ((u32)(off + size) > env->max_ctx_offset)
		env->max_ctx_offset = off + size;
	if (write || value < 0)
		return 0;
	dst = &env_regs(env)[value];
	if (field->value == ABI_CTX_BTF) {
		reg_set_pointer(dst, PTR_TO_BTF_ID | PTR_TRUSTED);
		dst->btf = env_kernel_btf(env);
		dst->btf_id = btf_id;
		return 0;
	}
	if (field->value == ABI_CTX_SCALAR) {
		env_set_unknown(env, dst);
		return 0;
	}
	reg_set_pointer(dst, ctx_pointers[field->value]);
	if (dst->type & PTR_MAYBE_NULL)
		dst->id = ++env->id_gen;
	return 0;
}

int context_access_flow_keys(struct verify_env *env, int off, int size, bool write, int value)
{
	int err = mem_refuse_leak(env, value, write, "flow keys");

	if (err)
		return err;
	if (off < 0 || (u64)off + size > sizeof(struct bpf_flow_keys)) {
		verbose(env, "invalid access to flow keys off=%d size=%d\n", off, size);
		return -EACCES;
	}
	mem_load_unknown(env, value, write);
	return 0;
}

/* Sockets are read as their UAPI structures. */
int context_access_socket(struct verify_env *env, u32 regno, int off, int size, bool write,
			  int value)
{
	static const enum abi_object objects[] = {
		[PTR_TO_SOCKET] = ABI_OBJECT_SOCKET,
		[PTR_TO_SOCK_COMMON] = ABI_OBJECT_SOCK_COMMON,
		[PTR_TO_TCP_SOCK] = ABI_OBJECT_TCP_SOCK,
		[PTR_TO_XDP_SOCK] = ABI_OBJECT_XDP_SOCK,
	};
	const struct reg *reg = &env_regs(env)[regno];
	const char *type = log_reg_type(reg->type);

	if (write) {
		verbose(env, "R%u cannot write into %s\n", regno, type);
		return -EACCES;
	}
	if (off < 0 || !abi_object_readable(objects[reg->type], (u32)off, (u32)size)) {
		verbose(env, "R%u invalid %s access off=%d size=%d\n", regno, type, off, size);
		return -EACCES;
	}
	mem_load_unknown(env, value, write);
	return 0;
}
