/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four memory functions that a compiler may call on its own account even in freestanding code.
 * Only in the image: hosted, libc has them. Short blocks, the rule here, go by words; the empty asm
 * in each loop keeps an optimiser from turning the loop into a call to the very function.
 */
#include "base/types.h"
#include "rt/mem.h"

#ifdef SKEP_IMAGE

#define SHORT	    256
#define KEEP_LOOP() __asm__ volatile("" ::: "memory")

typedef u64 unaligned_u64 __attribute__((aligned(1), may_alias));

void *memcpy(void *restrict dst, const void *restrict src, size_t size)
{
	u8 *to = dst;
	const u8 *from = src;

	if (size > SHORT) {
		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
		return dst;
	}
	for (; size >= 8; size -= 8, to += 8, from += 8) {
		*(unaligned_u64 *)to = *(const unaligned_u64 *)from;
		KEEP_LOOP();
	}
	for (; size; size--) {
		*to++ = *from++;
		KEEP_LOOP();
	}
	return dst;
}

void *memmove(void *dst, const void *src, size_t size)
{
	if ((uintptr_t)dst - (uintptr_t)src >= size)
		return memcpy(dst, src, size);

	u8 *to = (u8 *)dst + size;
	const u8 *from = (const u8 *)src + size;

	while (size--) {
		*--to = *--from;
		KEEP_LOOP();
	}
	return dst;
}

void *memset(void *dst, int byte, size_t size)
{
	u8 *to = dst;
	u64 word = (u8)byte * 0x0101010101010101UL;

	if (size > SHORT) {
		__asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
		return dst;
	}
	for (; size >= 8; size -= 8, to += 8) {
		*(unaligned_u64 *)to = word;
		KEEP_LOOP();
	}
	for (; size; size--) {
		*to++ = (u8)byte;
		KEEP_LOOP();
	}
	return dst;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const u8 *left = a, *right = b;

	for (; size >= 8; size -= 8, left += 8, right += 8) {
		if (*(const unaligned_u64 *)left != *(const unaligned_u64 *)right)
			break;
		KEEP_LOOP();
	}
	for (; size; size--, left++, right++) {
		if (*left != *right)
			return *left < *right ? -1 : 1;
		KEEP_LOOP();
	}
	return 0;
}

#else

/* ISO C wants at least one declaration in a file. */
typedef int rt_mem_hosted;

#endif
