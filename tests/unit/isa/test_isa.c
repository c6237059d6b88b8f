/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction set's text and checks: assembling what the disassembler prints gives the
 * instruction back; the running kernel prints the same text and finds the same faults in single
 * instructions.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/tap.h"
#include "isa/asm.h"
#include "isa/disasm.h"
#include "isa/opcode.h"

#define NR_INSNS 24

static u64 state = 88172645463325252UL;

static u64 next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* An instruction with this opcode; strict: fields that are reserved are zero. */
static void random_insn(u8 code, bool strict, struct bpf_insn insn[2])
{
	static const s32 atomics[] = { 0x00, 0x40, 0x50, 0xa0, 0x01,  0x41,
				       0x51, 0xa1, 0xe1, 0xf1, 0x100, 0x110 };
	const struct isa_opcode *opcode = &isa_opcodes[code];
	u64 r = next_random();

	memset(insn, 0, 2 * sizeof(*insn));
	insn->code = code;
	insn->dst_reg = r % 10;
	insn->src_reg = (r >> 8) % 10;
	insn->off = (s16)((r >> 16) % 8);
	insn->imm = (s32)((r >> 32) % 3 ? (s32)(r >> 40) : (s32)((r >> 40) % 16));
	if (!(opcode->fields & ISA_DST) && strict)
		insn->dst_reg = 0;
	if (!(opcode->fields & ISA_SRC) && strict)
		insn->src_reg = 0;
	if (!(opcode->fields & ISA_OFF) && strict)
		insn->off = 0;
	if (!(opcode->fields & ISA_IMM) && strict)
		insn->imm = 0;
	if (!strict)
		return;
	switch (opcode->kind) {
	case ISA_ALU:
		if (BPF_OP(code) == BPF_MOV)
			insn->off = opcode->fields & ISA_OFF ? (s16)(8 * (r % 3)) : 0;
		else
			insn->off = opcode->fields & ISA_OFF ? r % 2 : 0;
		break;
	case ISA_END: insn->imm = 16 << r % 3; break;
	case ISA_ATOMIC: insn->imm = atomics[opcode->bytes < 4 ? 10 + r % 2 : r % 12]; break;
	case ISA_LD_IMM64:
		insn->src_reg = 0;
		insn[1].imm = (s32)(r >> 20);
		break;
	case ISA_JA: insn->imm = code == (BPF_JMP32 | BPF_JA) ? (s32)(r % 8) : 0; break;
	case ISA_MAY_GOTO: insn->src_reg = 0; break;
	case ISA_CALL:
		insn->src_reg = 0;
		insn->off = 0;
		insn->imm = (s32)(r % 200);
		break;
	case ISA_LOAD:
	case ISA_STORE: insn->off = (s16)(r >> 16); break;
	default: break;
	}
}

static bool same(const struct bpf_insn *a, const struct bpf_insn *b, u32 count)
{
	return memcmp(a, b, count * sizeof(*a)) == 0;
}

static void test_round_trip(void)
{
	u32 checked = 0, bad = 0;

	for (u32 code = 0; code < 256; code++) {
		if (!isa_opcode_known((u8)code))
			continue;
		for (u32 i = 0; i < 50; i++) {
			struct bpf_insn insn[2], back[2] = { 0 };
			char text[ISA_DISASM_MAX], error[128];
			u32 count = isa_opcodes[code].kind == ISA_LD_IMM64 ? 2 : 1;

			random_insn((u8)code, true, insn);
			if (isa_check(insn, 2, error, sizeof(error)))
				tap_bail("generated a wrong instruction: %s", error);
			isa_disasm(NULL, insn, true, text, sizeof(text));
			checked++;
			if (isa_assemble(text, back, 2, error, sizeof(error)) == (int)count &&
			    same(insn, back, count))
				continue;
			if (!bad++)
				tap_note("%s (%s)", text, error);
		}
	}
	tap_ok(bad == 0 && checked > 5000, "%u instructions survive text and back", checked);
}

static void test_assembler_errors(void)
{
	static const char *const wrong[] = {
		"r0 = ",
		"r16 = 1",
		"r0 += w1",
		"goto nowhere",
		"exit now",
		"r0 = 5000000000",
		"*(u32 *)(r1) = 5",
		"*(s8 *)(r1 +0) = 5",
		"r1 = -r2",
		"(95) r0 = 0",
		"r0 = *(u8 *)(r1 +99999)",
		"if r1 ~ 5 goto pc+1",
		"lock *(u64 *)(r1 +0) *= r2",
		"r3 = atomic64_xchg((u64 *)(r1 +0), r2)",
		"r0 = frobnicate r1",
		"r2 = atomic64_xchg((u32 *)(r1 +0), r2)",
		"frobnicate",
		"a_label_that_is_longer_than_thirty_one_characters: exit",
	};
	u32 bad = 0;

	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct bpf_insn insns[4];
		char error[128] = "";

		if (isa_assemble(wrong[i], insns, 4, error, sizeof(error)) == -EINVAL && error[0])
			continue;
		bad++;
		tap_note("accepted: %s", wrong[i]);
	}
	tap_is(bad, 0, "wrong lines are refused with a sentence");

	struct bpf_insn insns[2];
	char error[128];

	tap_is(isa_assemble("r0 = 0\nr0 = 0\nexit", insns, 2, error, sizeof(error)), -E2BIG,
	       "too many instructions");
	tap_is(isa_assemble("r0 = 0\nr0 = 0x5", insns, 2, error, sizeof(error)), -E2BIG,
	       "an ld_imm64 counts twice");
	tap_is(isa_assemble("; nothing\n\n", insns, 2, error, sizeof(error)), 0, "an empty text");
}

