/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * L5: does skep's verifier say what the running kernel says?
 *
 * Every program of generate.h goes to both; verdict, errno and the number of processed instructions
 * are compared. A disagreement in verdict or errno fails the test; a program that skep accepts and
 * the kernel rejects is the grave kind. Disagreements are shrunk to the instructions that matter
 * and shown. For the sake of speed logs are written only where they are looked at, and programs
 * that take more than LONG_INSNS, loops without end most of them, are left out; but of each
 * WHOLE_EVERY-th program everything is asked, and the sentence of a rejection compared, too.
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

enum { WHOLE_EVERY = 64, LONG_INSNS = 20000 };

/* How two verdicts differ, worst first. */
enum difference {
	DIFF_ACCEPTS, /* skep accepts what the kernel rejects */
	DIFF_REJECTS,
	DIFF_ERRNO,
	DIFF_WHY,
	DIFF_PROCESSED,
	DIFF_LISTED,
	DIFF_NONE,
};

static const char *const difference_names[] = {
	"skep accepts, kernel rejects",
	"skep rejects, kernel accepts",
	"errno differs",
	"sentence differs",
	"processed differs",
	"explained",
	"none",
};

static int map_fds[GEN_NR_MAPS];

/* Why a difference may stay. */
enum reason {
	BEFORE_CONTEXT,
	THROW_IN_LOOP,
	DEAD_AND_PRECISE,
	MAY_GOTO_AND_LOOP,
	NEXT_WITHOUT_LOOP,
	LOAD_IN_CALLBACK,
	OUT_OF_MEMORY,
	FEWER_INSTRUCTIONS,
	HALF_OF_POINTER,
	NO_ADDRESS,
	ENDLESS_LOOP,
	NULL_WITH_SIZE,
	MOVED_BACK,
	LINKED_SWAP,
	NO_REASON,
};

static const char *const reasons[] = {
	[BEFORE_CONTEXT] = "6.18 lets tracepoint programs read before their context: it compares "
			   "the offset with a size, as unsigned numbers",
	[THROW_IN_LOOP] = "6.18 contradicts itself when bpf_throw() ends a path inside of a loop",
	[DEAD_AND_PRECISE] = "6.18 looks for the origin of dead registers, if all are precise for "
			     "want of a better answer, and contradicts itself",
	[MAY_GOTO_AND_LOOP] = "6.18 contradicts itself when it inlines bpf_loop() beside a "
			      "may_goto",
	[NEXT_WITHOUT_LOOP] =
		"6.18 contradicts itself when it prunes at an iterator's next that is in no loop "
		"but the one of its callback",
	[LOAD_IN_CALLBACK] = "skep rejects; 6.18 asks only where a callback itself loads of the "
			     "packet (BPF_LD_ABS), on a path that it goes",
	[FEWER_INSTRUCTIONS] = "6.18 gives up after a million instructions, of which skep needs a "
			       "part: loops of callbacks and iterators settle sooner",
	[HALF_OF_POINTER] =
		"skep rejects; 6.18 takes the lower half of a pointer for not 0 because "
		"the pointer is not, skep goes both ways",
	[NO_ADDRESS] = "both reject; the kernel's types have the function, its list of symbols has "
		       "not",
	[ENDLESS_LOOP] =
		"skep looks again at loops of callbacks that are settled, and meets a loop "
		"of the same state, which 6.18 pruned before",
	[NULL_WITH_SIZE] =
		"6.18 lets helpers that take null read as many bytes of what may be null "
		"as the size beside it says",
	[MOVED_BACK] =
		"both reject; 6.18 takes a pointer beyond the packet's end for beyond it also "
		"after it was moved back",
	[LINKED_SWAP] =
		"both reject; 6.18 keeps a number linked to its copy when its bytes are put "
		"in order, which is right for le64 only",
	[OUT_OF_MEMORY] = "skep's limit of memory comes before 6.18's limit of instructions",
};

