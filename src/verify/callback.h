/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops that the run-time bounds: functions that a program hands to a helper (bpf_loop,
 * bpf_for_each_map_elem), and may_goto.
 *
 * The helper call is explored as a loop: at the call, one path goes on behind it as if the helper
 * were done, another one enters the callback and comes back to the very same call. The loop ends
 * when an iteration brings nothing new; numbers that differ from iteration to iteration and do not
 * matter are widened so that it does.
 */
#ifndef SKEP_VERIFY_CALLBACK_H
#define SKEP_VERIFY_CALLBACK_H

#include "verify/env.h"

/* For bpf_rbtree_add(), which is no helper: what compares two nodes. */
#define CALLBACK_LESS 0x10000u

/* Pushes the path that enters the callback of the call at env->insn_idx. map: of for_each. 0 or
 * -errno. */
int callback_push(struct verify_env *env, u32 func_id, u32 subprog, const struct verify_map *map);

/* exit of a callback: the value it returns is checked. 0 or -errno. */
int callback_return(struct verify_env *env);

/* may_goto: this path leaves the loop, at *ret_next; another one goes on in it. 0 or -errno. */
int callback_may_goto(struct verify_env *env, const struct bpf_insn *insn, u32 *ret_next);

/*
 * state goes on inside a loop whose checkpoint was made at this instruction: widens what differs
 * from the iteration before.
 */
void callback_widen_loop(struct verify_env *env, struct vstate *state);

/* After it: state is back at the call; widens what differs from the iteration before. */
void callback_widen(struct verify_env *env, struct vstate *state, u32 callsite);

#endif
