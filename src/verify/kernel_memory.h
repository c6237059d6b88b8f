/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that read memory through a trusted pointer to a structure of the kernel. Such a pointer
 * promises nothing about memory here (btf_ptr.h), and helpers read without looking: so it must come
 * from where the data plane answers for it, a helper or kfunc that made the structure, or a load
 * from the context, which then looks at what it loads.
 */
#ifndef SKEP_VERIFY_KERNEL_MEMORY_H
#define SKEP_VERIFY_KERNEL_MEMORY_H

#include "verify/env.h"

/* reg.range of a PTR_TO_BTF_ID: somebody answers for it. */
#define KERNEL_MEMORY_READABLE 1

/*
 * The same: it is the kernel's structure behind a context, or was loaded through one. Loads look at
 * it; helpers, which take a socket for one of the data plane's, do not get it.
 */
#define KERNEL_MEMORY_IMAGE 2

/* The load at env->insn_idx, through a pointer of this type, gave what is in regno. */
void kernel_memory_note_load(struct verify_env *env, u32 regno, u32 through);

/* A helper reads size bytes through regno. 0 or -errno. */
int kernel_memory_check(struct verify_env *env, u32 regno, int size);

/* The accepted load i looks at its pointer, if the program needs that. 0 or -errno. */
int kernel_memory_fix(struct verify_env *env, u32 i);

#endif
