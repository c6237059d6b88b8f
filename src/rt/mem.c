/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four memory functions that a compiler may call on its own account even in freestanding code.
 * Only in the image: hosted, libc has them. They use string instructions, so that no optimiser can
 * turn a loop in them into a call to themselves.
 */
#include "base/types.h"
#include "rt/mem.h"

#ifdef SKEP_IMAGE

void *memcpy(void *restrict dst, const void *restrict src, size_t size)
{
	void *to = dst;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(src), "+c"(size) : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t size)
{
	if ((uintptr_t)dst - (uintptr_t)src >= size)
		return memcpy(dst, src, size);

	u8 *to = (u8 *)dst + size - 1;
	const u8 *from = (const u8 *)src + size - 1;

	__asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	return dst;
}

void *memset(void *dst, int byte, size_t size)
{
	void *to = dst;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const u8 *left = a, *right = b;

	for (size_t i = 0; i < size; i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	return 0;
}

#else

/* ISO C wants at least one declaration in a file. */
typedef int rt_mem_hosted;

#endif
