/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to the stack, of this frame or of a caller's. Offsets are those of the access (the
 * pointer's fixed offset included), the pointer's variable part is looked up in its register.
 */
#ifndef SKEP_VERIFY_STACK_H
#define SKEP_VERIFY_STACK_H

#include "verify/env.h"

/* Is it inside the stack? Then the frame's slots exist afterwards. 0 or -errno. */
int stack_in_bounds(struct verify_env *env, u32 regno, int off, int size, bool write);

/* A load into register dst (-1: the value goes nowhere), or a store of value (-1: the instruction's
 * immediate, or something unknown). Bounds and alignment were checked. */
int stack_load(struct verify_env *env, u32 regno, int off, int size, int dst);
int stack_store(struct verify_env *env, u32 regno, int off, int size, int value);

/*
 * size bytes are read, or with write also overwritten by a helper: all must be initialised. With
 * fills not NULL the helper only writes: then *fills is set if the place is certain, and nothing
 * needs to be there before.
 */
int stack_initialized(struct verify_env *env, u32 regno, int off, int size, bool zero_allowed,
		      bool write, bool *fills);

#endif
