/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program as a whole, before any path is followed: subprograms, jumps that stay inside them,
 * and what 64-bit constants refer to.
 */
#ifndef SKEP_VERIFY_PROGRAM_H
#define SKEP_VERIFY_PROGRAM_H

#include "verify/env.h"

/* Finds the entry points of all subprograms, sorted, with a sentinel behind the last. */
int program_find_subprogs(struct verify_env *env);

/* The entries of a counted fd_array: all are maps, which the program then has, or BTF. */
int program_read_fd_array(struct verify_env *env);

/* Jumps stay in their subprogram, each ends in exit or jump; notes tail calls and packet loads. */
int program_check_subprogs(struct verify_env *env);

/* Checks every ld_imm64, looks maps up and puts final addresses in; checks that opcodes exist. */
int program_resolve_constants(struct verify_env *env);

/* Stack use of every chain of calls, after all paths were seen. Also says where tail calls can be
 * reached. */
int program_check_stack_depth(struct verify_env *env);

#endif
