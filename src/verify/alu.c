/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decodes scalar ALU instructions into operations of the scalar domain. 32-bit operands are the low
 * halves of registers and immediates are sign-extended to the word, so one constant serves both
 * widths.
 */
#include "verify/alu.h"

/* The operand src of insn: the register's scalar or the immediate. */
static struct scalar operand(const struct bpf_insn *insn, const struct scalar *src)
{
	if (BPF_SRC(insn->code) == BPF_X)
		return *src;
	return scalar_const((u64)(s64)insn->imm);
}

static bool scalar_op_of(const struct bpf_insn *insn, enum scalar_op *ret_op)
{
	/* Division and remainder are signed if the offset is 1. */
	bool is_signed = insn->off == 1;

	switch (BPF_OP(insn->code)) {
	case BPF_ADD: *ret_op = SCALAR_ADD; return true;
	case BPF_SUB: *ret_op = SCALAR_SUB; return true;
	case BPF_MUL: *ret_op = SCALAR_MUL; return true;
	case BPF_DIV: *ret_op = is_signed ? SCALAR_SDIV : SCALAR_DIV; return true;
	case BPF_MOD: *ret_op = is_signed ? SCALAR_SMOD : SCALAR_MOD; return true;
	case BPF_AND: *ret_op = SCALAR_AND; return true;
	case BPF_OR: *ret_op = SCALAR_OR; return true;
	case BPF_XOR: *ret_op = SCALAR_XOR; return true;
	case BPF_LSH: *ret_op = SCALAR_LSH; return true;
	case BPF_RSH: *ret_op = SCALAR_RSH; return true;
	case BPF_ARSH: *ret_op = SCALAR_ARSH; return true;
	default: return false;
	}
}

static void move(const struct bpf_insn *insn, struct scalar *dst, const struct scalar *src)
{
	bool is32 = BPF_CLASS(insn->code) == BPF_ALU;

	*dst = operand(insn, src);
	if (insn->off != 0)
		scalar_movsx(dst, insn->off / 8, is32);
	else if (is32)
		scalar_zext32(dst);
}

/* Byte order: ALU64 swaps always, ALU to the named order, on this little-endian machine. */
static void swap_bytes(const struct bpf_insn *insn, struct scalar *dst)
{
	bool to_le = BPF_CLASS(insn->code) == BPF_ALU && BPF_SRC(insn->code) == BPF_TO_LE;

	scalar_bswap(dst, to_le ? SCALAR_KEEP : SCALAR_SWAP, insn->imm);
}

void alu_scalar(const struct bpf_insn *insn, struct scalar *dst, const struct scalar *src)
{
	bool is32 = BPF_CLASS(insn->code) == BPF_ALU;
	struct scalar value;
	enum scalar_op op;

	switch (BPF_OP(insn->code)) {
	case BPF_MOV: move(insn, dst, src); return;
	case BPF_NEG: scalar_neg(dst, is32); return;
	case BPF_END: swap_bytes(insn, dst); return;
	default: break;
	}
	if (!scalar_op_of(insn, &op)) {
		*dst = scalar_unknown();
		return;
	}
	value = operand(insn, src);
	scalar_alu(op, is32, dst, &value);
}

bool alu_forks(const struct bpf_insn *insn, const struct scalar *dst, const struct scalar *src,
	       struct scalar *ret_zero, struct scalar *ret_ones)
{
	u8 op = BPF_OP(insn->code);
	struct scalar value;

	if (op != BPF_AND && op != BPF_OR)
		return false;
	value = operand(insn, src);
	return scalar_is_const(&value) && scalar_split(dst, ret_zero, ret_ones);
}
