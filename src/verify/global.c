/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prototypes of global functions: numbers, the program's context, and pointers to memory of a known
 * size (which may be null). Whatever else a prototype asks for is refused.
 */
#include "verify/global.h"

#include <errno.h>
#include <linux/btf.h>
#include <string.h>

#include "abi/context.h"
#include "btf/btf.h"
#include "verify/global_tags.h"
#include "verify/mem.h"
#include "verify/operand.h"

enum arg_kind { ARG_IS_SCALAR, ARG_IS_CTX, ARG_IS_MEM };

struct prototype {
	u32 nr;
	struct {
		enum arg_kind kind;
		u32 size;
		bool nonnull; /* memory: never null */
	} arg[5];
};

/* Is it a pointer to the structure that the kernel passes programs of this type? */
static bool points_to_ctx(const struct verify_env *env, const struct btf *btf, u32 pointee)
{
	const struct btf_type *type = btf_type_by_id(btf, pointee);
	const char *name;

	/* The name counts at each step: bpf_user_pt_regs_t is a typedef. */
	while (type) {
		name = btf_string(btf, type->name_off);
		if (name && *name && env->ctx->name[0] && !strcmp(name, env->ctx->name))
			return true;
		switch (btf_kind_of(type)) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_CONST:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT: type = btf_type_by_id(btf, type->type); break;
		default: return false;
		}
	}
	return false;
}

static bool is_number(const struct btf_type *type)
{
	u32 kind = btf_kind_of(type);

	return kind == BTF_KIND_INT || kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64;
}

static int read_argument(struct verify_env *env, const struct btf *btf, struct subprog *subprog,
			 u32 i, u32 type_id, const char *function, struct prototype *proto)
{
	const struct btf_type *type = btf_skip_modifiers(btf, type_id, NULL);
	u32 kind = type ? btf_kind_of(type) : BTF_KIND_UNKN, size = 0, tags = 0;
	int err = global_tags(env, subprog, i, &tags);

	if (err)
		return err;
	proto->arg[i].nonnull = tags & GLOBAL_TAG_NONNULL;
	if (tags && kind != BTF_KIND_PTR) {
		verbose(env, "arg#%u has pointer tag, but is not a pointer type\n", i);
		return -EINVAL;
	}
	if (kind == BTF_KIND_INT || kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64) {
		proto->arg[i].kind = ARG_IS_SCALAR;
		return 0;
	}
	if (kind != BTF_KIND_PTR) {
		verbose(env, "Arg#%u type %s in %s() is not supported yet.\n", i,
			btf_kind_text(type), function);
		return -EINVAL;
	}
	if ((tags & GLOBAL_TAG_CTX) || points_to_ctx(env, btf, type->type)) {
		if (tags & ~GLOBAL_TAG_CTX) {
			verbose(env, "arg#%u has invalid combination of tags\n", i);
			return -EINVAL;
		}
		proto->arg[i].kind = ARG_IS_CTX;
		return tags ? global_tagged_ctx(env, btf, i, type->type) : 0;
	}
	if (btf_size_of(btf, type->type, &size) || !size) {
		u32 id = type->type;
		const struct btf_type *pointee = btf_skip_modifiers(btf, id, &id);
		const char *name = pointee ? btf_string(btf, pointee->name_off) : NULL;

		verbose(env, "arg#%u reference type('%s %s') size cannot be determined: %d\n", i,
			btf_kind_text(pointee), name ? name : "", -EINVAL);
		return -EINVAL;
	}
	proto->arg[i].kind = ARG_IS_MEM;
	proto->arg[i].size = size;
	return 0;
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
	proto->nr = nr;
	for (u32 i = 0; i < nr; i++) {
		int err = read_argument(env, btf, &env->subprog[subprog], i,
					btf_params_of(type)[i].type, name, proto);

		if (err)
			return err;
	}
	return 0;
}

/* Of a static function: only numbers and contexts can be relied on. Says nothing. */
static bool read_static(const struct verify_env *env, const struct subprog *subprog,
			struct prototype *proto)
{
	const struct btf *btf = env->input->btf;
	const struct btf_type *type = btf_func_proto(btf, (u32)subprog->type_id), *ret;

	*proto = (struct prototype){ .nr = type ? btf_vlen_of(type) : 6 };
	if (proto->nr > 5)
		return false;
	ret = type->type ? btf_skip_modifiers(btf, type->type, NULL) : NULL;
	if (!ret || !is_number(ret))
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

static bool fits(struct verify_env *env, const struct prototype *proto)
{
	for (u32 i = 0; i < proto->nr; i++) {
		const struct reg *reg = &env_regs(env)[i + 1];

		if (proto->arg[i].kind == ARG_IS_SCALAR && reg->type != SCALAR_VALUE) {
			verbose(env, "R%u is not a scalar\n", i + 1);
			return false;
		}
		if (proto->arg[i].kind == ARG_IS_CTX && reg->type != PTR_TO_CTX) {
			verbose(env, "arg#%u expected pointer to ctx, but got %s\n", i,
				log_reg_type(reg->type));
			return false;
		}
		if (proto->arg[i].kind == ARG_IS_CTX && check_unmodified(env, i + 1, false))
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

int global_check_call(struct verify_env *env, u32 subprog)
{
	struct prototype proto;
	int err = read_prototype(env, subprog, &proto);

	for (u32 i = 0; !err && i < proto.nr; i++) {
		u32 regno = i + 1;
		const struct reg *reg = &env_regs(env)[regno];

		switch (proto.arg[i].kind) {
		case ARG_IS_SCALAR:
			if (reg->type == SCALAR_VALUE)
				break;
			verbose(env, "R%u is not a scalar\n", regno);
			return -EINVAL;
		case ARG_IS_CTX:
			if (reg->type != PTR_TO_CTX) {
				verbose(env, "arg#%u expected pointer to ctx, but got %s\n", i,
					log_reg_type(reg->type));
				return -EINVAL;
			}
			err = check_unmodified(env, regno, false);
			break;
		case ARG_IS_MEM:
			err = operand_read(env, regno);
			if (!err)
				err = check_memory(env, regno, proto.arg[i].size);
			if (err)
				return -EINVAL;
			if (proto.arg[i].nonnull &&
			    ((reg->type & PTR_MAYBE_NULL) || reg->type == SCALAR_VALUE)) {
				verbose(env, "arg#%u is expected to be non-NULL\n", i);
				return -EINVAL;
			}
			break;
		}
	}
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

int global_set_arguments(struct verify_env *env, u32 subprog, struct frame *frame)
{
	struct prototype proto;
	int err = read_prototype(env, subprog, &proto);

	if (!err && subprog && subprog == env->exception_cb &&
	    (proto.nr != 1 || proto.arg[0].kind != ARG_IS_SCALAR)) {
		verbose(env, "exception cb only supports single integer argument\n");
		return -EINVAL;
	}
	for (u32 i = 0; !err && i < proto.nr; i++) {
		struct reg *reg = &frame->regs[i + 1];

		switch (proto.arg[i].kind) {
		case ARG_IS_SCALAR: env_set_unknown(env, reg); break;
		case ARG_IS_CTX: reg_set_pointer(reg, PTR_TO_CTX); break;
		case ARG_IS_MEM:
			reg_set_pointer(reg,
					PTR_TO_MEM | (proto.arg[i].nonnull ? 0 : PTR_MAYBE_NULL));
			reg->range = (s32)proto.arg[i].size;
			if (!proto.arg[i].nonnull)
				reg->id = ++env->id_gen;
			break;
		}
	}
	return err;
}
