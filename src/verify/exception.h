/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions: bpf_throw() ends the program, whatever calls led there; its argument becomes the
 * result, or that of the function that the program names for it (the tag "exception_callback:" of
 * its main function).
 */
#ifndef SKEP_VERIFY_EXCEPTION_H
#define SKEP_VERIFY_EXCEPTION_H

#include "verify/env.h"

/*
 * Where the function for exceptions begins, in *ret_insn; 0: there is none. Called before
 * subprograms are known. 0 or -errno.
 */
int exception_find_callback(struct verify_env *env, u32 *ret_insn);

/* Does instruction i call bpf_throw()? */
bool exception_is_throw(const struct verify_env *env, u32 i);

#endif
