/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Register operands of instructions: may they be read, may they be written, do they hold pointers.
 */
#ifndef SKEP_VERIFY_OPERAND_H
#define SKEP_VERIFY_OPERAND_H

#include "verify/env.h"

/* regno is read: it must hold something. 0 or -errno. */
int operand_read(struct verify_env *env, u32 regno);
/* regno is about to be written: not r10. 0 or -errno. The register keeps its value for now. */
int operand_write(struct verify_env *env, u32 regno);

/* An unknown number; precise from the start for clients whose scalars all count. */
void env_set_unknown(struct verify_env *env, struct reg *reg);

/* Is it a pointer that must not leak? Leaks are allowed to privileged clients. */
bool reg_is_secret(const struct verify_env *env, const struct reg *reg);

/* Gives a scalar an id that its copies will share, if it makes sense. */
void link_before_copy(struct verify_env *env, struct reg *reg);
void unlink_scalar(struct reg *reg);

/* Number of low bits that can be set in a scalar. */
u32 reg_width(const struct reg *reg);

/* After arithmetic or a comparison: ranges that contradict each other are given up. 0 or -errno. */
int check_scalar(struct verify_env *env, struct reg *reg, const char *where);

/* Instructions of class ALU and ALU64. */
int check_alu(struct verify_env *env, const struct bpf_insn *insn);

/*
 * dst = ptr op off, ptr being a pointer and off a scalar. dst is the register number for messages
 * and result; both operands may be it.
 */
int pointer_arithmetic(struct verify_env *env, const struct bpf_insn *insn, const struct reg *ptr,
		       const struct reg *off);

#endif
