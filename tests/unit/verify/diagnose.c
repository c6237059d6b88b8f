/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify_diagnosis: the rejected instruction and the chain of those that made its values, through
 * copies, arithmetic, comparisons, the stack and calls; whatever the log level says.
 */
#include "case.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "harness/tap.h"
#include "isa/asm.h"

#define INSNS_MAX 64

static int map_by_fd(void *arg, int fd, const struct verify_map **ret_map)
{
	*ret_map = test_map((u32)fd);
	return *ret_map ? 0 : -EBADF;
}

static void ignore(void *arg, const char *text, u64 size)
{
}

static int diagnose(const char *text, u32 level, struct verify_diagnosis *ret_diagnosis)
{
	static const struct verify_ops ops = { .map_by_fd = map_by_fd };
	struct bpf_insn insns[INSNS_MAX];
	struct verify_output output;
	char error[128];
	int nr = isa_assemble(text, insns, INSNS_MAX, error, sizeof(error)), err;
	struct verify_input input = {
		.insns = insns,
		.nr_insns = (u32)nr,
		.prog_type = BPF_PROG_TYPE_XDP,
		.gpl_compatible = true,
		.privileged = true,
		.ops = &ops,
		.log = { .level = level, .write = ignore },
		.ret_diagnosis = ret_diagnosis,
	};

	if (nr <= 0) {
		tap_note("%s", error);
		return 1;
	}
	err = verify_program(&input, &output);
	if (!err)
		verify_output_done(&output);
	return err;
}

/* "7 3 1": the instructions in order. */
static void expect(const char *name, const char *text, const char *chain, const char *message,
		   const char *value)
{
	for (u32 level = 1; level <= 4; level <<= 1) {
		struct verify_diagnosis diagnosis;
		char got[256] = "";
		int err = diagnose(text, level, &diagnosis);

		for (u32 i = 0; i < diagnosis.nr_causes; i++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%u", i ? " " : "",
				 diagnosis.causes[i].insn);
		tap_ok(err < 0 && !strcmp(got, chain) && strstr(diagnosis.message, message) &&
			       strstr(diagnosis.causes[0].value, value),
		       "%s, log level %u", name, level);
		if (strcmp(got, chain) || !strstr(diagnosis.message, message) ||
		    !strstr(diagnosis.causes[0].value, value))
			tap_note("%d: chain %s, message %s, value %s", err, got, diagnosis.message,
				 diagnosis.causes[0].value);
	}
}

int main(void)
{
	struct verify_diagnosis diagnosis;

	expect("a copy of what never was", "r0 = 0\nr1 = r7\nexit", "1", "R7 !read_ok", "R7=?");
	expect("through a copy to its beginning", "r2 = 0\nr3 = r2\nr0 = *(u64 *)(r3 +0)\nexit",
	       "2 1 0", "R3 invalid mem access 'scalar'", "R3=0");
	expect("arithmetic has two origins",
	       "r6 = *(u32 *)(r1 +16)\nr7 = r10\nr7 += -8\nr7 += r6\n"
	       "r0 = *(u8 *)(r7 +0)\nexit",
	       "4 3 0 2 1", "variable-offset", "R7=fp(off=-8,");
	expect("through the stack",
	       "r2 = 5\n*(u64 *)(r10 -8) = r2\nr2 = 0\nr3 = *(u64 *)(r10 -8)\n"
	       "r0 = *(u64 *)(r3 +0)\nexit",
	       "4 3 1 0", "R3 invalid mem access 'scalar'", "R3=5");
	expect("a comparison that it passed",
	       "r6 = *(u32 *)(r1 +16)\nr0 = 0\nif r6 > 600 goto out\nr7 = r10\nr7 += -8\nr6 += r7\n"
	       "r0 = *(u8 *)(r6 +0)\nout: exit",
	       "6 5 4 3 2 0", "", "R6=fp");
	expect("a call's result", "call bpf_get_prandom_u32#7\nr6 = r0\nr0 = *(u64 *)(r6 +0)\nexit",
	       "2 1 0", "R6 invalid mem access 'scalar'", "R6=scalar");
	expect("what a call left nothing of", "r2 = 1\ncall bpf_get_prandom_u32#7\nr0 = r2\nexit",
	       "2 1", "R2 !read_ok", "R2=?");
	expect("a function's argument is its caller's",
	       "r1 = 7\ncall f\nexit\nf: r0 = *(u64 *)(r1 +0)\nexit", "3 0",
	       "R1 invalid mem access 'scalar'", "R1=7");
	tap_ok(diagnose("r0 = 0\nexit", 1, &diagnosis) == 0 && !diagnosis.nr_causes &&
		       !diagnosis.message[0],
	       "nothing about what is accepted");
	tap_ok(diagnose("r0 = r7\nexit", 0, &diagnosis) == -EACCES && !diagnosis.nr_causes,
	       "nothing without a log");
	tap_ok(diagnose("r0 = 0\nr1 = 0\n", 1, &diagnosis) < 0 && !diagnosis.nr_causes &&
		       diagnosis.message[0],
	       "no instruction to blame: the message alone (%s)", diagnosis.message);
	tap_ok(diagnose("r0 = 0\nl: r0 += 1\nif r0 < 2000000000 goto l\nexit", 1, &diagnosis) ==
			       -E2BIG &&
		       diagnosis.nr_causes == 1,
	       "too long: the place alone");
	return tap_done();
}
