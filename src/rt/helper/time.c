/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that tell the time. The kernel's clocks of these names are what clock_gettime(2) shows,
 * in a process that is in the initial time namespace.
 */
#include "rt/clock.h"
#include "rt/helper/families.h"
#include "rt/sys.h"

#define NS_PER_SECOND 1000000000ull
#define HZ_USUAL      250

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

/*
 * Ticks since boot, from where the kernel's counter begins (INITIAL_JIFFIES: five minutes before
 * its low word overflows). A tick is the resolution of the coarse clocks.
 */
RT_HELPER(jiffies64)
{
	struct __kernel_timespec tick = { 0 };
	u64 hz;

	rt_syscall3(__NR_clock_getres, RT_CLOCK_MONOTONIC_COARSE, (u64)&tick, 0);
	hz = tick.tv_nsec > 0 ? NS_PER_SECOND / (u64)tick.tv_nsec : HZ_USUAL;
	return (u32)(-300 * (s64)hz) + rt_clock_ns(vcpu, RT_CLOCK_MONOTONIC) / (NS_PER_SECOND / hz);
}
