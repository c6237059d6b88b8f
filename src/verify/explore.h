/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Path exploration: executes the program symbolically from each entry, depth first, until no path
 * is left. Every instruction's effect is judged by the files it dispatches to.
 */
#ifndef SKEP_VERIFY_EXPLORE_H
#define SKEP_VERIFY_EXPLORE_H

#include "verify/env.h"

/*
 * A copy of the current state that goes on at insn later, after prev. NULL: no memory, or too many
 * jumps (logged); the caller fails with explore_push_error().
 */
struct vstate *explore_push(struct verify_env *env, u32 insn, u32 prev);
/* The same for a fresh state, with nothing in it, at the beginning of a function. */
struct vstate *explore_push_entry(struct verify_env *env, u32 subprog, u32 prev);
int explore_push_error(const struct verify_env *env);
/* A state that ended goes on where it did, after prev; what it holds is taken over. 0 or -ENOMEM.
 */
int explore_push_again(struct verify_env *env, struct vstate *state, u32 prev);

/* Explores the whole program: the main program, then each global function that is called. */
int explore_program(struct verify_env *env);

/* Frees paths that are left after an error. */
void explore_done(struct verify_env *env);

#endif
