/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_HASH_OF_MAPS: the hash table of hash.c, in the control segment, since the data plane
 * follows what is in it. A value says where in that segment a map's descriptor lies. The supervisor
 * alone stores; programs only ever look up, and without a lock, which they could not write.
 */
#include "rt/map/hash.h"

u32 rt_map_nr_places(const struct rt_map *map)
{
	return hash_nr_elems(map) + 1;
}

u32 rt_map_place(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	return hash_find(map, key, vcpu);
}

u32 rt_map_number(const struct rt_map *map)
{
	return (u32)((u64)(uintptr_t)map - RT_CONTROL_BASE);
}

static void *hash_of_maps_lookup(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	u32 found = hash_find(map, key, vcpu), number = 0;

	if (!found)
		return NULL;
	rt_shared_load(&number, hash_value(map, found, 0), sizeof(number));
	return number ? (void *)(RT_CONTROL_BASE + number) : NULL;
}

static long hash_of_maps_copy_in(const struct rt_map *map, const void *key, const void *value,
				 u64 flags, struct rt_vcpu *vcpu)
{
	struct hash_store store = { .value = value };

	return hash_update(map, key, &store, flags, vcpu);
}

const struct rt_map_ops rt_map_hash_of_maps_ops = {
	.memory_size = hash_memory_size,
	.init = hash_init,
	.lookup = hash_of_maps_lookup,
	.delete = hash_delete,
	.copy_in = hash_of_maps_copy_in,
	.next_key = hash_next_key,
	.bucket_keys = hash_bucket_keys,
	.objects = true,
};
