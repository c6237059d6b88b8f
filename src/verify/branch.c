/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decodes conditional jumps into comparisons of the scalar domain.
 */
#include "verify/branch.h"

/* By operation >> 4; holes are jumps of other kinds. */
static const s8 comparisons[16] = {
	[BPF_JEQ >> 4] = 1 + SCALAR_EQ,	  [BPF_JNE >> 4] = 1 + SCALAR_NE,
	[BPF_JSET >> 4] = 1 + SCALAR_SET, [BPF_JGT >> 4] = 1 + SCALAR_GT,
	[BPF_JGE >> 4] = 1 + SCALAR_GE,	  [BPF_JLT >> 4] = 1 + SCALAR_LT,
	[BPF_JLE >> 4] = 1 + SCALAR_LE,	  [BPF_JSGT >> 4] = 1 + SCALAR_SGT,
	[BPF_JSGE >> 4] = 1 + SCALAR_SGE, [BPF_JSLT >> 4] = 1 + SCALAR_SLT,
	[BPF_JSLE >> 4] = 1 + SCALAR_SLE,
};

bool branch_compares(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) &&
	       comparisons[BPF_OP(insn->code) >> 4] != 0;
}

enum scalar_cmp branch_cmp(const struct bpf_insn *insn)
{
	return (enum scalar_cmp)(comparisons[BPF_OP(insn->code) >> 4] - 1);
}

enum scalar_truth branch_decide(const struct bpf_insn *insn, const struct scalar *dst,
				const struct scalar *src)
{
	return scalar_compare(branch_cmp(insn), branch_is32(insn), dst, src);
}

void branch_refine(const struct bpf_insn *insn, bool taken, struct scalar *dst, struct scalar *src)
{
	scalar_refine(branch_cmp(insn), branch_is32(insn), taken, dst, src);
}
