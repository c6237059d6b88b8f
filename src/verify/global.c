/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prototypes of global functions: numbers, the program's context, dynptrs, and pointers to memory
 * of a known size or to the kernel's structures. Whatever else a prototype asks for is refused.
 */
#include "verify/global.h"

#include <errno.h>
#include <linux/btf.h>
#include <string.h>

#include "abi/context.h"
#include "btf/btf.h"
#include "btf/walk.h"
#include "verify/global_tags.h"
#include "verify/helper.h"
#include "verify/mem.h"
#include "verify/operand.h"
#include "verify/slots.h"

enum arg_kind {
	ARG_IS_SCALAR,
	ARG_IS_CTX,
	ARG_IS_MEM,
	ARG_IS_DYNPTR,
	ARG_IS_TRUSTED,	  /* a kernel structure */
	ARG_IS_ARENA,	  /* any number */
	ARG_IS_UNTRUSTED, /* may point anywhere: reading it is safe, and nothing else */
};

struct prototype {
	u32 nr;
	struct prototype_arg {
		enum arg_kind kind;
		u32 size;   /* memory */
		u32 btf_id; /* (un)trusted: of the structure; 0: just bytes */
		bool nullable;
	} arg[5];
};

/* The kernel's own structure may be named instead of what stands for it in programs. */
static bool stands_for(const char *ctx, const char *name)
{
	return (!strcmp(ctx, "__sk_buff") && !strcmp(name, "sk_buff")) ||
	       (!strcmp(ctx, "xdp_md") && !strcmp(name, "xdp_buff")) ||
	       (!strcmp(ctx, "bpf_user_pt_regs_t") && !strcmp(name, "pt_regs"));
}

/* That of kprobes is a typedef, by whose name it is known. */
static bool is_kprobe_ctx(const struct verify_env *env, const struct btf_type *type)
{
	const struct btf *btf = env->input->btf;
	const char *name;

	while (type &&
	       (btf_kind_of(type) == BTF_KIND_CONST || btf_kind_of(type) == BTF_KIND_VOLATILE ||
		btf_kind_of(type) == BTF_KIND_RESTRICT))
		type = btf_type_by_id(btf, type->type);
	if (env->input->prog_type != BPF_PROG_TYPE_KPROBE || !type ||
	    btf_kind_of(type) != BTF_KIND_TYPEDEF)
		return false;
	name = btf_string(btf, type->name_off);
	return name && !strcmp(name, env->ctx->name);
}

/* Is it a pointer to the structure that the kernel passes programs of this type? */
static bool points_to_ctx(const struct verify_env *env, const struct btf *btf, u32 pointee)
{
	const struct btf_type *type = btf_skip_modifiers(btf, pointee, NULL);
	const char *ctx = env->ctx->name, *name;

	if (is_kprobe_ctx(env, btf_type_by_id(btf, pointee)))
		return true;
	name = btf_is_struct(type) ? btf_string(btf, type->name_off) : NULL;
	return name && *name && (!strcmp(name, ctx) || stands_for(ctx, name));
}

static bool is_number(const struct btf_type *type)
{
	u32 kind = btf_kind_of(type);

	return kind == BTF_KIND_INT || kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64;
}

static bool is_dynptr(const struct btf *btf, u32 pointee)
{
	const struct btf_type *type = btf_skip_modifiers(btf, pointee, NULL);
	const char *name = type ? btf_string(btf, type->name_off) : NULL;

	return type && btf_kind_of(type) == BTF_KIND_STRUCT && name && !strcmp(name, "bpf_dynptr");
}

static int invalid_tags(struct verify_env *env, u32 i)
{
	verbose(env, "arg#%u has invalid combination of tags\n", i);
	return -EINVAL;
}

