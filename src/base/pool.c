/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See pool.h. Blocks are cut from chunks, each a share of what there is already, so that little is
 * lost to the last one; what was given back lies in lists by size.
 */
#include "base/pool.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONS
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(POISONS)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address))
#endif

#define HUGE_FROM   (4 * BASE_HUGE) /* of so many bytes one more page is a share like that */
#define CHUNK_SHARE 8		    /* a new chunk is as large as this part of the others */

struct pool_chunk {
	struct pool_chunk *next;
	size_t size; /* with this header */
	bool huge;   /* base_alloc_huge() made it */
	_Alignas(16) char memory[];
};

/* What of a chunk may be no room for blocks: its header, and where they begin. */
#define OVERHEAD (sizeof(struct pool_chunk) + POOL_LINE)

struct pool_block {
	struct pool_block *next;
};

_Static_assert(sizeof(struct pool_block) <= POOL_STEP, "a block has room for the list");

/* The list of blocks of that size; *size becomes what they really have. */
static struct pool_block **list_of(struct pool *pool, size_t *size)
{
	size_t steps = (*size + POOL_STEP - 1) / POOL_STEP;
	u32 power;

	*size = steps * POOL_STEP;
	if (likely(steps < POOL_LISTS))
		return &pool->given_back[steps];
	power = 64 - (u32)__builtin_clzll(steps - 1);
	*size = POOL_STEP * ((size_t)1 << power);
	return &pool->given_back[POOL_LISTS + power - 8];
}

/* With room for a block of that size; NULL: no memory. */
static struct pool_chunk *new_chunk(size_t others, size_t size)
{
	bool huge = others >= HUGE_FROM && size <= BASE_HUGE - OVERHEAD;
	size_t bytes = others >= HUGE_FROM ? 0 : others / CHUNK_SHARE;
	struct pool_chunk *chunk;

	if (bytes < size + OVERHEAD)
		bytes = size + OVERHEAD;
	bytes = huge ? BASE_HUGE : ALIGN_UP(bytes, BASE_PAGES);
	chunk = huge ? base_alloc_huge() : base_alloc_pages(bytes);
	if (!chunk)
		return NULL;
	chunk->huge = huge;
	chunk->size = bytes;
	return chunk;
}

/* Makes a chunk with room for a block of that size the newest one. false: no memory. */
static bool add_chunk(struct pool *pool, size_t size)
{
	struct pool_chunk *chunk = pool->spare;

	if (chunk && chunk->size - OVERHEAD >= size)
		pool->spare = chunk->next;
	else
		chunk = new_chunk(pool->bytes, size);
	if (!chunk)
		return false;
	chunk->next = pool->chunks;
	pool->chunks = chunk;
	pool->bytes += chunk->size;
	pool->next = (char *)ALIGN_UP((uintptr_t)chunk->memory, (uintptr_t)POOL_LINE);
	pool->end = (char *)chunk + chunk->size;
	ASAN_POISON_MEMORY_REGION(chunk->memory, chunk->size - sizeof(*chunk));
	return true;
}

void *pool_alloc(struct pool *pool, size_t size)
{
	struct pool_block **list, *block;

	if (unlikely(base_alloc_refused()))
		return NULL;
	list = list_of(pool, &size);
	block = *list;
	if (block) {
		/* What is in the list is poisoned, its first word too. */
		ASAN_UNPOISON_MEMORY_REGION(block, size);
		*list = block->next;
		return block;
	}
	if (size % POOL_LINE == 0)
		pool->next = (char *)ALIGN_UP((uintptr_t)pool->next, (uintptr_t)POOL_LINE);
	if (pool->next + size > pool->end && !add_chunk(pool, size))
		return NULL;
	block = (struct pool_block *)pool->next;
	pool->next += size;
	ASAN_UNPOISON_MEMORY_REGION(block, size);
	return block;
}

void *pool_zalloc(struct pool *pool, size_t size)
{
	void *block = pool_alloc(pool, size);

	if (block)
		memset(block, 0, size);
	return block;
}

void *pool_free(struct pool *pool, void *memory, size_t size)
{
	struct pool_block **list, *block = memory;

	if (!block)
		return NULL;
	list = list_of(pool, &size);
	block->next = *list;
	*list = block;
	ASAN_POISON_MEMORY_REGION(block, size);
	return NULL;
}

void *pool_resize(struct pool *pool, void *block, size_t old_size, size_t size)
{
	size_t old_room = old_size, room = size;
	void *moved;

	if (block && list_of(pool, &old_room) == list_of(pool, &room)) {
		ASAN_UNPOISON_MEMORY_REGION(block, room);
		return block;
	}
	moved = pool_alloc(pool, size);
	if (moved && block) {
		memcpy(moved, block, old_size < size ? old_size : size);
		pool_free(pool, block, old_size);
	}
	return moved;
}

void pool_reset(struct pool *pool)
{
	struct pool empty = { .spare = pool->spare };

	/* The newest, which are the largest, come first again. */
	while (pool->chunks) {
		struct pool_chunk *chunk = pool->chunks, **link = &empty.spare;

		pool->chunks = chunk->next;
		while (*link && (*link)->size > chunk->size)
			link = &(*link)->next;
		chunk->next = *link;
		*link = chunk;
	}
	*pool = empty;
}

void pool_done(struct pool *pool)
{
	pool_reset(pool);
	while (pool->spare) {
		struct pool_chunk *chunk = pool->spare;

		pool->spare = chunk->next;
		ASAN_UNPOISON_MEMORY_REGION(chunk, chunk->size);
		if (chunk->huge)
			base_free_huge(chunk);
		else
			base_free_pages(chunk, chunk->size);
	}
}
