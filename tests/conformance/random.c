/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs of arithmetic, forward jumps, stack memory, atomics and local calls, run by the
 * kernel, the interpreter and the image: registers and memory must come out the same.
 *
 * usage: test-random [programs [seed]]. A failure prints the seed of the program and its text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/engine.h"
#include "harness/tap.h"
#include "isa/disasm.h"
#include "isa/opcode.h"

#define NR_REGS	   10
#define NR_SLOTS   8 /* 8-byte stack slots below r10 */
#define FILLED	   ((NR_REGS + NR_SLOTS) * 8)
#define LENGTH_MAX 60

static u64 state;

static u64 next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dUL;
}

static u32 below(u32 limit)
{
	return (u32)(next_random() >> 33) % limit;
}

static u64 interesting(void)
{
	static const u64 values[] = { 0,	  1,	      2,	  63,	     64,
				      127,	  128,	      255,	  32767,     32768,
				      0x7fffffff, 0x80000000, 0xffffffff, 1UL << 32, 1UL << 63,
				      ~0UL,	  ~0UL >> 1,  ~0UL << 31 };

	switch (below(4)) {
	case 0: return next_random();
	case 1: return next_random() >> below(64);
	default: return values[below(ARRAY_SIZE(values))];
	}
}

static struct bpf_insn *add(struct engine_input *input, u8 code, u8 dst, u8 src, s16 off, s32 imm)
{
	struct bpf_insn *insn = &input->insns[input->nr_insns++];

	*insn = (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm
	};
	return insn;
}

static void add_imm64(struct engine_input *input, u8 dst, u8 pseudo, u64 value)
{
	add(input, BPF_LD | BPF_IMM | BPF_DW, dst, pseudo, 0, (s32)(u32)value);
	add(input, 0, 0, 0, 0, (s32)(u32)(value >> 32));
}

static void add_alu(struct engine_input *input)
{
	static const u8 ops[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,  BPF_AND,
				  BPF_LSH, BPF_RSH, BPF_MOD, BPF_XOR, BPF_MOV, BPF_ARSH };
	u8 op = ops[below(ARRAY_SIZE(ops))], class = below(2) ? BPF_ALU64 : BPF_ALU;
	u8 dst = (u8)below(NR_REGS), src = (u8)below(NR_REGS);
	bool is_signed = (op == BPF_DIV || op == BPF_MOD) && below(2);
	s32 imm = (s32)interesting();

	if (below(2)) {
		s16 off = is_signed;

		if (op == BPF_MOV && below(2))
			off = (s16)(8 << below(class == BPF_ALU ? 2 : 3));
		add(input, class | op | BPF_X, dst, src, off, 0);
		return;
	}
	if (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH)
		imm = (s32)below(class == BPF_ALU ? 32 : 64);
	if ((op == BPF_DIV || op == BPF_MOD) && imm == 0)
		imm = -1;
	add(input, class | op | BPF_K, dst, 0, is_signed, imm);
}

static void add_unary(struct engine_input *input)
{
	static const u8 ends[] = { BPF_ALU | BPF_END | BPF_TO_LE, BPF_ALU | BPF_END | BPF_TO_BE,
				   BPF_ALU64 | BPF_END | BPF_TO_LE };
	u8 dst = (u8)below(NR_REGS);

	if (below(2))
		add(input, (below(2) ? BPF_ALU64 : BPF_ALU) | BPF_NEG, dst, 0, 0, 0);
	else
		add(input, ends[below(3)], dst, 0, 0, 16 << below(3));
}

/* The target is filled in when the length is known: forwards only, so every program ends. */
static void add_jump(struct engine_input *input)
{
	static const u8 ops[] = { BPF_JEQ,  BPF_JGT, BPF_JGE, BPF_JSET, BPF_JNE, BPF_JSGT,
				  BPF_JSGE, BPF_JLT, BPF_JLE, BPF_JSLT, BPF_JSLE };
	u8 class = below(2) ? BPF_JMP : BPF_JMP32, op = ops[below(ARRAY_SIZE(ops))];
	u8 dst = (u8)below(NR_REGS), src = (u8)below(NR_REGS);

	if (below(2))
		add(input, class | op | BPF_X, dst, src, 1, 0);
	else
		add(input, class | op | BPF_K, dst, 0, 1, (s32)interesting());
}

