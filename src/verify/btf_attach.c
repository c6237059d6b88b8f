/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs whose context is a list of arguments: which function or tracepoint it is
 * (attach_btf_id), and what each argument is. Facts of Linux 6.18: check_attach_btf_id() and
 * bpf_check_attach_target() in kernel/bpf/verifier.c, btf_ctx_access() in kernel/bpf/btf.c.
 */
#include "verify/btf_ptr.h"

#include <errno.h>
#include <string.h>

#include "abi/iter.h"
#include "btf/btf.h"
#include "btf/walk.h"
#include "verify/btf_args.h"
#include "verify/btf_target.h"
#include "verify/operand.h"
#include "verify/struct_ops.h"

#define PREFIX	 "btf_trace_"
#define ARGS_MAX 12 /* MAX_BPF_FUNC_ARGS */

static bool may_sleep(const struct verify_input *input)
{
	u32 type = input->prog_type, attach = input->expected_attach_type;

	if (type == BPF_PROG_TYPE_TRACING)
		return attach == BPF_TRACE_FENTRY || attach == BPF_TRACE_FEXIT ||
		       attach == BPF_MODIFY_RETURN || attach == BPF_TRACE_ITER;
	return type == BPF_PROG_TYPE_LSM || type == BPF_PROG_TYPE_KPROBE ||
	       type == BPF_PROG_TYPE_STRUCT_OPS;
}

/* The typedef btf_trace_NAME, a pointer to the tracepoint's prototype. */
static int use_tracepoint(struct verify_env *env, const struct btf_type *type, const char *name)
{
	const struct btf *btf = env->input->attach_btf;
	const struct btf_type *pointer, *proto;

	if (btf_kind_of(type) != BTF_KIND_TYPEDEF) {
		verbose(env, "attach_btf_id %u is not a typedef\n", env->input->attach_btf_id);
		return -EINVAL;
	}
	if (strncmp(name, PREFIX, sizeof(PREFIX) - 1)) {
		verbose(env, "attach_btf_id %u points to wrong type name %s\n",
			env->input->attach_btf_id, name);
		return -EINVAL;
	}
	pointer = btf_type_by_id(btf, type->type);
	if (!pointer || btf_kind_of(pointer) != BTF_KIND_PTR)
		return -EINVAL;
	proto = btf_type_by_id(btf, pointer->type);
	if (!proto || btf_kind_of(proto) != BTF_KIND_FUNC_PROTO || !btf_vlen_of(proto) ||
	    btf_vlen_of(proto) > ARGS_MAX + 1)
		return -EINVAL;
	env->attach_proto = proto;
	env->attach_name = name + sizeof(PREFIX) - 1;
	env->ctx_is_args = true;
	env->attach_skip = 1; /* the tracepoint's own data */
	return 0;
}

/* The function bpf_iter_TARGET: its parameters are the context's members. */
static int use_iterator(struct verify_env *env, const struct btf_type *type, const char *name)
{
	const struct btf *btf = env->input->attach_btf;

	if (btf_kind_of(type) != BTF_KIND_FUNC) {
		verbose(env, "attach_btf_id %u is not a function\n", env->input->attach_btf_id);
		return -EINVAL;
	}
	env->iter = abi_iter_find(name);
	if (!env->iter)
		return -EINVAL;
	env->attach_proto = btf_func_proto(btf, env->input->attach_btf_id);
	if (!env->attach_proto || btf_vlen_of(env->attach_proto) > ARGS_MAX)
		return -EINVAL;
	env->attach_name = name;
	env->ctx_is_args = true;
	return 0;
}