/* Loads insn followed by harmless instructions; the kernel's log of level 2. */
static int kernel_log(const struct bpf_insn *insn, u32 count, char *log, u32 size)
{
	struct bpf_insn insns[NR_INSNS];
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
				.insns = (u64)insns,
				.insn_cnt = NR_INSNS,
				.license = (u64) "GPL",
				.log_buf = (u64)log,
				.log_size = size,
				.log_level = 2 };
	int fd;

	for (u32 i = 0; i < NR_INSNS; i++)
		insns[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K };
	insns[NR_INSNS - 1] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	/* What follows an exit would be unreachable. */
	if (insn->code == (BPF_JMP | BPF_EXIT))
		insns[NR_INSNS - 1] = *insn;
	else
		memcpy(insns, insn, count * sizeof(*insn));
	log[0] = 0;
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : -errno;
}

/* The kernel's names of helpers are its own: the comparison leaves them out. */
static void cut_call_name(char *text)
{
	char *call = strstr(text, " call "), *hash = call ? strchr(call, '#') : NULL;

	if (hash)
		memmove(call + 6, hash, strlen(hash) + 1);
}

static void test_kernel_text(void)
{
	static char log[65536];
	u32 compared = 0, bad = 0;

	if (!tap_kernel_bpf()) {
		tap_skip(1, "the kernel does not let this process load programs");
		return;
	}
	for (u32 code = 0; code < 256; code++) {
		if (!isa_opcode_known((u8)code))
			continue;
		for (u32 i = 0; i < 8; i++) {
			struct bpf_insn insn[2];
			char text[ISA_DISASM_MAX], *line, *end;

			random_insn((u8)code, true, insn);
			isa_disasm(NULL, insn, true, text, sizeof(text));
			kernel_log(insn, isa_opcodes[code].kind == ISA_LD_IMM64 ? 2 : 1, log,
				   sizeof(log));
			line = strstr(log, code == (BPF_JMP | BPF_EXIT) ? "23: (" : "0: (");
			if (!line)
				continue; /* refused before the walk over the program */
			line = strchr(line, '(');
			end = strchr(line, '\n');
			if (end)
				*end = 0;
			end = strstr(line, " ;"); /* the state after it */
			if (end)
				*end = 0;
			for (end = line + strlen(line); end > line && end[-1] == ' '; end--)
				end[-1] = 0;
			cut_call_name(line);
			cut_call_name(text);
			compared++;
			if (strcmp(line, text) != 0 && bad++ < 5)
				tap_note("kernel '%s', skep '%s'", line, text);
		}
	}
	tap_ok(bad == 0 && compared > 700, "the kernel prints the same text (%u)", compared);
}

static bool names_a_fault(const char *log)
{
	return strstr(log, "reserved fields") || strstr(log, "unknown opcode") ||
	       strstr(log, "is invalid") || strstr(log, "invalid atomic") ||
	       strstr(log, "invalid bpf_ld_imm64");
}

static void test_kernel_checks(void)
{
	static char log[65536];
	u32 compared = 0, faults = 0, bad = 0;

	if (!tap_kernel_bpf()) {
		tap_skip(1, "the kernel does not let this process load programs");
		return;
	}
	for (u32 code = 0; code < 256; code++) {
		for (u32 i = 0; i < 24; i++) {
			struct bpf_insn insn[2];
			char message[96] = "";
			int error, kernel;

			random_insn((u8)code, false, insn);
			if (i % 2)
				random_insn((u8)code, true, insn);
			if (i % 6 == 3)
				insn->dst_reg = 11 + i % 5;
			if (i % 6 == 5)
				insn->src_reg = 11 + i % 5;
			if (isa_opcodes[code].kind == ISA_LD_IMM64)
				insn->src_reg = 0; /* pseudo sources are another matter */
			error = isa_check(insn, 2, message, sizeof(message));
			kernel = kernel_log(insn, 1 + (code == (BPF_LD | BPF_IMM | BPF_DW)), log,
					    sizeof(log));
			compared++;
			faults += error != 0;
			/* The kernel may stop at another fault of the same instruction first. */
			if (error && kernel == -EACCES && strstr(log, "!read_ok"))
				continue;
			if (error ? kernel == -EINVAL &&
					    (strstr(log, message) || names_a_fault(log) ||
					     isa_opcodes[code].kind == ISA_JUMP ||
					     isa_opcodes[code].kind == ISA_JA ||
					     isa_opcodes[code].kind == ISA_CALL)
				  : !names_a_fault(log))
				continue;
			if (bad++ < 8)
				tap_note("%02x dst %d src %d off %d imm %d: '%s' %d, kernel %d "
					 "'%.120s'",
					 code, insn->dst_reg, insn->src_reg, insn->off, insn->imm,
					 message, error, kernel, log);
		}
	}
	tap_ok(bad == 0 && faults > 1000,
	       "the kernel finds the same faults (%u of %u instructions)", faults, compared);
}

int main(void)
{
	test_round_trip();
	test_assembler_errors();
	test_kernel_text();
	test_kernel_checks();
	return tap_done();
}
