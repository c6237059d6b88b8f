/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start of the data segment: what all processes of a hive share beside maps. Everything here
 * can be overwritten by any of them at any time: read a word once, check it, never follow it.
 */
#ifndef SKEP_RT_SHARED_H
#define SKEP_RT_SHARED_H

#include "rt/arena.h"
#include "rt/async.h"

/*
 * Who holds a vCPU, in one word, so that a process killed at any instruction leaves it either free
 * or held by a dead thread. bits 0-21   thread id of the holder, 0: free (the kernel's ids end at
 * 2^22) bit  22     the holder lives in another pid namespace: its id says nothing here bits 23-43
 * nonce of the holder's process bits 44-63  number of acquisitions; kept when the slot is given
 * back
 */
struct rt_vcpu_lock {
	u64 word;
	u64 missed; /* events that found no slot, for show */
} __attribute__((aligned(64)));

/* 0: free. */
static inline u32 rt_vcpu_lock_tid(u64 word)
{
	return word & ((1u << 22) - 1);
}

/* Low 20 bits of the number of acquisitions. */
static inline u32 rt_vcpu_lock_count(u64 word)
{
	return word >> 44;
}

struct rt_shared {
	struct rt_vcpu_lock vcpus[RT_VCPU_MAX];
	/* rt/trace.h: rt_wake_*(). */
	struct {
		u32 word;
		u32 waiters;
	} __attribute__((aligned(64))) wake;
	struct rt_async_queue async __attribute__((aligned(64)));
};

#define RT_SHARED ((struct rt_shared *)RT_DATA_BASE)

/* The trace queue's own memory (rt/trace.c lays it out). */
#define RT_TRACE_BASE (RT_DATA_BASE + (1UL << 20))
#define RT_TRACE_SIZE (4UL << 20)

/* The allocator of the data segment begins here. */
#define RT_SHARED_SIZE (8UL << 20)

#endif
