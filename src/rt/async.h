/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers and work queues in map values (bpf_timer, bpf_wq). The whole state of one is its field of
 * the value: a word that says what it is in, and the time at which it is due. Both lie in data, so
 * the supervisor, which alone calls callbacks, believes only what its own records allow: that there
 * is such a program and that this function of it is one that the verifier accepted as a callback.
 * Everything else can be wrong, as any value in data can.
 *
 * A change is one compare-and-exchange of the word; zero is a field that nobody initialised, so
 * whoever ends an element's life exchanges it with zero, and a process killed at any instruction
 * leaves either the old state or the new one. What the supervisor has to look at again is named in
 * a table of fixed size (rt_async_queue). If that is full it looks at all there is.
 */
#ifndef SKEP_RT_ASYNC_H
#define SKEP_RT_ASYNC_H

#include "base/types.h"

struct rt_map;
struct rt_vcpu;

struct rt_async {
	u64 word; /* RT_ASYNC_* and the parts below */
	s64 due;  /* of a timer: in its clock, ns */
};

/*
 * bits 0-31 the program's id, 0: no callback is set; 32-39 the callback, a subprogram of it;
 * 41-51 a number that each start makes another one; 52-57 the vCPU that it was started on;
 * 58-59 the clock.
 */
#define RT_ASYNC_PINNED	 (1ULL << 40) /* the callback shall run on that vCPU and no other */
#define RT_ASYNC_RUNNING (1ULL << 60) /* the supervisor is in the callback */
#define RT_ASYNC_STARTED (1ULL << 61)
#define RT_ASYNC_WORK	 (1ULL << 62) /* a work queue: no clock, due at once */
#define RT_ASYNC_INIT	 (1ULL << 63)

#define RT_ASYNC_CALLBACK   ((1ULL << 40) - 1) /* program and subprogram */
#define RT_ASYNC_START	    (1ULL << 41)
#define RT_ASYNC_STARTS	    (0x7ffULL << 41)
#define RT_ASYNC_VCPU	    (0x3fULL << 52)
#define RT_ASYNC_CLOCK(i)   ((u64)(i) << 58)
#define RT_ASYNC_CLOCKS	    3
#define RT_ASYNC_SUBPROGS   256
#define RT_ASYNC_QUEUE_SIZE 1024

static inline u32 rt_async_prog(u64 word)
{
	return (u32)word;
}

static inline u32 rt_async_subprog(u64 word)
{
	return word >> 32 & (RT_ASYNC_SUBPROGS - 1);
}

/* The word, if a callback is set. */
static inline u64 rt_async_callback(u32 prog, u32 subprog)
{
	return prog | (u64)(subprog & (RT_ASYNC_SUBPROGS - 1)) << 32;
}

static inline u32 rt_async_vcpu(u64 word)
{
	return word >> 52 & 63;
}

/* The clock that a timer goes by, as clock_gettime(2) counts them; -1: there is no such one. */
static inline s32 rt_async_clock(u64 word)
{
	static const s8 clocks[RT_ASYNC_CLOCKS + 1] = { 1, 0, 7, -1 };

	return clocks[word >> 58 & 3];
}

/* Fields that the supervisor has to look at, in data. */
struct rt_async_queue {
	u32 pending;  /* something was entered */
	u32 overflow; /* and not everything found room */
	/* Is a program kept by nothing but what is set to call it? Then each end is told, too. The
	 * supervisor writes it; who lies here keeps a program alive for longer. */
	u32 tell_ends;
	u64 field[RT_ASYNC_QUEUE_SIZE]; /* addresses; 0: free */
};

/* Has the supervisor look at the field. */
void rt_async_tell(const struct rt_async *field);

/* The field's element ends, or its callback is wanted no more: it fires no more from now on. */
void rt_async_end(struct rt_async *field);

/* The helpers and kfuncs of the same names, with the kernel's results. */
long rt_timer_init(struct rt_async *field, const struct rt_map *map, u64 flags);
long rt_timer_start(struct rt_async *field, u64 ns, u64 flags, struct rt_vcpu *vcpu);
long rt_timer_cancel(struct rt_async *field, struct rt_vcpu *vcpu);
long rt_work_init(struct rt_async *field, const struct rt_map *map, u32 flags);
long rt_work_start(struct rt_async *field, u32 flags, struct rt_vcpu *vcpu);
/* For both. The callback is a subprogram of the running program. */
long rt_async_set_callback(struct rt_async *field, u32 subprog, struct rt_vcpu *vcpu);

#endif
