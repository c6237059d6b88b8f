/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_PERCPU_HASH: the hash table of hash.c, with the values in one array for each vCPU
 * (each beginning on its own page). Programs see and store the value of the slot that they run on;
 * a new key's other values are zero.
 */
#include "rt/map/hash.h"

static void *percpu_lookup(const struct rt_map *map, const void *key, u32 cpu, struct rt_vcpu *vcpu)
{
	u32 found = cpu < map->nr_vcpus ? hash_find(map, key, vcpu) : 0;

	return found ? hash_value(map, found, cpu) : NULL;
}

static void *percpu_lookup_own(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	return percpu_lookup(map, key, vcpu->index, vcpu);
}

static long percpu_update(const struct rt_map *map, const void *key, const void *value, u64 flags,
			  struct rt_vcpu *vcpu)
{
	struct hash_store store = { .value = value };

	return hash_update(map, key, &store, flags, vcpu);
}

static long percpu_copy_in(const struct rt_map *map, const void *key, const void *value, u64 flags,
			   struct rt_vcpu *vcpu)
{
	struct hash_store store = { .value = value, .all_cpus = true };

	return hash_update(map, key, &store, flags, vcpu);
}

const struct rt_map_ops rt_map_percpu_hash_ops = {
	.memory_size = hash_memory_size,
	.init = hash_init,
	.lookup = percpu_lookup_own,
	.lookup_percpu = percpu_lookup,
	.update = percpu_update,
	.delete = hash_delete,
	.for_each = hash_for_each,
	.copy_out = hash_copy_out,
	.copy_in = percpu_copy_in,
	.lookup_and_delete = hash_lookup_and_delete,
	.next_key = hash_next_key,
	.bucket_keys = hash_bucket_keys,
	.percpu = true,
	.in_process = true,
};
