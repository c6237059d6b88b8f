/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies between private memory (a program's stack, a client's buffer) and shared memory (keys and
 * values in the data segment), word by word with atomics: others read and write the same words at
 * the same time, and no word may be read twice. Loads acquire and stores release, so that a reader
 * who saw any word of a reused element also sees what happened before the reuse (rt/map/hash.h),
 * without fences, which ThreadSanitizer does not model. The shared side is aligned to 8.
 */
#ifndef SKEP_RT_MAP_SHARED_H
#define SKEP_RT_MAP_SHARED_H

#include "base/types.h"

#define RT_SHARED_STEP(type) \
	for (; size >= sizeof(type); size -= sizeof(type), d += sizeof(type), s += sizeof(type))

/* The tail after the 8-byte words is at most one 4-, one 2- and one 1-byte access. */
static inline void rt_shared_store(void *shared, const void *private, u64 size)
{
	u8 *d = shared;
	const u8 *s = private;

	RT_SHARED_STEP(u64)
	{
		u64 word;

		__builtin_memcpy(&word, s, 8);
		__atomic_store_n((u64 *)(void *)d, word, __ATOMIC_RELEASE);
	}
	RT_SHARED_STEP(u32)
	{
		u32 word;

		__builtin_memcpy(&word, s, 4);
		__atomic_store_n((u32 *)(void *)d, word, __ATOMIC_RELEASE);
	}
	RT_SHARED_STEP(u8)
	__atomic_store_n(d, *s, __ATOMIC_RELEASE);
}

static inline void rt_shared_load(void *private, const void *shared, u64 size)
{
	u8 *d = private;
	const u8 *s = shared;

	RT_SHARED_STEP(u64)
	{
		u64 word = __atomic_load_n((const u64 *)(const void *)s, __ATOMIC_ACQUIRE);

		__builtin_memcpy(d, &word, 8);
	}
	RT_SHARED_STEP(u32)
	{
		u32 word = __atomic_load_n((const u32 *)(const void *)s, __ATOMIC_ACQUIRE);

		__builtin_memcpy(d, &word, 4);
	}
	RT_SHARED_STEP(u8)
	*d = __atomic_load_n(s, __ATOMIC_ACQUIRE);
}

static inline void rt_shared_zero(void *shared, u64 size)
{
	u8 *d = shared;

	for (; size >= 8; size -= 8, d += 8)
		__atomic_store_n((u64 *)(void *)d, 0, __ATOMIC_RELEASE);
	for (; size; size--, d++)
		__atomic_store_n(d, 0, __ATOMIC_RELEASE);
}

static inline bool rt_shared_equal(const void *shared, const void *private, u64 size)
{
	const u8 *d = shared, *s = private;

	RT_SHARED_STEP(u64)
	{
		u64 word;

		__builtin_memcpy(&word, s, 8);
		if (__atomic_load_n((const u64 *)(const void *)d, __ATOMIC_ACQUIRE) != word)
			return false;
	}
	RT_SHARED_STEP(u32)
	{
		u32 word;

		__builtin_memcpy(&word, s, 4);
		if (__atomic_load_n((const u32 *)(const void *)d, __ATOMIC_ACQUIRE) != word)
			return false;
	}
	RT_SHARED_STEP(u8)
	{
		if (__atomic_load_n(d, __ATOMIC_ACQUIRE) != *s)
			return false;
	}
	return true;
}

#endif
