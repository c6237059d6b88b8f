/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_PROG_ARRAY, BPF_MAP_TYPE_PERF_EVENT_ARRAY, BPF_MAP_TYPE_ARRAY_OF_MAPS: arrays of
 * pointers to descriptors in the control segment, themselves in the control segment because the
 * data plane follows them. The supervisor alone stores; that clients give descriptors or ids for
 * them is src/sys's business.
 */
#include "rt/map/array.h"

static u64 object_array_memory_size(const struct rt_map_spec *spec)
{
	return rt_map_product(rt_map_power_of_two(spec->max_entries), sizeof(void *));
}

static void object_array_init(struct rt_map *map)
{
	rt_array_init(map);
	map->elem_stride = sizeof(void *);
}

static bool holds_objects(const struct rt_map *map)
{
	return map->type == BPF_MAP_TYPE_PROG_ARRAY || map->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY ||
	       map->type == BPF_MAP_TYPE_ARRAY_OF_MAPS || map->type == BPF_MAP_TYPE_CGROUP_ARRAY;
}

void *rt_map_object(const struct rt_map *map, u32 index)
{
	if (unlikely(index >= map->max_entries || !holds_objects(map)))
		return NULL;
	return __atomic_load_n((void **)(void *)rt_array_value(map, map->data, index),
			       __ATOMIC_ACQUIRE);
}

long rt_map_set_object(struct rt_map *map, u32 index, void *object)
{
	if (!holds_objects(map))
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	__atomic_store_n((void **)(void *)rt_array_value(map, map->data, index), object,
			 __ATOMIC_RELEASE);
	return 0;
}

/* What a program finds is the descriptor of the map in the slot. */
static void *array_of_maps_lookup(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	return rt_map_object(map, rt_array_index(key));
}

const struct rt_map_ops rt_map_array_of_maps_ops = {
	.memory_size = object_array_memory_size,
	.init = object_array_init,
	.lookup = array_of_maps_lookup,
	.next_key = rt_array_next_key,
	.objects = true,
};

const struct rt_map_ops rt_map_prog_array_ops = {
	.memory_size = object_array_memory_size,
	.init = object_array_init,
	.next_key = rt_array_next_key,
	.objects = true,
};

const struct rt_map_ops rt_map_perf_event_array_ops = {
	.memory_size = object_array_memory_size,
	.init = object_array_init,
	.next_key = rt_array_next_key,
	.objects = true,
};
