/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with one instruction by itself: unknown opcodes, reserved fields that are set,
 * registers that do not exist. One function for each kind; the wording is the kernel's.
 */
#include <errno.h>
#include <stdio.h>

#include "isa/opcode.h"

#define REG_MAX 10

static const char *check_alu(const struct bpf_insn *insn)
{
	u8 op = BPF_OP(insn->code);
	bool is_reg = BPF_SRC(insn->code) == BPF_X;
	bool signed_form = insn->off == 1 && (op == BPF_DIV || op == BPF_MOD);

	if (op == BPF_MOV) {
		bool narrow = insn->off == 8 || insn->off == 16;
		bool wide = BPF_CLASS(insn->code) == BPF_ALU64;
		bool word = insn->off == 32 && wide;

		if (is_reg && wide && insn->off == ISA_ADDR_SPACE_CAST)
			return insn->imm != 1 && insn->imm != 1 << 16
				       ? "addr_space_cast insn can only convert between address "
					 "space 1 and 0"
				       : NULL;
		if (is_reg ? insn->imm != 0 || (insn->off != 0 && !narrow && !word)
			   : insn->src_reg != 0 || insn->off != 0)
			return "BPF_MOV uses reserved fields";
		return NULL;
	}
	if (insn->off != 0 && !signed_form)
		return "BPF_ALU uses reserved fields";
	if (is_reg ? insn->imm != 0 : insn->src_reg != 0)
		return "BPF_ALU uses reserved fields";
	return NULL;
}

static const char *check_end(const struct bpf_insn *insn)
{
	bool width = insn->imm == 16 || insn->imm == 32 || insn->imm == 64;

	return insn->src_reg != 0 || insn->off != 0 || !width ? "BPF_END uses reserved fields"
							      : NULL;
}

static const char *check_call(const struct bpf_insn *insn)
{
	bool kfunc = insn->src_reg == BPF_PSEUDO_KFUNC_CALL;

	if ((!kfunc && insn->off != 0) || insn->dst_reg != 0 ||
	    (insn->src_reg != 0 && insn->src_reg != BPF_PSEUDO_CALL && !kfunc))
		return "BPF_CALL uses reserved fields";
	return NULL;
}

static const char *check_ja(const struct bpf_insn *insn)
{
	bool is_long = BPF_CLASS(insn->code) == BPF_JMP32;

	if (insn->src_reg != 0 || insn->dst_reg != 0 || (is_long ? insn->off != 0 : insn->imm != 0))
		return "BPF_JA uses reserved fields";
	return NULL;
}

static const char *check_ld_imm64(const struct bpf_insn *insn, u32 nr_left)
{
	if (nr_left < 2 || insn[1].code != 0 || insn[1].dst_reg != 0 || insn[1].src_reg != 0 ||
	    insn[1].off != 0)
		return "invalid bpf_ld_imm64 insn";
	return insn->off != 0 ? "BPF_LD_IMM64 uses reserved fields" : NULL;
}

static const char *check_reserved(const struct bpf_insn *insn, u32 nr_left)
{
	bool is_reg = BPF_SRC(insn->code) == BPF_X;

	switch (isa_opcodes[insn->code].kind) {
	case ISA_ALU: return check_alu(insn);
	case ISA_NEG:
		return insn->src_reg || insn->off || insn->imm ? "BPF_NEG uses reserved fields"
							       : NULL;
	case ISA_END: return check_end(insn);
	case ISA_LOAD: return insn->imm != 0 ? "BPF_LDX uses reserved fields" : NULL;
	case ISA_STORE:
		if (BPF_CLASS(insn->code) == BPF_STX)
			return insn->imm != 0 ? "BPF_STX uses reserved fields" : NULL;
		return insn->src_reg != 0 ? "BPF_ST uses reserved fields" : NULL;
	case ISA_LD_IMM64: return check_ld_imm64(insn, nr_left);
	case ISA_LD_PACKET:
		return insn->dst_reg || insn->off ||
				       (ISA_MODE(insn->code) == BPF_ABS && insn->src_reg)
			       ? "BPF_LD_[ABS|IND] uses reserved fields"
			       : NULL;
	case ISA_JA: return check_ja(insn);
	case ISA_JUMP:
		return (is_reg ? insn->imm != 0 : insn->src_reg != 0)
			       ? "BPF_JMP/JMP32 uses reserved fields"
			       : NULL;
	case ISA_MAY_GOTO:
		return insn->src_reg != BPF_MAY_GOTO || insn->dst_reg || insn->imm
			       ? "invalid may_goto imm"
			       : NULL;
	case ISA_CALL: return check_call(insn);
	case ISA_EXIT:
		return insn->src_reg || insn->dst_reg || insn->imm ? "BPF_EXIT uses reserved fields"
								   : NULL;
	default: return NULL;
	}
}

static bool atomic_known(const struct bpf_insn *insn)
{
	bool narrow = isa_opcodes[insn->code].bytes < 4;

	switch (insn->imm) {
	case BPF_LOAD_ACQ:
	case BPF_STORE_REL: return true;
	case BPF_ADD:
	case BPF_OR:
	case BPF_AND:
	case BPF_XOR:
	case BPF_ADD | BPF_FETCH:
	case BPF_OR | BPF_FETCH:
	case BPF_AND | BPF_FETCH:
	case BPF_XOR | BPF_FETCH:
	case BPF_XCHG:
	case BPF_CMPXCHG: return !narrow;
	default: return false;
	}
}

int isa_check(const struct bpf_insn *insn, u32 nr_left, char *text, u32 size)
{
	const struct isa_opcode *opcode = &isa_opcodes[insn->code];
	const char *message;

	if (opcode->kind == ISA_INVALID) {
		snprintf(text, size, "unknown opcode %02x", insn->code);
		return -EINVAL;
	}
	message = check_reserved(insn, nr_left);
	if (message) {
		if (opcode->kind == ISA_MAY_GOTO)
			snprintf(text, size, "%s %d", message, insn->imm);
		else
			snprintf(text, size, "%s", message);
		return -EINVAL;
	}
	if (opcode->kind == ISA_ATOMIC && !atomic_known(insn)) {
		if (opcode->bytes < 4 && insn->imm != BPF_LOAD_ACQ && insn->imm != BPF_STORE_REL)
			snprintf(text, size, "invalid atomic operand size");
		else
			snprintf(text, size, "BPF_ATOMIC uses invalid atomic opcode %02x",
				 insn->imm);
		return -EINVAL;
	}
	if ((opcode->fields & ISA_DST) && insn->dst_reg > REG_MAX) {
		snprintf(text, size, "R%d is invalid", insn->dst_reg);
		return -EINVAL;
	}
	if ((opcode->fields & ISA_SRC) && opcode->kind != ISA_LD_IMM64 &&
	    opcode->kind != ISA_CALL && opcode->kind != ISA_MAY_GOTO && insn->src_reg > REG_MAX) {
		snprintf(text, size, "R%d is invalid", insn->src_reg);
		return -EINVAL;
	}
	return 0;
}