/* Of pointers tagged as untrusted: to a structure, or to any bytes. */
static int read_untrusted(struct verify_env *env, struct subprog *subprog, u32 i, u32 pointee,
			  u32 tags, struct prototype_arg *arg)
{
	const struct btf_type *type = btf_skip_modifiers(env->input->btf, pointee, NULL);
	u32 kind = type ? btf_kind_of(type) : BTF_KIND_UNKN;
	int err;

	if (tags & ~GLOBAL_TAG_UNTRUSTED) {
		verbose(env, "arg#%u untrusted cannot be combined with any other tags\n", i);
		return -EINVAL;
	}
	arg->kind = ARG_IS_UNTRUSTED;
	if (kind == BTF_KIND_UNKN || is_number(type))
		return 0;
	err = global_kernel_type(env, subprog, i, pointee, &arg->btf_id);
	if (err || btf_is_struct(type))
		return err;
	verbose(env, "arg#%u has type %s '%s', but only struct or primitive types are allowed\n", i,
		btf_kind_text(type), btf_string(env->input->btf, type->name_off));
	return -EINVAL;
}

/* Memory of the size of what the pointer points to. */
static int read_memory(struct verify_env *env, u32 i, u32 pointee, u32 tags,
		       struct prototype_arg *arg)
{
	const struct btf *btf = env->input->btf;
	const struct btf_type *type;
	const char *name;

	if (tags & GLOBAL_TAG_NULLABLE)
		return invalid_tags(env, i);
	arg->kind = ARG_IS_MEM;
	arg->nullable = !(tags & GLOBAL_TAG_NONNULL);
	if (!btf_size_of(btf, pointee, &arg->size))
		return 0;
	type = btf_skip_modifiers(btf, pointee, &pointee);
	name = type ? btf_string(btf, type->name_off) : NULL;
	verbose(env, "arg#%u reference type('%s %s') size cannot be determined: %d\n", i,
		btf_kind_text(type), name ? name : "", -EINVAL);
	return -EINVAL;
}

static int read_pointer(struct verify_env *env, struct subprog *subprog, u32 i, u32 pointee,
			u32 tags, struct prototype_arg *arg)
{
	const struct btf *btf = env->input->btf;

	if ((tags & GLOBAL_TAG_CTX) || points_to_ctx(env, btf, pointee)) {
		arg->kind = ARG_IS_CTX;
		if (tags & ~GLOBAL_TAG_CTX)
			return invalid_tags(env, i);
		return tags ? global_tagged_ctx(env, btf, i, pointee) : 0;
	}
	if (is_dynptr(btf, pointee)) {
		arg->kind = ARG_IS_DYNPTR;
		return tags ? invalid_tags(env, i) : 0;
	}
	if (tags & GLOBAL_TAG_TRUSTED) {
		arg->kind = ARG_IS_TRUSTED;
		arg->nullable = tags & GLOBAL_TAG_NULLABLE;
		if (tags & GLOBAL_TAG_NONNULL)
			return invalid_tags(env, i);
		return global_kernel_type(env, subprog, i, pointee, &arg->btf_id);
	}
	if (tags & GLOBAL_TAG_UNTRUSTED)
		return read_untrusted(env, subprog, i, pointee, tags, arg);
	if (tags & GLOBAL_TAG_ARENA) {
		arg->kind = ARG_IS_ARENA;
		if (!(tags & ~GLOBAL_TAG_ARENA))
			return 0;
		verbose(env, "arg#%u arena cannot be combined with any other tags\n", i);
		return -EINVAL;
	}
	return read_memory(env, i, pointee, tags, arg);
}

static int read_argument(struct verify_env *env, const struct btf *btf, struct subprog *subprog,
			 u32 i, u32 type_id, const char *function, struct prototype_arg *arg)
{
	const struct btf_type *type = btf_skip_modifiers(btf, type_id, NULL);
	u32 kind = type ? btf_kind_of(type) : BTF_KIND_UNKN, tags = 0;
	int err = global_tags(env, subprog, i, &tags);

	if (err)
		return err;
	if (kind == BTF_KIND_PTR)
		return read_pointer(env, subprog, i, type->type, tags, arg);
	if (tags) {
		verbose(env, "arg#%u has pointer tag, but is not a pointer type\n", i);
		return -EINVAL;
	}
	arg->kind = ARG_IS_SCALAR;
	if (type && is_number(type))
		return 0;
	verbose(env, "Arg#%u type %s in %s() is not supported yet.\n", i, btf_kind_text(type),
		function);
	return -EINVAL;
}

