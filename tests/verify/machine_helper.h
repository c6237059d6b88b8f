/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the checking interpreter share: random numbers, regions, memory.
 */
#ifndef SKEP_TESTS_VERIFY_MACHINE_HELPER_H
#define SKEP_TESTS_VERIFY_MACHINE_HELPER_H

#include "verify/machine.h"

u64 machine_random(struct machine *m);
/* A random number that is often small or a boundary. */
u64 machine_number(struct machine *m);

/* A new region with random bytes; 0 when there is no room. */
u32 machine_add_region(struct machine *m, enum region_kind kind, u32 index, u32 size);
struct cell machine_pointer(const struct machine *m, u32 region, u64 off);

/* The size bytes at `at`, or NULL when any lies outside its region. */
void *machine_memory(struct machine *m, struct cell at, u64 size);
/* Bytes are read: remembers it of a stack, for machine.read_slots. */
void machine_note_read(struct machine *m, struct cell at, u64 size);
/* The content of a register of the current frame, remembered as read. */
struct cell machine_read(struct machine *m, unsigned reg);
/* After bytes were written by other means than a store of a whole register. */
void machine_forget_pointers(struct machine *m, struct cell at, u64 size);

enum machine_event machine_fault(struct machine *m, const char *what, struct cell at, u64 size);

/* Calls helper id with r1-r5; sets r0 and scratches r1-r5. */
enum machine_event machine_helper(struct machine *m, s32 id);

#endif
