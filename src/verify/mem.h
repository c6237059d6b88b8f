/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory accesses by pointer type: bounds, alignment, rights, and what a load gives.
 */
#ifndef SKEP_VERIFY_MEM_H
#define SKEP_VERIFY_MEM_H

#include "verify/env.h"

/*
 * One access of size bytes through register regno at off. value: the register stored, or loaded
 * into; -1: none. strict: alignment matters in any case (atomics).
 */
int mem_access(struct verify_env *env, u32 regno, int off, int size, bool write, int value,
	       bool strict, bool sign_extend);

/*
 * A helper accesses size bytes through regno. fills: see stack_initialized(); NULL if it also
 * reads.
 */
int mem_helper_access(struct verify_env *env, u32 regno, int size, bool write, bool zero_allowed,
		      bool *fills);

/* Is regno aligned to size, whatever the flags say? 0 or -errno. */
int mem_check_alignment(struct verify_env *env, u32 regno, int size);

/* A pointer that has to be passed as it was got: no variable, and unless fixed_allowed no fixed
 * offset. */
int check_unmodified(struct verify_env *env, u32 regno, bool fixed_allowed);

/* May register value (-1: none) be written to where, a place that others read? 0 or -EACCES. */
int mem_refuse_leak(struct verify_env *env, int value, bool write, const char *where);

/* A load into register value (-1: none) gives a number that nothing is known about. */
void mem_load_unknown(struct verify_env *env, int value, bool write);

/* What the stored pointers of a changed or released object become. */
void reg_invalidate(struct verify_env *env, struct reg *reg);

#endif