static int read_prototype(struct verify_env *env, u32 subprog, struct prototype *proto)
{
	const struct btf *btf = env->input->btf;
	const char *name = env->subprog[subprog].name;
	const struct btf_type *type = btf_func_proto(btf, env->subprog[subprog].type_id), *ret;
	u32 nr = btf_vlen_of(type);

	if (nr > 5) {
		verbose(env, "Global function %s() with %u > %d args. Buggy compiler.\n", name, nr,
			5);
		return -EINVAL;
	}
	ret = type->type ? btf_skip_modifiers(btf, type->type, NULL) : NULL;
	if (!ret || !is_number(ret)) {
		verbose(env,
			"Global function %s() doesn't return scalar. Only those are supported.\n",
			name);
		return -EINVAL;
	}
	*proto = (struct prototype){ .nr = nr };
	for (u32 i = 0; i < nr; i++) {
		int err = read_argument(env, btf, &env->subprog[subprog], i,
					btf_params_of(type)[i].type, name, &proto->arg[i]);

		if (err)
			return err;
	}
	return 0;
}

/* Of a static function: only numbers and contexts can be relied on. */
static bool read_static(struct verify_env *env, struct subprog *subprog, struct prototype *proto)
{
	const struct btf *btf = env->input->btf;
	const struct btf_type *type = btf_func_proto(btf, (u32)subprog->type_id), *ret;

	*proto = (struct prototype){ .nr = type ? btf_vlen_of(type) : 6 };
	if (proto->nr > 5)
		return false;
	ret = type->type ? btf_skip_modifiers(btf, type->type, NULL) : NULL;
	if (!ret || !is_number(ret) || global_tags_on_static(env, subprog))
		return false;
	for (u32 i = 0; i < proto->nr; i++) {
		const struct btf_type *arg =
			btf_skip_modifiers(btf, btf_params_of(type)[i].type, NULL);

		if (arg && btf_kind_of(arg) == BTF_KIND_PTR && points_to_ctx(env, btf, arg->type))
			proto->arg[i].kind = ARG_IS_CTX;
		else if (arg && is_number(arg))
			proto->arg[i].kind = ARG_IS_SCALAR;
		else
			return false;
	}
	return true;
}

static int check_context(struct verify_env *env, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];
	int err = helper_check_offset(env, regno, false);

	if (err || reg->type == PTR_TO_CTX)
		return err;
	verbose(env, "arg#%u expects pointer to ctx\n", regno - 1);
	return -EINVAL;
}

static bool fits(struct verify_env *env, const struct prototype *proto)
{
	for (u32 i = 0; i < proto->nr; i++) {
		const struct reg *reg = &env_regs(env)[i + 1];

		if (proto->arg[i].kind == ARG_IS_SCALAR && reg->type != SCALAR_VALUE) {
			verbose(env, "R%u is not a scalar\n", i + 1);
			return false;
		}
		if (proto->arg[i].kind == ARG_IS_CTX && check_context(env, i + 1))
			return false;
	}
	return true;
}

void global_look_at_call(struct verify_env *env, u32 subprog)
{
	struct subprog *callee = &env->subprog[subprog];
	struct prototype proto;

	if (!env->nr_func_info || callee->unreliable)
		return;
	callee->unreliable = !read_static(env, callee, &proto) || !fits(env, &proto);
}

/* Memory that the callee may read and write, or null. */
static int check_memory(struct verify_env *env, u32 regno, u32 size)
{
	struct reg *reg = &env_regs(env)[regno], saved = *reg;
	int err;

	if (reg_is_null(reg))
		return 0;
	/* A pointer that may be null is checked as if it were not: the callee has to check. */
	reg_set_not_null(reg);
	err = mem_helper_access(env, regno, (int)size, false, true, NULL);
	if (!err)
		err = mem_helper_access(env, regno, (int)size, true, true, NULL);
	if (saved.type & PTR_MAYBE_NULL)
		*reg = saved;
	return err;
}

