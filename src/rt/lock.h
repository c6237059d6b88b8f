/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks in the data segment that outlive their owner. The lock word is a token that names one
 * acquisition of one vCPU slot: whoever finds the lock taken looks at that slot to see whether the
 * owner still runs, and takes the lock over when it does not. Code under such a lock orders its
 * stores so that every prefix of them can be completed or undone by the next owner.
 *
 * The wait is bounded, because the owner may be a stopped process. The results are those of
 * Linux 6.18 (kernel/bpf/rqspinlock.c): -EDEADLK when this very thread holds the lock, -ETIMEDOUT
 * when the wait was in vain.
 */
#ifndef SKEP_RT_LOCK_H
#define SKEP_RT_LOCK_H

#include "rt/shared.h"
#include "rt/vcpu.h"

/* Never 0. The bits below RT_LOCK_SLOT_BITS are the slot, those above count its acquisitions. */
#define RT_LOCK_SLOT_BITS 6
#define RT_LOCK_HELD	  0x80000000u

_Static_assert(RT_VCPU_MAX == 1u << RT_LOCK_SLOT_BITS, "a token has room for each slot");

static inline u32 rt_lock_token_of(u32 slot, u64 vcpu_word)
{
	return RT_LOCK_HELD | rt_vcpu_lock_count(vcpu_word) << RT_LOCK_SLOT_BITS | slot;
}

/* The token of the acquisition under which vcpu is held now. */
static inline u32 rt_lock_token(const struct rt_vcpu *vcpu)
{
	return rt_lock_token_of(vcpu->index % RT_VCPU_MAX, vcpu->lock_word);
}

static inline u32 rt_lock_slot(u32 token)
{
	return token % RT_VCPU_MAX;
}

/* Has the acquisition that token names ended, by release or by death? Asks the kernel if need be.
 */
bool rt_lock_gone(u32 token);

/* The slow half of rt_lock_acquire(). */
long rt_lock_wait(u32 *lock, struct rt_vcpu *vcpu, u32 *ret_dead);

/*
 * 0 with the lock held; *ret_dead is then 0, or the token of a dead owner, whose work under this
 * lock the caller has to complete or undo. Otherwise -EDEADLK or -ETIMEDOUT.
 */
static inline long rt_lock_acquire(u32 *lock, struct rt_vcpu *vcpu, u32 *ret_dead)
{
	u32 expected = 0;

	*ret_dead = 0;
	if (likely(__atomic_compare_exchange_n(lock, &expected, rt_lock_token(vcpu), false,
					       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
		return 0;
	return rt_lock_wait(lock, vcpu, ret_dead);
}

static inline void rt_lock_release(u32 *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

#endif
