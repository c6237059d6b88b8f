/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See alloc.h. The countdown is one atomic word: below zero injection is off, and an allocation
 * costs one relaxed load more than malloc(3).
 */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_long fail_countdown = -1;
static atomic_bool fail_fired;

static bool fails_now(void)
{
	if (likely(atomic_load_explicit(&fail_countdown, memory_order_relaxed) < 0))
		return false;
	if (atomic_fetch_sub(&fail_countdown, 1) != 0)
		return false;
	atomic_store(&fail_fired, true);
	return true;
}

bool base_alloc_fail_after(long skip)
{
	atomic_store(&fail_countdown, skip < 0 ? -1 : skip);
	return atomic_exchange(&fail_fired, false);
}

void *base_alloc(size_t size)
{
	return fails_now() ? NULL : malloc(size ? size : 1);
}

void *base_zalloc(size_t count, size_t size)
{
	size_t bytes;

	/* calloc() checks too, but a sanitizer's takes an overflow for a fault. */
	if (__builtin_mul_overflow(count, size, &bytes) || fails_now())
		return NULL;
	return calloc(1, bytes ? bytes : 1);
}

void *base_realloc(void *memory, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || fails_now())
		return NULL;
	return realloc(memory, bytes ? bytes : 1);
}

void *base_memdup(const void *source, size_t size)
{
	void *copy = base_alloc(size);

	if (copy && size)
		memcpy(copy, source, size);
	return copy;
}

void *base_free(void *memory)
{
	free(memory);
	return NULL;
}
