/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * L5: does skep's verifier say what the running kernel says?
 *
 * Every program of generate.h goes to both; verdict, errno, the sentence of a rejection and the
 * number of processed instructions are compared. A disagreement in verdict or errno fails the test;
 * a program that skep accepts and the kernel rejects is the grave kind. Disagreements are shrunk to
 * the instructions that matter and shown.
 *
 * Usage: verdict-diff [programs [seed [reports]]]
 *        verdict-diff show SEED        prints the program and both level-2 logs
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "harness/tap.h"
#include "isa/disasm.h"
#include "verify/judge.h"

/* How two verdicts differ, worst first. */
enum difference {
	DIFF_ACCEPTS, /* skep accepts what the kernel rejects */
	DIFF_REJECTS,
	DIFF_ERRNO,
	DIFF_WHY,
	DIFF_PROCESSED,
	DIFF_OURS, /* skep rejects what the kernel accepts by a mistake */
	DIFF_NONE,
};

static const char *const difference_names[] = {
	"skep accepts, kernel rejects",
	"skep rejects, kernel accepts",
	"errno differs",
	"sentence differs",
	"processed differs",
	"the kernel's mistakes",
	"none",
};

static int map_fds[GEN_NR_MAPS];

/*
 * 6.18 lets tracepoint programs read before their context: tp_prog_is_valid_access() compares the
 * offset with a size, as unsigned numbers.
 */
static bool is_kernel_mistake(const struct gen_program *program, const struct verdict *skep)
{
	static const char before[] = "invalid bpf_context access off=-";

	return program->prog_type == BPF_PROG_TYPE_TRACEPOINT &&
	       !strncmp(skep->why, before, sizeof(before) - 1);
}

static enum difference compare(const struct verdict *kernel, const struct verdict *skep)
{
	if (!skep->error && kernel->error)
		return DIFF_ACCEPTS;
	if (skep->error && !kernel->error)
		return DIFF_REJECTS;
	if (skep->error != kernel->error)
		return DIFF_ERRNO;
	if (kernel->error && strcmp(skep->why, kernel->why))
		return DIFF_WHY;
	return skep->processed == kernel->processed ? DIFF_NONE : DIFF_PROCESSED;
}

static enum difference judge(const struct gen_program *program, struct verdict *kernel,
			     struct verdict *skep)
{
	judge_by_kernel(program, map_fds, 1, kernel);
	judge_by_skep(program, 1, NULL, NULL, false, skep);
	if (skep->error && !kernel->error && is_kernel_mistake(program, skep))
		return DIFF_OURS;
	return compare(kernel, skep);
}

/* Removes instruction `at` (both halves of a wide one), keeping jumps and calls where they went. */
static void remove_insn(struct gen_program *p, u32 at)
{
	u32 width = p->insns[at].code == (BPF_LD | BPF_IMM | BPF_DW) ? 2 : 1;

	for (u32 i = 0; i < p->nr_insns; i++) {
		struct bpf_insn *insn = &p->insns[i];
		u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);
		bool is_call = op == BPF_CALL && insn->src_reg == BPF_PSEUDO_CALL;
		s64 distance, target;

		if ((class != BPF_JMP && class != BPF_JMP32) || (op == BPF_CALL && !is_call) ||
		    op == BPF_EXIT)
			continue;
		if (gen_is_continuation(p, i))
			continue;
		distance = is_call ? insn->imm : insn->off;
		target = (s64)i + 1 + distance;
		if (i < at && target > at)
			distance -= width;
		else if (i > at && target <= at)
			distance += width;
		if (is_call)
			insn->imm = (s32)distance;
		else
			insn->off = (s16)distance;
	}
	memmove(&p->insns[at], &p->insns[at + width],
		(p->nr_insns - at - width) * sizeof(p->insns[0]));
	p->nr_insns -= width;
}

/* Drops instructions as long as the difference stays the same kind; gives up when that takes too
 * many trials. */
