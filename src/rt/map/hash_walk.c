/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash tables: copying a value out and walking all keys, without a lock, by the versions that
 * rt/map/hash.h explains: a copy or a step counts if the bucket's version did not move meanwhile.
 */
#include "rt/map/hash.h"

#define SCAN_MAX 4096 /* buckets looked at while one vCPU is held */

long hash_copy_out(const struct rt_map *map, const void *key, void *value, struct rt_vcpu *vcpu)
{
	u32 hash = hash_key(map, key), hops, found = 0;
	const struct hash_bucket *bucket = hash_bucket(map, hash_bucket_of(map, hash));

	for (u32 i = 0; i < HASH_RETRIES; i++) {
		u64 word = HASH_LOAD(bucket->head_version);

		found = hash_chain_walk(map, hash_bucket_head(word), hash, key, &hops);
		if (found)
			hash_load_value(map, found, value);
		if (likely(hash_unchanged(bucket, word)))
			return found ? 0 : -ENOENT;
	}
	if (hash_bucket_lock(map, hash_bucket_of(map, hash), vcpu))
		return found ? 0 : -ENOENT;
	found = hash_locked_find(map, bucket, hash, key, &hops);
	if (found)
		hash_load_value(map, found, value);
	hash_bucket_unlock(map, hash_bucket_of(map, hash));
	return found ? 0 : -ENOENT;
}

/* The first bucket at or after index whose page ever held an element; nr_buckets: none. */
static u64 next_used_bucket(const struct rt_map *map, u64 index)
{
	while (index < map->nr_buckets &&
	       !(HASH_LOAD(*hash_summary_word(map, (u32)index)) & hash_summary_bit((u32)index)))
		index = ALIGN_DOWN(index, (u64)HASH_SUMMARY_BUCKETS) + HASH_SUMMARY_BUCKETS;
	return index < map->nr_buckets ? index : map->nr_buckets;
}

/* The key after `after` (0: the first one) in a bucket's chain: true and *next_key written. */
static bool bucket_key(const struct rt_map *map, const struct hash_bucket *bucket, u32 hash,
		       const void *after, bool *ret_found, void *next_key)
{
	u32 hops;

	for (u32 i = 0; i < HASH_RETRIES; i++) {
		u64 word = HASH_LOAD(bucket->head_version);
		u32 at = hash_bucket_head(word);

		*ret_found = true;
		if (after) {
			at = hash_chain_walk(map, at, hash, after, &hops);
			*ret_found = at != 0;
			at = at ? HASH_LOAD(hash_elem(map, at)->link) : 0;
		}
		if (hash_elem_valid(map, at))
			rt_shared_load(next_key, hash_elem(map, at)->key, map->hash_key_size);
		if (hash_unchanged(bucket, word))
			return hash_elem_valid(map, at);
	}
	return false;
}

long hash_next_key(const struct rt_map *map, const void *key, void *next_key, struct rt_vcpu *vcpu)
{
	u64 index = 0;
	bool found = false;

	if (key) {
		u32 hash = hash_key(map, key);

		index = hash_bucket_of(map, hash);
		if (bucket_key(map, hash_bucket(map, (u32)index), hash, key, &found, next_key))
			return 0;
		/* A key that is not there: from the start, as the kernel. */
		index = found ? index + 1 : 0;
	}
	for (index = next_used_bucket(map, index); index < map->nr_buckets;
	     index = next_used_bucket(map, index + 1))
		if (bucket_key(map, hash_bucket(map, (u32)index), 0, NULL, &found, next_key))
			return 0;
	return -ENOENT;
}

long hash_for_each(const struct rt_map *map, rt_map_visit_fn visit, void *arg,
		   struct rt_vcpu * vcpu)
{
	/* Chains that somebody has tied into rings are not walked for ever, all taken together. */
	long nr = 0, most = 2l * hash_nr_elems(map) + HASH_HOPS_MAX;

