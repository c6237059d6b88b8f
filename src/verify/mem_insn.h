/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions of class LDX, ST, STX (atomics too) and packet loads.
 */
#ifndef SKEP_VERIFY_MEM_INSN_H
#define SKEP_VERIFY_MEM_INSN_H

#include "verify/env.h"

/* Each checks the instruction at env->insn_idx and changes the state as it does. 0 or -errno. */
int check_load(struct verify_env *env, const struct bpf_insn *insn);
int check_store(struct verify_env *env, const struct bpf_insn *insn);
int check_packet_load(struct verify_env *env, const struct bpf_insn *insn);

/* May programs of this type have packet loads at all? 0 or -EINVAL. */
int packet_load_allowed(struct verify_env *env);

#endif
