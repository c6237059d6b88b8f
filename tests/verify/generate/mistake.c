/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statements that are sound only by chance: what verifiers have wrongly let pass. A fact that holds
 * for a part is used for the whole, one that held before is used later, one of a pointer for
 * another.
 */
#include "verify/generate/gen.h"

static const u8 size_codes[] = { BPF_B, BPF_H, BPF_W, BPF_DW };

enum { AT = -8 * NR_SLOTS, SIZE = 48 }; /* of a slot of its own; of GEN_ARRAY's value */

static void look_up(struct gen *g, enum gen_map map)
{
	s32 off = emit_key(g, gen_maps[map].key_size);

	emit_map(g, 1, map);
	emit_stack_address(g, 2, off);
	emit_helper(g, BPF_FUNC_map_lookup_elem, K_OTHER, 0);
}

static void use_byte(struct gen *g, u8 base, s32 off)
{
	if (chance(g, 500))
		emit(g, BPF_ST | BPF_MEM | BPF_B, base, 0, off, 1);
	else
		emit(g, BPF_LDX | BPF_MEM | BPF_B, 0, base, off, 0);
	set_kind(g, 0, K_NONE, 0);
}

/* A pointer that may be null is moved, and then looked at. */
static void say_moved_null(struct gen *g)
{
	u32 jump;

	look_up(g, GEN_ARRAY);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 0, 0, 0, (s32)pick(g, 9));
	jump = emit(g, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0, 0);
	use_byte(g, 0, 0);
	land(g, jump);
}

/* Of two pointers that may be null one is looked at. */
static void say_other_null(struct gen *g)
{
	u8 keep = pick_saved(g);
	u32 jump;

	if (keep == NO_REG)
		return;
	look_up(g, chance(g, 500) ? GEN_ARRAY : GEN_HASH);
	emit_mov(g, keep, 0);
	g->reserved |= 1u << keep;
	look_up(g, chance(g, 500) ? GEN_ARRAY : GEN_HASH);
	g->reserved &= (u16) ~(1u << keep);
	jump = emit(g, BPF_JMP | BPF_JEQ | BPF_K, chance(g, 500) ? keep : 0, 0, 0, 0);
	use_byte(g, chance(g, 800) ? keep : 0, 0);
	land(g, jump);
	set_kind(g, 0, K_NONE, 0);
	set_kind(g, keep, K_NONE, 0);
}

/* A part of the number, or the number from a part of its copy. */
static void emit_part(struct gen *g, u8 part, u8 whole)
{
	static const s16 widths[] = { 8, 16, 32 };
	u8 narrow = size_codes[pick(g, 3)];

	switch (pick(g, 4)) {
	case 0: emit(g, BPF_ALU | BPF_MOV | BPF_X, part, whole, 0, 0); return;
	case 1: emit(g, BPF_ALU64 | BPF_MOV | BPF_X, part, whole, widths[pick(g, 3)], 0); return;
	case 2:
		emit(g, BPF_STX | BPF_MEM | BPF_DW, 10, whole, AT, 0);
		emit(g, BPF_LDX | BPF_MEM | narrow, part, 10, AT, 0);
		break;
	default:
		emit(g, BPF_STX | BPF_MEM | narrow, 10, whole, AT, 0);
		emit(g, BPF_LDX | BPF_MEM | narrow, part, 10, AT, 0);
		break;
	}
	g->v.slot[NR_SLOTS - 1] = K_NONE;
}