static int check_target(struct verify_env *env)
{
	const struct verify_input *input = env->input;
	const struct btf_type *type;
	const char *name;

	if (!input->attach_btf_id) {
		verbose(env, "Tracing programs must provide btf_id\n");
		return -EINVAL;
	}
	if (!input->attach_btf) {
		verbose(env, "Tracing program can only be attached to another program annotated "
			     "with BTF\n");
		return -EINVAL;
	}
	type = btf_type_by_id(input->attach_btf, input->attach_btf_id);
	if (!type) {
		verbose(env, "attach_btf_id %u is invalid\n", input->attach_btf_id);
		return -EINVAL;
	}
	name = btf_string(input->attach_btf, type->name_off);
	if (!name) {
		verbose(env, "attach_btf_id %u doesn't have a name\n", input->attach_btf_id);
		return -EINVAL;
	}
	if (input->target && input->target->extends)
		return btf_target_check(env, type, name);
	switch (input->expected_attach_type) {
	case BPF_TRACE_ITER:
		if (!input->target)
			return use_iterator(env, type, name);
		return -EINVAL;
	case BPF_TRACE_RAW_TP:
		if (!input->target)
			return use_tracepoint(env, type, name);
		verbose(env, "Only FENTRY/FEXIT progs are attachable to another BPF prog\n");
		return -EINVAL;
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN:
	case BPF_LSM_MAC:
	case BPF_LSM_CGROUP: return btf_target_check(env, type, name);
	default: return -EINVAL;
	}
}

int btf_ptr_check_attach(struct verify_env *env)
{
	const struct verify_input *input = env->input;

	if (input->prog_type == BPF_PROG_TYPE_SYSCALL) {
		if (env->sleepable)
			return 0;
		verbose(env, "Syscall programs can only be sleepable\n");
		return -EINVAL;
	}
	if (env->sleepable && !may_sleep(input)) {
		verbose(env, "Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops "
			     "programs can be sleepable\n");
		return -EINVAL;
	}
	if (input->prog_type == BPF_PROG_TYPE_STRUCT_OPS)
		return struct_ops_check(env);
	if (input->prog_type == BPF_PROG_TYPE_TRACING || input->prog_type == BPF_PROG_TYPE_LSM ||
	    (input->target && input->target->extends))
		return check_target(env);
	return 0;
}

bool btf_ptr_has_args(const struct verify_env *env)
{
	return env->ctx_is_args;
}

/* What the pointer's type tag says of the memory. */
static u32 tags_of(const struct btf *btf, const struct btf_type *pointer)
{
	u32 tags = btf_pointer_tags(btf, pointer);

	return tags == BTF_PLACE_USER ? MEM_USER : tags == BTF_PLACE_PERCPU ? MEM_PERCPU : 0;
}

/* A program's own pointer to a structure: its context, which is one of the kernel's to others. */
static int load_context(struct verify_env *env, const struct btf_type *pointee, struct reg *loaded)
{
	const struct verify_target *target = env->input->target;
	const struct abi_ctx *ctx = abi_ctx_find(target->prog_type);
	const char *name = btf_string(env->input->attach_btf, pointee->name_off);
	u32 id = btf_target_kernel_ctx(env_kernel_btf(env), target->prog_type);

	if (!id || !name || !ctx || strcmp(name, ctx->name))
		return -EACCES;
	reg_set_pointer(loaded, PTR_TO_BTF_ID);
	loaded->btf = env_kernel_btf(env);
	loaded->btf_id = id;
	return 0;
}

/* A pointer argument: what it points to. */
static int load_pointer(struct verify_env *env, u32 arg, const struct btf_type *pointer,
			struct reg *loaded)
{
	const struct btf *btf = env->input->attach_btf;
	u32 rights = !env->attach_is_function ? btf_args_of_tracepoint(env->attach_name, arg) : 0;
	u32 id = 0, trusted = 0;
	const struct btf_type *pointee = btf_skip_modifiers(btf, pointer->type, &id);
	const char *name;

