/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic, but for division; jumps. */
#include "jit/x86_64/codegen.h"

#include "isa/opcode.h"

static u32 width_of(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code);

	return class == BPF_ALU64 || class == BPF_JMP ? X86_64 : 0;
}

static void codegen_move(struct generator *generator, const struct bpf_insn *insn)
{
	struct emitter *emitter = &generator->emitter;
	u32 dst = codegen_reg(insn->dst_reg), src = codegen_reg(insn->src_reg),
	    width = width_of(insn);

	if (BPF_SRC(insn->code) == BPF_K) {
		x86_constant(emitter, dst, width ? (u64)(s64)insn->imm : (u32)insn->imm);
		return;
	}
	switch (insn->off) {
	case 0: x86_move(emitter, width, dst, src); break;
	case 8: x86_reg(emitter, width | X86_BYTE, 0x0fbe, dst, src); break;
	case 16: x86_reg(emitter, width, 0x0fbf, dst, src); break;
	case 32: x86_reg(emitter, width, 0x63, dst, src); break;
	default: codegen_step(generator, insn); /* to another address space */
	}
}

static void codegen_group(struct generator *generator, const struct bpf_insn *insn,
			  enum x86_group op)
{
	struct emitter *emitter = &generator->emitter;
	u32 dst = codegen_reg(insn->dst_reg), width = width_of(insn);

	if (BPF_SRC(insn->code) == BPF_X)
		x86_reg(emitter, width, X86_STORE_OF(op), codegen_reg(insn->src_reg), dst);
	else if (op == X86_AND && insn->imm >= 0)
		x86_imm(emitter, 0, op, dst, insn->imm); /* clears the upper half in any case */
	else
		x86_imm(emitter, width, op, dst, insn->imm);
}

static void codegen_multiply(struct generator *generator, const struct bpf_insn *insn)
{
	struct emitter *emitter = &generator->emitter;
	u32 dst = codegen_reg(insn->dst_reg), width = width_of(insn);

	if (BPF_SRC(insn->code) == BPF_X) {
		x86_reg(emitter, width, 0x0faf, dst, codegen_reg(insn->src_reg));
	} else {
		x86_reg(emitter, width, 0x69, dst, dst);
		emit_u32(emitter, (u32)insn->imm);
	}
}

/* Without BMI2 the count has to be in cl, which is a part of r4. */
static void shift_by_cl(struct emitter *emitter, u32 width, enum x86_shift op, u32 dst, u32 src)
{
	u32 place = dst == RCX ? R11 : dst;

	if (dst == RCX || src != RCX)
		x86_move(emitter, X86_64, R11, RCX);
	if (src != RCX)
		x86_move(emitter, X86_64, RCX, src);
	x86_reg(emitter, width, 0xd3, op, place);
	if (dst == RCX || src != RCX)
		x86_move(emitter, X86_64, RCX, R11);
	/* A count of 0 may leave the upper half as it was. */
	if (!width)
		x86_move(emitter, 0, dst, dst);
}

static void codegen_shift(struct generator *generator, const struct bpf_insn *insn,
			  enum x86_shift op)
{
	struct emitter *emitter = &generator->emitter;
	u32 dst = codegen_reg(insn->dst_reg), src = codegen_reg(insn->src_reg),
	    width = width_of(insn), count = (u32)insn->imm & (width ? 63 : 31);

	if (BPF_SRC(insn->code) == BPF_X) {
		if (generator->input->features & JIT_BMI2)
			x86_shift_by(emitter, width, op, dst, dst, src);
		else
			shift_by_cl(emitter, width, op, dst, src);
	} else if (count) {
		x86_shift_imm(emitter, width, op, dst, count);
	} else if (!width) {
		x86_move(emitter, 0, dst, dst);
	}
}

static void codegen_swap(struct emitter *emitter, u32 dst, u32 bits)
{
	if (bits == 16) {
		x86_shift_imm(emitter, X86_16, X86_ROR, dst, 8);
		x86_reg(emitter, 0, 0x0fb7, dst, dst);
		return;
	}
	/* bswap has its register in the opcode. */
	emit_byte(emitter, (u8)(0x40 | (bits == 64 ? 8 : 0) | (dst >= R8)));
	emit_byte(emitter, 0x0f);
	emit_byte(emitter, (u8)(0xc8 | (dst & 7)));
}

