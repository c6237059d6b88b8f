/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time and the current task, as helpers and records need them.
 */
#ifndef SKEP_RT_CLOCK_H
#define SKEP_RT_CLOCK_H

#include "base/types.h"

struct rt_vcpu;

/* Values of <linux/time.h>, which clashes with libc's <time.h> in hosted sources. */
#define RT_CLOCK_MONOTONIC	  1
#define RT_CLOCK_MONOTONIC_COARSE 6
#define RT_CLOCK_BOOTTIME	  7
#define RT_CLOCK_TAI		  11

/*
 * Nanoseconds of a clock: by the process's own vDSO (vcpu->clock), which is plain C without vector
 * registers or thread-local storage and agrees with clock_gettime(2) by construction; by the system
 * call where there is none.
 */
u64 rt_clock_ns(const struct rt_vcpu *vcpu, s32 clock);

/*
 * Address of this process's __vdso_clock_gettime, 0 if it cannot be found. Makes system calls: to
 * be called once, when a process begins; the result goes into rt_process.clock.
 */
u64 rt_clock_find(void);

/* The name of the current task, NUL-padded, 16 bytes. */
void rt_task_comm(const struct rt_vcpu *vcpu, char *comm);

#endif
