/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conditional jumps: both outcomes, what each teaches about registers, null checks and packet
 * bounds.
 */
#ifndef SKEP_VERIFY_JUMP_H
#define SKEP_VERIFY_JUMP_H

#include "verify/env.h"

/*
 * The jump at env->insn_idx. Afterwards the current state is that of one outcome, and *ret_next the
 * instruction where it goes on; the other one, if possible, was pushed.
 */
int check_jump_if(struct verify_env *env, const struct bpf_insn *insn, u32 *ret_next);

#endif
