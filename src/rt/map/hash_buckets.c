/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buckets of hash tables: which one has the keys of a hash, and how they become more.
 *
 * A table grows by a bucket or two with each element that is used for the first time (linear
 * hashing), up to nr_buckets, so that a map's buckets cost what its elements cost, however many it
 * has room for. Bucket i is split off from bucket i without its highest bit, which from then on has
 * the hashes whose bit there is 0. How many there are is a hint, and so may be wrong or stale: what
 * counts is each bucket's mask, the bits of a hash that are its number. 0 stands for a bucket that
 * is not there yet, whose keys are in the one that it will be split off from.
 *
 * Chains are in the order of their hashes' bits read backwards. So the keys of the new bucket are
 * the end of the old one's chain, and a split is five stores under the old bucket's lock:
 *   the new bucket's head and next version | its mask | the old one's mask | its next version | the
 * cut, 0 into the link before the first key that goes (one with the version if there is no such
 * link). Before the cut both chains have all their keys. Who reads the old chain and misses a key
 * that went has seen the cut, and so finds another version at the end; who begins after that
 * version reads the mask behind it and looks in the new bucket.
 *
 * Whoever takes the lock over from one who died there does the stores again. The new bucket may be
 * in use by then: it is left alone, and the cut is before the first key that does not belong to the
 * old bucket, whatever became of the one that was there.
 */
#include "rt/map/hash.h"

#define SPLITS 2 /* for each new element */

static u32 highest_bit(u32 number)
{
	return 1u << (31 - __builtin_clz(number));
}

void hash_bucket_seek(const struct rt_map *map, u32 hash, struct hash_view *view)
{
	for (u32 i = 0; i < HASH_SEEKS; i++) {
		u32 index = view->index;

		if (hash_bucket_holds(index, view->mask, hash))
			return;
		/* Split since, or not there yet. */
		index = view->mask ? hash & view->mask : index & ~highest_bit(index);
		hash_bucket_look(map, index & (map->nr_buckets - 1), view);
	}
}

long hash_bucket_lock_seek(const struct rt_map *map, u32 hash, struct rt_vcpu *vcpu, u32 *ret_index)
{
	for (u32 i = 0; i < HASH_SEEKS; i++) {
		struct hash_view view;
		long error;

		hash_bucket_find(map, hash, &view);
		*ret_index = view.index;
		error = hash_bucket_lock(map, view.index, vcpu);
		if (unlikely(error))
			return error;
		if (likely(hash_bucket_holds(view.index, HASH_LOAD(view.bucket->mask), hash)))
			return 0;
		hash_bucket_unlock(map, view.index);
	}
	return -ETIMEDOUT;
}

void hash_split_finish(const struct rt_map *map, u32 index, u32 new)
{
	struct hash_bucket *from = hash_bucket(map, index), *to;
	u64 word = HASH_LOAD(from->head_version);
	u32 at = hash_bucket_head(word), previous = 0, mask;

	if (new >= map->nr_buckets || new < HASH_BUCKETS_FIRST ||
	    index != (new & ~highest_bit(new)))
		return;
	to = hash_bucket(map, new);
	mask = 2 * highest_bit(new) - 1;
	for (u32 hops = 0; hash_elem_valid(map, at) && hops < HASH_HOPS_MAX; hops++) {
		const struct hash_elem *elem = hash_elem(map, at);

		if ((HASH_LOAD(elem->hash) ^ index) & mask)
			break;
		previous = at;
		at = HASH_LOAD(elem->link);
	}
	if (!HASH_LOAD(to->mask)) {
		hash_bucket_set(to, hash_elem_valid(map, at) ? at : 0,
				hash_bucket_version(HASH_LOAD(to->head_version)) + 1);
		HASH_STORE(to->mask, mask);
	}
	HASH_STORE(from->mask, mask);
	hash_bucket_set(from, previous ? hash_bucket_head(word) : 0, hash_bucket_version(word) + 1);
	if (previous)
		HASH_STORE(hash_elem(map, previous)->link, 0);
}

/* Splits bucket index once, if it has keys for a bucket of the size that `bit` says. */
static void split(const struct rt_map *map, struct hash_slot *slot, u32 index, u32 bit,
		  struct rt_vcpu *vcpu)
{
	struct hash_bucket *bucket = hash_bucket(map, index);
	u32 mask;

	if (hash_bucket_lock(map, index, vcpu))
		return;
	mask = HASH_LOAD(bucket->mask);
	if (mask || index < HASH_BUCKETS_FIRST) {
		mask = hash_bucket_mask(map, mask);
		if (mask < bit && !HASH_LOAD(hash_bucket(map, index | (mask + 1))->mask)) {
			hash_journal(slot, HASH_OP_SPLIT, index, index | (mask + 1), 0);
			hash_finish(map, slot, vcpu);
		}
	}
	hash_bucket_unlock(map, index);
}

void hash_grow(const struct rt_map *map, struct hash_slot *slot, u32 hash, u32 index,
	       struct rt_vcpu *vcpu)
{
	struct hash_head *head = hash_head(map);
	u32 first = hash_buckets_first(map), room = map->nr_buckets - first;
	u64 want = (u64)SPLITS * HASH_LOAD(head->taken);

	/* A bucket that was not to be had when its turn was. */
	if (unlikely(index < hash_bucket_guess(map, hash)))
		split(map, slot, index, map->nr_buckets >> 1, vcpu);
	for (u32 i = 0; i < SPLITS; i++) {
		u32 more = HASH_LOAD(head->more_buckets), new = first + more;

		if (more >= room || new >= want)
			return;
		split(map, slot, new & ~highest_bit(new), highest_bit(new), vcpu);
		__atomic_compare_exchange_n(&head->more_buckets, &more, more + 1, false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	}
}

static u32 reversed(u32 word)
{
	word = (word >> 1 & 0x55555555) | (word & 0x55555555) << 1;
	word = (word >> 2 & 0x33333333) | (word & 0x33333333) << 2;
	word = (word >> 4 & 0x0f0f0f0f) | (word & 0x0f0f0f0f) << 4;
	return __builtin_bswap32(word);
}

/* Bits of a hash that choose the bucket of a table that has all of them. */
static u32 place_bits(const struct rt_map *map)
{
	return 31 - (u32)__builtin_clz(map->nr_buckets);
}

u32 hash_place(const struct rt_map *map, u32 hash)
{
	return (u32)((u64)reversed(hash) >> (32 - place_bits(map)));
}

u32 hash_of_place(const struct rt_map *map, u32 place)
{
	return reversed((u32)((u64)place << (32 - place_bits(map))));
}

u64 hash_place_end(const struct rt_map *map, u32 mask, u64 place)
{
	u64 span = map->nr_buckets / ((u64)hash_bucket_mask(map, mask) + 1);

	return ALIGN_DOWN(place, span) + span;
}