	/* A pointer to anything but a structure is a number: nothing can be loaded through it. */
	if (!btf_is_struct(pointee))
		return 0;
	if (env->input->target)
		return load_context(env, pointee, loaded);
	if (struct_ops_may_be_null(env, arg)) {
		reg_set_pointer(loaded, PTR_TO_BTF_ID | PTR_TRUSTED | PTR_MAYBE_NULL);
		loaded->btf = btf;
		loaded->btf_id = id;
		loaded->id = ++env->id_gen;
		return 0;
	}
	name = btf_string(btf, pointee->name_off);
	verbose(env, "func '%s' arg%u has btf_id %u type %s '%s'\n", env->attach_name, arg, id,
		btf_kind_of(pointee) == BTF_KIND_UNION ? "UNION" : "STRUCT", name ? name : "");
	if (rights & BTF_ARG_MAYBE_ERROR) {
		verbose(env, "marking pointer arg%u as scalar as it may encode error", arg);
		return 0;
	}
	if (!env->attach_is_function || env->struct_ops ||
	    (env->input->prog_type == BPF_PROG_TYPE_LSM &&
	     btf_target_lsm_trusted(env->attach_name)))
		trusted = PTR_TRUSTED;
	reg_set_pointer(loaded, PTR_TO_BTF_ID | trusted | tags_of(btf, pointer) |
					(rights & BTF_ARG_MAYBE_NULL ? PTR_MAYBE_NULL : 0));
	loaded->btf = btf;
	loaded->btf_id = struct_ops_promote(env, id);
	if (loaded->type & PTR_MAYBE_NULL)
		loaded->id = ++env->id_gen;
	return 0;
}

/* An iterator's object or buffer, which is null at the end of the walk. */
static int load_target(struct verify_env *env, enum abi_iter_arg kind,
		       const struct btf_type *pointer, struct reg *loaded)
{
	const struct btf *btf = env->input->attach_btf;
	u32 id = 0;

	if (kind == ABI_ITER_RDONLY || kind == ABI_ITER_RDWR) {
		reg_set_pointer(loaded, PTR_TO_BUF | PTR_MAYBE_NULL |
						(kind == ABI_ITER_RDONLY ? MEM_RDONLY : 0));
	} else {
		if (!btf_is_struct(btf_skip_modifiers(btf, pointer->type, &id)))
			return verify_bug(env, "an iterator's object is no structure");
		reg_set_pointer(loaded, PTR_TO_BTF_ID | PTR_MAYBE_NULL |
						(kind == ABI_ITER_TRUSTED ? PTR_TRUSTED : 0));
		loaded->btf = btf;
		loaded->btf_id = id;
	}
	loaded->id = ++env->id_gen;
	return 0;
}

static bool is_number(const struct btf_type *type)
{
	u32 kind = type ? btf_kind_of(type) : BTF_KIND_UNKN;

	/* A structure passed by value, in one word. */
	if (btf_is_struct(type))
		return type->size <= 8;
	return (kind == BTF_KIND_INT && type->size <= 8) || kind == BTF_KIND_ENUM ||
	       kind == BTF_KIND_ENUM64;
}

/* Which argument lies at off, nr the result, nr + 1 for what is behind it. */
static u32 find_arg(const struct verify_env *env, u32 off, u32 nr)
{
	const struct btf *btf = env->input->attach_btf;
	const struct btf_type *type;
	u32 end = 0;

	if (!env->attach_proto)
		return off / 8;
	for (u32 i = 0; i <= nr; i++) {
		u32 id =
			i < nr ? btf_params_of(env->attach_proto)[i].type : env->attach_proto->type;

		type = btf_skip_modifiers(btf, id, NULL);
		end += !type || btf_kind_of(type) == BTF_KIND_PTR ? 8 : ALIGN_UP(type->size, 8u);
		if (off < end)
			return i;
	}
	return nr + 1;
}

/* The type of a tracepoint's argument. */
static int tracepoint_arg(struct verify_env *env, u32 off, u32 *ret_arg,
			  const struct btf_type **ret_type)
{
	u32 nr = btf_vlen_of(env->attach_proto) - env->attach_skip, arg = off / 8;

	/* 6.18 counts far offsets as one behind the result, which comes behind the parameters. */
	if (arg > nr)
		arg = nr + env->attach_skip + 1;
	if (arg >= nr) {
		verbose(env, "func '%s' doesn't have %u-th argument\n", env->attach_name, arg + 1);
		return -EACCES;
	}
	*ret_arg = arg;
	*ret_type = btf_skip_modifiers(
		env->input->attach_btf,
		btf_params_of(env->attach_proto)[arg + env->attach_skip].type, NULL);
	return 0;
}

