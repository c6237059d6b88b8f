/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash tables: copying a value out and walking all keys, without a lock, by the versions that
 * rt/map/hash.h explains: a copy or a step counts if the bucket's version did not move meanwhile.
 *
 * A walk goes over the places of hashes (hash_place()), not over numbers of buckets: the order of
 * keys is that of their places, and stays so when buckets are split.
 */
#include "rt/map/hash.h"

#define SCAN_MAX 4096 /* buckets looked at while one vCPU is held */

long hash_copy_out(const struct rt_map *map, const void *key, void *value, struct rt_vcpu *vcpu)
{
	u32 hash = hash_key(map, key), hops, previous, index, found = 0;
	struct hash_view view;

	for (u32 i = 0; i < HASH_RETRIES; i++) {
		hash_bucket_find(map, hash, &view);
		found = hash_chain_walk(map, hash_bucket_head(view.word), hash, key);
		if (found)
			hash_load_value(map, found, value);
		if (likely(hash_unchanged(view.bucket, view.word)))
			return found ? 0 : -ENOENT;
	}
	if (hash_bucket_lock_of(map, hash, vcpu, &index))
		return found ? 0 : -ENOENT;
	found = hash_locked_find(map, hash_bucket(map, index), hash, key, &hops, &previous);
	if (found)
		hash_load_value(map, found, value);
	hash_bucket_unlock(map, index);
	return found ? 0 : -ENOENT;
}

/* The bucket that has the keys of a place, and the place behind its last one. */
static u64 bucket_at(const struct rt_map *map, u64 place, struct hash_view *ret_view)
{
	hash_bucket_find(map, hash_of_place(map, (u32)place), ret_view);
	return hash_place_end(map, ret_view->mask, place);
}

static u32 elem_place(const struct rt_map *map, u32 number)
{
	return hash_place(map, HASH_LOAD(hash_elem(map, number)->hash));
}

struct step {
	const void *after; /* NULL: the first key of the bucket */
	u32 hash;	   /* of after */
	u64 place;	   /* of the bucket */
	u64 end;	   /* place where the next bucket begins */
	bool found;	   /* after is there */
};

/*
 * The key after step->after in its bucket: true and *next_key written. A key that is just being
 * replaced stands there twice, one behind the other.
 */
static bool step_once(const struct rt_map *map, struct step *step, void *next_key, bool *ret_valid)
{
	struct hash_view view;
	u32 at;

	step->end = bucket_at(map, step->place, &view);
	at = hash_bucket_head(view.word);
	step->found = true;
	if (step->after) {
		at = hash_chain_walk(map, at, step->hash, step->after);
		step->found = at != 0;
	}
	for (u32 i = 0; step->after && hash_elem_valid(map, at) && i < HASH_HOPS_MAX; i++) {
		if (!rt_shared_equal(hash_elem(map, at)->key, step->after, map->hash_key_size))
			break;
		at = HASH_LOAD(hash_elem(map, at)->link);
	}
	*ret_valid = hash_elem_valid(map, at);
	if (*ret_valid)
		rt_shared_load(next_key, hash_elem(map, at)->key, map->hash_key_size);
	return hash_unchanged(view.bucket, view.word);
}

static bool step_key(const struct rt_map *map, struct step *step, void *next_key)
{
	bool valid = false;

	for (u32 i = 0; i < HASH_RETRIES; i++)
		if (step_once(map, step, next_key, &valid))
			return valid;
	return false;
}

long hash_next_key(const struct rt_map *map, const void *key, void *next_key, struct rt_vcpu *vcpu)
{
	struct step step = { .after = key };

	if (key) {
		step.hash = hash_key(map, key);
		step.place = hash_place(map, step.hash);
		if (step_key(map, &step, next_key))
			return 0;
		/* A key that is not there: from the start, as the kernel. */
		step.place = step.found ? step.end : 0;
		step.after = NULL;
	}
	for (; step.place < map->nr_buckets; step.place = step.end)
		if (step_key(map, &step, next_key))
			return 0;
	return -ENOENT;
}

/* Visits a bucket's elements from place *at on, which moves on; true: visit has enough. */
static bool visit_bucket(const struct rt_map *map, u64 *at, rt_map_visit_fn visit, void *arg,
			 struct rt_vcpu *vcpu, long *nr)
{
	struct hash_view view;
	u64 end = bucket_at(map, *at, &view), behind = *at;
	u32 number = hash_bucket_head(view.word);

	for (u32 hops = 0; hash_elem_valid(map, number) && hops < HASH_HOPS_MAX; hops++) {
		struct hash_elem *elem = hash_elem(map, number);
		/* Before the call, which may delete the element. */
		u32 next = HASH_LOAD(elem->link), place = elem_place(map, number);

		/* An element that was deleted and used again leads to other chains. */
		if (place >= end)
			break;
		if (place >= *at) {
			++*nr;
			if (visit(arg, elem->key, hash_value(map, number, vcpu->index)))
				return true;
			behind = (u64)place + 1;
		}
		number = next;
	}
	/* Split on the way: the other half was met behind this one, as far as the walk came. */
	if (HASH_LOAD(view.bucket->mask) != view.mask) {
		u64 half = hash_place_end(map, HASH_LOAD(view.bucket->mask), *at);

		*at = behind > half ? behind : half;
		return false;
	}
	*at = end;
	return false;
}

