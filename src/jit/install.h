/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program gets its native code: compiled, and laid into the arena's text segment through the
 * writable alias, which traced processes do not have. The same for its end.
 */
#ifndef SKEP_JIT_INSTALL_H
#define SKEP_JIT_INSTALL_H

#include "jit/jit.h"

struct arena;
struct rt_native;

/*
 * Compiles prog, which input->prog is too, and sets prog->native. 0; else the interpreter runs it
 * as before: -EOPNOTSUPP with *ret_refusal (static text), -ENOMEM (also when text or control are
 * full).
 */
int jit_install(struct arena *arena, const struct jit_input *input, struct rt_prog *prog,
		const char **ret_refusal);

/* Gives the code back: nobody runs it any more. Takes NULL. */
void jit_remove(struct arena *arena, const struct rt_native *native);

#endif
