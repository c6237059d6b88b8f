/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pointers to structures that BTF describes (PTR_TO_BTF_ID), and programs whose context is the
 * argument list of a function that BTF describes.
 *
 * Such a pointer promises nothing about memory: each load through it becomes one that gives 0 where
 * it would fault (ISA_PROBE_MEM), and nothing is ever written through it. Whatever a pointer's type
 * says, a wrong one can make values wrong, never an access.
 */
#ifndef SKEP_VERIFY_BTF_PTR_H
#define SKEP_VERIFY_BTF_PTR_H

#include "btf/walk.h"
#include "verify/env.h"

/* Is a load through it one that may fault at run time? */
static inline bool reg_type_is_probed(u32 type)
{
	u32 base = reg_base(type);

	/* Objects of programs are memory, while they are known to be there. */
	if (base == PTR_TO_BTF_ID)
		return (type & (MEM_ALLOC | PTR_UNTRUSTED)) != MEM_ALLOC;
	return base == PTR_TO_MEM && (type & PTR_UNTRUSTED);
}

/* The structure that a register of a type other than PTR_TO_BTF_ID stands for; NULL: none. */
const char *reg_stands_for(const struct reg *reg);

/* Is what it points to there as long as the program runs: referenced, or trusted and nothing else?
 */
bool reg_is_trusted(const struct reg *reg);

/*
 * What the program says that it will be attached to (attach_btf_id), and whether its type may
 * sleep. 0 or -errno; afterwards env->attach_proto is set for programs with such a context.
 */
int btf_ptr_check_attach(struct verify_env *env);

/* Does the context consist of a function's arguments (env->attach_proto)? */
bool btf_ptr_has_args(const struct verify_env *env);

/*
 * An access to such a context. 0 and the loaded register's new contents in *ret_loaded; -EACCES
 * when the kernel would say "invalid bpf_context access", which is left to the caller.
 */
int btf_ptr_load_arg(struct verify_env *env, int off, int size, bool write, struct reg *ret_loaded);

/* An access through regno at off (the register's own offset included); value as in mem_access(). */
int btf_ptr_access(struct verify_env *env, u32 regno, int off, int size, bool write, int value);

/* *dst becomes what a load gives that meets the place, through reg; dst is another register. */
void btf_ptr_set_loaded(struct verify_env *env, const struct reg *reg,
			const struct btf_place *place, struct reg *dst);

/* Does regno point to a structure of this name, or to one that begins with it? 0, -EACCES. */
int btf_ptr_check_struct(struct verify_env *env, u32 regno, const char *name);

/* Does a structure `wanted` begin at byte off of the structure id? */
bool btf_ptr_contains(const struct btf *btf, u32 id, u32 off, u32 wanted);

/* The structure's name, for logs. */
const char *btf_ptr_type_name(const struct reg *reg);

#endif
