/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scalar part of ALU instructions: from an instruction and its operands' scalars to the
 * result's.
 *
 * Pure. Pointers, links between registers and precision marks are the caller's; so is refusing
 * instructions whose encoding is invalid (reserved fields, a constant divisor of zero, a constant
 * shift beyond the width).
 */
#ifndef SKEP_VERIFY_ALU_H
#define SKEP_VERIFY_ALU_H

#include <linux/bpf.h>
#include "verify/domain/scalar.h"

/*
 * *dst becomes the result of insn, of class BPF_ALU or BPF_ALU64: arithmetic, MOV with or without
 * sign extension, NEG, END. src is the source register's scalar for BPF_X and is not read
 * otherwise; it may be dst. The caller checks scalar_violation() afterwards.
 */
void alu_scalar(const struct bpf_insn *insn, struct scalar *dst, const struct scalar *src);

/*
 * Is insn an AND or OR by a constant of a register that is 0 or all ones (scalar_split())? The
 * kernel then goes on with *ret_ones as the destination and explores the same instruction again,
 * later, with *ret_zero.
 */
bool alu_forks(const struct bpf_insn *insn, const struct scalar *dst, const struct scalar *src,
	       struct scalar *ret_zero, struct scalar *ret_ones);

#endif
