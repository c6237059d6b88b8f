/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that tell the time. The kernel's clocks of these names are what clock_gettime(2) shows,
 * in a process that is in the initial time namespace.
 */
#include "rt/clock.h"
#include "rt/helper/families.h"

RT_HELPER(ktime_get_ns)
{
	return rt_clock_ns(vcpu, RT_CLOCK_MONOTONIC);
}

RT_HELPER(ktime_get_boot_ns)
{
	return rt_clock_ns(vcpu, RT_CLOCK_BOOTTIME);
}

RT_HELPER(ktime_get_coarse_ns)
{
	return rt_clock_ns(vcpu, RT_CLOCK_MONOTONIC_COARSE);
}

RT_HELPER(ktime_get_tai_ns)
{
	return rt_clock_ns(vcpu, RT_CLOCK_TAI);
}
