/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs with native code for tests that have no bpf(2): where code reaches what it refers to. */
#ifndef SKEP_TESTS_NATIVE_H
#define SKEP_TESTS_NATIVE_H

#include <linux/bpf.h>
#include "base/types.h"

struct arena;
struct rt_map;
struct rt_prog;

/*
 * A copy of the program in the arena, with its instructions and functions: nr_subprogs 0 stands for
 * those that it calls. NULL when the arena is full.
 */
struct rt_prog *native_prog_new(struct arena *arena, const struct rt_prog *prog);
void native_prog_free(struct arena *arena, struct rt_prog *prog);

/* Compiles such a program: NULL, or why it has no native code. plain: for an old processor. */
const char *native_prog_compile(struct arena *arena, struct rt_prog *prog,
				const struct rt_map *const *maps, u32 nr_maps, bool plain);

#endif
