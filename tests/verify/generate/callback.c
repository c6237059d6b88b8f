/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs about nothing but loops of callbacks: a few slots of the main program's stack, which the
 * callbacks of bpf_loop() change, copy, and use as an index or pointer, each by chance. What one
 * iteration stores another uses, behind states that paths were pruned by. Some of the calls are in
 * loops of the control flow.
 *
 * Slot 0 holds a pointer into a map value, the others hold numbers; mostly.
 */
#include "verify/generate/gen.h"

enum { SLOTS = 4, VALUE_SIZE = 48, BASE = 6, ROUND = 7 };

static s32 slot(struct gen *g, bool pointer)
{
	return chance(g, 20) ? (s32)(8 * pick(g, SLOTS))
			     : (pointer ? 0 : (s32)(8 * (1 + pick(g, SLOTS - 1))));
}

static void load(struct gen *g, u8 reg, s32 off)
{
	emit(g, BPF_LDX | BPF_MEM | BPF_DW, reg, BASE, off, 0);
}

static void store(struct gen *g, u8 reg, s32 off)
{
	emit(g, BPF_STX | BPF_MEM | BPF_DW, BASE, reg, off, 0);
}

static void store_number(struct gen *g, s32 off)
{
	static const s32 numbers[] = { 0, 0, 1, 8, 40, VALUE_SIZE - 1, VALUE_SIZE, 1000 };

	emit(g, BPF_ST | BPF_MEM | BPF_DW, BASE, 0, off, numbers[pick(g, ARRAY_SIZE(numbers))]);
}

static void value_address(struct gen *g, u8 reg)
{
	emit(g, BPF_LD | BPF_IMM | BPF_DW, reg, BPF_PSEUDO_MAP_VALUE, 0, GEN_ARRAY);
	emit(g, 0, 0, 0, 0, (s32)pick(g, 2));
}

static void store_pointer(struct gen *g)
{
	value_address(g, 1);
	store(g, 1, slot(g, true));
}

static void use_pointer(struct gen *g)
{
	load(g, 1, slot(g, true));
	emit(g, BPF_LDX | BPF_MEM | BPF_B, 0, 1, (s32)pick(g, VALUE_SIZE - 1), 0);
}

static void use_index(struct gen *g)
{
	bool checked = chance(g, 300);
	u32 jump = 0;

	load(g, 1, slot(g, false));
	if (checked)
		jump = emit(g, BPF_JMP | BPF_JGT | BPF_K, 1, 0, 0, VALUE_SIZE - 2);
	value_address(g, 2);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_X, 2, 1, 0, 0);
	emit(g, BPF_LDX | BPF_MEM | BPF_B, 0, 2, 0, 0);
	if (checked)
		land(g, jump);
}

static void change_number(struct gen *g)
{
	load(g, 1, slot(g, false));
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, 1 + (s32)pick(g, 9));
	if (chance(g, 600))
		emit(g, BPF_ALU64 | BPF_AND | BPF_K, 1, 0, 0, chance(g, 800) ? 31 : 63);
	store(g, 1, slot(g, false));
}

static void copy_number(struct gen *g)
{
	load(g, 1, slot(g, false));
	store(g, 1, slot(g, false));
}

