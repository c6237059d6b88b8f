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
	REGION_PACKET,
	REGION_MAP, /* the map itself: never accessible */
};

enum { MACHINE_FRAMES = 8, MACHINE_REGIONS = 64, MACHINE_STACK = 512 };

struct region {
	enum region_kind kind;
	u32 index; /* frame of a stack, map of a value or map */
	u32 size;
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
	u32 context, packet, values[GEN_NR_MAPS], maps[GEN_NR_MAPS];
	/* What the last step read: registers of the frame it began in, bytes of stack by 8-byte
	 * slot of each frame. */
	u32 read_regs;
	u64 read_slots[MACHINE_FRAMES];
	char fault[200];
};

enum machine_event {
	MACHINE_RUNS,
	MACHINE_EXIT,
	MACHINE_FAULT,	 /* machine.fault says what an accepted program must not do */
	MACHINE_UNKNOWN, /* an instruction or helper that this machine does not know */
};

/* A machine at the first instruction, with random context and maps. Abort on no memory. */
struct machine *machine_new(const struct gen_program *program, u64 seed);
struct machine *machine_free(struct machine *machine);

/* Executes one instruction. */
enum machine_event machine_step(struct machine *machine);

#endif
