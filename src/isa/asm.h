/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text assembler for tests. It accepts exactly what isa_disasm() prints, with or without the
 * opcode in parentheses and a leading instruction index ("3: (b7) r0 = 0"), and beyond that:
 * - labels ("loop:") as targets of goto, gotol, may_goto, call and if, instead of pc+N;
 * - "r1 = map_fd N" and "r1 = map_value N + OFF" (ld_imm64 with a pseudo source), "r2 = func
 * LABEL";
 * - comments from ';' to the end of the line.
 * "r1 = 5" is a mov, "r1 = 0x5" an ld_imm64, as in the disassembler's output.
 */
#ifndef SKEP_ISA_ASM_H
#define SKEP_ISA_ASM_H

#include <linux/bpf.h>
#include "base/types.h"

/*
 * Assembles text into at most max instructions. Their number, or -EINVAL (a syntax error) or
 * -E2BIG, with a sentence in error.
 */
int isa_assemble(const char *text, struct bpf_insn *insns, u32 max, char *error, u32 error_size);

#endif
