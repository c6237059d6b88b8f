/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verdict differential (L5): random programs through skep's verifier and the running kernel's.
 * Verdict and the counters of the last log line must agree; with -l the whole level 2 log.
 *
 *   verify-random [-l] [SEED [COUNT]]
 *
 * Each program is made from its own seed, so that one failing program can be had again: SEED 1.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/verify/oracle.h"
#include "harness/tap.h"
#include "isa/disasm.h"

#define INSNS_MAX 96

static u64 state;

static u32 rnd(u32 below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (u32)((state >> 16) % below);
}

static struct bpf_insn program[INSNS_MAX];
static u32 nr;

static void emit(u8 code, u8 dst, u8 src, s16 off, s32 imm)
{
	program[nr++] = (struct bpf_insn){
		.code = code, .dst_reg = dst & 15, .src_reg = src & 15, .off = off, .imm = imm
	};
}

static s32 some_number(void)
{
	static const s32 numbers[] = {
		0,  1,	-1,  2,	   7,	  8,  15,  16,	31,	   32,
		63, 64, 255, 4095, 65535, -8, -16, -64, INT32_MAX, INT32_MIN
	};

	return rnd(4) ? numbers[rnd(ARRAY_SIZE(numbers))] : (s32)(rnd(1 << 16) << rnd(16));
}

static u8 some_reg(void)
{
	static const u8 regs[] = { 0, 0, 2, 3, 4, 7, 8, 9 };

	return regs[rnd(ARRAY_SIZE(regs))];
}

static s16 some_slot(void)
{
	return (s16)(-8 * (s32)(1 + rnd(4)) + (rnd(4) ? 0 : 4 * (s32)rnd(2)));
}

static void emit_alu(void)
{
	static const u8 ops[] = { BPF_ADD, BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV,
				  BPF_OR,  BPF_AND, BPF_AND, BPF_LSH, BPF_RSH,
				  BPF_MOD, BPF_XOR, BPF_MOV, BPF_MOV, BPF_ARSH };
	u8 op = ops[rnd(ARRAY_SIZE(ops))], class = rnd(3) ? BPF_ALU64 : BPF_ALU;
	s32 imm = some_number();

	if (rnd(2)) {
		emit(class | op | BPF_X, some_reg(), some_reg(), 0, 0);
		return;
	}
	if (op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH)
		imm = (s32)rnd(class == BPF_ALU64 ? 64 : 32);
	if ((op == BPF_DIV || op == BPF_MOD) && !imm)
		imm = 3;
	emit(class | op | BPF_K, some_reg(), 0, 0, imm);
}

/* A forward jump, patched to stay in the program; rarely back. */
static void emit_jump(void)
{
	static const u8 ops[] = { BPF_JEQ,  BPF_JNE,  BPF_JGT,	BPF_JGE,  BPF_JLT, BPF_JLE,
				  BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE, BPF_JSET };
	u8 class = rnd(3) ? BPF_JMP : BPF_JMP32, op = ops[rnd(ARRAY_SIZE(ops))];
	s16 off = (s16)(1 + rnd(6));

	if (!rnd(24) && nr > 6)
		off = (s16) - (s32)(2 + rnd(4));
	if (class == BPF_JMP && rnd(2)) {
		emit(class | op | BPF_X, some_reg(), some_reg(), off, 0);
	} else {
		s32 imm = some_number();

		/* 6.18 takes the low half of a valid pointer for nonzero; we do not. */
		emit(class | op | BPF_K, some_reg(), 0, off, class == BPF_JMP32 && !imm ? 1 : imm);
	}
}

static void emit_memory(void)
{
	static const u8 sizes[] = { BPF_DW, BPF_DW, BPF_W, BPF_W, BPF_H, BPF_B };
	u8 size = sizes[rnd(ARRAY_SIZE(sizes))];

	switch (rnd(8)) {
	case 0: emit(BPF_LDX | BPF_MEM | BPF_W, some_reg(), 6, (s16)(4 * rnd(5)), 0); break;
	case 1:
	case 2: emit(BPF_STX | BPF_MEM | size, 10, some_reg(), some_slot(), 0); break;
	case 3: emit(BPF_ST | BPF_MEM | size, 10, 0, some_slot(), some_number()); break;
	case 4:
	case 5: emit(BPF_LDX | BPF_MEM | size, some_reg(), 10, some_slot(), 0); break;
	case 6: emit(BPF_LDX | BPF_MEM | size, some_reg(), some_reg(), (s16)(4 * rnd(8)), 0); break;
	case 7: emit(BPF_STX | BPF_MEM | size, some_reg(), some_reg(), (s16)(4 * rnd(8)), 0); break;
	}
}

/* A pointer into the stack or a map value, perhaps at an unknown distance. */
static void emit_pointer(void)
{
	u8 dst = some_reg(), index = some_reg();

	if (rnd(2)) {
		emit(BPF_ALU64 | BPF_MOV | BPF_X, dst, 10, 0, 0);
		emit(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, -8 * (s32)(1 + rnd(8)));
	} else {
		emit(BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_VALUE, 0, MAP_SINGLE);
		emit(0, 0, 0, 0, (s32)(4 * rnd(8)));
	}
	if (rnd(3) || index == dst)
		return;
	emit(BPF_ALU64 | BPF_AND | BPF_K, index, 0, 0, (1 << rnd(6)) - 1);
	emit(BPF_ALU64 | BPF_ADD | BPF_X, dst, index, 0, 0);
}

