/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helper calls: is the helper known and allowed, do the arguments fit its prototype, what is the
 * result.
 */
#ifndef SKEP_VERIFY_HELPER_H
#define SKEP_VERIFY_HELPER_H

#include "verify/env.h"

/* The call at env->insn_idx. 0 or -errno. */
int check_helper_call(struct verify_env *env, const struct bpf_insn *insn);

/* Does the helper call a function that the program gives it? */
bool helper_calls_back(s32 func_id);

/* Number of arguments in the helper's prototype; 5 if it has none here. */
u32 helper_nr_args(const struct verify_env *env, s32 func_id);

/*
 * Does regno point to a structure of this name in the kernel's BTF, as what helpers take?
 * maybe_null: it may also be null. 0 or -errno.
 */
int helper_check_btf_id(struct verify_env *env, u32 regno, const char *name, bool maybe_null);

/*
 * size bytes at regno - 1, size being in regno: bounds, and that the size is bounded. See
 * mem_helper_access().
 */
int check_sized_memory(struct verify_env *env, u32 regno, bool write, bool zero_allowed,
		       bool *fills);

/* A string in a map's value that never changes, and ends there. */
int check_const_string(struct verify_env *env, u32 regno);

/* May the pointer in regno be passed with its offset; releases: it is given away? 0 or -errno. */
int helper_check_offset(struct verify_env *env, u32 regno, bool releases);

#endif
