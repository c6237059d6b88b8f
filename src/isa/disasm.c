/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disassembler. One function for each instruction class; unknown combinations print as the
 * kernel prints them ("BUG_ldx_61"), since clients compare logs.
 */
#include <stdio.h>

#include "isa/disasm.h"
#include "isa/opcode.h"

static const char *const alu_text[16] = {
	[BPF_ADD >> 4] = "+=",	  [BPF_SUB >> 4] = "-=",     [BPF_MUL >> 4] = "*=",
	[BPF_DIV >> 4] = "/=",	  [BPF_OR >> 4] = "|=",	     [BPF_AND >> 4] = "&=",
	[BPF_LSH >> 4] = "<<=",	  [BPF_RSH >> 4] = ">>=",    [BPF_NEG >> 4] = "neg",
	[BPF_MOD >> 4] = "%=",	  [BPF_XOR >> 4] = "^=",     [BPF_MOV >> 4] = "=",
	[BPF_ARSH >> 4] = "s>>=", [BPF_END >> 4] = "endian",
};

static const char *const atomic_text[16] = {
	[BPF_ADD >> 4] = "add",
	[BPF_AND >> 4] = "and",
	[BPF_OR >> 4] = "or",
	[BPF_XOR >> 4] = "xor",
};

static const char *const jump_text[16] = {
	[BPF_JA >> 4] = "jmp",	  [BPF_JEQ >> 4] = "==",    [BPF_JGT >> 4] = ">",
	[BPF_JLT >> 4] = "<",	  [BPF_JGE >> 4] = ">=",    [BPF_JLE >> 4] = "<=",
	[BPF_JSET >> 4] = "&",	  [BPF_JNE >> 4] = "!=",    [BPF_JSGT >> 4] = "s>",
	[BPF_JSLT >> 4] = "s<",	  [BPF_JSGE >> 4] = "s>=",  [BPF_JSLE >> 4] = "s<=",
	[BPF_CALL >> 4] = "call", [BPF_EXIT >> 4] = "exit",
};

static const char *const size_text[4] = { "u32", "u16", "u8", "u64" };
static const char *const signed_size_text[4] = { "s32", "s16", "s8", "BUG" };

static const char *size_of(u8 code)
{
	return size_text[BPF_SIZE(code) >> 3];
}

static const char *alu_operator(const struct bpf_insn *insn)
{
	u8 op = BPF_OP(insn->code);

	if (insn->off == 1 && op == BPF_DIV)
		return "s/=";
	if (insn->off == 1 && op == BPF_MOD)
		return "s%=";
	return alu_text[op >> 4] ?: "BUG";
}

static const char *sign_extension(const struct bpf_insn *insn)
{
	if (BPF_OP(insn->code) != BPF_MOV || BPF_SRC(insn->code) != BPF_X)
		return "";
	switch (insn->off) {
	case 8: return "(s8)";
	case 16: return "(s16)";
	case 32: return "(s32)";
	default: return "";
	}
}

static int disasm_alu(const struct bpf_insn *insn, char *text, u32 size)
{
	u8 code = insn->code, op = BPF_OP(code);
	char r = BPF_CLASS(code) == BPF_ALU ? 'w' : 'r';

	if (op == BPF_END && BPF_CLASS(code) == BPF_ALU64)
		return snprintf(text, size, "(%02x) r%d = bswap%d r%d", code, insn->dst_reg,
				insn->imm, insn->dst_reg);
	if (op == BPF_END)
		return snprintf(text, size, "(%02x) r%d = %s%d r%d", code, insn->dst_reg,
				BPF_SRC(code) == BPF_TO_BE ? "be" : "le", insn->imm, insn->dst_reg);
	if (op == BPF_NEG)
		return snprintf(text, size, "(%02x) %c%d = -%c%d", code, r, insn->dst_reg, r,
				insn->dst_reg);
	if (code == (BPF_ALU64 | BPF_MOV | BPF_X) && insn->off == ISA_ADDR_SPACE_CAST)
		return snprintf(text, size, "(%02x) r%d = addr_space_cast(r%d, %u, %u)", code,
				insn->dst_reg, insn->src_reg, (u32)insn->imm >> 16, (u16)insn->imm);
	/* Only kernels have such an instruction, but they print what clients give them. */
	if (code == (BPF_ALU64 | BPF_MOV | BPF_X) && insn->off == ISA_ADDR_PERCPU)
		return snprintf(text, size, "(%02x) r%d = &(void __percpu *)(r%d)", code,
				insn->dst_reg, insn->src_reg);
	if (BPF_SRC(code) == BPF_X)
		return snprintf(text, size, "(%02x) %c%d %s %s%c%d", code, r, insn->dst_reg,
				alu_operator(insn), sign_extension(insn), r, insn->src_reg);
	return snprintf(text, size, "(%02x) %c%d %s %d", code, r, insn->dst_reg, alu_operator(insn),
			insn->imm);
}