static void emit_lookup(void)
{
	u8 map = rnd(3) ? MAP_HASH : MAP_ARRAY;

	emit(BPF_ST | BPF_MEM | BPF_W, 10, 0, -8, (s32)rnd(6));
	emit(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0);
	emit(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -8);
	emit(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, map);
	emit(0, 0, 0, 0, 0);
	emit(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
	if (rnd(2))
		emit(BPF_ALU64 | BPF_MOV | BPF_X, (u8)(7 + rnd(3)), 0, 0, 0);
	if (rnd(8))
		emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, (s16)(1 + rnd(4)), 0);
}

static void emit_record(void)
{
	emit(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, MAP_RINGBUF);
	emit(0, 0, 0, 0, 0);
	emit(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 16);
	emit(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0);
	emit(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_reserve);
	emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 4, 0);
	emit(BPF_STX | BPF_MEM | BPF_W, 0, some_reg(), (s16)(4 * rnd(5)), 0);
	emit(BPF_ALU64 | BPF_MOV | BPF_X, 1, 0, 0, 0);
	emit(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 0);
	emit(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_submit);
}

static bool is_jump(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

/* Jumps land inside, not in the second half of a constant. */
static void patch_jumps(void)
{
	for (u32 i = 0; i < nr; i++) {
		s32 target;

		if (program[i].code == (BPF_LD | BPF_IMM | BPF_DW)) {
			i++;
			continue;
		}
		if (!is_jump(&program[i]))
			continue;
		target = (s32)i + 1 + program[i].off;
		if (target < 0 || target >= (s32)nr)
			target = (s32)nr - 2;
		if (!program[target].code)
			target++;
		program[i].off = (s16)(target - (s32)i - 1);
	}
}

static void make_program(void)
{
	u32 length = 4 + rnd(60);

	nr = 0;
	emit(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0);
	for (u8 r = 0; r < 10; r++) {
		if (r == 1 || r == 5 || r == 6)
			continue;
		if (rnd(2))
			emit(BPF_LDX | BPF_MEM | BPF_W, r, 6, (s16)(4 * rnd(5)), 0);
		else
			emit(BPF_ALU64 | BPF_MOV | BPF_K, r, 0, 0, some_number());
	}
	while (nr < length && nr < INSNS_MAX - 16) {
		u32 kind = rnd(100);

		if (kind < 40)
			emit_alu();
		else if (kind < 62)
			emit_jump();
		else if (kind < 84)
			emit_memory();
		else if (kind < 93)
			emit_pointer();
		else if (kind < 98)
			emit_lookup();
		else
			emit_record();
	}
	emit(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	patch_jumps();
}

static void print_program(void)
{
	char text[ISA_DISASM_MAX];

	for (u32 i = 0; i < nr; i++) {
		if (!program[i].code)
			continue;
		isa_disasm(NULL, &program[i], true, text, sizeof(text));
		printf("  %u: %s\n", i, text);
	}
}

static const char *counts(const char *log)
{
	const char *last = NULL;

	for (const char *p = log; (p = strstr(p, "processed ")); p++)
		last = p;
	return last ? last : "";
}

int main(int argc, char **argv)
{
	struct text ours = { malloc(ORACLE_LOG_MAX), 0 }, kernel = { malloc(ORACLE_LOG_MAX), 0 };
	bool logs = argc > 1 && !strcmp(argv[1], "-l");
	u64 seed = argc > 1 + logs ? strtoull(argv[1 + logs], NULL, 0) : 1;
	u64 count = argc > 2 + logs ? strtoull(argv[2 + logs], NULL, 0) : 2000;
	u64 accepted = 0, verdicts = 0, counters = 0;

	if (!ours.text || !kernel.text)
		tap_bail("no memory");
	if (!oracle_open()) {
		tap_skip(1, "the kernel takes no programs here");
		return tap_done();
	}
	for (u64 i = 0; i < count; i++) {
		struct verify_case c = { .name = "random",
					 .prog_type = BPF_PROG_TYPE_SOCKET_FILTER };
		u32 level = logs ? 2 : 4; /* 4: statistics only */
		int mine, theirs;

		state = (seed + i) * 0x9e3779b97f4a7c15ULL + 1;
		for (u32 w = 0; w < 8; w++)
			rnd(2);
		make_program();
		mine = oracle_skep(&c, program, nr, level, &ours);
		theirs = oracle_kernel(&c, program, nr, level, &kernel);
		accepted += !theirs;
		if (theirs == -ENOSPC)
			continue;
		if (mine != theirs) {
			verdicts++;
			printf("# seed %llu: skep %d, kernel %d\n", (unsigned long long)(seed + i),
			       mine, theirs);
			oracle_same(&ours, &kernel, false);
			if (count == 1)
				print_program();
		} else if (strcmp(counts(ours.text), counts(kernel.text)) ||
			   (logs && !oracle_same(&ours, &kernel, count == 1))) {
			counters++;
			printf("# seed %llu: logs differ\n", (unsigned long long)(seed + i));
			if (!logs)
				oracle_same(&ours, &kernel, count == 1);
		}
	}
	tap_note("%llu programs, %llu accepted by the kernel", (unsigned long long)count,
		 (unsigned long long)accepted);
	tap_is(verdicts, 0, "verdicts that differ");
	tap_is(counters, 0, "logs or counters that differ");
	free(ours.text);
	free(kernel.text);
	return tap_done();
}
