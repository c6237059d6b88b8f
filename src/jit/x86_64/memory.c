/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads, stores and atomic instructions: one access of memory for each. */
#include "jit/x86_64/codegen.h"

#include "isa/opcode.h"

static void codegen_load(struct generator *generator, const struct bpf_insn *insn)
{
	struct emitter *emitter = &generator->emitter;
	u32 dst = codegen_reg(insn->dst_reg), src = codegen_reg(insn->src_reg);
	bool is_signed = BPF_MODE(insn->code) == BPF_MEMSX;

	switch (BPF_SIZE(insn->code)) {
	case BPF_B:
		x86_mem(emitter, is_signed ? X86_64 : 0, is_signed ? 0x0fbe : 0x0fb6, dst, src,
			insn->off);
		break;
	case BPF_H:
		x86_mem(emitter, is_signed ? X86_64 : 0, is_signed ? 0x0fbf : 0x0fb7, dst, src,
			insn->off);
		break;
	case BPF_W:
		x86_mem(emitter, is_signed ? X86_64 : 0, is_signed ? 0x63 : 0x8b, dst, src,
			insn->off);
		break;
	default: x86_mem(emitter, X86_64, 0x8b, dst, src, insn->off);
	}
}

static void codegen_store(struct generator *generator, const struct bpf_insn *insn)
{
	struct emitter *emitter = &generator->emitter;
	u32 dst = codegen_reg(insn->dst_reg), src = codegen_reg(insn->src_reg);

	switch (BPF_SIZE(insn->code)) {
	case BPF_B: x86_mem(emitter, X86_BYTE, 0x88, src, dst, insn->off); break;
	case BPF_H: x86_mem(emitter, X86_16, 0x89, src, dst, insn->off); break;
	case BPF_W: x86_mem(emitter, 0, 0x89, src, dst, insn->off); break;
	default: x86_mem(emitter, X86_64, 0x89, src, dst, insn->off);
	}
}

static void codegen_store_imm(struct generator *generator, const struct bpf_insn *insn)
{
	struct emitter *emitter = &generator->emitter;
	u32 dst = codegen_reg(insn->dst_reg);

	switch (BPF_SIZE(insn->code)) {
	case BPF_B:
		x86_mem(emitter, 0, 0xc6, 0, dst, insn->off);
		emit_byte(emitter, (u8)insn->imm);
		return;
	case BPF_H:
		x86_mem(emitter, X86_16, 0xc7, 0, dst, insn->off);
		emit_byte(emitter, (u8)insn->imm);
		emit_byte(emitter, (u8)(insn->imm >> 8));
		return;
	case BPF_W: x86_mem(emitter, 0, 0xc7, 0, dst, insn->off); break;
	default: x86_mem(emitter, X86_64, 0xc7, 0, dst, insn->off);
	}
	emit_u32(emitter, (u32)insn->imm);
}

static bool is_plain(u8 code)
{
	return BPF_MODE(code) == BPF_MEM ||
	       (BPF_CLASS(code) == BPF_LDX && BPF_MODE(code) == BPF_MEMSX);
}

void codegen_memory(struct generator *generator, const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code);

	if (is_plain(insn->code) && class == BPF_LDX) {
		codegen_load(generator, insn);
	} else if (is_plain(insn->code) && class == BPF_STX) {
		codegen_store(generator, insn);
	} else if (is_plain(insn->code)) {
		codegen_store_imm(generator, insn);
	} else {
		/* What may fault, or what the verifier left to be checked. */
		codegen_step(generator, insn);
		emit_jump_if(&generator->emitter, X86_B, generator->end);
	}
}

/* Fetching or, and, xor: the processor has only an exchange that fails when it was not alone. */
static void codegen_fetch(struct generator *generator, const struct bpf_insn *insn,
			  enum x86_group op)
{
	struct emitter *emitter = &generator->emitter;
	u32 width = BPF_SIZE(insn->code) == BPF_DW ? X86_64 : 0, src = codegen_reg(insn->src_reg),
	    again = emit_label(emitter);

	x86_mem(emitter, X86_64, 0x8d, R10, codegen_reg(insn->dst_reg), insn->off);
	x86_move(emitter, X86_64, R9, RAX);
	x86_mem(emitter, width, 0x8b, RAX, R10, 0);
	emit_bind(emitter, again);
	x86_move(emitter, X86_64, R11, RAX);
	x86_reg(emitter, width, X86_STORE_OF(op), src == RAX ? R9 : src, R11);
	x86_mem(emitter, width | X86_LOCK, 0x0fb1, R11, R10, 0);
	emit_jump_if(emitter, X86_NE, again);
	if (src == RAX)
		return;
	x86_move(emitter, X86_64, src, RAX);
	x86_move(emitter, X86_64, RAX, R9);
}

static void codegen_exchange(struct generator *generator, const struct bpf_insn *insn, u32 opcode)
{
	x86_mem(&generator->emitter,
		(BPF_SIZE(insn->code) == BPF_DW ? X86_64 : 0) |
			(insn->imm == BPF_XCHG ? 0 : X86_LOCK),
		opcode, codegen_reg(insn->src_reg), codegen_reg(insn->dst_reg), insn->off);
}

/* Acquire and release are what each load and store of this processor does. */
static void codegen_ordered(struct generator *generator, const struct bpf_insn *insn)
{
	if (insn->imm == BPF_LOAD_ACQ)
		codegen_load(generator, insn);
	else if (insn->imm == BPF_STORE_REL)
		codegen_store(generator, insn);
	else
		generator->refusal = "an atomic instruction that is not known";
}

void codegen_atomic(struct generator *generator, const struct bpf_insn *insn)
{
	u8 size = BPF_SIZE(insn->code);

	if (size != BPF_W && size != BPF_DW) {
		codegen_ordered(generator, insn);
		return;
	}
	switch (insn->imm) {
	case BPF_ADD: codegen_exchange(generator, insn, X86_STORE_OF(X86_ADD)); break;
	case BPF_OR: codegen_exchange(generator, insn, X86_STORE_OF(X86_OR)); break;
	case BPF_AND: codegen_exchange(generator, insn, X86_STORE_OF(X86_AND)); break;
	case BPF_XOR: codegen_exchange(generator, insn, X86_STORE_OF(X86_XOR)); break;
	case BPF_ADD | BPF_FETCH: codegen_exchange(generator, insn, 0x0fc1); break;
	case BPF_OR | BPF_FETCH: codegen_fetch(generator, insn, X86_OR); break;
	case BPF_AND | BPF_FETCH: codegen_fetch(generator, insn, X86_AND); break;
	case BPF_XOR | BPF_FETCH: codegen_fetch(generator, insn, X86_XOR); break;
	case BPF_XCHG: codegen_exchange(generator, insn, 0x87); break;
	case BPF_CMPXCHG:
		codegen_exchange(generator, insn, 0x0fb1);
		/* When it succeeds it does not write rax. */
		if (size == BPF_W)
			x86_move(&generator->emitter, 0, RAX, RAX);
		break;
	default: codegen_ordered(generator, insn);
	}
}
