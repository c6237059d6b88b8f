/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Death at every instruction: a child does one operation and is single-stepped; after each
 * instruction the shared memory is kept. When the child is dead each of these states can be put
 * back and examined: it is what a SIGKILL at that instruction leaves, since nothing but shared
 * memory outlives a process. This is exhaustive over the instructions of an operation that meets no
 * other thread.
 */
#ifndef SKEP_TESTS_DEATH_H
#define SKEP_TESTS_DEATH_H

#include "rt/vcpu.h"

#define DEATH_STATES_MAX 4096

/* What one operation went through. */
struct death_history {
	u8 *states[DEATH_STATES_MAX]; /* each differs from the one before */
	u32 nr, steps;
	bool ended; /* the operation did */
};

/* The shared memory that operations may change: none, and one more. */
void death_no_areas(void);
void death_add_area(void *at, u64 size);

/* A state of all of it, which the caller frees. */
u8 *death_save(void);
void death_restore(const u8 *state);

/* Slot index for this thread, also from a dead holder. */
struct rt_vcpu *death_take_slot(u32 index);

/* Fills the history with what operate() goes through, done by a child on this slot. */
void death_record(struct death_history *history, const char *name, u32 slot,
		  void (*operate)(const void *arg, struct rt_vcpu *vcpu), const void *arg);
void death_forget(struct death_history *history);

#endif
