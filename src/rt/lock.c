/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for a lock in the data segment: spins shortly, yields for a bounded time, and finds out
 * whether the owner is this thread, another one, or nobody any more. A word that no owner ever
 * wrote (the segment is hostile) names a slot that somebody holds under another count or nobody
 * holds, so it counts as a dead owner's.
 */
#include <linux/errno.h>
#include "rt/lock.h"
#include "rt/sys.h"
#include "rt/x86_64/cpu.h"

#ifndef SPINS /* tests/interleave has rounds of its own */
#define SPINS	       64
#define YIELDS_A_CHECK 16
#endif
#define WAIT_LIMIT_NS	(250LL * 1000 * 1000) /* RES_DEF_TIMEOUT */
#define CLOCK_MONOTONIC 1

enum owner { OWNER_GONE, OWNER_SELF, OWNER_OTHER };

/* The part of a slot's word that says who holds it, without the count (rt/shared.h). */
#define IDENTITY    ((1UL << 44) - 1)
#define FOREIGN_BIT (1UL << 22)

/* Who stands behind token, as seen by the holder of the slot whose word is own (0: nobody's). */
static enum owner owner_of(u32 token, u64 own, bool ask_kernel)
{
	u32 slot = rt_lock_slot(token);
	u64 word = __atomic_load_n(&RT_SHARED->vcpus[slot].word, __ATOMIC_ACQUIRE);
	u32 tid = rt_vcpu_lock_tid(word);

	if (tid == 0 || rt_lock_token_of(slot, word) != token)
		return OWNER_GONE;
	if (((word ^ own) & IDENTITY) == 0)
		return OWNER_SELF;
	/* Thread ids of other pid namespaces say nothing here: then nobody counts as dead. */
	if (ask_kernel && !(word & FOREIGN_BIT) && !RT_PROCESS->foreign_pid_ns &&
	    !rt_sys_thread_exists(tid))
		return OWNER_GONE;
	return OWNER_OTHER;
}

bool rt_lock_gone(u32 token)
{
	return owner_of(token, 0, true) == OWNER_GONE;
}

static s64 now_ns(void)
{
	struct __kernel_timespec time = { 0 };

	rt_sys_clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

long rt_lock_wait(u32 *lock, struct rt_vcpu *vcpu, u32 *ret_dead)
{
	u32 token = rt_lock_token(vcpu);
	s64 deadline = 0;

	for (u32 round = 0;; round++) {
		u32 holder = __atomic_load_n(lock, __ATOMIC_RELAXED); /* 0: free */
		enum owner owner = OWNER_GONE;
		bool check = round >= SPINS && round % YIELDS_A_CHECK == 0;

		if (holder)
			owner = owner_of(holder, vcpu->lock_word, check);
		if (owner == OWNER_SELF)
			return -EDEADLK;
		if (owner == OWNER_GONE &&
		    __atomic_compare_exchange_n(lock, &holder, token, false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED)) {
			*ret_dead = holder;
			return 0;
		}
		if (round < SPINS) {
			rt_cpu_relax();
			continue;
		}
		if (check && deadline == 0)
			deadline = now_ns() + WAIT_LIMIT_NS;
		else if (check && now_ns() > deadline)
			return -ETIMEDOUT;
		rt_sys_yield();
	}
}
