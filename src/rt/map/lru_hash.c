/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_LRU_HASH and BPF_MAP_TYPE_LRU_PERCPU_HASH: a hash table (rt/map/hash.h) whose
 * elements are on lists by their use (lru_list.h), and in which an insertion that finds no free one
 * takes one from a key. As in the kernel an update takes an element before it looks whether it
 * needs one, so that it may evict a key, even its own, for nothing.
 *
 * "Used" is a byte for each element, set by a program's lookup and by an update of an existing key.
 * Lookups of clients leave no trace, as in the kernel.
 */
#include "rt/map/lru_list.h"
#include "rt/map/value.h"

void hash_note_use(const struct rt_map *map, u32 number)
{
	u8 *used = lru_used_byte(map, number);

	/* Most often it is set already: then the cache line stays shared. */
	if (!__atomic_load_n(used, __ATOMIC_RELAXED))
		__atomic_store_n(used, 1, __ATOMIC_RELAXED);
}

void hash_forget_use(const struct rt_map *map, u32 number)
{
	__atomic_store_n(lru_used_byte(map, number), 0, __ATOMIC_RELAXED);
}

static long pop(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu)
{
	long error = lru_pop(map, slot, vcpu);

	/* None at all, unless a dead vCPU has one in its hands. */
	if (unlikely(error == -ENOMEM) && hash_reclaim(map, vcpu))
		error = lru_pop(map, slot, vcpu);
	return error;
}

/* Under the bucket's lock. new: the element in the slot's cell, 0: there is none. */
static long store_locked(const struct rt_map *map, struct hash_slot *slot, struct hash_spot *spot,
			 u32 new, const struct hash_store *store, u64 flags, struct rt_vcpu *vcpu)
{
	u32 hops = 0;

	spot->found = hash_locked_find(map, hash_bucket(map, spot->bucket), spot->hash, spot->key,
				       &hops, &spot->previous);
	if (spot->found && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!spot->found && flags == BPF_EXIST)
		return -ENOENT;
	if (spot->found && hash_is_percpu(map)) {
		hash_note_use(map, spot->found);
		hash_store_value(map, spot->found, store, vcpu, false);
		return 0;
	}
	if (unlikely(!new || (!spot->found && hops >= HASH_CHAIN_MAX)))
		return -ENOMEM;
	if (hash_is_percpu(map)) {
		for (u32 i = 0; map->nr_fields && i < map->nr_vcpus; i++)
			rt_value_begin(map, hash_value(map, new, i), vcpu);
		hash_store_value(map, new, store, vcpu, true);
	}
	hash_link(map, slot, spot, new, vcpu);
	if (spot->found)
		hash_note_use(map, new);
	return 0;
}

static long store(const struct rt_map *map, const void *key, const struct hash_store *what,
		  u64 flags, struct rt_vcpu *vcpu)
{
	struct hash_spot spot = { .key = key, .hash = hash_key(map, key) };
	struct hash_slot *slot;
	u32 new;
	long error;

	if (unlikely(flags > BPF_EXIST))
		return -EINVAL;
	error = hash_enter(map, vcpu, &slot);
	if (likely(!error) && !(hash_is_percpu(map) && flags == BPF_EXIST))
		error = pop(map, slot, vcpu);
	if (unlikely(error))
		return error;
	new = HASH_LOAD(slot->cell);
	new = hash_elem_valid(map, new) ? new : 0;
	if (new && !hash_is_percpu(map))
		hash_store_value(map, new, what, vcpu, false);
	error = hash_bucket_lock_of(map, spot.hash, vcpu, &spot.bucket);
	if (likely(!error)) {
		error = store_locked(map, slot, &spot, new, what, flags, vcpu);
		hash_bucket_unlock(map, spot.bucket);
	}
	/* The old element, or one that was not needed. Where its list is not to be had it waits in
	 * the cell for the next hash_enter(). */
	if (HASH_LOAD(slot->cell))
		lru_push(map, slot, vcpu);
	if (!error && !spot.found)
		hash_grow(map, slot, spot.hash, spot.bucket, vcpu);
	return error;
}

static void *lru_lookup(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	u32 found = hash_find(map, key, vcpu);

	if (!found)
		return NULL;
	hash_note_use(map, found);
	return hash_value(map, found, vcpu->index);
}

static void *lru_lookup_percpu(const struct rt_map *map, const void *key, u32 cpu,
			       struct rt_vcpu *vcpu)
{
	u32 found = hash_find(map, key, vcpu);

	if (!found)
		return NULL;
	hash_note_use(map, found);
	return hash_value(map, found, cpu);
}

static long lru_update(const struct rt_map *map, const void *key, const void *value, u64 flags,
		       struct rt_vcpu *vcpu)
{
	const struct hash_store what = { .value = value };

	return store(map, key, &what, flags, vcpu);
}

static long lru_percpu_copy_in(const struct rt_map *map, const void *key, const void *value,
			       u64 flags, struct rt_vcpu *vcpu)
{
	const struct hash_store what = { .value = value, .all_cpus = true };

	return store(map, key, &what, flags, vcpu);
}

const struct rt_map_ops rt_map_lru_hash_ops = {
	.memory_size = hash_memory_size,
	.init = hash_init,
	.lookup = lru_lookup,
	.update = lru_update,
	.delete = hash_delete,
	.for_each = hash_for_each,
	.copy_out = hash_copy_out,
	.copy_in = lru_update,
	.lookup_and_delete = hash_lookup_and_delete,
	.next_key = hash_next_key,
	.bucket_keys = hash_bucket_keys,
	.in_process = true,
};

const struct rt_map_ops rt_map_lru_percpu_hash_ops = {
	.memory_size = hash_memory_size,
	.init = hash_init,
	.lookup = lru_lookup,
	.lookup_percpu = lru_lookup_percpu,
	.update = lru_update,
	.delete = hash_delete,
	.for_each = hash_for_each,
	.copy_out = hash_copy_out,
	.copy_in = lru_percpu_copy_in,
	.lookup_and_delete = hash_lookup_and_delete,
	.next_key = hash_next_key,
	.bucket_keys = hash_bucket_keys,
	.percpu = true,
	.in_process = true,
};
