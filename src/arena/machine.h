/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the supervisor asks of the machine once, for struct rt_control.
 */
#ifndef SKEP_ARENA_MACHINE_H
#define SKEP_ARENA_MACHINE_H

#include "base/types.h"

/* The kernel's possible CPUs, between 1 and RT_VCPU_MAX. */
u32 machine_possible_cpus(void);

/* RT_CPU_* of rt/arena.h. */
u32 machine_cpu_features(void);

#endif
