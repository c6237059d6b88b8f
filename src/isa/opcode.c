/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The opcode table. A row is (code, kind, fields, cpu level, access bytes); rows that are missing
 * are no instructions.
 */
#include "isa/opcode.h"

#define ROW(code, k, f, level, width) \
	[(u8)(code)] = { .kind = (k), .fields = (f), .cpu = (level), .bytes = (width) }

#define ALU_FIELDS (ISA_DST | ISA_SETS_DST | ISA_READS_DST)
#define ALU(op, extra)                                                                        \
	ROW(BPF_ALU64 | (op) | BPF_K, ISA_ALU, ALU_FIELDS | ISA_IMM | (extra), 1, 0),         \
		ROW(BPF_ALU64 | (op) | BPF_X, ISA_ALU, ALU_FIELDS | ISA_SRC | (extra), 1, 0), \
		ROW(BPF_ALU | (op) | BPF_K, ISA_ALU, ALU_FIELDS | ISA_IMM | (extra), 1, 0),   \
		ROW(BPF_ALU | (op) | BPF_X, ISA_ALU, ALU_FIELDS | ISA_SRC | (extra), 1, 0)

#define MOV_FIELDS (ISA_DST | ISA_SETS_DST)

#define JUMP_FIELDS (ISA_DST | ISA_READS_DST | ISA_OFF)
#define JUMP(op, level)                                                                 \
	ROW(BPF_JMP | (op) | BPF_K, ISA_JUMP, JUMP_FIELDS | ISA_IMM, level, 0),         \
		ROW(BPF_JMP | (op) | BPF_X, ISA_JUMP, JUMP_FIELDS | ISA_SRC, level, 0), \
		ROW(BPF_JMP32 | (op) | BPF_K, ISA_JUMP, JUMP_FIELDS | ISA_IMM, 3, 0),   \
		ROW(BPF_JMP32 | (op) | BPF_X, ISA_JUMP, JUMP_FIELDS | ISA_SRC, 3, 0)

#define LOAD_FIELDS  (ISA_DST | ISA_SRC | ISA_OFF | ISA_SETS_DST)
#define STORE_FIELDS (ISA_DST | ISA_OFF | ISA_READS_DST)
#define MEMORY(bits, width)                                                                  \
	ROW(BPF_LDX | BPF_MEM | (bits), ISA_LOAD, LOAD_FIELDS, 1, width),                    \
		ROW(BPF_ST | BPF_MEM | (bits), ISA_STORE, STORE_FIELDS | ISA_IMM, 1, width), \
		ROW(BPF_STX | BPF_MEM | (bits), ISA_STORE, STORE_FIELDS | ISA_SRC, 1, width)
#define ATOMIC(bits, level, width)                                                              \
	ROW(BPF_STX | BPF_ATOMIC | (bits), ISA_ATOMIC, STORE_FIELDS | ISA_SRC | ISA_IMM, level, \
	    width)
#define PACKET(bits, width)                                               \
	ROW(BPF_LD | BPF_ABS | (bits), ISA_LD_PACKET, ISA_IMM, 1, width), \
		ROW(BPF_LD | BPF_IND | (bits), ISA_LD_PACKET, ISA_IMM | ISA_SRC, 1, width)

const struct isa_opcode isa_opcodes[256] = {
	ALU(BPF_ADD, 0),
	ALU(BPF_SUB, 0),
	ALU(BPF_MUL, 0),
	ALU(BPF_DIV, ISA_OFF),
	ALU(BPF_OR, 0),
	ALU(BPF_AND, 0),
	ALU(BPF_LSH, 0),
	ALU(BPF_RSH, 0),
	ALU(BPF_MOD, ISA_OFF),
	ALU(BPF_XOR, 0),
	ALU(BPF_ARSH, 0),
	ROW(BPF_ALU64 | BPF_MOV | BPF_K, ISA_ALU, MOV_FIELDS | ISA_IMM, 1, 0),
	ROW(BPF_ALU64 | BPF_MOV | BPF_X, ISA_ALU, MOV_FIELDS | ISA_SRC | ISA_OFF, 1, 0),
	ROW(BPF_ALU | BPF_MOV | BPF_K, ISA_ALU, MOV_FIELDS | ISA_IMM, 1, 0),
	ROW(BPF_ALU | BPF_MOV | BPF_X, ISA_ALU, MOV_FIELDS | ISA_SRC | ISA_OFF, 1, 0),
	ROW(BPF_ALU64 | BPF_NEG, ISA_NEG, ALU_FIELDS, 1, 0),
	ROW(BPF_ALU | BPF_NEG, ISA_NEG, ALU_FIELDS, 1, 0),
	ROW(BPF_ALU | BPF_END | BPF_TO_LE, ISA_END, ALU_FIELDS | ISA_IMM, 1, 0),
	ROW(BPF_ALU | BPF_END | BPF_TO_BE, ISA_END, ALU_FIELDS | ISA_IMM, 1, 0),
	ROW(BPF_ALU64 | BPF_END | BPF_TO_LE, ISA_END, ALU_FIELDS | ISA_IMM, 4, 0),

	MEMORY(BPF_B, 1),
	MEMORY(BPF_H, 2),
	MEMORY(BPF_W, 4),
	MEMORY(BPF_DW, 8),
	ROW(BPF_LDX | BPF_MEMSX | BPF_B, ISA_LOAD, LOAD_FIELDS, 4, 1),
	ROW(BPF_LDX | BPF_MEMSX | BPF_H, ISA_LOAD, LOAD_FIELDS, 4, 2),
	ROW(BPF_LDX | BPF_MEMSX | BPF_W, ISA_LOAD, LOAD_FIELDS, 4, 4),
	/* Byte and half-word atomics are load_acquire and store_release only. */
	ATOMIC(BPF_B, 4, 1),
	ATOMIC(BPF_H, 4, 2),
	ATOMIC(BPF_W, 1, 4),
	ATOMIC(BPF_DW, 1, 8),
	ROW(BPF_LD | BPF_IMM | BPF_DW, ISA_LD_IMM64, ISA_DST | ISA_SRC | ISA_IMM | ISA_SETS_DST, 1,
	    0),
	PACKET(BPF_B, 1),
	PACKET(BPF_H, 2),
	PACKET(BPF_W, 4),

	JUMP(BPF_JEQ, 1),
	JUMP(BPF_JGT, 1),
	JUMP(BPF_JGE, 1),
	JUMP(BPF_JSET, 1),
	JUMP(BPF_JNE, 1),
	JUMP(BPF_JSGT, 1),
	JUMP(BPF_JSGE, 1),
	JUMP(BPF_JLT, 2),
	JUMP(BPF_JLE, 2),
	JUMP(BPF_JSLT, 2),
	JUMP(BPF_JSLE, 2),
	ROW(BPF_JMP | BPF_JA, ISA_JA, ISA_OFF, 1, 0),
	ROW(BPF_JMP32 | BPF_JA, ISA_JA, ISA_IMM, 4, 0),
	ROW(BPF_JMP | BPF_JCOND, ISA_MAY_GOTO, ISA_OFF | ISA_SRC, 4, 0),
	ROW(BPF_JMP | BPF_CALL, ISA_CALL, ISA_SRC | ISA_OFF | ISA_IMM, 1, 0),
	ROW(BPF_JMP | BPF_EXIT, ISA_EXIT, 0, 1, 0),
};
