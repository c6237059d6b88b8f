/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control flow: which instructions follow which, whether all are reachable, where paths may meet
 * (prune points), and the order for data-flow passes.
 */
#ifndef SKEP_VERIFY_CFG_H
#define SKEP_VERIFY_CFG_H

#include "verify/env.h"

/* Depth-first walk from instruction 0; rejects unreachable code; sets prune and jump points. */
int cfg_check(struct verify_env *env);

/*
 * Fills postorder, subprog.postorder_start, place, first_pred and preds: what goes over the
 * instructions of all subprograms needs. 0 or -ENOMEM.
 */
int cfg_order(struct verify_env *env);

/* Successors of an instruction inside its subprogram (a call falls through); their number, 0 to 2.
 */
u32 cfg_successors(const struct verify_env *env, u32 insn, u32 successors[2]);

#endif
