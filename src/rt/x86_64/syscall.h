/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls of the data plane, raw: no libc, no errno, no cancellation. The result is what the
 * kernel leaves in rax: -errno on failure. In a traced process these instructions lie in the
 * arena's text, which the seccomp filter lets pass by instruction pointer.
 */
#ifndef SKEP_RT_X86_64_SYSCALL_H
#define SKEP_RT_X86_64_SYSCALL_H

#include "base/types.h"

static inline long rt_syscall6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	register u64 r10 __asm__("r10") = d;
	register u64 r8 __asm__("r8") = e;
	register u64 r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline long rt_syscall4(long nr, u64 a, u64 b, u64 c, u64 d)
{
	register u64 r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline long rt_syscall3(long nr, u64 a, u64 b, u64 c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline long rt_syscall0(long nr)
{
	return rt_syscall3(nr, 0, 0, 0);
}

#endif
