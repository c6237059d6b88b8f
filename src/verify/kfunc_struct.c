/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See kfunc_struct.h. Rules, order and messages of Linux 6.18: check_kfunc_args(),
 * process_kf_arg_ptr_to_btf_id() and btf_struct_ids_match() in kernel/bpf.
 */
#include "verify/kfunc_struct.h"

#include <errno.h>
#include <string.h>

#include "abi/kfunc.h"
#include "btf/btf.h"
#include "btf/walk.h"
#include "verify/btf_ptr.h"
#include "verify/kernel_memory.h"
#include "verify/helper.h"
#include "verify/mem.h"
#include "verify/object.h"

#define TRUSTED_FLAGS (MEM_ALLOC | PTR_TRUSTED | NON_OWN_REF)

static int check_trust(struct verify_env *env, const struct abi_kfunc *kfunc, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (!(kfunc->flags & (KFUNC_TRUSTED_ARGS | KFUNC_RELEASE | KFUNC_RCU)) ||
	    reg_is_trusted(reg))
		return 0;
	if (!(kfunc->flags & KFUNC_RCU)) {
		verbose(env, "R%u must be referenced or trusted\n", regno);
		return -EINVAL;
	}
	if (!(reg->type & MEM_RCU)) {
		verbose(env, "R%u must be a rcu pointer\n", regno);
		return -EINVAL;
	}
	return 0;
}

static int check_offset(struct verify_env *env, const struct abi_kfunc *kfunc, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];
	bool released = kfunc->flags & KFUNC_RELEASE && reg->ref_id;

	if (released && reg->off) {
		verbose(env,
			"R%u must have zero offset when passed to release func or trusted arg to "
			"kfunc\n",
			regno);
		return -EINVAL;
	}
	return check_unmodified(env, regno,
				!released && reg_base(reg->type) == PTR_TO_BTF_ID &&
					!(reg->type & PTR_UNTRUSTED));
}

static u32 kernel_struct(struct verify_env *env, const char *name)
{
	u32 id = env->kernel_btf ? btf_find(env->kernel_btf, name, BTF_KIND_STRUCT) : 0;

	return id || !env->kernel_btf ? id : btf_find(env->kernel_btf, name, BTF_KIND_UNION);
}

#define UNFINISHED "___init" /* ends the name of what is not yet one of the name without it */

/* Is one of these what the other is before it is finished? */
static bool is_unfinished(const char *one, const char *other)
{
	size_t length = strlen(other);

	return !strncmp(one, other, length) && !strcmp(one + length, UNFINISHED);
}

/* Is the structure in regno `name`, or does one lie where it points to? */
static bool matches(struct verify_env *env, const struct abi_kfunc *kfunc, u32 regno,
		    const char *name)
{
	const struct reg *reg = &env_regs(env)[regno];
	u32 wanted = kernel_struct(env, name);
	struct btf_place place;
	char reason[256];
	u32 id = reg->btf_id;
	const struct btf *btf = reg->btf;
	const char *own;

	if (reg_stands_for(reg)) {
		btf = env->kernel_btf;
		id = kernel_struct(env, reg_stands_for(reg));
	}
	btf_skip_modifiers(btf, id, &id);
	if (btf == env->kernel_btf && id == wanted && wanted && !reg->off)
		return true;
	own = btf_type_name(btf, id);
	if ((kfunc->flags & KFUNC_RELEASE && reg->ref_id) ||
	    (own && (is_unfinished(own, name) || is_unfinished(name, own))))
		return false;
	if (btf == env->kernel_btf && wanted && btf_ptr_contains(btf, id, (u32)reg->off, wanted))
		return true;
	if (btf_place_find(btf, id, (u32)reg->off, 1, &place, reason, sizeof(reason)))
		verbose(env, "%s", reason);
	return false;
}

static int check_pointer(struct verify_env *env, const struct abi_kfunc *kfunc, u32 regno,
			 const char *name)
{
	const struct reg *reg = &env_regs(env)[regno];
	u32 unsafe = reg->type & ~(u32)(REG_BASE_MASK | TRUSTED_FLAGS);
	const char *other = reg_stands_for(reg);
	int err = check_trust(env, kfunc, regno);

	if (!err)
		err = check_offset(env, kfunc, regno);
	if (err)
		return err;
	if (!other && unsafe && !(reg->type & MEM_RCU)) {
		verbose(env, "arg#%u is %s ", regno - 1, log_reg_type(reg->type));
		verbose(env, "expected %s or socket\n",
			log_reg_type(reg_base(reg->type) | (reg->type & TRUSTED_FLAGS)));
		return -EINVAL;
	}
	if (matches(env, kfunc, regno, name))
		return 0;
	verbose(env,
		"kernel function %s args#%u expected pointer to STRUCT %s but R%u has a pointer to "
		"STRUCT %s\n",
		kfunc->name, regno - 1, name, regno, other ? other : btf_ptr_type_name(reg));
	return -EINVAL;
}

