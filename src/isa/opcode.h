/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction set as one table: a row for each of the 256 opcode bytes says what kind of
 * instruction it is, which fields mean something, and since which cpu version (RFC 9669 and the
 * -mcpu levels of LLVM). Constants that Debian 12's <linux/bpf.h> lacks are defined here.
 */
#ifndef SKEP_ISA_OPCODE_H
#define SKEP_ISA_OPCODE_H

#include <linux/bpf.h>
#include "base/types.h"

#ifndef BPF_MEMSX
#define BPF_MEMSX 0x80 /* load with sign extension */
#endif
#ifndef BPF_JCOND
#define BPF_JCOND 0xe0 /* conditional pseudo jumps: may_goto */
#endif
#ifndef BPF_LOAD_ACQ
#define BPF_LOAD_ACQ  0x100
#define BPF_STORE_REL 0x110
#endif
#ifndef BPF_MAY_GOTO
#define BPF_MAY_GOTO 0 /* src_reg of BPF_JCOND */
#endif

/* Modes that only the verifier's output carries (include/linux/filter.h): loads that may fault. */
#define ISA_PROBE_MEM	 0x20
#define ISA_PROBE_MEMSX	 0x40
#define ISA_LOAD_OBJECT	 0xe0 /* a pointer to an object of the type imm (rt/object.h), or 0 */
/* The same for accesses to an arena's pages; atomic ones. */
#define ISA_ARENA_MEM	 0xa0
#define ISA_ARENA_MEMSX	 0xc0
#define ISA_ARENA_ATOMIC 0xe0

/* What the kernel's verifier makes of a call to bpf_tail_call(): the engines know both. */
#define ISA_TAIL_CALL (BPF_JMP | 0xf0)

/* BPF_MOV | BPF_X of 64 bits with this off: imm is 1 (to address space 0) or 1 << 16 (to 1). */
#define ISA_ADDR_SPACE_CAST 1
#define ISA_ADDR_PERCPU	    (-1)

/* Masks of fields that <linux/bpf_common.h> names for the 3 low bits and more. */
#define ISA_MODE(code) ((code)&0xe0)
#define ISA_OP(code)   ((code)&0xf0)

enum isa_kind {
	ISA_INVALID, /* no instruction; the second half of ld_imm64 (0x00) is no opcode either */
	ISA_ALU,     /* dst = dst op (src or imm); BPF_MOV, BPF_DIV, BPF_MOD read off as well */
	ISA_NEG,
	ISA_END,    /* le, be, bswap: imm is the width */
	ISA_LOAD,   /* dst = *(src + off) */
	ISA_STORE,  /* *(dst + off) = src or imm */
	ISA_ATOMIC, /* imm says which */
	ISA_LD_IMM64,
	ISA_LD_PACKET, /* BPF_ABS, BPF_IND */
	ISA_JA,
	ISA_JUMP, /* conditional */
	ISA_MAY_GOTO,
	ISA_CALL,
	ISA_EXIT,
};

/* Fields of the encoding that mean something. */
#define ISA_DST	      1u
#define ISA_SRC	      2u
#define ISA_OFF	      4u
#define ISA_IMM	      8u
#define ISA_SETS_DST  16u /* dst is written */
#define ISA_READS_DST 32u

struct isa_opcode {
	u8 kind;   /* enum isa_kind */
	u8 fields; /* ISA_DST | … */
	u8 cpu;	   /* 1 to 4: the -mcpu level that brought it */
	u8 bytes;  /* width of the memory access, 0 if none */
};

extern const struct isa_opcode isa_opcodes[256];

/* Is it an opcode that a client may load? (The kernel: bpf_opcode_in_insntable().) */
static inline bool isa_opcode_known(u8 code)
{
	return isa_opcodes[code].kind != ISA_INVALID;
}

/* Width in bytes of the access that an opcode's size bits stand for. */
static inline u32 isa_access_bytes(u8 code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B: return 1;
	case BPF_H: return 2;
	case BPF_W: return 4;
	default: return 8;
	}
}

/*
 * Checks one instruction's reserved fields and opcode by itself, as the kernel does before it looks
 * at types (kernel/bpf/verifier.c). ld_imm64 is checked with the instruction after it; nr_left
 * counts the instructions from insn to the program's end. 0, or -EINVAL and text (at most size
 * bytes, no newline) in the kernel's wording. Registers above r10 give the kernel's "R%d is
 * invalid".
 */
int isa_check(const struct bpf_insn *insn, u32 nr_left, char *text, u32 size);

#endif