static void shrink(struct gen_program *p, enum difference kind)
{
	bool progress = true;
	long budget = 300000; /* instructions processed by the kernel */

	while (progress) {
		progress = false;
		for (u32 i = p->nr_insns; i-- > 0;) {
			struct gen_program smaller = *p;
			struct verdict kernel, skep;

			if (i >= p->nr_insns || gen_is_continuation(p, i) || p->nr_insns < 2)
				continue;
			remove_insn(&smaller, i);
			if (budget <= 0)
				return;
			budget -= 500;
			if (judge(&smaller, &kernel, &skep) != kind) {
				budget -= kernel.processed;
				continue;
			}
			*p = smaller;
			progress = true;
		}
	}
}

static void show(const struct gen_program *p)
{
	tap_note("  type %u, %u instructions", p->prog_type, p->nr_insns);
	for (u32 i = 0; i < p->nr_insns; i++) {
		const struct bpf_insn *insn = &p->insns[i];
		char text[ISA_DISASM_MAX] = "";

		if (gen_is_continuation(p, i))
			continue;
		isa_disasm(NULL, insn, true, text, sizeof(text));
		tap_note("  %3u: %s   { 0x%02x, %u, %u, %d, %d }", i, text, insn->code,
			 insn->dst_reg, insn->src_reg, insn->off, insn->imm);
	}
}

static void report(u64 seed, struct gen_program *program, enum difference kind)
{
	struct verdict kernel, skep;

	judge(program, &kernel, &skep);
	if (kernel.processed < 50000 && skep.processed < 50000)
		shrink(program, kind);
	judge(program, &kernel, &skep);
	tap_note("seed %llu: %s", (unsigned long long)seed, difference_names[kind]);
	tap_note("  kernel %d (%s), %u processed", kernel.error, kernel.why, kernel.processed);
	tap_note("  skep   %d (%s), %u processed", skep.error, skep.why, skep.processed);
	show(program);
}

static int show_seed(u64 seed)
{
	struct gen_program program;
	struct verdict verdict;

	gen_program(seed, &program);
	show(&program);
	judge_by_kernel(&program, map_fds, 2, &verdict);
	printf("---- kernel: %d\n%s\n", verdict.error, verdict.log);
	judge_by_skep(&program, 2, NULL, NULL, false, &verdict);
	printf("---- skep: %d\n%s\n", verdict.error, verdict.log);
	return 0;
}

int main(int argc, char **argv)
{
	long programs = argc > 1 ? atol(argv[1]) : 1500, reports = argc > 3 ? atol(argv[3]) : 6,
	     accepted = 0;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	long counts[DIFF_NONE + 1] = { 0 };

	if (!tap_kernel_bpf()) {
		tap_skip(3, "the running kernel does not let this process load programs");
		return tap_done();
	}
	if (judge_open_kernel_maps(map_fds))
		tap_bail("no maps: %s", strerror(errno));
	if (argc > 2 && !strcmp(argv[1], "show"))
		return show_seed(seed);
	for (long i = 0; i < programs; i++) {
		struct gen_program program;
		struct verdict kernel, skep;
		enum difference kind;

		gen_program(seed + (u64)i, &program);
		kind = judge(&program, &kernel, &skep);
		accepted += !kernel.error;
		if (counts[kind]++ < reports && kind <= DIFF_ERRNO)
			report(seed + (u64)i, &program, kind);
		else if (kind != DIFF_NONE && getenv("SKEP_TEST_VERBOSE") &&
			 counts[kind] <= reports)
			report(seed + (u64)i, &program, kind);
	}
	tap_note("%ld programs from seed %llu, %ld accepted by the kernel", programs,
		 (unsigned long long)seed, accepted);
	for (int kind = DIFF_ACCEPTS; kind <= DIFF_ERRNO; kind++)
		tap_ok(counts[kind] == 0, "%s: %ld of %ld", difference_names[kind], counts[kind],
		       programs);
	for (int kind = DIFF_WHY; kind <= DIFF_OURS; kind++)
		tap_note("%s: %ld", difference_names[kind], counts[kind]);
	return tap_done();
}