static void add_memory(struct engine_input *input)
{
	static const u8 sizes[] = { BPF_B, BPF_H, BPF_W, BPF_DW };
	u32 width = below(4), bytes = 1u << width;
	u8 reg = (u8)below(NR_REGS), size = sizes[width];
	s16 off = (s16)(-8 * NR_SLOTS + (s32)(below(8 * NR_SLOTS / bytes) * bytes));

	switch (below(4)) {
	case 0: add(input, BPF_STX | BPF_MEM | size, BPF_REG_10, reg, off, 0); break;
	case 1: add(input, BPF_ST | BPF_MEM | size, BPF_REG_10, 0, off, (s32)interesting()); break;
	case 2: add(input, BPF_LDX | BPF_MEM | size, reg, BPF_REG_10, off, 0); break;
	default:
		if (width == 3)
			add(input, BPF_LDX | BPF_MEM | size, reg, BPF_REG_10, off, 0);
		else
			add(input, BPF_LDX | BPF_MEMSX | size, reg, BPF_REG_10, off, 0);
	}
}

static void add_atomic(struct engine_input *input)
{
	static const s32 ops[] = { BPF_ADD,
				   BPF_OR,
				   BPF_AND,
				   BPF_XOR,
				   BPF_ADD | BPF_FETCH,
				   BPF_OR | BPF_FETCH,
				   BPF_AND | BPF_FETCH,
				   BPF_XOR | BPF_FETCH,
				   BPF_XCHG,
				   BPF_CMPXCHG };
	bool wide = below(2);
	s16 off =
		(s16)(-8 * NR_SLOTS + (s32)(wide ? below(NR_SLOTS) * 8 : below(2 * NR_SLOTS) * 4));

	add(input, BPF_STX | BPF_ATOMIC | (wide ? BPF_DW : BPF_W), BPF_REG_10, (u8)below(NR_REGS),
	    off, ops[below(ARRAY_SIZE(ops))]);
}

/* A call leaves r1 to r5 unreadable: they get values again. Returns the call's index. */
static u32 add_call(struct engine_input *input)
{
	u32 at = input->nr_insns;

	add(input, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0);
	for (u8 reg = 1; reg <= 5; reg++)
		add(input, BPF_ALU64 | BPF_MOV | BPF_X, reg, (u8)(6 + below(4)), 0, 0);
	return at;
}

/*
 * Starts with every register and slot set, ends by storing all of them to the map's memory. Calls
 * go to a function at the end that mixes its arguments on a stack of its own.
 */
