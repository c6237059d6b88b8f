/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See alloc.h. The countdown is one atomic word: below zero injection is off, and an allocation
 * costs one relaxed load more than malloc(3).
 */
#include "base/alloc.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

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

/*
 * Under a sanitizer every block goes back to malloc(3) at once, so that it sees what is used after
 * that.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEEPS_BLOCKS false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define KEEPS_BLOCKS false
#else
#define KEEPS_BLOCKS true
#endif
#else
#define KEEPS_BLOCKS true
#endif

#define STEP ((size_t)BASE_KEPT_STEP)

struct base_kept {
	struct base_kept *next;
};

static void release_kept(struct base_account *account)
{
	for (u32 i = 0; account->kept_bytes && i < BASE_KEPT_LISTS; i++) {
		while (account->kept[i]) {
			struct base_kept *next = account->kept[i]->next;

			free(account->kept[i]);
			account->kept[i] = next;
		}
	}
	account->kept_bytes = 0;
}

struct base_account *base_account_set(struct base_account *account)
{
	struct base_account *before = current;

	if (before)
		release_kept(before);
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
	    (bytes <= current->limit && (size_t)current->now <= current->limit - bytes)) {
		if ((size_t)(current->now < 0 ? 0 : current->now) + bytes + current->kept_bytes >
		    current->limit)
			release_kept(current);
		return true;
	}
	current->over_limit = true;
	return false;
}

static void count(void *memory, size_t usable)
{
	if (!memory) {
		current->failed = true;
		return;
	}
	current->now += (ptrdiff_t)usable;
	if (current->now > 0 && (size_t)current->now > current->peak)
		current->peak = (size_t)current->now;
}

/* A block of that size, zeroed or not. Under an account sizes are rounded up to steps. */
static void *take_counted(size_t bytes, bool zero)
{
	size_t list = (bytes + STEP - 1) / STEP, usable;
	struct base_kept *block = NULL;
	void *memory;

	if (!KEEPS_BLOCKS || list >= BASE_KEPT_LISTS)
		memory = zero ? calloc(1, bytes) : malloc(bytes);
	else if (!(block = current->kept[list]))
		memory = zero ? calloc(list, STEP) : malloc(list * STEP);
	else
		memory = block;
	usable = memory ? malloc_usable_size(memory) : 0;
	if (block) {
		current->kept[list] = block->next;
		current->kept_bytes -= usable;
		if (zero)
			memset(block, 0, bytes);
	}
	count(memory, usable);
	return memory;
}

static void *take(size_t bytes, bool zero)
{
	if (!bytes)
		bytes = 1;
	if (unlikely(current != NULL))
		return take_counted(bytes, zero);
	return zero ? calloc(1, bytes) : malloc(bytes);
}

/* Kept for the next of its size, or given back. */
static void give(void *memory)
{
	struct base_kept *block = memory;
	size_t usable, list;

	if (likely(!current) || !memory) {
		free(memory);
		return;
	}
	usable = malloc_usable_size(memory);
	list = usable / STEP;
	current->now -= (ptrdiff_t)usable;
	if (!KEEPS_BLOCKS || !list || list >= BASE_KEPT_LISTS) {
		free(memory);
		return;
	}
	block->next = current->kept[list];
	current->kept[list] = block;
	current->kept_bytes += usable;
}

/* An allocation that is not tried. */
static void *fail(void)
{
	if (current)
		current->failed = true;
	return NULL;
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

/* Under an account: a block of the new size, unless the old one has room. */
static void *move(void *memory, size_t before, size_t bytes)
{
	void *moved;

	if (memory && bytes <= before)
		return memory;
	moved = take(bytes, false);
	if (moved && memory) {
		memcpy(moved, memory, before);
		give(memory);
	}
	return moved;
}

void *base_realloc(void *memory, size_t nr, size_t size)
{
	size_t bytes, before = current && memory ? malloc_usable_size(memory) : 0;

	if (__builtin_mul_overflow(nr, size, &bytes) || fails_now() ||
	    (bytes > before && !fits_account(bytes - before)))
		return fail();
	if (current)
		return move(memory, before, bytes);
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
	give(memory);
	return NULL;
}