static void leave(struct gen *g)
{
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, (s32)pick(g, 2));
	emit(g, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* A number decides whether another is stored. */
static void decide(struct gen *g)
{
	u32 jump;

	load(g, 1, slot(g, false));
	jump = emit(g, BPF_JMP | (chance(g, 500) ? BPF_JEQ : BPF_JGT) | BPF_K, 1, 0, 0,
		    (s32)pick(g, 9));
	store_number(g, slot(g, false));
	land(g, jump);
}

static void say(struct gen *g)
{
	bool by_chance = chance(g, 700);
	u32 jump = 0;

	if (by_chance) {
		emit_helper(g, BPF_FUNC_get_prandom_u32, K_SCALAR, 0);
		jump = emit(g, BPF_JMP | BPF_JSET | BPF_K, 0, 0, 0, 1 << pick(g, 3));
	}
	switch (pick(g, by_chance ? 10 : 9)) {
	case 0:
	case 1: store_number(g, slot(g, false)); break;
	case 2: change_number(g); break;
	case 3: copy_number(g); break;
	case 4:
	case 5: use_index(g); break;
	case 6: use_pointer(g); break;
	case 7:
		if (chance(g, 400))
			store_number(g, slot(g, true));
		else
			store_pointer(g);
		break;
	case 8: decide(g); break;
	default: leave(g);
	}
	if (by_chance)
		land(g, jump);
}

static void say_some(struct gen *g, unsigned nr)
{
	while (nr--)
		say(g);
}

/* A loop of the control flow, in the callback. */
static void say_while(struct gen *g)
{
	u32 head = emit(g, BPF_JMP | BPF_JCOND, 0, 0, 0, 0), back;

	note(g, GEN_MAY_GOTO);
	say_some(g, 1 + pick(g, 2));
	back = emit(g, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	g->p->insns[back].off = (s16)((s32)head - (s32)back - 1);
	land(g, head);
}

/* bpf_loop(); where it names its callback. */
static u32 say_call(struct gen *g)
{
	u32 named;

	if (chance(g, 300)) {
		emit_helper(g, BPF_FUNC_get_prandom_u32, K_SCALAR, 0);
		emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 1, 0, 0, 0);
		emit(g, BPF_ALU64 | BPF_AND | BPF_K, 1, 0, 0, 15);
	} else {
		emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, (s32)pick(g, 12));
	}
	named = emit(g, BPF_LD | BPF_IMM | BPF_DW, 2, BPF_PSEUDO_FUNC, 0, 0);
	emit(g, 0, 0, 0, 0, 0);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 3, BASE, 0, 0);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 0);
	emit_helper(g, BPF_FUNC_loop, K_SCALAR, 0);
	return named;
}

/* The same in a loop of the control flow, which is left by chance or after some rounds. */
static u32 say_call_in_loop(struct gen *g)
{
	bool bounded = chance(g, 600);
	u32 head, named, back;

	if (bounded)
		emit(g, BPF_ALU64 | BPF_MOV | BPF_K, ROUND, 0, 0, 0);
	else
		note(g, GEN_MAY_GOTO);
	head = g->p->nr_insns;
	if (!bounded)
		emit(g, BPF_JMP | BPF_JCOND, 0, 0, 0, 0);
	say_some(g, pick(g, 2));
	named = say_call(g);
	say_some(g, pick(g, 2));
	if (bounded) {
		emit(g, BPF_ALU64 | BPF_ADD | BPF_K, ROUND, 0, 0, 1);
		back = emit(g, BPF_JMP | BPF_JLT | BPF_K, ROUND, 0, 0, 1 + (s32)pick(g, 4));
	} else {
		back = emit(g, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	}
	g->p->insns[back].off = (s16)((s32)head - (s32)back - 1);
	if (!bounded)
		land(g, head);
	return named;
}

static u32 say_some_call(struct gen *g)
{
	return chance(g, 250) ? say_call_in_loop(g) : say_call(g);
}

static void begin_callback(struct gen *g, u32 named)
{
	g->p->insns[named].imm = (s32)(g->p->nr_insns - named - 1);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, BASE, 2, 0, 0);
}

static void say_callback_body(struct gen *g, bool calls)
{
	u32 inner = 0;

	say_some(g, 1 + pick(g, 4));
	if (calls)
		inner = say_some_call(g);
	else if (chance(g, 200))
		say_while(g);
	say_some(g, calls ? pick(g, 2) : 1 + pick(g, 4));
	leave(g);
	if (!calls)
		return;
	begin_callback(g, inner);
	say_callback_body(g, false);
}

void gen_callbacks(u64 seed, struct gen_program *ret_program)
{
	struct gen g = { .p = ret_program, .state = seed * 0xd1342543de82ef95ULL + 3 };
	u32 callback;

	ret_program->prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	ret_program->attach_type = ret_program->nr_insns = ret_program->topics = 0;
	ret_program->many_states = chance(&g, 600);
	note(&g, GEN_CALLBACKS);
	emit(&g, BPF_ALU64 | BPF_MOV | BPF_X, BASE, 10, 0, 0);
	emit(&g, BPF_ALU64 | BPF_ADD | BPF_K, BASE, 0, 0, -8 * SLOTS);
	for (s32 i = 0; i < SLOTS; i++)
		emit(&g, BPF_ST | BPF_MEM | BPF_DW, BASE, 0, 8 * i, (s32)pick(&g, 9));
	store_pointer(&g);
	callback = say_some_call(&g);
	say_some(&g, pick(&g, 3));
	emit(&g, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	emit(&g, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	begin_callback(&g, callback);
	say_callback_body(&g, chance(&g, 200));
}
