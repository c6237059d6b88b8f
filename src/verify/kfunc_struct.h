/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pointers to structures of the kernel as arguments and results of kfuncs: which may be passed
 * (referenced, trusted, valid in the RCU section), whether the structure is the one, and what the
 * data plane is told of objects that it makes, takes back or changes.
 */
#ifndef SKEP_VERIFY_KFUNC_STRUCT_H
#define SKEP_VERIFY_KFUNC_STRUCT_H

#include "verify/env.h"

struct abi_kfunc;

/* The argument in regno, whose kind is KARG_PTR(), possibly nullable. 0 or -errno. */
int kfunc_struct_check(struct verify_env *env, const struct abi_kfunc *kfunc, u32 regno);

/* A structure in place of a map: is it the kernel's of one? 0 or -errno. */
int kfunc_struct_check_map(struct verify_env *env, const struct abi_kfunc *kfunc, u32 regno);

/* Does regno point to memory of so many bytes, to be read and written? 0 or -errno. */
int kfunc_memory_check(struct verify_env *env, u32 regno, u32 size);

/* All arguments were looked at: which objects the call makes or gives back. 0 or -errno. */
int kfunc_struct_note(struct verify_env *env, const struct abi_kfunc *kfunc);

/*
 * The result KRET_BTF in R0 with its flags, but for null; iter_type: that of the iterator which
 * gives it, 0: none does. 0 or -errno.
 */
int kfunc_struct_result(struct verify_env *env, const struct abi_kfunc *kfunc, u32 iter_type);

#endif