int kfunc_struct_check_map(struct verify_env *env, const struct abi_kfunc *kfunc, u32 regno)
{
	return check_pointer(env, kfunc, regno, "bpf_map");
}

int kfunc_memory_check(struct verify_env *env, u32 regno, u32 size)
{
	int err = mem_helper_access(env, regno, (int)size, false, true, NULL);

	return err ? err : mem_helper_access(env, regno, (int)size, true, true, NULL);
}

/* Memory that has the size of the structure. */
static int check_plain(struct verify_env *env, u32 regno, const char *name)
{
	u32 id = kernel_struct(env, name), size;
	int err;

	if (!id || btf_size_of(env->kernel_btf, id, &size))
		return verify_bug(env, "the kernel's BTF has no struct %s", name);
	err = helper_check_offset(env, regno, false);
	return err ? err : kfunc_memory_check(env, regno, size);
}

/* A structure that the kfunc may change is either an object, which the data plane looks for at its
 * address, or memory. */
static int note_changed(struct verify_env *env, u32 structure, bool is_pointer)
{
	const char *name = abi_struct_name(ABI_STRUCT_BPF_CPUMASK);

	if (structure != ABI_STRUCT_BPF_CPUMASK && structure != ABI_STRUCT_CHANGED_CPUMASK)
		return 0;
	return is_pointer ? object_note_type(env, env->kernel_btf, kernel_struct(env, name),
					     OBJECT_NO_NODE)
			  : object_note_type(env, NULL, 0, OBJECT_NO_NODE);
}

int kfunc_struct_check(struct verify_env *env, const struct abi_kfunc *kfunc, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];
	u8 arg = kfunc->arg[regno - 1];
	u32 structure = abi_kfunc_arg_struct(arg);
	const char *name = abi_struct_name(structure);
	bool is_pointer = reg_base(reg->type) == PTR_TO_BTF_ID || reg_stands_for(reg);
	int err;

	if (arg & KARG_NULLABLE && reg_is_null(reg))
		return 0;
	if (is_pointer) {
		err = check_pointer(env, kfunc, regno, name);
	} else if (abi_struct_is_plain(structure)) {
		err = check_plain(env, regno, name);
	} else {
		verbose(env,
			"arg#%u pointer type STRUCT %s must point to scalar, or struct with "
			"scalar\n",
			regno - 1, name);
		return -EINVAL;
	}
	return err ? err : note_changed(env, structure, is_pointer);
}

int kfunc_struct_note(struct verify_env *env, const struct abi_kfunc *kfunc)
{
	const char *iter = abi_iter_object(kfunc->iter);
	u32 structure = ABI_STRUCT_NONE, id;

	if (iter) {
		id = kernel_struct(env, iter);
		return id ? object_note_type(env, env->kernel_btf, id, OBJECT_NO_NODE)
			  : verify_bug(env, "the kernel's BTF has no struct %s", iter);
	}
	if (kfunc->flags & KFUNC_ACQUIRE && kfunc->ret == KRET_BTF)
		structure = kfunc->ret_struct;
	else if (kfunc->flags & KFUNC_RELEASE)
		structure = abi_kfunc_arg_struct(kfunc->arg[0]);
	/* The path of one of the program's files is known. */
	else if (abi_kfunc_arg_struct(kfunc->arg[0]) == ABI_STRUCT_PATH)
		structure = ABI_STRUCT_FILE;
	if (!structure)
		return 0;
	id = kernel_struct(env, abi_struct_name(structure));
	return id ? object_note_type(env, env->kernel_btf, id, OBJECT_NO_NODE)
		  : verify_bug(env, "the kernel's BTF has no struct %s",
			       abi_struct_name(structure));
}

int kfunc_struct_result(struct verify_env *env, const struct abi_kfunc *kfunc, u32 iter_type)
{
	struct reg *r0 = &env_regs(env)[BPF_REG_0];
	u32 id = kernel_struct(env, abi_struct_name(kfunc->ret_struct));

	if (!id)
		return verify_bug(env, "the kernel's BTF has no struct %s",
				  abi_struct_name(kfunc->ret_struct));
	reg_set_pointer(r0, PTR_TO_BTF_ID);
	r0->btf = env->kernel_btf;
	r0->btf_id = id;
	if (kfunc->flags & KFUNC_UNTRUSTED)
		r0->type |= PTR_UNTRUSTED;
	else if (kfunc->flags & KFUNC_RCU_PROTECTED)
		r0->type |= MEM_RCU;
	if (iter_type && !(iter_type & MEM_RCU))
		r0->range = KERNEL_MEMORY_READABLE;
	if (iter_type)
		r0->type |= iter_type & MEM_RCU ? MEM_RCU : PTR_TRUSTED;
	return 0;
}