	for (u64 index = next_used_bucket(map, 0); index < map->nr_buckets && nr < most;
	     index = next_used_bucket(map, index + 1)) {
		u32 at = hash_bucket_head(HASH_LOAD(hash_bucket(map, (u32)index)->head_version));

		for (u32 hops = 0; hash_elem_valid(map, at) && hops < HASH_HOPS_MAX; hops++) {
			struct hash_elem *elem = hash_elem(map, at);
			/* Before the call, which may delete the element. */
			u32 next = HASH_LOAD(elem->link);

			/* An element that was deleted and used again leads to other chains. */
			if (hash_bucket_of(map, HASH_LOAD(elem->hash)) != index)
				break;
			nr++;
			if (visit(arg, elem->key, hash_value(map, at, vcpu->index)))
				return nr;
			at = next;
		}
	}
	return nr;
}

/* Under the bucket's lock: a key that is being replaced stands in the chain twice without it. */
static long copy_keys(const struct rt_map *map, struct rt_map_bucket *bucket, struct rt_vcpu *vcpu)
{
	u32 index = (u32)bucket->index, at;
	long error = hash_bucket_lock(map, index, vcpu);

	if (error)
		return error;
	at = hash_bucket_head(HASH_LOAD(hash_bucket(map, index)->head_version));
	for (; hash_elem_valid(map, at) && bucket->nr < HASH_HOPS_MAX; bucket->nr++) {
		if (bucket->nr < bucket->room)
			rt_shared_load(bucket->keys + (u64)bucket->nr * map->hash_key_size,
				       hash_elem(map, at)->key, map->hash_key_size);
		at = HASH_LOAD(hash_elem(map, at)->link);
	}
	hash_bucket_unlock(map, index);
	return 0;
}

long hash_bucket_keys(const struct rt_map *map, struct rt_map_bucket *bucket, struct rt_vcpu *vcpu)
{
	u64 index = next_used_bucket(map, bucket->index);
	long error = 0;

	bucket->nr = 0;
	bucket->index = index;
	for (u32 i = 0; i < SCAN_MAX && index < map->nr_buckets && !bucket->nr && !error; i++) {
		bucket->index = index;
		if (hash_bucket_head(HASH_LOAD(hash_bucket(map, (u32)index)->head_version)))
			error = copy_keys(map, bucket, vcpu);
		index = next_used_bucket(map, index + 1);
	}
	if (!bucket->nr && !error)
		bucket->index = index < map->nr_buckets ? index - 1 : map->nr_buckets;
	return error;
}

/* The element of a bucket that place and key mean, 0: none. Writes place->skip. */
static u32 place_in_bucket(const struct rt_map *map, struct rt_map_place *place, bool after,
			   const void *key, u32 at)
{
	u32 hash = place->has_key ? hash_key(map, key) : 0, index = 0, candidate = 0, hops = 0;

	for (; hash_elem_valid(map, at) && hops < HASH_HOPS_MAX; hops++, index++) {
		struct hash_elem *elem = hash_elem(map, at);
		u32 next = HASH_LOAD(elem->link);

		if (place->has_key && HASH_LOAD(elem->hash) == hash &&
		    rt_shared_equal(elem->key, key, map->hash_key_size)) {
			place->skip = index + after;
			return after ? next : at;
		}
		if (index == place->skip)
			candidate = at;
		at = next;
	}
	return candidate;
}

bool rt_map_place_find(const struct rt_map *map, struct rt_map_place *place, bool after, void *key,
		       void **ret_value)
{
	u64 index = next_used_bucket(map, place->bucket);

	for (; index < map->nr_buckets; index = next_used_bucket(map, index + 1)) {
		u32 at = hash_bucket_head(HASH_LOAD(hash_bucket(map, (u32)index)->head_version));

		if (index != place->bucket)
			*place = (struct rt_map_place){ .bucket = (u32)index };
		at = place_in_bucket(map, place, after, key, at);
		if (!hash_elem_valid(map, at))
			continue;
		place->has_key = true;
		rt_shared_load(key, hash_elem(map, at)->key, map->hash_key_size);
		*ret_value = hash_value(map, at, 0);
		return true;
	}
	*place = (struct rt_map_place){ .bucket = map->nr_buckets };
	return false;
}
