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
/* A region for a part of the memory at `at`; 0: it is not all there, or there is no room. */
u32 machine_add_part(struct machine *m, struct cell at, u32 size, bool read_only);
/* The region is given away: nothing may reach it, or a part of it, any more. */
void machine_end_region(struct machine *m, u32 region);
struct cell machine_pointer(const struct machine *m, u32 region, u64 off);

/* The size bytes at `at`, or NULL when any lies outside its region. */
void *machine_memory(struct machine *m, struct cell at, u64 size);
/* The same, to be written. */
void *machine_writable(struct machine *m, struct cell at, u64 size);
/* Bytes are read: remembers it of a stack, for machine.read_slots. */
void machine_note_read(struct machine *m, struct cell at, u64 size);
/* The content of a register of the current frame, remembered as read. */
struct cell machine_read(struct machine *m, unsigned reg);
/* After bytes were written by other means than a store of a whole register. */
void machine_forget_pointers(struct machine *m, struct cell at, u64 size);

enum machine_event machine_fault(struct machine *m, const char *what, struct cell at, u64 size);

/* Checks, and for writes fills, the memory that a helper is given. */
bool machine_use(struct machine *m, struct cell at, u64 size, bool writes);
/* What helpers return: 0, or an error. */
s64 machine_error_or_zero(struct machine *m);

/* The frame of m->depth begins anew. False: there is no room for its stack. */
bool machine_enter(struct machine *m, u32 callsite);

/* Calls helper id with r1-r5; sets r0 and scratches r1-r5. */
enum machine_event machine_helper(struct machine *m, s32 id);
/* The same of a kernel function, and of helpers about dynptrs: UNKNOWN if id is none of these. */
enum machine_event machine_kfunc(struct machine *m, enum gen_kfunc id);
enum machine_event machine_dynptr(struct machine *m, s32 id, const struct cell *r,
				  struct cell *result);

/* A helper that calls functions begins, r1-r5 being in r: true if there is a function to run. */
bool machine_call_back(struct machine *m, s32 id, const struct cell *r);
/* A function has returned to its helper: true if it is called once more. */
bool machine_call_again(struct machine *m);

#endif
