/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that nobody would write, and memory that runs out: the verifier answers with an errno,
 * whatever comes. Meant for the sanitizers' builds; needs no kernel.
 */
#include "case.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "harness/tap.h"
#include "isa/asm.h"
#include "isa/opcode.h"

#define INSNS_MAX 512

static u64 random_state = 88172645463325252ULL;

static u32 rnd(u32 below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (u32)((random_state >> 11) % below);
}

static int map_by_fd(void *arg, int fd, const struct verify_map **ret_map)
{
	*ret_map = test_map((u32)fd);
	return *ret_map ? 0 : -EBADF;
}

struct told {
	u64 bytes;
	bool too_complex; /* what EFAULT says of a program, not of the verifier */
};

static void count_bytes(void *arg, const char *text, u64 size)
{
	struct told *told = arg;

	told->bytes += size;
	told->too_complex |= memmem(text, size, "jumps is too complex", 20) != NULL;
}

static int verify(const struct bpf_insn *insns, u32 nr, u32 prog_type, u32 level, bool privileged)
{
	static const struct verify_ops ops = { .map_by_fd = map_by_fd };
	struct told told = { 0 };
	struct verify_input input = {
		.insns = insns,
		.nr_insns = nr,
		.prog_type = prog_type,
		.gpl_compatible = true,
		.privileged = privileged,
		.ops = &ops,
		.log = { .level = level, .write = count_bytes, .arg = &told },
	};
	struct verify_output output;
	int err = verify_program(&input, &output);

	if (!err)
		verify_output_done(&output);
	/* Without a log nobody says why. */
	if (err == -EFAULT && !level)
		return verify(insns, nr, prog_type, 1, privileged);
	return err == -EFAULT && told.too_complex ? -E2BIG : err;
}

static const struct verify_case *const tables[] = {
	cases_structure, cases_alu,  cases_jump,    cases_stack, cases_memory,
	cases_helper,	 cases_call, cases_context, cases_loop,
};

static const u32 types[] = { BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_KPROBE,
			     BPF_PROG_TYPE_TRACEPOINT, BPF_PROG_TYPE_XDP,
			     BPF_PROG_TYPE_PERF_EVENT };

static bool is_errno(int err)
{
	return err <= 0 && err > -600 && err != -EFAULT;
}

/* Known opcodes with any fields. */
static void random_programs(u32 count)
{
	struct bpf_insn insns[24];
	bool ok = true;

	for (u32 i = 0; i < count && ok; i++) {
		u32 nr = 1 + rnd(ARRAY_SIZE(insns));

		for (u32 k = 0; k < nr; k++) {
			do
				insns[k].code = (u8)rnd(256);
			while (!isa_opcode_known(insns[k].code) && rnd(20));
			insns[k].dst_reg = rnd(20) ? rnd(11) & 15 : rnd(16) & 15;
			insns[k].src_reg = rnd(20) ? rnd(11) & 15 : rnd(16) & 15;
			insns[k].off = (s16)(rnd(3) ? rnd(24) : rnd(65536));
			insns[k].imm = (s32)(rnd(3) ? rnd(200) : rnd(UINT32_MAX));
		}
		insns[nr - 1] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
		ok = is_errno(verify(insns, nr, types[rnd(ARRAY_SIZE(types))], rnd(4), rnd(4)));
	}
	tap_ok(ok, "%u programs of random instructions", count);
}

/* Good programs with some bits turned over. */
static void mutated_programs(u32 rounds)
{
	static struct bpf_insn insns[INSNS_MAX], copy[INSNS_MAX];
	char error[128];
	u32 count = 0;
	bool ok = true;

	for (u32 t = 0; t < ARRAY_SIZE(tables); t++) {
		for (const struct verify_case *c = tables[t]; c->name; c++) {
			int nr = isa_assemble(c->text, insns, INSNS_MAX, error, sizeof(error));

			/* The longest loop takes its time. */
			if (nr <= 0 || (c->flags & CASE_LONG))
				continue;
			for (u32 r = 0; r < rounds && ok; r++, count++) {
				int err;

				memcpy(copy, insns, (size_t)nr * sizeof(*copy));
				for (u32 k = 1 + rnd(3); k; k--) {
					u8 *bytes = (u8 *)&copy[rnd((u32)nr)];

					bytes[rnd(8)] ^= (u8)(1u << rnd(8));
				}
				err = verify(copy, (u32)nr, c->prog_type, 0, rnd(8));
				ok = is_errno(err);
				if (!ok)
					tap_note("%s, round %u: %d", c->name, r, err);
			}
		}
	}
	tap_ok(ok, "%u mutants of good programs", count);
}

/* Every allocation of one verification fails once. */
static void out_of_memory(const char *name)
{
	static struct bpf_insn insns[INSNS_MAX];
	const struct verify_case *found = NULL;
	char error[128];
	long n;
	int nr, err = 0;
	bool ok = true;

	for (u32 t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct verify_case *c = tables[t]; c->name; c++)
			if (!strcmp(c->name, name))
				found = c;
	if (!tap_ok(found, "there is a case \"%s\"", name))
		return;
	nr = isa_assemble(found->text, insns, INSNS_MAX, error, sizeof(error));
	for (n = 0; n < 5000 && ok; n++) {
		base_alloc_fail_after(n);
		err = verify(insns, (u32)nr, found->prog_type, 2, true);
		if (!base_alloc_fail_after(-1))
			break;
		/* What cannot be remembered may be forgotten, but nothing may be accepted wrongly.
		 */
		ok = err == -ENOMEM || err == found->err;
		if (!ok)
			tap_note("allocation %ld: %d", n, err);
	}
	tap_ok(ok && n > 5 && err == found->err, "%s: each of %ld allocations failed once", name,
	       n);
}

static void find_line(void *arg, const char *text, u64 size)
{
	*(bool *)arg |= memmem(text, size, "takes more than 64 KiB", 22) != NULL;
}

/* A loop whose every round is a state of its own. */
static void too_large(void)
{
	static const struct verify_ops ops = { .map_by_fd = map_by_fd };
	static struct bpf_insn insns[16];
	struct verify_output output;
	char error[128];
	bool said = false;
	struct verify_input input = {
		.insns = insns,
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.gpl_compatible = true,
		.privileged = true,
		.memory_max = 64 << 10,
		.ops = &ops,
		.log = { .level = 1, .write = find_line, .arg = &said },
	};
	int nr = isa_assemble("r1 = 0\n"
			      "l: r1 += 1\n"
			      "if r1 < 1000 goto l\n"
			      "r0 = 0\n"
			      "exit\n",
			      insns, ARRAY_SIZE(insns), error, sizeof(error));

	input.nr_insns = (u32)nr;
	tap_ok(nr == 5 && verify_program(&input, &output) == -ENOMEM && said,
	       "more memory than is allowed: -ENOMEM and a line");
	/* The log's buffer may double once more for that line. */
	tap_ok(output.memory > 32 << 10 && output.memory < 96 << 10, "%zu bytes were taken",
	       output.memory);
	input.memory_max = 0;
	tap_ok(!verify_program(&input, &output), "enough memory: accepted");
	tap_ok(output.memory > 64 << 10, "%zu bytes were needed", output.memory);
	verify_output_done(&output);
}

int main(void)
{
	random_programs(20000);
	mutated_programs(8);
	out_of_memory("precision through a spill");
	out_of_memory("slots live across calls");
	out_of_memory("loop with branches");
	out_of_memory("record twice");
	out_of_memory("packet with variable offset");
	too_large();
	return tap_done();
}
