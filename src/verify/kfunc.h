/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of kernel functions (kfuncs): a call names the function by its id in the kernel's BTF; the
 * name there leads to a row of abi/kfunc.h, which says what the arguments must be and what is
 * returned.
 */
#ifndef SKEP_VERIFY_KFUNC_H
#define SKEP_VERIFY_KFUNC_H

#include "verify/env.h"

struct abi_kfunc;

/* Instruction i calls a kfunc: finds its row, before anything is explored. 0 or -errno. */
int kfunc_resolve(struct verify_env *env, u32 i);

/* The row of the call at instruction i; NULL if there is none. */
const struct abi_kfunc *kfunc_of(const struct verify_env *env, u32 i);

/* Number of arguments of the kfunc that instruction i calls; 5 if it is not known. */
u32 kfunc_nr_args(const struct verify_env *env, u32 i);

/* Does instruction i call an iterator's next? */
bool kfunc_is_iter_next(const struct verify_env *env, u32 i);

/* The name of a function of the kernel's BTF, NULL if there is none. */
const char *kfunc_btf_name(const struct verify_env *env, s32 btf_id);

/* The call at env->insn_idx. 0 or -errno. */
int check_kfunc_call(struct verify_env *env, const struct bpf_insn *insn);

/* The accepted call at instruction i gets the number that engines know. 0 or -errno. */
int kfunc_fix(struct verify_env *env, u32 i);

#endif
