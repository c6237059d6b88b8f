/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scalar part of conditional jumps: is the outcome known, and what does each outcome teach?
 *
 * Pure. Comparisons of pointers and links between registers are the caller's.
 */
#ifndef SKEP_VERIFY_BRANCH_H
#define SKEP_VERIFY_BRANCH_H

#include <linux/bpf.h>
#include "verify/domain/scalar.h"

/* Is insn a conditional jump that compares (not JA, CALL, EXIT, JCOND)? */
bool branch_compares(const struct bpf_insn *insn);

/* Does the jump compare the low halves? */
static inline bool branch_is32(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_JMP32;
}

/* The comparison that a compare-and-jump instruction makes. */
enum scalar_cmp branch_cmp(const struct bpf_insn *insn);

/* Is the jump always or never taken? src: the source register's scalar, or the immediate's
 * (scalar_const). */
enum scalar_truth branch_decide(const struct bpf_insn *insn, const struct scalar *dst,
				const struct scalar *src);

/*
 * What is known where the jump was taken, or was not. dst and src may be the same object (one
 * register compared with itself). The caller checks scalar_violation() of both afterwards: the
 * kernel's order is taken dst, taken src, fall-through dst, fall-through src.
 */
void branch_refine(const struct bpf_insn *insn, bool taken, struct scalar *dst, struct scalar *src);

#endif
