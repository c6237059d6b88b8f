/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which registers may still be read before they are written, for each instruction, by data flow
 * over the control-flow graph: computed once, before exploration. Pruning ignores dead registers.
 */
#ifndef SKEP_VERIFY_LIVE_REGS_H
#define SKEP_VERIFY_LIVE_REGS_H

#include "verify/env.h"

/* Fills insn_aux.live_regs; prints the table at log level 2. Needs env->postorder. */
int live_regs_compute(struct verify_env *env);

/* Bit r: register r; what insn may read, and what it writes. */
struct use_def {
	u16 use, def;
};

struct use_def live_regs_of_insn(const struct verify_env *env, u32 insn);

#endif
