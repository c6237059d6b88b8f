/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start of the data segment: what all processes of a hive share beside maps. Everything here
 * can be overwritten by any of them at any time: read a word once, check it, never follow it.
 */
#ifndef SKEP_RT_SHARED_H
#define SKEP_RT_SHARED_H

#include "rt/arena.h"

/*
 * Who holds a vCPU: thread id in the low half (0: free), number of acquisitions in the high half.
 * One word, so that a process killed at any instruction leaves it either free or held by a dead
 * thread.
 */
struct rt_vcpu_lock {
	u64 word;
	u64 missed; /* events that found no slot, for show */
} __attribute__((aligned(64)));

struct rt_shared {
	struct rt_vcpu_lock vcpus[RT_VCPU_MAX];
	/* rt/trace.h: rt_wake_*(). */
	struct {
		u32 word;
		u32 waiters;
	} __attribute__((aligned(64))) wake;
};

#define RT_SHARED ((struct rt_shared *)RT_DATA_BASE)

/* The trace queue's own memory (rt/trace.c lays it out). */
#define RT_TRACE_BASE (RT_DATA_BASE + (1UL << 20))
#define RT_TRACE_SIZE (4UL << 20)

/* The allocator of the data segment begins here. */
#define RT_SHARED_SIZE (8UL << 20)

#endif
