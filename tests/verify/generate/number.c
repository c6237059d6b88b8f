/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statements about numbers, the stack, the context and memory.
 */
#include "verify/generate/gen.h"

enum { LOAD_ACQUIRE = 0x100, STORE_RELEASE = 0x110 };

static const u8 size_codes[] = { BPF_B, BPF_H, BPF_W, BPF_DW };

void say_alu(struct gen *g)
{
	static const u8 ops[] = { BPF_ADD, BPF_ADD, BPF_SUB, BPF_MUL,  BPF_AND, BPF_AND, BPF_OR,
				  BPF_XOR, BPF_LSH, BPF_RSH, BPF_ARSH, BPF_DIV, BPF_MOD };
	u8 op = ops[pick(g, ARRAY_SIZE(ops))], class = chance(g, 600) ? BPF_ALU64 : BPF_ALU;
	u8 dst = need_scalar(g), src;
	s32 imm = pick_imm(g), off = 0;

	note(g, GEN_SCALARS);
	if (g->reserved >> dst & 1 && !liberty(g))
		return;
	if ((op == BPF_DIV || op == BPF_MOD) && chance(g, 300)) {
		off = 1;
		note(g, GEN_SIGNED);
	}
	if ((op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH) && !liberty(g))
		imm = (s32)pick(g, class == BPF_ALU64 ? 64 : 32);
	if ((op == BPF_DIV || op == BPF_MOD) && imm == 0 && !liberty(g))
		imm = 3;
	if (chance(g, 600)) {
		emit(g, class | op | BPF_K, dst, 0, off, imm);
	} else {
		src = need_scalar(g);
		if (g->v.kind[dst] == K_SCALAR || liberty(g))
			emit(g, class | op | BPF_X, dst, src, off, 0);
	}
}

void say_unary(struct gen *g)
{
	static const s16 widths[] = { 0, 8, 16, 32 };
	u8 src = need_scalar(g), dst = pick_target(g);

	if (g->reserved >> src & 1 && !liberty(g))
		return;
	note(g, GEN_SIGNED);
	switch (pick(g, 6)) {
	case 0: emit(g, (chance(g, 500) ? BPF_ALU64 : BPF_ALU) | BPF_NEG, src, 0, 0, 0); return;
	case 1:
		emit(g, BPF_ALU | BPF_END | (chance(g, 500) ? BPF_TO_BE : BPF_TO_LE), src, 0, 0,
		     16 << pick(g, 3));
		return;
	case 2: emit(g, BPF_ALU64 | BPF_END, src, 0, 0, 16 << pick(g, 3)); return;
	case 3: emit(g, BPF_ALU | BPF_MOV | BPF_X, dst, src, widths[pick(g, 3)], 0); break;
	case 4: emit(g, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, widths[pick(g, 4)], 0); break;
	default: emit_const(g, dst, pick_imm(g)); return;
	}
	set_kind(g, dst, K_SCALAR, 0);
}

void say_spill(struct gen *g)
{
	unsigned slot = pick(g, NR_SLOTS), width = chance(g, 700) ? 3 : pick(g, 4);
	s32 off = -8 * (s32)(slot + 1);
	u8 reg = (u8)pick(g, 10);

	note(g, GEN_STACK);
	if (g->v.kind[reg] == K_NONE && !liberty(g))
		reg = need_scalar(g);
	if (width < 3 && chance(g, 500))
		off += (s32)(pick(g, 8u >> width) << width);
	if (liberty(g))
		off += (s32)pick(g, 24) - 12;
	if (chance(g, 150)) {
		emit(g, BPF_ST | BPF_MEM | size_codes[width], 10, 0, off, pick_imm(g));
		g->v.slot[slot] = width == 3 ? K_SCALAR : g->v.slot[slot];
		return;
	}
	if (width < 3 && g->v.kind[reg] != K_SCALAR)
		width = 3, off = -8 * (s32)(slot + 1);
	emit(g, BPF_STX | BPF_MEM | size_codes[width], 10, reg, off, 0);
	if (width == 3 || g->v.slot[slot] > K_SCALAR) {
		g->v.slot[slot] = width == 3 ? g->v.kind[reg] : K_NONE;
		g->v.slot_size[slot] = g->v.size[reg];
	}
}

