/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page runs: free ranges stand in an array sorted by address and coalesce; first fit, so that low
 * addresses fill first. Everything at or above the frontier has never been handed out.
 * Small objects: a slab is one page of one size class (16 bytes to 2 KiB) with a bitmap of free
 * slots; slabs are found by page through a hash table.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arena/pages.h"

#define CLASS_MIN_BITS 4 /* 16 bytes */
#define CLASS_COUNT    8 /* … 2 KiB */
#define SLAB_HASH      1024
#define SLOTS_MAX      (ARENA_PAGE >> CLASS_MIN_BITS)

struct run {
	u64 start, length;
};

struct slab {
	struct slab *hash_next;
	struct slab *prev, *next; /* of its class, those with a free slot only */
	u64 page;
	u32 class, nr_used;
	u64 used[SLOTS_MAX / 64];
};

struct pages {
	u64 base, end;
	u64 frontier; /* nothing above was ever handed out */
	struct run *runs;
	u32 nr_runs, max_runs;
	struct slab *partial[CLASS_COUNT];
	struct slab *hash[SLAB_HASH];
};

struct pages *pages_new(u64 base, u64 size)
{
	struct pages *pages = calloc(1, sizeof(*pages));

	if (!pages)
		return NULL;
	pages->max_runs = 64;
	pages->runs = calloc(pages->max_runs, sizeof(*pages->runs));
	if (!pages->runs)
		return pages_free(pages);
	pages->base = pages->frontier = base;
	pages->end = base + size;
	pages->runs[0] = (struct run){ base, size };
	pages->nr_runs = 1;
	return pages;
}

struct pages *pages_free(struct pages *pages)
{
	if (!pages)
		return NULL;
	for (u32 i = 0; i < SLAB_HASH; i++) {
		struct slab *slab = pages->hash[i], *next;

		for (; slab; slab = next) {
			next = slab->hash_next;
			free(slab);
		}
	}
	free(pages->runs);
	free(pages);
	return NULL;
}

static u64 run_take(struct pages *pages, u64 size, bool *ret_used)
{
	for (u32 i = 0; i < pages->nr_runs; i++) {
		struct run *run = &pages->runs[i];
		u64 start = run->start;

		if (run->length < size)
			continue;
		run->start += size;
		run->length -= size;
		if (run->length == 0) {
			pages->nr_runs--;
			memmove(run, run + 1, (pages->nr_runs - i) * sizeof(*run));
		}
		*ret_used = start < pages->frontier;
		if (pages->frontier < start + size)
			pages->frontier = start + size;
		return start;
	}
	return 0;
}

/* Keeps room for one more run, so that run_put() itself cannot fail for lack of memory. */
static int run_reserve(struct pages *pages)
{
	if (pages->nr_runs + 1 < pages->max_runs)
		return 0;
	struct run *runs = reallocarray(pages->runs, pages->max_runs * 2, sizeof(*runs));

	if (!runs)
		return -ENOMEM;
	pages->runs = runs;
	pages->max_runs *= 2;
	return 0;
}

static int run_put(struct pages *pages, u64 start, u64 length)
{
	struct run *runs = pages->runs;
	u32 at = 0;

	while (at < pages->nr_runs && runs[at].start < start)
		at++;
	if (at < pages->nr_runs && start + length > runs[at].start)
		return -EINVAL;
	if (at > 0 && runs[at - 1].start + runs[at - 1].length > start)
		return -EINVAL;

	bool joins_left = at > 0 && runs[at - 1].start + runs[at - 1].length == start;
	bool joins_right = at < pages->nr_runs && start + length == runs[at].start;

	if (joins_left && joins_right) {
		runs[at - 1].length += length + runs[at].length;
		pages->nr_runs--;
		memmove(&runs[at], &runs[at + 1], (pages->nr_runs - at) * sizeof(*runs));
	} else if (joins_left) {
		runs[at - 1].length += length;
	} else if (joins_right) {
		runs[at].start = start;
		runs[at].length += length;
	} else {
		if (pages->nr_runs == pages->max_runs)
			return -ENOMEM;
		memmove(&runs[at + 1], &runs[at], (pages->nr_runs - at) * sizeof(*runs));
		runs[at] = (struct run){ start, length };
		pages->nr_runs++;
	}
	return 0;
}

static u32 class_of(u64 size, u32 align)
{
	u32 class = 0;

	while ((1UL << (class + CLASS_MIN_BITS)) < size ||
	       (1UL << (class + CLASS_MIN_BITS)) < align)
		class ++;
	return class;
}