static struct totals {
	long accepted, not_asked;
	long topic[GEN_NR_TOPICS], topic_accepted[GEN_NR_TOPICS];
	long type[BPF_PROG_TYPE_SYSCALL + 1], type_accepted[BPF_PROG_TYPE_SYSCALL + 1];
	long counts[DIFF_NONE + 1], reason[NO_REASON];
} totals;

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool compares_half_with_0(const struct gen_program *program)
{
	for (u32 i = 0; i < program->nr_insns; i++) {
		u8 code = program->insns[i].code, op = BPF_OP(code);

		/* A register that it is compared with may be 0, too. */
		if (BPF_CLASS(code) == BPF_JMP32 && (op == BPF_JEQ || op == BPF_JNE) &&
		    (BPF_SRC(code) == BPF_X || !program->insns[i].imm))
			return true;
	}
	return false;
}

static bool orders_bytes(const struct gen_program *program)
{
	for (u32 i = 0; i < program->nr_insns; i++)
		if (BPF_OP(program->insns[i].code) == BPF_END &&
		    BPF_CLASS(program->insns[i].code) == BPF_ALU)
			return true;
	return false;
}

/* Do both judge alike if the comparisons of halves are comparisons of the whole? */
static bool agree_on_wholes(const struct gen_program *program)
{
	struct gen_program wholes = *program;
	struct verdict kernel, skep;

	for (u32 i = 0; i < wholes.nr_insns; i++) {
		u8 code = wholes.insns[i].code;

		if (BPF_CLASS(code) == BPF_JMP32 &&
		    (BPF_OP(code) == BPF_JEQ || BPF_OP(code) == BPF_JNE))
			wholes.insns[i].code = (u8)((code & ~0x7) | BPF_JMP);
	}
	judge_by_kernel(&wholes, map_fds, 1, &kernel);
	judge_by_skep(&wholes, 1, NULL, &skep);
	return kernel.error == skep.error;
}