void say_fill(struct gen *g)
{
	unsigned slot = pick(g, NR_SLOTS), width = chance(g, 600) ? 3 : pick(g, 4);
	s32 off = -8 * (s32)(slot + 1);
	u8 dst = pick_target(g);
	bool extends = width < 3 && chance(g, 200);

	if (g->v.slot[slot] == K_NONE && chance(g, 800))
		return;
	note(g, GEN_STACK);
	if (width < 3 && g->v.slot[slot] > K_SCALAR && !liberty(g))
		width = 3, extends = false;
	if (width < 3)
		off += (s32)(pick(g, 8u >> width) << width);
	if (liberty(g))
		off += (s32)pick(g, 24) - 12;
	emit(g, BPF_LDX | (extends ? BPF_MEMSX : BPF_MEM) | size_codes[width], dst, 10, off, 0);
	set_kind(g, dst, width == 3 ? g->v.slot[slot] : K_SCALAR, g->v.slot_size[slot]);
}

void say_context(struct gen *g)
{
	static const u8 skb_words[] = { 0,  4,	8,  12, 16, 20, 24, 28, 32,
					36, 40, 44, 48, 52, 56, 60, 64, 68 };
	static const u8 addr_words[] = { 0, 4, 24, 28, 32, 36 };
	u8 ctx = find(g, K_CTX), dst = pick_target(g), width = 2;
	s32 off;

	if (ctx == NO_REG)
		return;
	note(g, GEN_CONTEXT);
	switch (g->p->prog_type) {
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_LWT_IN: off = skb_words[pick(g, ARRAY_SIZE(skb_words))]; break;
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
		off = addr_words[pick(g, ARRAY_SIZE(addr_words))];
		break;
	case BPF_PROG_TYPE_CGROUP_SYSCTL: off = 4 * (s32)pick(g, 2); break;
	case BPF_PROG_TYPE_XDP: off = 12 + 4 * (s32)pick(g, 2); break;
	case BPF_PROG_TYPE_TRACEPOINT:
		width = (u8)pick(g, 4), off = (s32)(8 + pick(g, 40) * 8);
		break;
	case BPF_PROG_TYPE_KPROBE: width = 3, off = (s32)pick(g, 21) * 8; break;
	default: width = 3, off = (s32)pick(g, 12) * 8; break;
	}
	if (liberty(g))
		off = (s32)pick(g, 300) - 20, width = (u8)pick(g, 4);
	if (chance(g, 30))
		emit(g, BPF_STX | BPF_MEM | size_codes[width], ctx, need_scalar(g), off, 0);
	emit(g, BPF_LDX | BPF_MEM | size_codes[width], dst, ctx, off, 0);
	set_kind(g, dst, K_SCALAR, 0);
}

/* A load or store with an order. */
static void say_ordered(struct gen *g, u8 base, s32 off, u8 src)
{
	unsigned width = pick(g, 4);
	u8 dst = pick_target(g);

	off &= ~(s32)((1u << width) - 1);
	if (chance(g, 500)) {
		emit(g, BPF_STX | BPF_ATOMIC | size_codes[width], base, src, off, STORE_RELEASE);
		return;
	}
	emit(g, BPF_STX | BPF_ATOMIC | size_codes[width], dst, base, off, LOAD_ACQUIRE);
	set_kind(g, dst, K_SCALAR, 0);
}

