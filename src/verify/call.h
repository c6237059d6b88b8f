/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of subprograms, and returns from them and from the program.
 */
#ifndef SKEP_VERIFY_CALL_H
#define SKEP_VERIFY_CALL_H

#include "verify/env.h"

/* Calls a subprogram: enters it, or, for a global function, takes its result as given. */
int check_subprog_call(struct verify_env *env, const struct bpf_insn *insn, u32 *ret_next);

/* After bpf_throw(): 1, the path ends; or -errno. */
int check_throw(struct verify_env *env);

/* The result of the program in regno, where it ends. 0 or -errno. */
int check_return_value(struct verify_env *env, u32 regno);

/* exit: 1 when the path is at its end, 0 when it goes on in the caller at *ret_next, or -errno. */
int check_exit(struct verify_env *env, u32 *ret_next);

/*
 * The current instruction may end the current subprogram: a tail call whose program returns in its
 * place (with any number), or a packet load that fails (with 0). Pushes the path that goes on
 * behind it and takes this one back to the caller, at *ret_next. 0 or -errno.
 */
int check_early_return(struct verify_env *env, bool with_zero, u32 *ret_next);

/*
 * Nothing acquired is held, and no section is open (spin lock, RCU, preemption and interrupts off);
 * what would leak it is named in the message.
 */
int check_resources_released(struct verify_env *env, const char *what);

/* A new frame for a subprogram whose arguments are the caller's r1 to r5. */
int push_frame(struct verify_env *env, struct vstate *state, u32 subprog, u32 callsite);

/* R0 to R5 hold nothing after a call. */
void clear_caller_saved(struct verify_env *env);

#endif
