/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of the control plane. Every allocation goes through these functions, so that a test can
 * make the n-th one fail and see that nothing is lost (EVIDENCE section "faults": each allocation
 * failed once). They return NULL for want of memory and never end the program. Freed with
 * base_free().
 */
#ifndef SKEP_BASE_ALLOC_H
#define SKEP_BASE_ALLOC_H

#include "base/types.h"

/* size bytes with indeterminate contents. size 0 gives a unique pointer. */
void *base_alloc(size_t size) __attribute__((malloc, warn_unused_result));

/* count × size zeroed bytes; NULL too when the product overflows. */
void *base_zalloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));

/* memory (or NULL) with room for count × size bytes; on failure memory is untouched and still
 * owned. */
void *base_realloc(void *memory, size_t count, size_t size) __attribute__((warn_unused_result));

/* A copy of size bytes. */
void *base_memdup(const void *source, size_t size) __attribute__((malloc, warn_unused_result));

/* Takes NULL; returns NULL. */
void *base_free(void *memory);

/*
 * BASE_HUGE bytes, zeroed, which the kernel backs by one large page if it can: fewer faults, and
 * fewer misses where memory is read across. Freed with base_free_huge().
 */
#define BASE_HUGE ((size_t)2 << 20)
void *base_alloc_huge(void) __attribute__((warn_unused_result));
void base_free_huge(void *memory);

/*
 * Whole pages, with any contents, for what is needed again and again: 4 MiB the process keeps when
 * they are given back, as the kernel would have to find and clear them anew. size is a multiple of
 * BASE_PAGES. A child process finds zeros in its parent's. Freed with base_free_pages().
 */
#define BASE_PAGES ((size_t)64 << 10)
void *base_alloc_pages(size_t size) __attribute__((warn_unused_result));
void base_free_pages(void *memory, size_t size);

/*
 * What a piece of work takes: while an account is set, all allocations of the thread count in it,
 * and one that would bring it over the limit fails. The work frees on the same thread, before the
 * account is taken away, what it does not keep.
 */
struct base_account {
	size_t limit;	 /* bytes; 0: none */
	ptrdiff_t now;	 /* below zero when memory from before was freed */
	size_t peak;	 /* the most that there was */
	bool over_limit; /* an allocation failed for the limit */
	bool failed;	 /* one failed, for whatever reason */
};

/* Sets the thread's account, NULL: none; returns the one before. */
struct base_account *base_account_set(struct base_account *account);

/* Did an allocation fail under the account that is set? */
bool base_account_failed(void);

/*
 * Fault injection, for tests: the skip-th allocation from now (0: the next) fails, once; -1 turns
 * it off. Returns whether the previous injection has fired. One for the whole process: a test uses
 * it on one thread at a time.
 */
bool base_alloc_fail_after(long skip);

/* For allocators on top of this one: is this allocation the one to fail? Then it counts as failed.
 */
bool base_alloc_refused(void);

#endif