static void say_atomic(struct gen *g, u8 base, s32 off)
{
	static const s32 ops[] = { BPF_ADD,
				   BPF_AND,
				   BPF_OR,
				   BPF_XOR,
				   BPF_ADD | BPF_FETCH,
				   BPF_AND | BPF_FETCH,
				   BPF_OR | BPF_FETCH,
				   BPF_XCHG,
				   BPF_CMPXCHG };
	bool wide = chance(g, 500);
	u8 src = need_scalar(g);

	note(g, GEN_ATOMICS);
	if (chance(g, 300)) {
		say_ordered(g, base, off, src);
		return;
	}

	if (g->v.kind[0] != K_SCALAR)
		emit_const(g, 0, 0);
	if (g->v.kind[src] != K_SCALAR)
		return;
	emit(g, BPF_STX | BPF_ATOMIC | (wide ? BPF_DW : BPF_W), base, src,
	     wide ? off & ~7 : off & ~3, ops[pick(g, ARRAY_SIZE(ops))]);
}

void access_memory(struct gen *g, u8 base, unsigned size)
{
	unsigned width = pick(g, 4), bytes = 1u << width;
	u8 dst, copy = (u8)(1 + pick(g, 5));
	s32 off;

	if (size < bytes)
		width = 0, bytes = 1;
	off = (s32)(pick(g, size / bytes) * bytes);
	if (liberty(g))
		off = (s32)pick(g, size + 16) - 4;
	if (chance(g, 300) && copy != base) {
		u8 index = need_scalar(g);
		s32 mask = (s32)(1u << pick(g, 6)) - 1;

		if (index == copy || index == base || g->reserved >> index & 1 ||
		    g->v.kind[index] != K_SCALAR)
			return;
		emit(g, (chance(g, 700) ? BPF_ALU64 : BPF_ALU) | BPF_AND | BPF_K, index, 0, 0,
		     mask);
		emit_mov(g, copy, base);
		emit(g, BPF_ALU64 | (chance(g, 950) ? BPF_ADD : BPF_SUB) | BPF_X, copy, index, 0,
		     0);
		base = copy;
		if (!liberty(g) && off + mask + (s32)bytes > (s32)size)
			off = (s32)size - mask - (s32)bytes < 0
				      ? 0
				      : ((s32)size - mask - (s32)bytes) & ~((s32)bytes - 1);
	}
	switch (g->v.kind[base] == K_READ_ONLY && !liberty(g) ? 4 : pick(g, 5)) {
	case 0: emit(g, BPF_ST | BPF_MEM | size_codes[width], base, 0, off, pick_imm(g)); break;
	case 1: emit(g, BPF_STX | BPF_MEM | size_codes[width], base, need_scalar(g), off, 0); break;
	case 2: say_atomic(g, base, off); break;
	default:
		dst = pick_target(g);
		emit(g,
		     BPF_LDX | (width < 3 && chance(g, 200) ? BPF_MEMSX : BPF_MEM) |
			     size_codes[width],
		     dst, base, off, 0);
		set_kind(g, dst, K_SCALAR, 0);
		break;
	}
}

void say_memory(struct gen *g)
{
	u8 reg = find(g, chance(g, 700) ? K_VALUE : K_RECORD);

	if (reg != NO_REG && g->v.size[reg])
		access_memory(g, reg, g->v.size[reg]);
}

void say_advance(struct gen *g)
{
	u8 reg = find(g, K_VALUE);
	unsigned step = 1u << pick(g, 5);

	if (reg == NO_REG || g->v.size[reg] <= step || g->reserved >> reg & 1)
		return;
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, reg, 0, 0, (s32)step);
	g->v.size[reg] = (u8)(g->v.size[reg] - step);
}

u32 emit_condition(struct gen *g)
{
	static const u8 ops[] = { BPF_JEQ, BPF_JNE,  BPF_JSET, BPF_JGT,	 BPF_JGE, BPF_JLT,
				  BPF_JLE, BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE };
	u8 op = ops[pick(g, ARRAY_SIZE(ops))], class = chance(g, 650) ? BPF_JMP : BPF_JMP32;
	u8 dst = need_scalar(g);

	if (chance(g, 650))
		return emit(g, class | op | BPF_K, dst, 0, 0, pick_imm(g));
	return emit(g, class | op | BPF_X, dst, need_scalar(g), 0, 0);
}
