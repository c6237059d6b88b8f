/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every map type and buffer of the data plane under load: random operations by workers (threads or
 * processes), each of which keeps a record of what it has done in memory that outlives it. From
 * that record whoever is left can tell what must be in the map: what was done is there, what was
 * never done is not, and of the one operation that a death cut off either may be.
 *
 * A row (rows.c) is a type with the operations that suit it. The programs are kill.c (workers are
 * killed in the middle of operations), mixed.c (threads and processes, 10^8 operations) and
 * hostile.c (somebody scribbles over the memory meanwhile).
 */
#ifndef SKEP_TESTS_STRESS_H
#define SKEP_TESTS_STRESS_H

#include "arena/arena.h"
#include "rt/buffer.h"
#include "rt/map.h"
#include "rt/vcpu.h"
#include "unit/rt/object_env.h"

#define STRESS_WORKERS 8  /* most */
#define STRESS_KEYS    16 /* each worker's own; it alone writes them */
#define STRESS_SLOTS   6  /* vCPUs */

/* A worker's record. Atomic accesses: others look at it. */
struct shadow {
	u64 changes; /* odd while the worker is inside an operation that changes its keys */
	u64 inside;  /* an operation is going on, also one that only reads */
	u64 operations;
	u32 from, to;				 /* the keys that the present operation changes */
	u64 version;				 /* the last one used */
	u64 now[STRESS_KEYS], next[STRESS_KEYS]; /* versions of its keys, 0: not there */
	u64 puts, takes;			 /* of types without keys: ended well */
	u64 last_put;				 /* number of the last one that ended well */
	u64 seen[STRESS_WORKERS];		 /* the last number it took of each worker */
	u64 slowest_us;				 /* CPU time of one round (hostile.c) */
	u64 wrong;				 /* results that must not be */
	char what[96];				 /* the first of them */
} __attribute__((aligned(64)));

/* What is common to all workers of a run. */
struct stage {
	const struct row *row;
	struct arena *arena;
	struct rt_map *map;
	struct rt_perf_buffer *perf;
	struct object_env objects;
	/* Where others may write (hostile.c): the map's, unless the row says otherwise. */
	u8 *memory;
	u64 memory_size;
	struct shadow *shadows; /* STRESS_WORKERS; shared between processes */
	u32 nr_workers;
	bool deaths;  /* workers are killed: what is torn by a death is not held against the rest */
	bool hostile; /* anything may be read: nothing is compared */
	struct shadow watcher; /* findings of whoever looks on */
};

struct worker {
	struct stage *stage;
	struct shadow *shadow;
	u32 index;
	u64 random;
	struct rt_vcpu *vcpu; /* held during an operation */
};

/* Properties of rows of types with keys. */
#define ROW_DELETES  1u
#define ROW_EVICTS   2u	 /* a key may go at any time */
#define ROW_IN_PLACE 4u	 /* values are overwritten word by word: so they may be cut off, too */
#define ROW_LOCKED   8u	 /* all copies under the value's lock */
#define ROW_PERCPU   16u /* clients' values are all vCPUs' */
#define ROW_BATCHES  32u
#define ROW_PREFIX   64u /* keys begin with a length */
#define ROW_HASH     128u

struct row {
	const char *name;
	u32 type, key_size, value_size, max_entries, flags, traits;
	void (*operate)(struct worker *worker);
	/* After the death of a worker (or its end): its record against the map, and made good. */
	void (*settle)(struct worker *dead);
	/* What somebody has to do in between, such as consuming; NULL: nothing. */
	void (*attend)(struct stage *stage, struct rt_vcpu *vcpu);
	/* At the end, when nobody works. */
	void (*finish)(struct stage *stage, struct rt_vcpu *vcpu);
	/* Everything that reads, whatever is in the memory (hostile.c). */
	void (*read_all)(struct worker *worker);
	/* What there is besides the map; NULL: nothing. */
	void (*open)(struct stage *stage);
	void (*close)(struct stage *stage);
};

extern const struct row stress_rows[];
extern const u32 stress_nr_rows;

/* Makes the map (and what else the row needs) in the arena of the process. */
void stage_open(struct stage *stage, const struct row *row, struct arena *arena, u32 nr_workers);
void stage_close(struct stage *stage);
/* Workers' findings are zero, and the whole was finished; one line of TAP. */
void stage_report(struct stage *stage, const char *what);

