/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the data plane asks of an x86-64 processor: which CPU this is, the pause hint.
 */
#ifndef SKEP_RT_X86_64_CPU_H
#define SKEP_RT_X86_64_CPU_H

#include "base/types.h"

/* The segment whose limit Linux sets to node << 12 | cpu (arch/x86/include/asm/segment.h, CPUNODE).
 */
#define RT_CPUNODE_SELECTOR 0x7b

/* The current CPU; the thread may be moved at any time. rdpid: the processor has that instruction.
 */
static inline u32 rt_cpu_current(bool rdpid)
{
	u64 value = 0;

	if (likely(rdpid))
		__asm__ volatile("rdpid %0" : "=r"(value));
	else
		__asm__ volatile("lsl %1, %k0" : "+r"(value) : "r"(RT_CPUNODE_SELECTOR) : "cc");
	return value & 0xfff;
}

static inline void rt_cpu_relax(void)
{
	__builtin_ia32_pause();
}

#endif