static struct slab **hash_slot(struct pages *pages, u64 page)
{
	return &pages->hash[(page / ARENA_PAGE) % SLAB_HASH];
}

static void partial_add(struct pages *pages, struct slab *slab)
{
	slab->prev = NULL;
	slab->next = pages->partial[slab->class];
	if (slab->next)
		slab->next->prev = slab;
	pages->partial[slab->class] = slab;
}

static void partial_remove(struct pages *pages, struct slab *slab)
{
	if (slab->prev)
		slab->prev->next = slab->next;
	else
		pages->partial[slab->class] = slab->next;
	if (slab->next)
		slab->next->prev = slab->prev;
	slab->prev = slab->next = NULL;
}

static u32 slab_slots(const struct slab *slab)
{
	return ARENA_PAGE >> (slab->class + CLASS_MIN_BITS);
}

static struct slab *slab_new(struct pages *pages, u32 class)
{
	struct slab *slab = calloc(1, sizeof(*slab));
	bool used;

	if (!slab || run_reserve(pages)) {
		free(slab);
		return NULL;
	}
	slab->page = run_take(pages, ARENA_PAGE, &used);
	if (!slab->page) {
		free(slab);
		return NULL;
	}
	slab->class = class;
	slab->hash_next = *hash_slot(pages, slab->page);
	*hash_slot(pages, slab->page) = slab;
	partial_add(pages, slab);
	return slab;
}

u64 pages_take(struct pages *pages, u64 size, u32 align, bool *ret_used)
{
	if (size == 0 || size > pages->end - pages->base || align > ARENA_PAGE ||
	    (align & (align - 1)))
		return 0;
	if (size > ARENA_PAGE / 2 || align > ARENA_PAGE / 2) {
		if (run_reserve(pages))
			return 0;
		return run_take(pages, ALIGN_UP(size, ARENA_PAGE), ret_used);
	}

	u32 class = class_of(size, align);
	struct slab *slab = pages->partial[class] ?: slab_new(pages, class);

	if (!slab)
		return 0;
	u32 slot = 0;

	while (slab->used[slot / 64] & 1UL << slot % 64)
		slot++;
	slab->used[slot / 64] |= 1UL << slot % 64;
	if (++slab->nr_used == slab_slots(slab))
		partial_remove(pages, slab);
	*ret_used = true;
	return slab->page + ((u64)slot << (class + CLASS_MIN_BITS));
}

static int slab_put(struct pages *pages, struct slab **link, u64 address, u64 size, u64 *ret_start,
		    u64 *ret_length)
{
	struct slab *slab = *link;
	u32 bits = slab->class + CLASS_MIN_BITS;
	u32 slot = (address - slab->page) >> bits;

	if (address & ((1UL << bits) - 1) || size > 1UL << bits ||
	    !(slab->used[slot / 64] & 1UL << slot % 64))
		return -EINVAL;
	if (slab->nr_used == 1) {
		int error = run_put(pages, slab->page, ARENA_PAGE);

		if (error)
			return error;
		*ret_start = slab->page;
		*ret_length = ARENA_PAGE;
		if (slab_slots(slab) > 1)
			partial_remove(pages, slab);
		*link = slab->hash_next;
		free(slab);
		return 0;
	}
	slab->used[slot / 64] &= ~(1UL << slot % 64);
	if (slab->nr_used-- == slab_slots(slab))
		partial_add(pages, slab);
	return 0;
}

int pages_put(struct pages *pages, u64 address, u64 size, u64 *ret_start, u64 *ret_length)
{
	*ret_start = *ret_length = 0;
	if (size == 0 || address < pages->base || address >= pages->frontier ||
	    size > pages->frontier - address)
		return -EINVAL;

	for (struct slab **link = hash_slot(pages, ALIGN_DOWN(address, ARENA_PAGE)); *link;
	     link = &(*link)->hash_next)
		if ((*link)->page == ALIGN_DOWN(address, ARENA_PAGE))
			return slab_put(pages, link, address, size, ret_start, ret_length);

	if (address % ARENA_PAGE)
		return -EINVAL;
	size = ALIGN_UP(size, ARENA_PAGE);
	int error = run_reserve(pages) ?: run_put(pages, address, size);

	if (error)
		return error;
	*ret_start = address;
	*ret_length = size;
	return 0;
}
