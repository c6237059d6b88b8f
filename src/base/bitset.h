/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of small numbers as words of 64 bits; the storage is the caller's:
 * u64 seen[BITSET_WORDS(n)], or base_zalloc(BITSET_WORDS(n), 8).
 */
#ifndef SKEP_BASE_BITSET_H
#define SKEP_BASE_BITSET_H

#include "base/types.h"

#define BITSET_WORDS(n) (((size_t)(n) + 63) / 64)

static inline bool bitset_has(const u64 *set, size_t bit)
{
	return set[bit / 64] >> (bit % 64) & 1;
}

static inline void bitset_add(u64 *set, size_t bit)
{
	set[bit / 64] |= 1ULL << (bit % 64);
}

static inline void bitset_remove(u64 *set, size_t bit)
{
	set[bit / 64] &= ~(1ULL << (bit % 64));
}

/* The smallest member that is >= from and < n; n if there is none. */
static inline size_t bitset_next(const u64 *set, size_t n, size_t from)
{
	while (from < n) {
		u64 word = set[from / 64] >> (from % 64);

		if (word) {
			from += (size_t)__builtin_ctzll(word);
			return from < n ? from : n;
		}
		from = (from / 64 + 1) * 64;
	}
	return n;
}

/* The smallest number < n that is not a member; n if all are. */
static inline size_t bitset_next_free(const u64 *set, size_t n)
{
	for (size_t word = 0; word < BITSET_WORDS(n); word++) {
		if (~set[word]) {
			size_t bit = word * 64 + (size_t)__builtin_ctzll(~set[word]);

			return bit < n ? bit : n;
		}
	}
	return n;
}

static inline size_t bitset_count(const u64 *set, size_t n)
{
	size_t count = 0;

	for (size_t word = 0; word < n / 64; word++)
		count += (size_t)__builtin_popcountll(set[word]);
	if (n % 64)
		count += (size_t)__builtin_popcountll(set[n / 64] & ((1ULL << (n % 64)) - 1));
	return count;
}

/* into |= other; true if that changed anything. */
static inline bool bitset_join(u64 *into, const u64 *other, size_t n)
{
	u64 changed = 0;

	for (size_t word = 0; word < BITSET_WORDS(n); word++) {
		changed |= other[word] & ~into[word];
		into[word] |= other[word];
	}
	return changed != 0;
}

#endif
