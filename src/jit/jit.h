/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From verified instructions to native code (x86-64). What goes in is a program's descriptor as the
 * engines see it; what comes out is code for a place in the arena's text segment, which the caller
 * makes room for and copies it to.
 *
 * A program in which something is that the compiler does not do is refused, with a sentence, and
 * stays with the interpreter. Code runs as the interpreter would (rt/interp.c): one load of memory
 * for each load instruction, the same limits, the same ends.
 */
#ifndef SKEP_JIT_JIT_H
#define SKEP_JIT_JIT_H

#include "base/types.h"
#include "rt/helper.h"

struct rt_map;
struct rt_prog;

/* What the processor has. */
#define JIT_BMI2 1u

struct jit_input {
	/* At its final address, as are its instructions; complete but for the native code. */
	const struct rt_prog *prog;
	/* Maps in its instructions: lookups in these are part of the code. */
	const struct rt_map *const *maps;
	u32 nr_maps;
	u32 nr_vcpus; /* of the hive */
	/* The data plane's tables (RT_HELPER_MAX, ABI_NR_KFUNCS): only which rows are there counts.
	 */
	const rt_helper_fn *helpers, *kfuncs;
	u32 features; /* JIT_* */
};

struct jit;

/* Features of this machine's processor. */
u32 jit_features(void);

/*
 * Compiles: 0, -ENOMEM, or -EOPNOTSUPP with *ret_refusal (static text) saying what the program has
 * that is not compiled.
 */
int jit_compile(const struct jit_input *input, struct jit **ret_jit, const char **ret_refusal);

/* Takes NULL. Returns NULL. */
struct jit *jit_free(struct jit *jit);

/* Bytes of code; where the door for C (rt_native_enter_fn) and each subprogram begin in it. */
u32 jit_size(const struct jit *jit);
u32 jit_enter(const struct jit *jit);
u32 jit_function(const struct jit *jit, u32 subprog);

/*
 * Copies the code to out, for being run at address. 0, or -ERANGE when what the code refers to is
 * not within 2 GiB of there.
 */
int jit_copy(const struct jit *jit, u8 *out, u64 address);

#endif
