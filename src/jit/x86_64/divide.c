/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Division and its remainder (rt/alu.h says what they give for 0 and -1). The processor divides
 * rdx:rax, which are r3 and r0: both are kept in r11 and r10 meanwhile, the divisor in r9.
 */
#include "jit/x86_64/codegen.h"

#include "isa/opcode.h"

struct division {
	struct emitter *emitter;
	u32 dst, width;
	bool mod, is_signed;
};

/* Unsigned, by a power of two. */
static bool divide_by_power(const struct division *division, const struct bpf_insn *insn)
{
	u32 divisor = (u32)insn->imm, shift;

	if (BPF_SRC(insn->code) != BPF_K || division->is_signed || insn->imm <= 0 ||
	    divisor & (divisor - 1))
		return false;
	shift = (u32)__builtin_ctz(divisor);
	if (division->mod)
		x86_imm(division->emitter, 0, X86_AND, division->dst, (s32)(divisor - 1));
	else if (shift)
		x86_shift_imm(division->emitter, division->width, X86_SHR, division->dst, shift);
	else if (!division->width)
		x86_move(division->emitter, 0, division->dst, division->dst);
	return true;
}

/* What there is to do for a divisor of 0: nothing for a remainder, but for its upper half. */
static void divide_by_zero(const struct division *division)
{
	if (!division->mod)
		x86_constant(division->emitter, division->dst, 0);
	else if (!division->width)
		x86_move(division->emitter, 0, division->dst, division->dst);
}

static void divide_by_minus_one(const struct division *division)
{
	if (division->mod)
		x86_constant(division->emitter, division->dst, 0);
	else
		x86_reg(division->emitter, division->width, 0xf7, 3, division->dst);
}

static void divide(const struct division *division)
{
	struct emitter *emitter = division->emitter;

	x86_move(emitter, X86_64, R10, RAX);
	x86_move(emitter, X86_64, R11, RDX);
	x86_move(emitter, X86_64, RAX, division->dst);
	if (division->is_signed) {
		if (division->width)
			emit_byte(emitter, 0x48);
		emit_byte(emitter, 0x99); /* cdq, cqo */
	} else {
		x86_constant(emitter, RDX, 0);
	}
	x86_reg(emitter, division->width, 0xf7, division->is_signed ? 7 : 6, R9);
	x86_move(emitter, X86_64, R9, division->mod ? RDX : RAX);
	x86_move(emitter, X86_64, RAX, R10);
	x86_move(emitter, X86_64, RDX, R11);
	x86_move(emitter, X86_64, division->dst, R9);
}

void codegen_divide(struct generator *generator, const struct bpf_insn *insn)
{
	struct emitter *emitter = &generator->emitter;
	struct division division = {
		.emitter = emitter,
		.dst = codegen_reg(insn->dst_reg),
		.width = BPF_CLASS(insn->code) == BPF_ALU64 ? X86_64 : 0,
		.mod = BPF_OP(insn->code) == BPF_MOD,
		.is_signed = insn->off != 0,
	};
	bool constant = BPF_SRC(insn->code) == BPF_K;
	u32 done, zero, minus_one;

	if (divide_by_power(&division, insn))
		return;
	if (constant && insn->imm == 0) {
		divide_by_zero(&division);
		return;
	}
	if (constant && division.is_signed && insn->imm == -1) {
		divide_by_minus_one(&division);
		return;
	}
	if (constant) {
		x86_constant(emitter, R9, division.width ? (u64)(s64)insn->imm : (u32)insn->imm);
		divide(&division);
		return;
	}
	done = emit_label(emitter);
	zero = emit_label(emitter);
	minus_one = emit_label(emitter);
	x86_move(emitter, X86_64, R9, codegen_reg(insn->src_reg));
	x86_reg(emitter, division.width, 0x85, R9, R9);
	emit_jump_if(emitter, X86_E, zero);
	if (division.is_signed) {
		x86_imm(emitter, division.width, X86_CMP, R9, -1);
		emit_jump_if(emitter, X86_E, minus_one);
	}
	divide(&division);
	emit_jump(emitter, done);
	emit_bind(emitter, zero);
	divide_by_zero(&division);
	if (division.is_signed)
		emit_jump(emitter, done);
	emit_bind(emitter, minus_one);
	if (division.is_signed)
		divide_by_minus_one(&division);
	emit_bind(emitter, done);
}
