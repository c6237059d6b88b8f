/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to contexts and to what only contexts give: buffers, flow keys and sockets.
 *
 * Of each access: size bytes through register regno, off with the pointer's fixed offset. value:
 * the register stored, or loaded into; -1: none. 0 or -errno (see kernel/bpf/verifier.c,
 * check_mem_access()).
 */
#ifndef SKEP_VERIFY_CONTEXT_H
#define SKEP_VERIFY_CONTEXT_H

#include "verify/env.h"

/* A program's context: a structure's members by their table, or a function's arguments by BTF. */
int context_access(struct verify_env *env, u32 regno, int off, int size, bool write, int value,
		   bool sign_extend);

/* The buffer of a writable tracepoint. */
int context_access_tp_buffer(struct verify_env *env, u32 regno, int off, int size, bool write,
			     int value);

int context_access_flow_keys(struct verify_env *env, int off, int size, bool write, int value);
int context_access_socket(struct verify_env *env, u32 regno, int off, int size, bool write,
			  int value);

/* A buffer whose size is known when the program is attached: how far the program reaches is noted.
 */
int context_reach_buffer(struct verify_env *env, u32 regno, int off, int size);

#endif
