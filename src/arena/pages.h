/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An allocator for one segment of the arena: address ranges in page units, and size classes for
 * what is smaller than a page. It never touches the memory that it hands out, and keeps its books
 * in the heap, where traced processes cannot reach them.
 */
#ifndef SKEP_ARENA_PAGES_H
#define SKEP_ARENA_PAGES_H

#include "base/types.h"

#define ARENA_PAGE 4096UL

struct pages;

/* Manages [base, base + size), both page-aligned. NULL without memory. */
struct pages *pages_new(u64 base, u64 size);
struct pages *pages_free(struct pages *pages);

/*
 * An address of size bytes aligned to align (a power of two, at most a page), 0 if there is no
 * room. *ret_used says whether the memory may have been handed out before.
 */
u64 pages_take(struct pages *pages, u64 size, u32 align, bool *ret_used);

/*
 * Gives back what pages_take() gave with the same size. *ret_start, *ret_length: whole pages that
 * became free by it (length 0 if none). -EINVAL, and nothing changes, if it was not taken.
 */
int pages_put(struct pages *pages, u64 address, u64 size, u64 *ret_start, u64 *ret_length);

#endif