/* A part of a number is compared, the number is used. */
static void say_part(struct gen *g)
{
	u8 whole = pick_saved(g);
	u32 jump;

	if (whole == NO_REG)
		return;
	emit_helper(g, chance(g, 500) ? BPF_FUNC_ktime_get_ns : BPF_FUNC_get_prandom_u32, K_SCALAR,
		    0);
	emit_mov(g, whole, 0);
	if (chance(g, 500))
		emit(g, BPF_ALU64 | BPF_AND | BPF_K, whole, 0, 0, (s32)(1u << pick(g, 17)) - 1);
	emit_part(g, 1, whole);
	jump = emit(g, (chance(g, 700) ? BPF_JMP : BPF_JMP32) | BPF_JGT | BPF_K, 1, 0, 0,
		    (s32)pick(g, SIZE));
	emit(g, BPF_LD | BPF_IMM | BPF_DW, 2, BPF_PSEUDO_MAP_VALUE, 0, GEN_ARRAY);
	emit(g, 0, 0, 0, 0, 0);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_X, 2, chance(g, 700) ? whole : 1, 0, 0);
	use_byte(g, 2, 0);
	land(g, jump);
	for (u8 i = 0; i <= 5; i++)
		set_kind(g, i, K_NONE, 0);
}

/* A pointer into the packet is moved after the check of its range. */
static void say_moved_packet(struct gen *g)
{
	bool xdp = g->p->prog_type == BPF_PROG_TYPE_XDP;
	s32 start = xdp ? 0 : 76, length = 1 + (s32)pick(g, 40);
	u8 ctx = find(g, K_CTX), index = pick_saved(g);
	u32 jump;

	if (!has_packet(g) || ctx == NO_REG || ctx <= 4 || index == NO_REG || index == ctx)
		return;
	emit_helper(g, BPF_FUNC_get_prandom_u32, K_SCALAR, 0);
	emit(g, BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0,
	     (s32)(1u << (chance(g, 300) ? 14 + pick(g, 17) : pick(g, 6))) - 1);
	emit_mov(g, index, 0);
	emit(g, BPF_LDX | BPF_MEM | BPF_W, 2, ctx, start, 0);
	emit(g, BPF_LDX | BPF_MEM | BPF_W, 3, ctx, start + 4, 0);
	if (chance(g, 400)) /* before it, by too much perhaps */
		emit(g, BPF_ALU64 | BPF_ADD | BPF_X, 2, index, 0, 0);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 1, 2, 0, 0);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, length);
	jump = emit(g, BPF_JMP | BPF_JGT | BPF_X, 1, 3, 0, 0);
	if (chance(g, 300))
		emit(g, BPF_ALU64 | BPF_ADD | BPF_X, 2, index, 0, 0);
	else if (chance(g, 300))
		emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, (s32)pick(g, 20));
	use_byte(g, 2, (s32)pick(g, (unsigned)length));
	land(g, jump);
	for (u8 i = 1; i <= 5; i++)
		set_kind(g, i, K_NONE, 0);
}

/* A dynptr is written over, then used. */
static void say_spoiled_dynptr(struct gen *g)
{
	s32 at = object_room(g);

	if (!at)
		return;
	emit(g, BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_VALUE, 0, GEN_ARRAY);
	emit(g, 0, 0, 0, 0, 0);
	emit_const(g, 2, SIZE);
	emit_const(g, 3, 0);
	emit_stack_address(g, 4, at);
	emit_helper(g, BPF_FUNC_dynptr_from_mem, K_NONE, 0);
	emit(g, BPF_ST | BPF_MEM | size_codes[pick(g, 4)], 10, 0,
	     at + 8 * (s32)pick(g, 2) - (chance(g, 300) ? 16 : 0), 7);
	emit_stack_address(g, 1, at);
	emit_const(g, 2, 0);
	emit_const(g, 3, 8);
	emit_helper(g, BPF_FUNC_dynptr_data, K_NONE, 0);
}

