/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_timer: the verifier has checked that the first argument is one.
 */
#include "rt/async.h"
#include "rt/helper/families.h"

/* (timer, map, flags) */
RT_HELPER(timer_init)
{
	return (u64)rt_timer_init((struct rt_async *)r1, (const struct rt_map *)r2, r3);
}

/* (timer, callback) */
RT_HELPER(timer_set_callback)
{
	return (u64)rt_async_set_callback((struct rt_async *)r1, (u32)r2, vcpu);
}

/* (timer, nsecs, flags) */
RT_HELPER(timer_start)
{
	return (u64)rt_timer_start((struct rt_async *)r1, r2, r3, vcpu);
}

/* (timer) */
RT_HELPER(timer_cancel)
{
	return (u64)rt_timer_cancel((struct rt_async *)r1, vcpu);
}
