/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Included before every line of the sources of src/rt that are explored (-include): each of their
 * atomic accesses becomes a call of explore.c, which decides who goes on, and the kernel and the
 * processor become models. The sources themselves are those of the data plane, unchanged.
 */
#ifndef SKEP_TESTS_INSTRUMENT_H
#define SKEP_TESTS_INSTRUMENT_H

#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/time_types.h>

#include "base/types.h"

/* In the place of rt/sys.h and rt/x86_64/cpu.h. */
#define SKEP_RT_SYS_H
#define SKEP_RT_X86_64_CPU_H

/* A wait asks in each of its rounds whether the owner lives: rounds without news are one. */
#define SPINS	       0
#define YIELDS_A_CHECK 1
#define ROUNDS_SPIN    0
#define ROUNDS_ALIVE   1

/* A map of four keys begins with all its buckets, a larger one has to split some. */
#ifndef HASH_BUCKETS_FIRST
#define HASH_BUCKETS_FIRST 4u
#endif

u64 explore_load(const void *at, u32 size);
void explore_store(void *at, u64 value, u32 size, int order);
bool explore_compare_exchange(void *at, void *expected, u64 desired, u32 size);
u64 explore_exchange(void *at, u64 value, u32 size);
u64 explore_fetch_add(void *at, u64 value, u32 size);
u64 explore_fetch_or(void *at, u64 value, u32 size);
/* Nothing to do until something changes that was read since the last call. */
void explore_relax(void);
bool explore_thread_exists(u32 tid);
u32 explore_self(void);

#define EXPLORE_VALUE(at, value) ((__typeof__(*(at)))(value))

#define __atomic_load_n(at, order) EXPLORE_VALUE(at, explore_load((at), sizeof(*(at))))
#define __atomic_store_n(at, value, order) \
	explore_store((at), (u64)EXPLORE_VALUE(at, value), sizeof(*(at)), (order))
#define __atomic_compare_exchange_n(at, expected, desired, weak, yes, no) \
	explore_compare_exchange((at), (expected), (u64)EXPLORE_VALUE(at, desired), sizeof(*(at)))
#define __atomic_exchange_n(at, value, order) \
	EXPLORE_VALUE(at, explore_exchange((at), (u64)EXPLORE_VALUE(at, value), sizeof(*(at))))
#define __atomic_fetch_add(at, value, order) \
	EXPLORE_VALUE(at, explore_fetch_add((at), (u64)EXPLORE_VALUE(at, value), sizeof(*(at))))
#define __atomic_fetch_or(at, value, order) \
	EXPLORE_VALUE(at, explore_fetch_or((at), (u64)EXPLORE_VALUE(at, value), sizeof(*(at))))

static inline bool rt_sys_thread_exists(u32 tid)
{
	return explore_thread_exists(tid);
}

static inline u32 rt_sys_gettid(void)
{
	return explore_self() + 1;
}

static inline u32 rt_sys_getpid(void)
{
	return 1;
}

static inline void rt_sys_yield(void)
{
	explore_relax();
}

static inline void rt_cpu_relax(void)
{
	explore_relax();
}

/* Each participant has a CPU of its own. */
static inline u32 rt_cpu_current(bool rdpid)
{
	return explore_self();
}

/* Time stands still: no wait ends in vain. */
static inline long rt_sys_clock_gettime(s32 clock, struct __kernel_timespec *time)
{
	time->tv_sec = time->tv_nsec = 0;
	return 0;
}

static inline long rt_syscall3(long nr, u64 a, u64 b, u64 c)
{
	explore_relax();
	return 0;
}

#endif
