/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A checking interpreter: runs a program as written, before any fix-up, and knows of every number
 * which memory it points into. An access outside that memory ends the run as a fault. It shares no
 * code with the data plane.
 *
 * Helpers are simulated: they check the memory that they are given, fill what they would fill, and
 * return random numbers within what the kernel promises.
 */
#ifndef SKEP_TESTS_VERIFY_MACHINE_H
#define SKEP_TESTS_VERIFY_MACHINE_H

#include "verify/generate.h"

enum region_kind {
	REGION_NONE, /* a plain number */
	REGION_STACK,
	REGION_CONTEXT,
	REGION_VALUE,
	REGION_RECORD,
	REGION_META, /* directly before the packet */
	REGION_PACKET,
	REGION_KEY,
	REGION_SOCKET,
	REGION_FUNCTION, /* a number of an instruction */
	REGION_GONE,	 /* it was given away */
	REGION_MAP,	 /* the map itself */
};

enum {
	MACHINE_FRAMES = 8,
	MACHINE_REGIONS = 128,
	MACHINE_STACK = 512,
	MACHINE_CONTEXT = 512,
	MACHINE_MEMORY = 1 << 15,
};

struct region {
	enum region_kind kind;
	u32 index; /* frame of a stack, map of a value, key or map */
	u32 size;
	u32 inside; /* the region that this is a part of and ends with; 0: none */
	bool read_only;
	u8 *base;
};

/* A register's or stack slot's content: the bits, and the region that they point into (0: none). */
struct cell {
	u64 value;
	u32 region;
};

struct machine_frame {
	struct cell reg[11];
	u32 stack; /* region */
	u32 callsite;
	/* Of a function that a helper calls again and again. */
	s32 callback; /* the helper; 0: none */
	u32 start;
	u64 done, rounds;
	struct cell argument;
	u32 map;
	/* Region of the pointer stored in each 8-byte slot, 0 for plain bytes. */
	u32 slot_region[MACHINE_STACK / 8];
};

struct machine {
	const struct gen_program *program;
	u64 random;
	u32 pc, depth;
	u64 steps;
	struct machine_frame frame[MACHINE_FRAMES];
	struct region region[MACHINE_REGIONS];
	u32 nr_regions;
	u32 context, meta, packet, function, number;
	u32 stacks[MACHINE_FRAMES], values[GEN_NR_MAPS], keys[GEN_NR_MAPS], maps[GEN_NR_MAPS];
	/* What the last step read: registers of the frame it began in, bytes of stack by 8-byte
	 * slot of each frame. */
	u32 read_regs;
	u64 read_slots[MACHINE_FRAMES];
	char fault[200];
	u32 nr_bytes; /* of memory that regions have */
	_Alignas(8) u8 memory[MACHINE_MEMORY];
};

enum machine_event {
	MACHINE_RUNS,
	MACHINE_EXIT,
	MACHINE_FAULT,	 /* machine.fault says what an accepted program must not do */
	MACHINE_UNKNOWN, /* an instruction or helper that this machine does not know */
};

/* Puts the machine before the first instruction, with random context and maps. */
void machine_start(struct machine *machine, const struct gen_program *program, u64 seed);

/* Executes one instruction. */
enum machine_event machine_step(struct machine *machine);

#endif
