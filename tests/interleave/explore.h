/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model checker for code that shares memory: runs a few participants, each a coroutine in the
 * real source (instrument.h), through every order in which their accesses can fall, and through
 * every moment at which one of them can die.
 *
 * The search is over states, not schedules: what participants do next follows from the memory and
 * from what each has read so far, so a state that was met is not searched again. Nothing is
 * sampled and nothing is bounded: a scenario that ends has been searched whole (up to a collision
 * of 64-bit hashes).
 *
 * Memory order: sequential consistency, or x86-TSO: each participant's plain stores wait in a
 * buffer, which it alone sees, and reach memory one by one at any later moment; locked instructions
 * wait for it to be empty. The buffer has room for `buffer` stores (a processor's has more: with
 * one of 2 every store can be overtaken by the loads that come before the store after the next).
 * What a dead one stored reaches memory: a kill takes effect between instructions.
 */
#ifndef SKEP_TESTS_EXPLORE_H
#define SKEP_TESTS_EXPLORE_H

#include "base/types.h"

#define EXPLORE_THREADS_MAX 4
#define EXPLORE_RESULTS	    24
#define EXPLORE_BUFFER_MAX  8

struct explore_scenario {
	u32 nr_threads;
	/* What thread does; its coroutine's stack is small. */
	void (*run)(void *arg, u32 thread);
	/*
	 * When all have ended or died: NULL, or what is wrong. Runs alone; it may change the
	 * memory through instrumented sources.
	 */
	const char *(*examine)(void *arg);
	void *arg;
};

struct explore_options {
	u32 buffer;	/* stores that can wait: 0 for sequential consistency */
	u32 deaths;	/* how many participants may die */
	u64 states_max; /* then the search ends unfinished */
};

struct explore_outcome {
	const char *wrong; /* NULL: nothing */
	u64 states, ends;
	bool complete;
};

/* The memory that is shared; everything outside is each participant's own. */
void explore_memory(void *at, u64 size);

/* Memory outside that participants write although nobody else reads it: put back with them. */
void explore_private(void *at, u64 size);

struct explore_outcome explore(const struct explore_scenario *scenario,
			       const struct explore_options *options);

/* For run(): this participant's results, kept apart for each branch of the search. */
u64 *explore_results(void);
/* Of a participant, for examine(). */
const u64 *explore_results_of(u32 thread);
bool explore_is_dead(u32 thread);

/* For run(): tells apart states that differ in what the memory does not show. */
void explore_note(u64 what);

/*
 * For run(): from here on nothing that was read matters, but for what stands in the results. place
 * tells the places apart where this is called. Keeps states few.
 */
void explore_forget(u32 place);

/*
 * Sleeps until *word is not seen any more: true; false when all others have ended and it still is.
 * Stores that wait have reached memory then: going to sleep is a system call.
 */
bool explore_sleep(const u32 *word, u32 seen);

/* Loads and stores of run() itself. */
u64 explore_load(const void *at, u32 size);
void explore_store(void *at, u64 value, u32 size, int order);

#endif
