/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory accesses that may fault, for the image only: each one has a row in the section .ex_table
 * that says where execution goes on when it does (rt_exception_fixup()).
 */
#ifndef SKEP_RT_X86_64_FAULT_H
#define SKEP_RT_X86_64_FAULT_H

#include "base/types.h"

/* A row of the exception table. */
struct rt_ex_entry {
	u64 fault, resume;
};

#define RT_EX_TABLE(fault, resume)                     \
	".pushsection .ex_table, \"a\", @progbits\n\t" \
	".balign 8\n\t"                                \
	".quad " fault ", " resume "\n\t"              \
	".popsection\n"

/* Copies size bytes; the number that could not be copied, 0 on success. Either side may fault. */
static inline u64 rt_fault_copy(u64 dst, u64 src, u64 size)
{
	__asm__ volatile("1:\trep movsb\n2:\n" RT_EX_TABLE("1b", "2b")
			 : "+D"(dst), "+S"(src), "+c"(size)
			 :
			 : "memory");
	return size;
}

/* Loads a word or a byte. False when it faults; *ret is then not written. */
static inline bool rt_fault_load64(u64 address, u64 *ret)
{
	u32 failed = 1;
	u64 value;

	__asm__ volatile("1:\tmovq (%2), %0\n\txorl %1, %1\n2:\n" RT_EX_TABLE("1b", "2b")
			 : "=&r"(value), "+r"(failed)
			 : "r"(address)
			 : "memory", "cc");
	if (failed)
		return false;
	*ret = value;
	return true;
}

static inline bool rt_fault_load8(u64 address, u8 *ret)
{
	u32 failed = 1, value;

	__asm__ volatile("1:\tmovzbl (%2), %0\n\txorl %1, %1\n2:\n" RT_EX_TABLE("1b", "2b")
			 : "=&r"(value), "+r"(failed)
			 : "r"(address)
			 : "memory", "cc");
	if (failed)
		return false;
	*ret = (u8)value;
	return true;
}

#endif