static int disasm_atomic(const struct bpf_insn *insn, char *text, u32 size)
{
	u8 code = insn->code;
	const char *width = BPF_SIZE(code) == BPF_DW ? "64" : "";
	const char *name = atomic_text[(insn->imm & 0xf0) >> 4];

	if (insn->imm == BPF_CMPXCHG)
		return snprintf(text, size,
				"(%02x) r0 = atomic%s_cmpxchg((%s *)(r%d %+d), r0, r%d)", code,
				width, size_of(code), insn->dst_reg, insn->off, insn->src_reg);
	if (insn->imm == BPF_XCHG)
		return snprintf(text, size, "(%02x) r%d = atomic%s_xchg((%s *)(r%d %+d), r%d)",
				code, insn->src_reg, width, size_of(code), insn->dst_reg, insn->off,
				insn->src_reg);
	if (insn->imm == BPF_LOAD_ACQ)
		return snprintf(text, size, "(%02x) r%d = load_acquire((%s *)(r%d %+d))", code,
				insn->dst_reg, size_of(code), insn->src_reg, insn->off);
	if (insn->imm == BPF_STORE_REL)
		return snprintf(text, size, "(%02x) store_release((%s *)(r%d %+d), r%d)", code,
				size_of(code), insn->dst_reg, insn->off, insn->src_reg);
	if (!name || (insn->imm & ~(0xf0 | BPF_FETCH)))
		return snprintf(text, size, "BUG_%02x", code);
	if (insn->imm & BPF_FETCH)
		return snprintf(text, size, "(%02x) r%d = atomic%s_fetch_%s((%s *)(r%d %+d), r%d)",
				code, insn->src_reg, width, name, size_of(code), insn->dst_reg,
				insn->off, insn->src_reg);
	return snprintf(text, size, "(%02x) lock *(%s *)(r%d %+d) %s r%d", code, size_of(code),
			insn->dst_reg, insn->off, alu_text[insn->imm >> 4], insn->src_reg);
}

static int disasm_store(const struct bpf_insn *insn, char *text, u32 size)
{
	u8 code = insn->code;

	if (BPF_CLASS(code) == BPF_STX) {
		if (ISA_MODE(code) == BPF_ATOMIC)
			return disasm_atomic(insn, text, size);
		if (ISA_MODE(code) != BPF_MEM)
			return snprintf(text, size, "BUG_%02x", code);
		return snprintf(text, size, "(%02x) *(%s *)(r%d %+d) = r%d", code, size_of(code),
				insn->dst_reg, insn->off, insn->src_reg);
	}
	if (ISA_MODE(code) == BPF_MEM)
		return snprintf(text, size, "(%02x) *(%s *)(r%d %+d) = %d", code, size_of(code),
				insn->dst_reg, insn->off, insn->imm);
	if (ISA_MODE(code) == 0xc0)
		return snprintf(text, size, "(%02x) nospec", code);
	return snprintf(text, size, "BUG_st_%02x", code);
}

static int disasm_load(const struct bpf_insn *insn, char *text, u32 size)
{
	u8 code = insn->code;
	const char *type = size_of(code);

	if (ISA_MODE(code) == BPF_MEMSX)
		type = signed_size_text[BPF_SIZE(code) >> 3];
	else if (ISA_MODE(code) != BPF_MEM)
		return snprintf(text, size, "BUG_ldx_%02x", code);
	return snprintf(text, size, "(%02x) r%d = *(%s *)(r%d %+d)", code, insn->dst_reg, type,
			insn->src_reg, insn->off);
}