static enum reason reason_of(const struct gen_program *program, const struct verdict *kernel,
			     const struct verdict *skep)
{
	if (program->prog_type == BPF_PROG_TYPE_TRACEPOINT && skep->error == EACCES &&
	    begins(skep->why, "invalid bpf_context access off=-"))
		return BEFORE_CONTEXT;
	if (kernel->error == EFAULT &&
	    begins(kernel->why, "verifier bug: scc exit: no visit info for call chain"))
		return THROW_IN_LOOP;
	if (kernel->error == EFAULT &&
	    begins(kernel->why, "verifier bug: backtracking call unexpected regs"))
		return DEAD_AND_PRECISE;
	if (kernel->error == EFAULT && begins(kernel->why, "verifier bug: No program to jit"))
		return MAY_GOTO_AND_LOOP;
	if (kernel->error == EFAULT &&
	    begins(kernel->why, "verifier bug: add backedge: no SCC in verification path"))
		return NEXT_WITHOUT_LOOP;
	if (begins(skep->why, "cannot use BPF_LD_[ABS|IND] within callback"))
		return LOAD_IN_CALLBACK;
	if (kernel->error == E2BIG && begins(skep->why, "verifying takes more than"))
		return OUT_OF_MEMORY;
	if (((kernel->error == E2BIG && kernel->processed > 1000000) ||
	     begins(kernel->why, "The sequence of 8193 jumps is too complex")) &&
	    skep->processed < kernel->processed)
		return FEWER_INSTRUCTIONS;
	if (!kernel->error && begins(skep->why, "old state: ") &&
	    program->topics >> GEN_CALLBACKS & 1)
		return ENDLESS_LOOP;
	if (!kernel->error && strstr(skep->why, "may be null while R"))
		return NULL_WITH_SIZE;
	if (skep->error && begins(kernel->why, "cannot find address for kernel function"))
		return NO_ADDRESS;
	if (kernel->error == EINVAL && skep->error == EACCES && !strcmp(kernel->why, skep->why) &&
	    strstr(skep->why, "offset is outside of the packet"))
		return MOVED_BACK;
	if (kernel->error && begins(skep->why, "math between ") && orders_bytes(program))
		return LINKED_SWAP;
	if (skep->error && compares_half_with_0(program) &&
	    (kernel->error || agree_on_wholes(program)))
		return HALF_OF_POINTER;
	return NO_REASON;
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

/* With the sentences. */
static enum difference judge(const struct gen_program *program, struct verdict *kernel,
			     struct verdict *skep)
{
	judge_by_kernel(program, map_fds, 1, kernel);
	judge_by_skep(program, 1, NULL, skep);
	if (kernel->error != skep->error && reason_of(program, kernel, skep) != NO_REASON)
		return DIFF_LISTED;
	return compare(kernel, skep);
}

/* The same at the least cost; false: the program is one of the long ones that are left out. */
static bool judge_quickly(const struct gen_program *program, u64 seed, enum difference *ret_kind)
{
	enum { STATISTICS = 4 };
	static const struct judge_options brief = { .max_insns = LONG_INSNS };
	struct verdict kernel, skep;

	judge_by_skep(program, STATISTICS, &brief, &skep);
	if (skep.processed > LONG_INSNS)
		return false;
	if (seed % WHOLE_EVERY == 0) {
		*ret_kind = judge(program, &kernel, &skep);
	} else {
		judge_by_kernel(program, map_fds, STATISTICS, &kernel);
		*ret_kind = compare(&kernel, &skep);
		if (*ret_kind != DIFF_NONE)
			*ret_kind = judge(program, &kernel, &skep);
	}
	if (*ret_kind == DIFF_LISTED)
		totals.reason[reason_of(program, &kernel, &skep)]++;
	totals.accepted += !kernel.error;
	totals.type[program->prog_type]++;
	totals.type_accepted[program->prog_type] += !kernel.error;
	for (u32 i = 0; i < GEN_NR_TOPICS; i++) {
		totals.topic[i] += program->topics >> i & 1;
		totals.topic_accepted[i] += (program->topics >> i & 1) && !kernel.error;
	}
	return true;
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
	judge_by_skep(&program, 2, NULL, &verdict);
	printf("---- skep: %d\n%s\n", verdict.error, verdict.log);
	return 0;
}

static void note_totals(void)
{
	for (u32 i = 0; i < GEN_NR_TOPICS; i++)
		tap_note("%10ld programs with %s, %ld%% accepted", totals.topic[i],
			 gen_topic_names[i],
			 totals.topic[i] ? totals.topic_accepted[i] * 100 / totals.topic[i] : 0);
	for (u32 i = 0; i < ARRAY_SIZE(totals.type); i++)
		if (totals.type[i])
			tap_note("%10ld programs of type %u, %ld%% accepted", totals.type[i], i,
				 totals.type_accepted[i] * 100 / totals.type[i]);
	tap_note("%ld programs were left out: they take more than %d instructions",
		 totals.not_asked, LONG_INSNS);
}

int main(int argc, char **argv)
{
	long programs = argc > 1 ? atol(argv[1]) : 4000, reports = argc > 3 ? atol(argv[3]) : 6;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	bool verbose = getenv("SKEP_TEST_VERBOSE");

	if (!tap_kernel_bpf()) {
		tap_skip(3, "the running kernel does not let this process load programs");
		return tap_done();
	}
	if (judge_open_kernel_maps(map_fds))
		tap_bail("no maps: %s", strerror(errno));
	if (argc > 2 && !strcmp(argv[1], "show"))
		return show_seed(seed);
	for (u64 end = seed + (u64)programs, i = seed; i < end; i++) {
		struct gen_program program;
		enum difference kind;

		gen_program(i, &program);
		if (!judge_quickly(&program, i, &kind)) {
			totals.not_asked++;
			continue;
		}
		if (totals.counts[kind]++ < reports &&
		    (kind <= DIFF_ERRNO || (kind != DIFF_NONE && verbose)))
			report(i, &program, kind);
	}
	tap_note("%ld programs from seed %llu, %ld accepted by the kernel", programs,
		 (unsigned long long)seed, totals.accepted);
	note_totals();
	for (int kind = DIFF_ACCEPTS; kind <= DIFF_ERRNO; kind++)
		tap_ok(totals.counts[kind] == 0, "%s: %ld of %ld", difference_names[kind],
		       totals.counts[kind], programs);
	for (int kind = DIFF_WHY; kind < DIFF_NONE; kind++)
		tap_note("%s: %ld", difference_names[kind], totals.counts[kind]);
	for (int reason = 0; reason < NO_REASON; reason++)
		tap_note("  %ld: %s", totals.reason[reason], reasons[reason]);
	return tap_done();
}
