/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_fastcall: functions that leave alone the argument registers they do not take. Compilers that
 * know them still put stores of r0 to r5 before such a call and loads behind it, for kernels that
 * do not; a verifier that knows the function takes both out again, and gives back the stack, unless
 * something else uses the same slots.
 */
#ifndef SKEP_VERIFY_FASTCALL_H
#define SKEP_VERIFY_FASTCALL_H

#include "verify/env.h"

/* Finds the calls with stores and loads around them. Returns 0. */
int fastcall_find(struct verify_env *env);

/* The current instruction uses slots of frame from off on: if it is not one of these stores and
 * loads, but the slots are theirs, they stay. */
void fastcall_stack_use(struct verify_env *env, const struct frame *frame, int off);

/* After exploration: stores and loads that nobody needs become jumps to the next instruction, and
 * stacks smaller. Returns 0. */
int fastcall_remove(struct verify_env *env);

#endif
