/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See alloc.h. The countdown is one atomic word: below zero injection is off, and an allocation
 * costs one relaxed load more than malloc(3).
 */
#include "base/alloc.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static atomic_long fail_countdown = -1;
static atomic_bool fail_fired;
static _Thread_local struct base_account *current;

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

struct base_account *base_account_set(struct base_account *account)
{
	struct base_account *before = current;

	current = account;
	return before;
}

bool base_account_failed(void)
{
	return current && current->failed;
}

/* May so many bytes more be there? */
static bool fits_account(size_t bytes)
{
	if (likely(!current) || !current->limit)
		return true;
	if (current->now < 0 ||
	    (bytes <= current->limit && (size_t)current->now <= current->limit - bytes))
		return true;
	current->over_limit = true;
	return false;
}

static void count(ptrdiff_t more)
{
	current->now += more;
	if (current->now > 0 && (size_t)current->now > current->peak)
		current->peak = (size_t)current->now;
}

static void *take(size_t bytes, bool zero)
{
	void *memory;

	if (!bytes)
		bytes = 1;
	memory = zero ? calloc(1, bytes) : malloc(bytes);
	if (current && memory)
		count((ptrdiff_t)malloc_usable_size(memory));
	else if (current)
		current->failed = true;
	return memory;
}

static void give(void *memory)
{
	if (current && memory)
		count(-(ptrdiff_t)malloc_usable_size(memory));
	free(memory);
}

/* An allocation that is not tried. */
static void *fail(void)
{
	if (current)
		current->failed = true;
	return NULL;
}

bool base_alloc_refused(void)
{
	if (!fails_now())
		return false;
	fail();
	return true;
}

void *base_alloc(size_t size)
{
	if (fails_now() || !fits_account(size))
		return fail();
	return take(size, false);
}

void *base_zalloc(size_t nr, size_t size)
{
	size_t bytes;

	/* calloc() checks too, but a sanitizer's takes an overflow for a fault. */
	if (__builtin_mul_overflow(nr, size, &bytes) || fails_now() || !fits_account(bytes))
		return fail();
	return take(bytes, true);
}

void *base_realloc(void *memory, size_t nr, size_t size)
{
	size_t bytes, before = current && memory ? malloc_usable_size(memory) : 0;
	void *moved;

	if (__builtin_mul_overflow(nr, size, &bytes) || fails_now() ||
	    (bytes > before && !fits_account(bytes - before)))
		return fail();
	moved = realloc(memory, bytes ? bytes : 1);
	if (!moved)
		return fail();
	if (current)
		count((ptrdiff_t)(malloc_usable_size(moved) - before));
	return moved;
}

void *base_memdup(const void *source, size_t size)
{
	void *copy = base_alloc(size);

	if (copy && size)
		memcpy(copy, source, size);
	return copy;
}

/* BASE_HUGE bytes, aligned like that; NULL: no memory. */
static char *map_huge(void)
{
	/* Twice as much contains one that is aligned; what is around it goes back. */
	char *memory = mmap(NULL, 2 * BASE_HUGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *huge = (char *)ALIGN_UP((uintptr_t)memory, BASE_HUGE);

	if (memory == MAP_FAILED)
		return NULL;
	if (huge > memory)
		munmap(memory, (size_t)(huge - memory));
	munmap(huge + BASE_HUGE, (size_t)(memory + BASE_HUGE - huge));
	madvise(huge, BASE_HUGE, MADV_HUGEPAGE); /* it may be without */
	return huge;
}

void *base_alloc_huge(void)
{
	char *huge;

	if (fails_now() || !fits_account(BASE_HUGE))
		return fail();
	huge = map_huge();
	if (!huge)
		return fail();
	if (current)
		count((ptrdiff_t)BASE_HUGE);
	return huge;
}

void base_free_huge(void *memory)
{
	if (current)
		count(-(ptrdiff_t)BASE_HUGE);
	munmap(memory, BASE_HUGE);
}

/*
 * What the process keeps for base_alloc_pages(). fork() leaves the pages alone, or each of them
 * would be copied when it is written next.
 */
#define AREAS	   2
#define AREA_RUNS  (BASE_HUGE / BASE_PAGES)
#define AREA_LARGE (8 * BASE_PAGES) /* more at once is not from there */

static struct area {
	_Atomic(char *) memory;
	_Atomic u32 used, touched; /* a bit for each BASE_PAGES */
} areas[AREAS];

_Static_assert(AREA_RUNS == 32, "they have a bit each");

static char *area_memory(struct area *area)
{
	char *memory = atomic_load(&area->memory), *mapped;

	if (memory)
		return memory;
	mapped = map_huge();
	if (!mapped)
		return NULL;
	madvise(mapped, BASE_HUGE, MADV_WIPEONFORK);
	if (atomic_compare_exchange_strong(&area->memory, &memory, mapped))
		return mapped;
	munmap(mapped, BASE_HUGE); /* another thread was faster */
	return memory;
}

/* All of it will be used: it is got at once, not by a fault for each page. Whether that works does
 * not matter. */
static void populate(char *memory, size_t size)
{
#ifdef MADV_POPULATE_WRITE
	madvise(memory, size, MADV_POPULATE_WRITE);
#else
	(void)memory, (void)size;
#endif
}

static char *take_from(struct area *area, size_t size)
{
	u32 bits = (1u << (size / BASE_PAGES)) - 1, used = atomic_load(&area->used), i, mask;
	char *memory = area_memory(area);

	if (!memory)
		return NULL;
	do {
		for (i = 0; used & (bits << i); i++)
			if (i + size / BASE_PAGES == AREA_RUNS)
				return NULL;
		mask = bits << i;
	} while (!atomic_compare_exchange_weak(&area->used, &used, used | mask));
	memory += i * BASE_PAGES;
	if (mask & ~atomic_fetch_or(&area->touched, mask))
		populate(memory, size);
	return memory;
}

void *base_alloc_pages(size_t size)
{
	char *memory = NULL;

	if (fails_now() || !fits_account(size))
		return fail();
	for (u32 i = 0; i < AREAS && size <= AREA_LARGE && !memory; i++)
		memory = take_from(&areas[i], size);
	if (!memory) {
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);
		if (memory == MAP_FAILED)
			return fail();
		populate(memory, size);
	}
	if (current)
		count((ptrdiff_t)size);
	return memory;
}

void base_free_pages(void *memory, size_t size)
{
	u32 bits = size <= AREA_LARGE ? (1u << (size / BASE_PAGES)) - 1 : 0;

	if (current)
		count(-(ptrdiff_t)size);
	for (u32 i = 0; i < AREAS; i++) {
		uintptr_t at = (uintptr_t)memory - (uintptr_t)atomic_load(&areas[i].memory);

		if (at < BASE_HUGE) {
			atomic_fetch_and(&areas[i].used, ~(bits << at / BASE_PAGES));
			return;
		}
	}
	munmap(memory, size);
}

void *base_free(void *memory)
{
	give(memory);
	return NULL;
}
