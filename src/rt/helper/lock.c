/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spin locks in map values. The word is a token of the vCPU's acquisition (rt/lock.h), so that a
 * lock whose holder died is taken over. A holder that is stopped, or that this very thread
 * interrupted, cannot be waited for: then the program that wants the lock ends here, since it must
 * not go on without.
 */
#include "rt/helper/families.h"
#include "rt/lock.h"
#include "rt/object.h"

/* (lock) */
RT_HELPER(spin_lock)
{
	u32 dead;

	if (unlikely(rt_lock_acquire((u32 *)r1, vcpu, &dead)))
		vcpu->aborted = true;
	else if (unlikely(dead))
		rt_object_takeover(dead, vcpu);
	return 0;
}

RT_HELPER(spin_unlock)
{
	rt_lock_release((u32 *)r1);
	return 0;
}
