/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for many blocks of a few sizes that all end together. A block has no header: who gives it
 * back says how large it is, and the next one of its size gets it. Giving back is needed only for
 * that: pool_reset() and pool_done() take everything at once, without looking at the blocks.
 *
 * Chunks come from base_alloc() and count in the thread's account; each allocation can be made to
 * fail (base/alloc.h). Sizes are neither 0 nor over 1 TiB. With AddressSanitizer a block that was
 * given back may not be touched.
 */
#ifndef SKEP_BASE_POOL_H
#define SKEP_BASE_POOL_H

#include "base/types.h"

#define POOL_STEP  16u	/* sizes are rounded up to multiples */
#define POOL_LINE  64u	/* blocks of multiples of that are aligned to it: whole lines of a cache */
#define POOL_LISTS 256u /* of so many multiples; larger sizes to powers of two */
#define POOL_LARGE 29u	/* up to 1 TiB */

struct pool_chunk;
struct pool_block;

/* Zeroed: an empty one. */
struct pool {
	char *next, *end;	   /* what is left of the newest chunk */
	struct pool_chunk *chunks; /* newest first */
	struct pool_chunk *spare;  /* to be used again, largest first */
	size_t bytes;		   /* of the chunks that are in use */
	struct pool_block *given_back[POOL_LISTS + POOL_LARGE];
};

/* A block with any contents, aligned to POOL_STEP; NULL: no memory. */
void *pool_alloc(struct pool *pool, size_t size) __attribute__((malloc, warn_unused_result));
/* The same, zeroed. */
void *pool_zalloc(struct pool *pool, size_t size) __attribute__((malloc, warn_unused_result));
/* Gives a block of that size back; NULL: nothing happens. Returns NULL. */
void *pool_free(struct pool *pool, void *block, size_t size);
/* A block of the new size with the contents of the old one, which may be NULL with size 0. On
 * failure the old one stays. */
void *pool_resize(struct pool *pool, void *block, size_t old_size, size_t size)
	__attribute__((warn_unused_result));

/* No block is there any more; memory is kept for the next ones. */
void pool_reset(struct pool *pool);
/* The same, and memory is given back. */
void pool_done(struct pool *pool);

#endif