long hash_for_each(const struct rt_map *map, rt_map_visit_fn visit, void *arg,
		   struct rt_vcpu * vcpu)
{
	/* Chains that somebody has tied into rings are not walked for ever, all taken together. */
	long nr = 0, most = 2l * hash_nr_elems(map) + HASH_HOPS_MAX;

	for (u64 place = 0; place < map->nr_buckets && nr < most;)
		if (visit_bucket(map, &place, visit, arg, vcpu, &nr))
			break;
	return nr;
}

/* Under the bucket's lock: a key that is being replaced stands in the chain twice without it. */
static long copy_keys(const struct rt_map *map, struct rt_map_bucket *bucket, struct rt_vcpu *vcpu)
{
	u32 index, at;
	long error = hash_bucket_lock_of(map, hash_of_place(map, (u32)bucket->index), vcpu, &index);

	if (error)
		return error;
	bucket->next = hash_place_end(map, HASH_LOAD(hash_bucket(map, index)->mask), bucket->index);
	at = hash_bucket_head(HASH_LOAD(hash_bucket(map, index)->head_version));
	for (u32 i = 0; hash_elem_valid(map, at) && i < HASH_HOPS_MAX; i++) {
		const struct hash_elem *elem = hash_elem(map, at);

		if (elem_place(map, at) >= bucket->index) {
			if (bucket->nr < bucket->room)
				rt_shared_load(bucket->keys + (u64)bucket->nr * map->hash_key_size,
					       elem->key, map->hash_key_size);
			bucket->nr++;
		}
		at = HASH_LOAD(elem->link);
	}
	hash_bucket_unlock(map, index);
	return 0;
}

long hash_bucket_keys(const struct rt_map *map, struct rt_map_bucket *bucket, struct rt_vcpu *vcpu)
{
	bucket->nr = 0;
	bucket->next = bucket->index;
	for (u32 i = 0; i < SCAN_MAX && bucket->next < map->nr_buckets; i++) {
		struct hash_view view;
		long error;

		bucket->index = bucket->next;
		bucket->next = bucket_at(map, bucket->index, &view);
		if (!hash_bucket_head(view.word))
			continue;
		error = copy_keys(map, bucket, vcpu);
		if (error || bucket->nr)
			return error;
	}
	bucket->index = bucket->next;
	return 0;
}

/* Where elements of a chain are, as a walk that pauses remembers it. */
struct count {
	u32 place, skip;
};

static void count_on(struct count *count, u32 place, bool first)
{
	count->skip = !first && place == count->place ? count->skip + 1 : 0;
	count->place = place;
}

/* The element of a bucket that place and key mean, 0: none. Writes place. */
static u32 place_in_bucket(const struct rt_map *map, struct rt_map_place *place, bool after,
			   const void *key, u32 at)
{
	u32 hash = place->has_key ? hash_key(map, key) : 0, candidate = 0;
	struct count count = { 0 }, candidates = { 0 };
	bool take_next = false;

	for (u32 hops = 0; hash_elem_valid(map, at) && hops < HASH_HOPS_MAX; hops++) {
		struct hash_elem *elem = hash_elem(map, at);
		bool is_key = place->has_key && HASH_LOAD(elem->hash) == hash &&
			      rt_shared_equal(elem->key, key, map->hash_key_size);

		count_on(&count, elem_place(map, at), hops == 0);
		if (!is_key && !candidate &&
		    (count.place > place->bucket ||
		     (count.place == place->bucket && count.skip >= place->skip))) {
			candidate = at;
			candidates = count;
		}
		if (is_key ? !after : take_next) {
			candidate = at;
			candidates = count;
			break;
		}
		take_next |= is_key;
		if (is_key)
			candidate = 0;
		at = HASH_LOAD(elem->link);
	}
	if (candidate) {
		place->bucket = candidates.place;
		place->skip = candidates.skip;
	}
	return candidate;
}

bool rt_map_place_find(const struct rt_map *map, struct rt_map_place *place, bool after, void *key,
		       void **ret_value)
{
	for (u32 i = 0; place->bucket < map->nr_buckets;) {
		struct hash_view view;
		u64 end = bucket_at(map, place->bucket, &view);
		u32 at = place_in_bucket(map, place, after, key, hash_bucket_head(view.word));

		if (!hash_elem_valid(map, at)) {
			/* The end of the chain counts if it was not cut off just now. */
			if (hash_unchanged(view.bucket, view.word) || ++i >= HASH_RETRIES) {
				*place = (struct rt_map_place){ .bucket = (u32)end };
				i = 0;
			}
			continue;
		}
		place->has_key = true;
		rt_shared_load(key, hash_elem(map, at)->key, map->hash_key_size);
		*ret_value = hash_value(map, at, 0);
		return true;
	}
	*place = (struct rt_map_place){ .bucket = map->nr_buckets };
	return false;
}