/* In a loop over numbers an index grows that is used in another iteration only. */
static void say_late_index(struct gen *g)
{
	s32 off = object_room(g);
	u8 index = pick_saved(g);
	u32 head, leave, use, back, rest;

	if (!off || index == NO_REG || g->depth >= MAX_DEPTH)
		return;
	emit_const(g, index, (s32)pick(g, 8));
	emit_stack_address(g, 1, off);
	emit_const(g, 2, 0);
	emit_const(g, 3, 5);
	emit_kfunc(g, GEN_ITER_NUM_NEW, K_SCALAR, 0);
	head = g->p->nr_insns;
	emit_stack_address(g, 1, off);
	emit_kfunc(g, GEN_ITER_NUM_NEXT, K_NONE, 0);
	leave = emit(g, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0, 0);
	emit_helper(g, BPF_FUNC_get_prandom_u32, K_SCALAR, 0);
	use = emit(g, BPF_JMP | (chance(g, 500) ? BPF_JEQ : BPF_JNE) | BPF_K, 0, 0, 0, 42);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, index, 0, 0, (s32)pick(g, SIZE + 12));
	rest = emit(g, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	land(g, use);
	emit(g, BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_VALUE, 0, GEN_ARRAY);
	emit(g, 0, 0, 0, 0, 0);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_X, 1, index, 0, 0);
	use_byte(g, 1, 0);
	land(g, rest);
	back = emit(g, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	g->p->insns[back].off = (s16)((s32)head - (s32)back - 1);
	land(g, leave);
	emit_stack_address(g, 1, off);
	emit_kfunc(g, GEN_ITER_NUM_DESTROY, K_NONE, 0);
	set_kind(g, index, K_NONE, 0);
}

/* What an index was made of differs from way to way. */
static void say_made_index(struct gen *g)
{
	static const u8 ops[] = { BPF_ADD, BPF_ADD, BPF_OR, BPF_XOR, BPF_MUL, BPF_SUB };
	u8 part = pick_saved(g), index = (u8)(1 + pick(g, 2)), class;
	u32 jump;

	if (part == NO_REG)
		return;
	emit_const(g, part, (s32)pick(g, 2 * SIZE));
	jump = emit_condition(g);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, part, 0, 0, (s32)pick(g, SIZE));
	land(g, jump);
	class = chance(g, 800) ? BPF_ALU64 : BPF_ALU;
	emit(g, class | BPF_MOV | BPF_K, index, 0, 0, (s32)pick(g, 4));
	if (chance(g, 300)) {
		emit(g, BPF_STX | BPF_MEM | BPF_DW, 10, part, AT, 0);
		emit(g, BPF_LDX | BPF_MEM | BPF_DW, part, 10, AT, 0);
		g->v.slot[NR_SLOTS - 1] = K_NONE;
	}
	emit(g, class | ops[pick(g, ARRAY_SIZE(ops))] | BPF_X, index, part, 0, 0);
	if (chance(g, 300))
		emit(g, BPF_ALU64 | BPF_ADD | BPF_X, index, index, 0, 0);
	emit(g, BPF_LD | BPF_IMM | BPF_DW, 3, BPF_PSEUDO_MAP_VALUE, 0, GEN_ARRAY);
	emit(g, 0, 0, 0, 0, 0);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_X, 3, index, 0, 0);
	use_byte(g, 3, 0);
	set_kind(g, index, K_NONE, 0);
	set_kind(g, 3, K_NONE, 0);
}

/* The lower half of what the program returns is looked at. */
static void say_half_result(struct gen *g)
{
	u32 jump;

	if (g->in_subprog)
		return;
	emit_helper(g, BPF_FUNC_ktime_get_ns, K_SCALAR, 0);
	jump = emit(g, (chance(g, 700) ? BPF_JMP32 : BPF_JMP) | BPF_JGT | BPF_K, 0, 0, 0, 1);
	emit(g, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	land(g, jump);
}

void say_mistake(struct gen *g)
{
	static void (*const mistakes[])(struct gen *) = {
		say_moved_null, say_other_null,	  say_part,
		say_part,	say_moved_packet, say_spoiled_dynptr,
		say_late_index, say_half_result,  say_made_index,
	};

	if (!is_room(g))
		return;
	note(g, GEN_MISTAKES);
	mistakes[pick(g, ARRAY_SIZE(mistakes))](g);
}