static void codegen_end(struct generator *generator, const struct bpf_insn *insn)
{
	struct emitter *emitter = &generator->emitter;
	u32 dst = codegen_reg(insn->dst_reg);

	if (insn->code != (BPF_ALU | BPF_END | BPF_TO_LE))
		codegen_swap(emitter, dst, (u32)insn->imm);
	else if (insn->imm == 16)
		x86_reg(emitter, 0, 0x0fb7, dst, dst);
	else if (insn->imm == 32)
		x86_move(emitter, 0, dst, dst);
}

void codegen_alu(struct generator *generator, const struct bpf_insn *insn)
{
	u32 dst = codegen_reg(insn->dst_reg);

	switch (BPF_OP(insn->code)) {
	case BPF_ADD: codegen_group(generator, insn, X86_ADD); break;
	case BPF_SUB: codegen_group(generator, insn, X86_SUB); break;
	case BPF_OR: codegen_group(generator, insn, X86_OR); break;
	case BPF_AND: codegen_group(generator, insn, X86_AND); break;
	case BPF_XOR: codegen_group(generator, insn, X86_XOR); break;
	case BPF_MUL: codegen_multiply(generator, insn); break;
	case BPF_DIV:
	case BPF_MOD: codegen_divide(generator, insn); break;
	case BPF_LSH: codegen_shift(generator, insn, X86_SHL); break;
	case BPF_RSH: codegen_shift(generator, insn, X86_SHR); break;
	case BPF_ARSH: codegen_shift(generator, insn, X86_SAR); break;
	case BPF_NEG: x86_reg(&generator->emitter, width_of(insn), 0xf7, 3, dst); break;
	case BPF_MOV: codegen_move(generator, insn); break;
	case BPF_END: codegen_end(generator, insn); break;
	}
}

static enum x86_condition condition_of(u8 op)
{
	switch (op) {
	case BPF_JEQ: return X86_E;
	case BPF_JGT: return X86_A;
	case BPF_JGE: return X86_AE;
	case BPF_JLT: return X86_B;
	case BPF_JLE: return X86_BE;
	case BPF_JSGT: return X86_G;
	case BPF_JSGE: return X86_GE;
	case BPF_JSLT: return X86_L;
	case BPF_JSLE: return X86_LE;
	default: return X86_NE; /* JNE, JSET */
	}
}

static void codegen_comparison(struct generator *generator, const struct bpf_insn *insn)
{
	struct emitter *emitter = &generator->emitter;
	u32 dst = codegen_reg(insn->dst_reg), src = codegen_reg(insn->src_reg),
	    width = width_of(insn);
	bool test = BPF_OP(insn->code) == BPF_JSET;

	if (BPF_SRC(insn->code) == BPF_X) {
		x86_reg(emitter, width, test ? 0x85 : X86_STORE_OF(X86_CMP), src, dst);
	} else if (test) {
		x86_reg(emitter, width, 0xf7, 0, dst);
		emit_u32(emitter, (u32)insn->imm);
	} else if (insn->imm == 0) {
		x86_reg(emitter, width, 0x85, dst, dst);
	} else {
		x86_imm(emitter, width, X86_CMP, dst, insn->imm);
	}
}

void codegen_jump(struct generator *generator, const struct bpf_insn *insn)
{
	u32 next = generator->insn + 1;

	if (BPF_OP(insn->code) != BPF_JA) {
		codegen_comparison(generator, insn);
		emit_jump_if(&generator->emitter, condition_of(BPF_OP(insn->code)),
			     (u32)((s32)next + insn->off));
		return;
	}
	s32 distance = BPF_CLASS(insn->code) == BPF_JMP32 ? insn->imm : insn->off;

	if (distance)
		emit_jump(&generator->emitter, (u32)((s32)next + distance));
}
