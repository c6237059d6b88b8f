/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which stack slots may still be read: collected while paths are explored, per chain of calls, and
 * solved by data flow over the control-flow graph when a function or a path has come to its end.
 * A log of level 2 tells of each step, as the kernel's does.
 *
 * A slot is named by the frame it lies in and its number. Reads that happened are certain; writes
 * count only if every visit of the instruction wrote the whole slot.
 */
#ifndef SKEP_VERIFY_LIVE_STACK_H
#define SKEP_VERIFY_LIVE_STACK_H

#include "verify/env.h"

/* 0 or -ENOMEM. */
int live_stack_init(struct verify_env *env);
void live_stack_done(struct verify_env *env);

/* Around each explored instruction; the first: 0 or -ENOMEM. */
int live_stack_begin(struct verify_env *env);
void live_stack_end(struct verify_env *env);

/* What the instruction does to a slot of a frame. */
void live_stack_read(struct verify_env *env, u32 frameno, u32 slot);
void live_stack_write(struct verify_env *env, u32 frameno, u32 slot);

/* Solves what changed in the functions of the current state: before one is left, and at the end of
 * a path, so that all is known of states from which no path is left to explore. */
void live_stack_solve(struct verify_env *env);

/* Prepares questions about a state, then answers: may slot of frame be read on any way from state
 * on? */
void live_stack_query(struct verify_env *env, const struct vstate *state);
bool live_stack_alive(struct verify_env *env, const struct vstate *state, u32 frameno, u32 slot);

#endif