static int disasm_ld(const struct isa_disasm_ops *ops, const struct bpf_insn *insn,
		     bool allow_ptr_leaks, char *text, u32 size)
{
	u8 code = insn->code;

	if (ISA_MODE(code) == BPF_ABS)
		return snprintf(text, size, "(%02x) r0 = *(%s *)skb[%d]", code, size_of(code),
				insn->imm);
	if (ISA_MODE(code) == BPF_IND)
		return snprintf(text, size, "(%02x) r0 = *(%s *)skb[r%d + %d]", code, size_of(code),
				insn->src_reg, insn->imm);
	if (ISA_MODE(code) != BPF_IMM || BPF_SIZE(code) != BPF_DW)
		return snprintf(text, size, "BUG_ld_%02x", code);

	u64 imm = (u64)insn[1].imm << 32 | (u32)insn->imm;
	bool is_address =
		insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE;
	const char *name = NULL;

	if (is_address && !allow_ptr_leaks)
		imm = 0;
	if (ops && ops->imm_name)
		name = ops->imm_name(ops->arg, insn, imm);
	if (name)
		return snprintf(text, size, "(%02x) r%d = %s", code, insn->dst_reg, name);
	return snprintf(text, size, "(%02x) r%d = 0x%llx", code, insn->dst_reg,
			(unsigned long long)imm);
}

static int disasm_call(const struct isa_disasm_ops *ops, const struct bpf_insn *insn, char *text,
		       u32 size)
{
	const char *name = NULL;

	if (insn->src_reg == 0 && ops && ops->helper_name)
		name = ops->helper_name(ops->arg, insn->imm);
	if (!name && ops && ops->call_name)
		name = ops->call_name(ops->arg, insn);
	if (insn->src_reg == BPF_PSEUDO_CALL && name)
		return snprintf(text, size, "(%02x) call pc%s", insn->code, name);
	if (insn->src_reg == BPF_PSEUDO_CALL)
		return snprintf(text, size, "(%02x) call pc%+d", insn->code, insn->imm);
	if (!name)
		name = insn->src_reg == BPF_PSEUDO_KFUNC_CALL ? "kernel-function" : "unknown";
	return snprintf(text, size, "(%02x) call %s#%d", insn->code, name, insn->imm);
}

static int disasm_jump(const struct isa_disasm_ops *ops, const struct bpf_insn *insn, char *text,
		       u32 size)
{
	u8 code = insn->code, op = BPF_OP(code);
	char r = BPF_CLASS(code) == BPF_JMP32 ? 'w' : 'r';
	const char *compare = jump_text[op >> 4] ?: "BUG";

	if (op == BPF_CALL)
		return disasm_call(ops, insn, text, size);
	if (code == (BPF_JMP | BPF_JA))
		return snprintf(text, size, "(%02x) goto pc%+d", code, insn->off);
	if (code == (BPF_JMP | BPF_JCOND))
		return snprintf(text, size, "(%02x) may_goto pc%+d", code, insn->off);
	if (code == (BPF_JMP32 | BPF_JA))
		return snprintf(text, size, "(%02x) gotol pc%+d", code, insn->imm);
	if (code == (BPF_JMP | BPF_EXIT))
		return snprintf(text, size, "(%02x) exit", code);
	if (BPF_SRC(code) == BPF_X)
		return snprintf(text, size, "(%02x) if %c%d %s %c%d goto pc%+d", code, r,
				insn->dst_reg, compare, r, insn->src_reg, insn->off);
	return snprintf(text, size, "(%02x) if %c%d %s 0x%x goto pc%+d", code, r, insn->dst_reg,
			compare, (u32)insn->imm, insn->off);
}

int isa_disasm(const struct isa_disasm_ops *ops, const struct bpf_insn *insn, bool allow_ptr_leaks,
	       char *text, u32 size)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64: return disasm_alu(insn, text, size);
	case BPF_ST:
	case BPF_STX: return disasm_store(insn, text, size);
	case BPF_LDX: return disasm_load(insn, text, size);
	case BPF_LD: return disasm_ld(ops, insn, allow_ptr_leaks, text, size);
	default:
		return disasm_jump(ops, insn, text,
				   size); /* BPF_JMP, BPF_JMP32: the last two of eight */
	}
}