static void generate(struct engine_input *input)
{
	u32 body, end, calls[LENGTH_MAX], nr_calls = 0, length = 5 + below(LENGTH_MAX - 5);

	memset(input, 0, sizeof(*input));
	for (u8 i = 0; i < NR_SLOTS; i++) {
		add_imm64(input, 0, 0, interesting());
		add(input, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, 0, (s16)(-8 * (i + 1)), 0);
	}
	for (u8 i = 0; i < NR_REGS; i++)
		add_imm64(input, i, 0, interesting());

	body = input->nr_insns;
	for (u32 i = 0; i < length; i++) {
		u32 kind = below(100);

		if (kind < 50)
			add_alu(input);
		else if (kind < 58)
			add_unary(input);
		else if (kind < 72)
			add_jump(input);
		else if (kind < 88)
			add_memory(input);
		else if (kind < 97)
			add_atomic(input);
		else
			calls[nr_calls++] = add_call(input);
	}
	end = input->nr_insns;
	for (u32 i = body; i < end; i++) {
		struct bpf_insn *insn = &input->insns[i];

		if (isa_opcodes[insn->code].kind != ISA_JUMP)
			continue;
		insn->off = (s16)below(end - i - 1 < 6 ? end - i : 6);
	}

	/* A copy of r1 on the stack frees a register for the address. */
	add(input, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_1, -8 * (NR_SLOTS + 1), 0);
	add_imm64(input, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0);
	for (u8 i = 0; i < NR_REGS; i++)
		if (i != 1)
			add(input, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_1, i, (s16)(8 * i), 0);
	add(input, BPF_LDX | BPF_MEM | BPF_DW, 0, BPF_REG_10, -8 * (NR_SLOTS + 1), 0);
	add(input, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_1, 0, 8, 0);
	for (u8 i = 0; i < NR_SLOTS; i++) {
		add(input, BPF_LDX | BPF_MEM | BPF_DW, 0, BPF_REG_10, (s16)(-8 * (i + 1)), 0);
		add(input, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_1, 0, (s16)(8 * (NR_REGS + i)), 0);
	}
	add(input, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	add(input, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);

	for (u32 i = 0; i < nr_calls; i++)
		input->insns[calls[i]].imm = (s32)(input->nr_insns - calls[i] - 1);
	if (!nr_calls)
		return;
	add(input, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_1, -8, 0);
	add(input, BPF_ALU64 | BPF_MOV | BPF_X, 0, BPF_REG_2, 0, 0);
	add(input, BPF_ALU64 | BPF_MUL | BPF_X, 0, BPF_REG_3, 0, 0);
	add(input, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_6, BPF_REG_10, -4, 0);
	add(input, BPF_ALU | BPF_XOR | BPF_X, BPF_REG_6, BPF_REG_4, 0, 0);
	add(input, BPF_ALU64 | BPF_SUB | BPF_X, 0, BPF_REG_6, 0, 0);
	add(input, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void print(const struct engine_input *input)
{
	for (u32 i = 0; i < input->nr_insns; i++) {
		char text[ISA_DISASM_MAX];

		isa_disasm(NULL, &input->insns[i], true, text, sizeof(text));
		tap_note("%u: %s", i, text);
		i += isa_opcodes[input->insns[i].code].kind == ISA_LD_IMM64;
	}
}

/* The first byte in which two results differ, as a word's name. */
static void print_difference(const struct engine_result *a, const struct engine_result *b)
{
	for (u32 i = 0; i < FILLED / 8; i++) {
		u64 left, right;

		memcpy(&left, a->memory + 8 * i, 8);
		memcpy(&right, b->memory + 8 * i, 8);
		if (left != right)
			tap_note("%s%u: %#llx and %#llx", i < NR_REGS ? "r" : "slot ",
				 i < NR_REGS ? i : i - NR_REGS, (unsigned long long)left,
				 (unsigned long long)right);
	}
}

int main(int argc, char **argv)
{
	u32 programs = argc > 1 ? (u32)atoi(argv[1]) : 3000, accepted = 0, different = 0;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	enum engine reference = ENGINE_HOSTED;

	engine_start();
	if (engine_available(ENGINE_KERNEL))
		reference = ENGINE_KERNEL;
	else
		tap_skip(1, "no kernel to ask: the interpreter is compared with the image only");
	for (u32 i = 0; i < programs; i++) {
		static struct engine_input input;
		static char log[8192];
		struct engine_result expected = { 0 };

		state = (seed + i) * 0x9e3779b97f4a7c15UL | 1;
		generate(&input);
		if (!engine_run(reference, &input, &expected, log, 0)) {
			/* Why the first one is rejected, for whoever changes the generator. */
			if (i == accepted) {
				engine_run(reference, &input, &expected, log, sizeof(log));
				tap_note("rejected: %s",
					 strlen(log) > 200 ? log + strlen(log) - 200 : log);
			}
			continue;
		}
		accepted++;
		for (enum engine engine = reference + 1; engine < ENGINES; engine++) {
			struct engine_result result = { 0 };

			engine_run(engine, &input, &result, log, sizeof(log));
			if (!memcmp(&expected, &result, sizeof(result)))
				continue;
			if (different++)
				continue;
			tap_note("seed %llu: %s and %s", (unsigned long long)(seed + i),
				 engine_name(reference), engine_name(engine));
			print(&input);
			print_difference(&expected, &result);
		}
	}
	/* What the kernel rejects says nothing; most must be accepted for the test to mean
	 * something. */
	tap_ok(different == 0 && accepted > programs / 10 * 9,
	       "%u random programs, %u of them accepted, come out the same", programs, accepted);
	engine_stop();
	return tap_done();
}
