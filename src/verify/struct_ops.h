/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that implement a member of a structure of functions (struct_ops). */
#ifndef SKEP_VERIFY_STRUCT_OPS_H
#define SKEP_VERIFY_STRUCT_OPS_H

#include "verify/env.h"

/* Which member of which structure: 0 or -errno; then the context is that member's arguments. */
int struct_ops_check(struct verify_env *env);

/* May the argument be null (its stub says so)? */
bool struct_ops_may_be_null(const struct verify_env *env, u32 arg);

/* A pointer argument to structure id: what it is to the program. */
u32 struct_ops_promote(const struct verify_env *env, u32 id);

/* A write of size bytes at off of the structure behind reg: 0 or -EACCES. */
int struct_ops_write(struct verify_env *env, const struct reg *reg, u32 off, u32 size);

/*
 * Are its writes real? Those into what a test run gives are; nothing else is modelled, and what is
 * written there goes nowhere.
 */
bool struct_ops_writes(const struct verify_env *env);

#endif
