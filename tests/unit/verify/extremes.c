/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shortest and the longest programs, and those with the most states: skep's verdict, and where
 * the running kernel takes programs its whole answer, in bounded memory.
 */
#include "oracle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/tap.h"
#include "isa/asm.h"
#include "isa/opcode.h"

#define LONGEST	   1000000u
#define ROUNDS	   100000u
#define MEMORY_MAX (512u << 20)

static struct bpf_insn *insns;
static struct text ours, kernels;
static bool kernel;

static struct bpf_insn move(u8 dst, s32 value)
{
	return (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
				  .dst_reg = dst,
				  .imm = value };
}

static struct bpf_insn leave(void)
{
	return (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
}

/* Both judges; level 4 says what was counted and no more. */
static void judge(const char *what, u32 nr, int err, const char *message, u32 flags)
{
	struct verify_case c = { what, BPF_PROG_TYPE_SOCKET_FILTER, NULL, err, message, flags };
	int got;

	ours.length = kernels.length = 0;
	ours.text[0] = kernels.text[0] = '\0';
	got = oracle_skep(&c, insns, nr, 4, &ours);
	tap_ok(got == err && (!message || strstr(ours.text, message)), "%s: %d, as expected", what,
	       got);
	if (got != err || (message && !strstr(ours.text, message)))
		tap_note("%s", ours.text);
	if (!kernel) {
		tap_skip(1, "%s: the running kernel takes no programs from us", what);
		return;
	}
	got = oracle_kernel(&c, insns, nr, 4, &kernels);
	tap_ok(got == err && oracle_same(&ours, &kernels, false), "%s: the kernel says the same",
	       what);
}

static void fill(u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		insns[i] = move(BPF_REG_0, 0);
	insns[nr - 1] = leave();
}

static void lengths(void)
{
	insns[0] = leave();
	judge("one instruction", 1, -EACCES, "R0 !read_ok", 0);
	insns[0] = move(BPF_REG_0, 0);
	judge("one instruction that goes on", 1, -EINVAL, "last insn is not an exit or jmp", 0);
	fill(LONGEST);
	judge("a million instructions", LONGEST, 0, "processed 1000000 insns", 0);
	insns[LONGEST - 2] = (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = -32768 };
	judge("a million, the last but one jumps back", LONGEST, -EINVAL, "unreachable insn 999999",
	      0);
	fill(LONGEST + 1);
	judge("a million and one", LONGEST + 1, -E2BIG, NULL, 0);
	judge("none", 0, -E2BIG, NULL, 0);
}

/* Branches of which none is decided, all to the end: each leaves a path to be explored. */
static void branches(u32 nr, int err, const char *message)
{
	u32 n = 0;

	insns[n++] = (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W, .src_reg = BPF_REG_1 };
	for (u32 i = 0; i < nr; i++) {
		insns[n] = (struct bpf_insn){ .code = BPF_JMP | BPF_JEQ | BPF_K,
					      .imm = (s32)i + 1,
					      .off = (s16)(nr - i) };
		n++;
	}
	insns[n++] = move(BPF_REG_0, 0);
	insns[n++] = leave();
	judge(err ? "more branches than are kept in mind" : "8,000 branches", n, err, message, 0);
}

/* With a state for each round of a loop. */
static void states(void)
{
	static const struct verify_ops ops = { NULL };
	struct verify_input input = {
		.ops = &ops,
		.insns = insns,
		.nr_insns = 5,
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.prog_flags = BPF_F_TEST_STATE_FREQ,
		.gpl_compatible = true,
		.privileged = true,
	};
	struct verify_output output;
	int err;

	insns[0] = move(BPF_REG_1, 0);
	insns[1] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1, .imm = 1 };
	insns[2] = (struct bpf_insn){
		.code = BPF_JMP | BPF_JLT | BPF_K, .dst_reg = 1, .off = -2, .imm = ROUNDS
	};
	insns[3] = move(BPF_REG_0, 0);
	insns[4] = leave();
	judge("100,000 states", 5, 0, NULL, CASE_STATE_FREQ);
	err = verify_program(&input, &output);
	tap_ok(!err && output.total_states >= ROUNDS && output.memory < MEMORY_MAX,
	       "%u states in %zu bytes", output.total_states, output.memory);
	verify_output_done(&output);
	insns[2].imm = 1000000;
	judge("more instructions than are processed", 5, -E2BIG, "BPF program is too large", 0);
}

int main(void)
{
	insns = calloc(LONGEST + 1, sizeof(*insns));
	ours.text = malloc(ORACLE_LOG_MAX);
	kernels.text = malloc(ORACLE_LOG_MAX);
	if (!insns || !ours.text || !kernels.text)
		tap_bail("no memory");
	kernel = oracle_open();
	lengths();
	branches(8000, 0, NULL);
	branches(9000, -EFAULT, "The sequence of 8193 jumps is too complex.");
	states();
	return tap_done();
}
