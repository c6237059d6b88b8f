/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statements whose soundness hangs on a number's bound: stores at variable offsets of the stack,
 * and offsets that are bounded by what another register holds on this path.
 */
#include "verify/generate/gen.h"

static const u8 size_codes[] = { BPF_B, BPF_H, BPF_W, BPF_DW };

static bool is_free(const struct gen *g, u8 reg)
{
	return !(g->reserved >> reg & 1);
}

/* A number that nobody knows, in reg. */
static void emit_unknown(struct gen *g, u8 reg)
{
	u8 src = g->no_calls || chance(g, 500) ? find(g, K_SCALAR) : NO_REG;

	if (src == NO_REG && !g->no_calls) {
		emit_helper(g, BPF_FUNC_get_prandom_u32, K_SCALAR, 0);
		src = 0;
	}
	if (src == NO_REG)
		emit_const(g, reg, pick_imm(g));
	else
		emit_mov(g, reg, src);
}

/* A slot is written in two parts: their bytes count one by one. */
static void fill_by_parts(struct gen *g, s32 off)
{
	s32 number = chance(g, 700) ? 0 : pick_imm(g);

	emit(g, BPF_ST | BPF_MEM | BPF_W, 10, 0, off + 4, number);
	emit(g, BPF_ST | BPF_MEM | BPF_W, 10, 0, off, number);
}

/* Slots [first, first + nr) are written, some by a register. */
static void fill_slots(struct gen *g, unsigned first, unsigned nr)
{
	for (unsigned slot = first; slot < first + nr; slot++) {
		s32 off = -8 * (s32)(slot + 1);
		u8 reg = chance(g, 400) ? find(g, K_SCALAR) : NO_REG;

		if (chance(g, 100) && g->v.slot[slot] != K_NONE)
			continue;
		if (chance(g, 300))
			fill_by_parts(g, off);
		else if (reg == NO_REG || g->v.kind[reg] != K_SCALAR)
			emit(g, BPF_ST | BPF_MEM | BPF_DW, 10, 0, off,
			     chance(g, 400) ? 0 : pick_imm(g));
		else
			emit(g, BPF_STX | BPF_MEM | BPF_DW, 10, reg, off, 0);
		g->v.slot[slot] = K_SCALAR;
	}
}

void say_stack_index(struct gen *g)
{
	unsigned nr = 1u << (1 + pick(g, 2)), first = pick(g, NR_SLOTS - nr + 1), width;
	s32 lowest = -8 * (s32)(first + nr);
	u8 index = (u8)pick(g, 6), at = (u8)(1 + pick(g, 5));

	if (index == at || !is_free(g, index) || !is_free(g, at))
		return;
	note(g, GEN_STACK_OFFSETS);
	fill_slots(g, first, nr);
	emit_unknown(g, index);
	width = pick(g, 4);
	emit(g, (chance(g, 700) ? BPF_ALU64 : BPF_ALU) | BPF_AND | BPF_K, index, 0, 0,
	     (s32)(8 * nr - (liberty(g) ? 0 : 1u << width)));
	emit_stack_address(g, at, lowest);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_X, at, index, 0, 0);
	set_kind(g, at, K_NONE, 0);
	if (chance(g, 300)) {
		emit(g, BPF_LDX | BPF_MEM | size_codes[width], index, at, 0, 0);
		return;
	}
	if (chance(g, 400))
		emit(g, BPF_ST | BPF_MEM | size_codes[width], at, 0, 0, pick_imm(g));
	else
		emit(g, BPF_STX | BPF_MEM | size_codes[width], at, index, 0, 0);
	for (unsigned slot = first; slot < first + nr; slot++)
		g->v.slot[slot] = K_SCALAR;
	width = chance(g, 500) ? width : pick(g, 4);
	emit(g, BPF_LDX | BPF_MEM | size_codes[width], index, 10,
	     lowest + (s32)(pick(g, 8 * nr >> width) << width), 0);
	set_kind(g, index, K_SCALAR, 0);
}

/* A constant in reg that depends on the way here. */
static void emit_limit(struct gen *g, u8 reg, s32 size)
{
	u32 jump;

	emit_const(g, reg, (s32)pick(g, (unsigned)size));
	if (chance(g, 200))
		return;
	jump = emit_condition(g);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0,
	     (s32)pick(g, (unsigned)size + (chance(g, 100) || liberty(g) ? 20 : 0)));
	land(g, jump);
}

void say_bound(struct gen *g)
{
	/* The jump leaves if the number is not below the limit. */
	static const u8 above[] = { BPF_JGT, BPF_JGE, BPF_JGE }, below[] = { BPF_JLT, BPF_JLE };
	s32 size = (s32)gen_maps[GEN_ARRAY].value_size;
	u8 index = pick_saved(g), limit = (u8)pick(g, 6), copy = (u8)pick(g, 6), base;
	u8 class = chance(g, 800) ? BPF_JMP : BPF_JMP32;
	struct view before;
	u32 jump;
	s32 by = 0;

	base = (u8)(1 + (copy + 1 + pick(g, 4)) % 5);
	if (index == NO_REG || limit == copy || limit == base || copy == base)
		return;
	note(g, GEN_BOUNDS);
	emit_unknown(g, index);
	emit_limit(g, limit, size);
	if (g->v.kind[index] != K_SCALAR || g->v.kind[limit] != K_SCALAR)
		return;
	/* The limit may be a sum, and may have been away. */
	if (chance(g, 200)) {
		emit(g, BPF_ALU64 | BPF_MOV | BPF_K, copy, 0, 0, (s32)pick(g, 4));
		emit(g, BPF_ALU64 | BPF_ADD | BPF_X, copy, limit, 0, 0);
		emit_mov(g, limit, copy);
	}
	if (chance(g, 250)) {
		emit(g, BPF_STX | BPF_MEM | BPF_DW, 10, limit, -8, 0);
		emit(g, BPF_LDX | BPF_MEM | BPF_DW, limit, 10, -8, 0);
		g->v.slot[0] = K_SCALAR;
	}
	/* What is compared may be a copy of what is used, at a distance of it. */
	emit_mov(g, copy, index);
	if (chance(g, 300))
		emit(g, (chance(g, 700) ? BPF_ALU64 : BPF_ALU) | BPF_ADD | BPF_K, copy, 0, 0,
		     by = (s32)pick(g, 8));
	if (chance(g, 500))
		jump = emit(g, class | above[pick(g, 3)] | BPF_X, copy, limit, 0, 0);
	else
		jump = emit(g, class | below[pick(g, 2)] | BPF_X, limit, copy, 0, 0);
	before = g->v;
	emit(g, BPF_LD | BPF_IMM | BPF_DW, base, BPF_PSEUDO_MAP_VALUE, 0, GEN_ARRAY);
	emit(g, 0, 0, 0, 0, 0);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_X, base,
	     (by ? chance(g, 700) : chance(g, 300)) ? copy : index, 0, 0);
	if (chance(g, 500))
		emit(g, BPF_ST | BPF_MEM | BPF_B, base, 0, 0, 1);
	else
		emit(g, BPF_LDX | BPF_MEM | BPF_B, base, base, 0, 0);
	g->v = before;
	land(g, jump);
	set_kind(g, base, K_NONE, 0);
}