/* What the function returned. NULL type: a number. */
static int function_result(struct verify_env *env, u32 arg, const struct btf_type **ret_type)
{
	const struct btf_type *proto = env->attach_proto;

	switch (env->input->expected_attach_type) {
	case BPF_LSM_MAC:
	case BPF_LSM_CGROUP:
	case BPF_TRACE_FEXIT: break;
	case BPF_MODIFY_RETURN:
		if (!proto)
			return -EACCES;
		*ret_type = btf_skip_modifiers(env->input->attach_btf, proto->type, NULL);
		if (*ret_type && btf_kind_of(*ret_type) == BTF_KIND_INT && (*ret_type)->size <= 8)
			return 0;
		verbose(env, "ret type %s not allowed for fmod_ret\n", btf_kind_text(*ret_type));
		return -EACCES;
	default:
		verbose(env, "func '%s' doesn't have %u-th argument\n", env->attach_name, arg + 1);
		return -EACCES;
	}
	if (proto)
		*ret_type = btf_skip_modifiers(env->input->attach_btf, proto->type, NULL);
	return 0;
}

static int function_arg(struct verify_env *env, u32 off, u32 *ret_arg,
			const struct btf_type **ret_type)
{
	const struct btf_type *proto = env->attach_proto;
	u32 nr = proto ? btf_vlen_of(proto) : 5, arg = find_arg(env, off, nr);

	*ret_arg = arg;
	if (arg > nr) {
		verbose(env, "func '%s' doesn't have %u-th argument\n", env->attach_name, arg + 1);
		return -EACCES;
	}
	if (arg == nr)
		return function_result(env, arg, ret_type);
	if (proto)
		*ret_type = btf_skip_modifiers(env->input->attach_btf,
					       btf_params_of(proto)[arg].type, NULL);
	return 0;
}

/* The hook's own answer, as far as it is known. */
static void limit_result(const struct verify_env *env, u32 arg, struct reg *loaded)
{
	struct ret_range range;

	if (env->input->expected_attach_type != BPF_LSM_MAC || !env->attach_proto ||
	    arg != btf_vlen_of(env->attach_proto) || !btf_target_lsm_range(env, &range))
		return;
	loaded->s.smin = loaded->s.smin32 = range.min;
	loaded->s.smax = loaded->s.smax32 = range.max;
	scalar_sync(&loaded->s);
}

int btf_ptr_load_arg(struct verify_env *env, int off, int size, bool write, struct reg *ret_loaded)
{
	const struct btf_type *type = NULL;
	u32 arg;
	int err;

	if (write || off < 0 || off >= ARGS_MAX * 8 || off % size)
		return -EACCES;
	if (off % 8) {
		verbose(env, "func '%s' offset %d is not multiple of 8\n", env->attach_name, off);
		return -EACCES;
	}
	err = !env->attach_is_function ? tracepoint_arg(env, (u32)off, &arg, &type)
				       : function_arg(env, (u32)off, &arg, &type);
	if (err)
		return err;
	env_set_unknown(env, ret_loaded);
	if (!env->attach_proto || is_number(type)) {
		limit_result(env, arg, ret_loaded);
		return 0;
	}
	/* 6.18 also gives the words of larger structures; no tracepoint passes one. */
	if (env->attach_is_function && btf_is_struct(type))
		return 0;
	if (!type || btf_kind_of(type) != BTF_KIND_PTR) {
		verbose(env, "func '%s' arg%u '%s' has type %s. Only pointer access is allowed\n",
			env->attach_name, arg,
			type ? btf_string(env->input->attach_btf, type->name_off) : "",
			btf_kind_text(type));
		return -EACCES;
	}
	if (size != 8) {
		verbose(env, "func '%s' size %d must be 8\n", env->attach_name, size);
		return -EACCES;
	}
	if (env->iter && arg < ABI_ITER_ARGS_MAX && env->iter->arg[arg])
		return load_target(env, env->iter->arg[arg], type, ret_loaded);
	return load_pointer(env, arg, type, ret_loaded);
}