void worker_open(struct worker *worker, struct stage *stage, u32 index, u64 seed);
u64 worker_random(struct worker *worker, u64 below);
/* One operation with a vCPU; false when there was none to be had. */
bool worker_step(struct worker *worker);
/* Notes what must not be. */
void worker_wrong(struct worker *worker, const char *what);
void worker_error(struct worker *worker, const char *what, long error);
void shadow_wrong(struct shadow *shadow, const char *what, u64 number);

/* Around what changes keys from … to - 1. */
void shadow_begin(struct shadow *shadow, u32 from, u32 to);
void shadow_end(struct shadow *shadow);

#define SHADOW_LOAD(word)	  __atomic_load_n(&(word), __ATOMIC_ACQUIRE)
#define SHADOW_STORE(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELEASE)

/* rows_keyed.c */
void keyed_operate(struct worker *worker);
void keyed_settle(struct worker *dead);
void keyed_finish(struct stage *stage, struct rt_vcpu *vcpu);
void keyed_read_all(struct worker *worker);

/* rows_queue.c, rows_buffer.c, rows_other.c, rows_program.c, rows_fields.c */
void queue_operate(struct worker *worker);
void queue_settle(struct worker *dead);
void queue_finish(struct stage *stage, struct rt_vcpu *vcpu);
void queue_read_all(struct worker *worker);
void ring_operate(struct worker *worker);
void ring_settle(struct worker *dead);
void ring_attend(struct stage *stage, struct rt_vcpu *vcpu);
void ring_finish(struct stage *stage, struct rt_vcpu *vcpu);
void ring_read_all(struct worker *worker);
void trace_operate(struct worker *worker);
void trace_attend(struct stage *stage, struct rt_vcpu *vcpu);
void trace_settle(struct worker *dead);
void trace_read_all(struct worker *worker);
void perf_operate(struct worker *worker);
void perf_attend(struct stage *stage, struct rt_vcpu *vcpu);
void perf_read_all(struct worker *worker);
void stack_operate(struct worker *worker);
void stack_settle(struct worker *dead);
void stack_finish(struct stage *stage, struct rt_vcpu *vcpu);
void stack_read_all(struct worker *worker);
void bloom_operate(struct worker *worker);
void bloom_settle(struct worker *dead);
void bloom_read_all(struct worker *worker);
void owned_operate(struct worker *worker);
void nothing_settle(struct worker *dead);
void nothing_finish(struct stage *stage, struct rt_vcpu *vcpu);
void owned_read_all(struct worker *worker);
void trace_open(struct stage *stage);
void perf_open(struct stage *stage);
void perf_close(struct stage *stage);
void user_ring_operate(struct worker *worker);
void user_ring_settle(struct worker *dead);
void user_ring_finish(struct stage *stage, struct rt_vcpu *vcpu);
void user_ring_read_all(struct worker *worker);
void pages_operate(struct worker *worker);
void pages_settle(struct worker *dead);
void pages_finish(struct stage *stage, struct rt_vcpu *vcpu);
void pages_read_all(struct worker *worker);
void pages_open(struct stage *stage);
void timer_operate(struct worker *worker);
void timer_settle(struct worker *dead);
void timer_attend(struct stage *stage, struct rt_vcpu *vcpu);
void timer_finish(struct stage *stage, struct rt_vcpu *vcpu);
void timer_read_all(struct worker *worker);
void timer_open(struct stage *stage);
void objects_operate(struct worker *worker);
void objects_settle(struct worker *dead);
void objects_finish(struct stage *stage, struct rt_vcpu *vcpu);
void objects_open(struct stage *stage);
void objects_close(struct stage *stage);
void sock_operate(struct worker *worker);
void sock_settle(struct worker *dead);
void sock_finish(struct stage *stage, struct rt_vcpu *vcpu);
void sock_read_all(struct worker *worker);

/* main.c's three commands: the exit status. */
int stress_kill(struct arena *arena, const char *only, u64 kills, u64 seed);
int stress_mixed(struct arena *arena, const char *only, u64 operations, u32 threads, u32 processes,
		 u64 seed);
int stress_hostile(struct arena *arena, const char *only, u64 operations, u64 seed);

#endif
