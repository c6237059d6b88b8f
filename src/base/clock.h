/* SPDX-License-Identifier: BSD-2-Clause */
/* Time of a clock in nanoseconds. */
#ifndef SKEP_BASE_CLOCK_H
#define SKEP_BASE_CLOCK_H

#include <time.h>
#include "base/types.h"

static inline u64 base_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (u64)now.tv_sec * 1000000000ull + (u64)now.tv_nsec;
}

#endif
