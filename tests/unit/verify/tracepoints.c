/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every tracepoint of the running kernel's BTF, every argument: loads it, loads through it, loads
 * through it after a check for null. skep's verdict and the kernel's must agree; the logs differ
 * where the kernel takes a pointer to be never null, which here it may be.
 */
#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "btf/btf.h"
#include "harness/tap.h"
#include "isa/asm.h"

#define PREFIX	"btf_trace_"
#define OFFSETS 4 /* how far into the structure the loads go, in words */

static struct text ours, kernel;
static u32 nr_programs, nr_accepted, nr_differences;

static void compare(const char *tracepoint, u32 arg, const char *program)
{
	struct verify_case c = { .name = tracepoint,
				 .prog_type = BPF_PROG_TYPE_TRACING,
				 .tracepoint = tracepoint };
	struct bpf_insn insns[16];
	char error[128] = "";
	int nr = isa_assemble(program, insns, 16, error, sizeof(error)), mine, theirs;

	if (nr <= 0)
		tap_bail("%s: %s", program, error);
	mine = oracle_skep(&c, insns, (u32)nr, 1, &ours);
	theirs = oracle_kernel(&c, insns, (u32)nr, 1, &kernel);
	nr_programs++;
	nr_accepted += !mine;
	if (mine == theirs)
		return;
	if (nr_differences++ < 20)
		tap_note("%s argument %u: skep %d, kernel %d\n%s%s", tracepoint, arg, mine, theirs,
			 ours.text, kernel.text);
}

static void compare_argument(const char *tracepoint, u32 arg)
{
	char program[256];

	for (u32 i = 0; i < OFFSETS; i++) {
		snprintf(program, sizeof(program),
			 "r2 = *(u64 *)(r1 +%u)\nr3 = *(u64 *)(r2 +%u)\nr0 = 0\nexit", arg * 8,
			 i * 8);
		compare(tracepoint, arg, program);
		snprintf(program, sizeof(program),
			 "r2 = *(u64 *)(r1 +%u)\nr0 = 0\nif r2 == 0x0 goto pc+2\nr3 = *(u64 *)(r2 "
			 "+%u)\nr4 = *(u32 *)(r3 +8)\nexit",
			 arg * 8, i * 8);
		compare(tracepoint, arg, program);
	}
	snprintf(program, sizeof(program), "r2 = *(u32 *)(r1 +%u)\nr0 = 0\nexit", arg * 8);
	compare(tracepoint, arg, program);
}

int main(int argc, char **argv)
{
	/* Every n-th tracepoint, for CI; 1: all. */
	u32 step = argc > 1 ? (u32)atoi(argv[1]) : 5, seen = 0;
	const struct btf *btf = oracle_kernel_btf();

	ours.text = malloc(ORACLE_LOG_MAX);
	kernel.text = malloc(ORACLE_LOG_MAX);
	if (!ours.text || !kernel.text || !step)
		tap_bail("no memory, or a step of 0");
	if (!btf || !oracle_open()) {
		tap_skip(1, "no comparison: the kernel shows no BTF, or takes no programs");
		return tap_done();
	}
	for (u32 id = 1; id < btf_nr_types(btf); id++) {
		const struct btf_type *type = btf_type_by_id(btf, id), *proto;
		const char *name = btf_type_name(btf, id);

		if (btf_kind_of(type) != BTF_KIND_TYPEDEF ||
		    strncmp(name, PREFIX, sizeof(PREFIX) - 1) || seen++ % step)
			continue;
		proto = btf_type_by_id(btf, type->type);
		proto = proto ? btf_type_by_id(btf, proto->type) : NULL;
		if (!proto || btf_kind_of(proto) != BTF_KIND_FUNC_PROTO)
			continue;
		for (u32 arg = 0; arg < btf_vlen_of(proto); arg++)
			compare_argument(name + sizeof(PREFIX) - 1, arg);
	}
	tap_note("%u programs on %u tracepoints, %u accepted", nr_programs,
		 (seen + step - 1) / step, nr_accepted);
	tap_ok(nr_accepted > 0 && nr_accepted < nr_programs, "both verdicts occur");
	tap_ok(!nr_differences, "the kernel's verdict on each");
	return tap_done();
}
