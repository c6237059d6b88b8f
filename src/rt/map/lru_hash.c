/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_LRU_HASH and BPF_MAP_TYPE_LRU_PERCPU_HASH: a hash table (rt/map/hash.h) in which an
 * insertion that finds no free element takes one from a key that was not used lately. "Lately" is a
 * byte for each element, set by a program's lookup and by an update of an existing key, and cleared
 * by the hand that goes round the elements in search of a victim (kernel/bpf/bpf_lru_list.c moves
 * nodes between two lists by the same bit). Lookups of clients leave no trace, as in the kernel.
 *
 * An eviction is a deletion like any other, with the same journal: a process that dies in it loses
 * no element. No bucket but the victim's is locked meanwhile.
 */
#include "rt/map/hash.h"

#define SWEEP_MAX    128 /* elements that one eviction looks at */
#define EVICTION_MAX 8	 /* victims that it tries */

static u8 *used_byte(const struct rt_map *map, u32 number)
{
	return map->data + map->used_offset + number - 1;
}

void hash_note_use(const struct rt_map *map, u32 number)
{
	u8 *used = used_byte(map, number);

	/* Most often it is set already: then the cache line stays shared. */
	if (!__atomic_load_n(used, __ATOMIC_RELAXED))
		__atomic_store_n(used, 1, __ATOMIC_RELAXED);
}

void hash_forget_use(const struct rt_map *map, u32 number)
{
	__atomic_store_n(used_byte(map, number), 0, __ATOMIC_RELAXED);
}

/* The next element under the hand, and the hand moved on. */
static u32 hand_step(const struct rt_map *map)
{
	struct hash_head *head = hash_head(map);

	return __atomic_fetch_add(&head->hand, 1, __ATOMIC_RELAXED) % hash_nr_elems(map) + 1;
}

/*
 * An element that nobody used since the hand came by the last time, or, when all of them are in
 * use, the one where the search ended. It may be in no chain: whoever evicts looks.
 */
static u32 victim(const struct rt_map *map)
{
	u32 number = 1;

	for (u32 i = 0; i < SWEEP_MAX; i++) {
		number = hand_step(map);
		if (!__atomic_load_n(used_byte(map, number), __ATOMIC_RELAXED))
			break;
		hash_forget_use(map, number);
	}
	return number;
}

bool hash_evict(const struct rt_map *map, struct rt_vcpu *vcpu)
{
	for (u32 i = 0; i < EVICTION_MAX; i++)
		if (!hash_remove_element(map, victim(map), vcpu))
			return true;
	return false;
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
	struct hash_store store = { .value = value };

	return hash_update(map, key, &store, flags, vcpu);
}

static long lru_percpu_copy_in(const struct rt_map *map, const void *key, const void *value,
			       u64 flags, struct rt_vcpu *vcpu)
{
	struct hash_store store = { .value = value, .all_cpus = true };

	return hash_update(map, key, &store, flags, vcpu);
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
