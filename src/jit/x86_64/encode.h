/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64 instructions as bytes (Intel's manual, volume 2): one function for each form of operands,
 * which takes the opcode as a number (0x0fNN for those of two bytes). Jumps go to labels.
 *
 * Code is made in passes over the whole program. A jump uses the distance that the pass before
 * found, and pieces become shorter from pass to pass until nothing moves any more: then each
 * distance was the right one. emit_pass_end() tells. A failure is kept in the emitter and told at
 * the end.
 */
#ifndef SKEP_JIT_X86_64_ENCODE_H
#define SKEP_JIT_X86_64_ENCODE_H

#include "base/types.h"

enum x86_reg {
	RAX,
	RCX,
	RDX,
	RBX,
	RSP,
	RBP,
	RSI,
	RDI,
	R8,
	R9,
	R10,
	R11,
	R12,
	R13,
	R14,
	R15,
};

/* Sizes of operands: 32 bits without any of these. */
#define X86_64	 1u
#define X86_16	 2u
#define X86_BYTE 4u /* the register operand is a byte: sil and the like need a prefix */
#define X86_LOCK 8u

/* Conditions, as in the opcodes of jcc. */
enum x86_condition {
	X86_B = 2,
	X86_AE,
	X86_E,
	X86_NE,
	X86_BE,
	X86_A,
	X86_S,
	X86_NS,
	X86_L = 12,
	X86_GE,
	X86_LE,
	X86_G,
};

/* The operations of the group 0x81 and, times 8 plus 1 or 3, opcodes of their own. */
enum x86_group {
	X86_ADD,
	X86_OR,
	X86_AND = 4,
	X86_SUB,
	X86_XOR,
	X86_CMP,
};
enum x86_shift { X86_ROL, X86_ROR, X86_SHL = 4, X86_SHR, X86_SAR = 7 };

#define X86_STORE_OF(group) ((u32)(group)*8 + 1) /* r/m op= reg */

/* A displacement to the address of something that is no part of the code. */
struct emit_relocation {
	u32 at;	    /* of its four bytes */
	u32 behind; /* where the instruction ends */
	u64 target;
};

#define EMIT_UNKNOWN 0xffffffffu

struct emitter {
	u8 *bytes;
	u32 size, room;
	/* By label: the program's instructions first, then those made by emit_label(). */
	u32 *offsets;
	u32 nr_labels, nr_insns, room_labels;
	struct emit_relocation *relocations;
	u32 nr_relocations, room_relocations;
	u32 slack;	 /* how much earlier than in the pass before the last label was bound */
	bool moved;	 /* a label is not where it was in the pass before */
	bool first_pass; /* no distance is known yet */
	bool only_long;	 /* no short jumps */
	bool no_memory;
};

void emit_done(struct emitter *emitter);

/* Begins a pass over a program of nr_insns instructions. */
void emit_pass_begin(struct emitter *emitter, u32 nr_insns);

/* Ends it: true if the code is final. */
bool emit_pass_end(struct emitter *emitter);

void emit_byte(struct emitter *emitter, u8 byte);
void emit_u32(struct emitter *emitter, u32 value);
void emit_u64(struct emitter *emitter, u64 value);

/* A new label; labels are made in the same order in each pass. */
u32 emit_label(struct emitter *emitter);
void emit_bind(struct emitter *emitter, u32 label);
void emit_jump(struct emitter *emitter, u32 label);
void emit_jump_if(struct emitter *emitter, enum x86_condition condition, u32 label);
void emit_call(struct emitter *emitter, u32 label);

/* opcode with a register and a register or memory: rm, [base + disp], [base + index << scale]. */
void x86_reg(struct emitter *emitter, u32 flags, u32 opcode, u32 reg, u32 rm);
void x86_mem(struct emitter *emitter, u32 flags, u32 opcode, u32 reg, u32 base, s32 disp);
void x86_index(struct emitter *emitter, u32 flags, u32 opcode, u32 reg, u32 base, u32 index,
	       u32 scale);
/* [address]; an immediate of trailing bytes follows. */
void x86_address(struct emitter *emitter, u32 flags, u32 opcode, u32 reg, u64 address,
		 u32 trailing);

/* group op rm, imm */
void x86_imm(struct emitter *emitter, u32 flags, enum x86_group op, u32 rm, s32 imm);
void x86_shift_imm(struct emitter *emitter, u32 flags, enum x86_shift op, u32 rm, u32 count);
/* shlx, shrx, sarx (BMI2): dst = src shifted by count. */
void x86_shift_by(struct emitter *emitter, u32 flags, enum x86_shift op, u32 dst, u32 src,
		  u32 count);
/* dst = value, in the shortest form. */
void x86_constant(struct emitter *emitter, u32 dst, u64 value);

static inline void x86_move(struct emitter *emitter, u32 flags, u32 dst, u32 src)
{
	x86_reg(emitter, flags, 0x89, src, dst);
}

static inline void x86_push(struct emitter *emitter, u32 reg)
{
	if (reg >= R8)
		emit_byte(emitter, 0x41);
	emit_byte(emitter, (u8)(0x50 | (reg & 7)));
}

static inline void x86_pop(struct emitter *emitter, u32 reg)
{
	if (reg >= R8)
		emit_byte(emitter, 0x41);
	emit_byte(emitter, (u8)(0x58 | (reg & 7)));
}

#endif