static int check_argument(struct verify_env *env, u32 regno, const struct prototype_arg *arg)
{
	const struct reg *reg = &env_regs(env)[regno];
	int err;

	switch (arg->kind) {
	case ARG_IS_SCALAR:
		if (reg->type == SCALAR_VALUE)
			return 0;
		verbose(env, "R%u is not a scalar\n", regno);
		return -EINVAL;
	case ARG_IS_CTX: return check_context(env, regno);
	case ARG_IS_MEM:
		err = helper_check_offset(env, regno, false);
		if (err)
			return err;
		err = operand_read(env, regno);
		if (!err)
			err = check_memory(env, regno, arg->size);
		if (err)
			return -EINVAL;
		if (arg->nullable || !((reg->type & PTR_MAYBE_NULL) || reg->type == SCALAR_VALUE))
			return 0;
		verbose(env, "arg#%u is expected to be non-NULL\n", regno - 1);
		return -EINVAL;
	case ARG_IS_DYNPTR:
		/* An offset of a pointer to the stack is the slot's; others carry none. */
		err = reg->type == CONST_PTR_TO_DYNPTR ? check_unmodified(env, regno, false) : 0;
		return err ? err : dynptr_check(env, regno, DYNPTR_ANY);
	case ARG_IS_TRUSTED:
		return helper_check_btf_id(
			env, regno, btf_type_name(env_kernel_btf(env), arg->btf_id), arg->nullable);
	case ARG_IS_UNTRUSTED: return operand_read(env, regno);
	case ARG_IS_ARENA:
		if (reg->type == PTR_TO_ARENA || reg->type == SCALAR_VALUE)
			return 0;
		verbose(env, "R%u is not a pointer to arena or scalar.\n", regno);
		return -EINVAL;
	}
	return verify_bug(env, "unknown kind of argument %u", arg->kind);
}

int global_check_call(struct verify_env *env, u32 subprog)
{
	struct prototype proto;
	int err = read_prototype(env, subprog, &proto);

	for (u32 i = 0; !err && i < proto.nr; i++)
		err = check_argument(env, i + 1, &proto.arg[i]);
	return err;
}

void global_look_at_main(struct verify_env *env)
{
	struct subprog *subprog = &env->subprog[0];
	struct prototype proto;

	if (!env->nr_func_info)
		return;
	/* The kernel prints what it does not understand, and goes on. */
	if (subprog->is_global)
		subprog->unreliable = read_prototype(env, 0, &proto) != 0;
	else
		subprog->unreliable = !read_static(env, subprog, &proto);
	subprog->unreliable |= proto.nr != 1 || proto.arg[0].kind != ARG_IS_CTX;
}

static void set_argument(struct verify_env *env, struct reg *reg, const struct prototype_arg *arg)
{
	u32 null = arg->nullable ? PTR_MAYBE_NULL : 0;

	switch (arg->kind) {
	case ARG_IS_SCALAR:
	case ARG_IS_ARENA: env_set_unknown(env, reg); return;
	case ARG_IS_CTX: reg_set_pointer(reg, PTR_TO_CTX); return;
	case ARG_IS_MEM:
		reg_set_pointer(reg, PTR_TO_MEM | null);
		reg->range = (s32)arg->size;
		break;
	case ARG_IS_DYNPTR:
		reg_set_pointer(reg, CONST_PTR_TO_DYNPTR);
		reg->dynptr = DYNPTR_ARGUMENT;
		reg->first_slot = true;
		reg->id = ++env->id_gen;
		return;
	case ARG_IS_UNTRUSTED:
		if (!arg->btf_id) {
			reg_set_pointer(reg, PTR_TO_MEM | MEM_RDONLY | PTR_UNTRUSTED);
			return;
		}
		/* fall through */
	case ARG_IS_TRUSTED:
		reg_set_pointer(
			reg, PTR_TO_BTF_ID | null |
				     (arg->kind == ARG_IS_TRUSTED ? PTR_TRUSTED : PTR_UNTRUSTED));
		reg->btf = env_kernel_btf(env);
		reg->btf_id = arg->btf_id;
		break;
	}
	if (arg->btf_id || null)
		reg->id = ++env->id_gen;
}

int global_set_arguments(struct verify_env *env, u32 subprog, struct frame *frame)
{
	struct prototype proto;
	int err = read_prototype(env, subprog, &proto);

	if (!err && subprog && subprog == env->exception_cb &&
	    (proto.nr != 1 || proto.arg[0].kind != ARG_IS_SCALAR)) {
		verbose(env, "exception cb only supports single integer argument\n");
		return -EINVAL;
	}
	for (u32 i = 0; !err && i < proto.nr; i++)
		set_argument(env, &frame->regs[i + 1], &proto.arg[i]);
	return err;
}
