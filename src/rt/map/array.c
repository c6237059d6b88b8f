/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_ARRAY: values one after the other from the start of the map's memory, each
 * value_stride bytes, so that clients can map them (BPF_F_MMAPABLE) and constant maps can be
 * addressed directly. Room is kept up to the next power of two elements: a masked index always lies
 * in it.
 */
#include "rt/map/array.h"
#include "rt/map/value.h"

void rt_array_init(struct rt_map *map)
{
	map->elem_stride = map->value_stride;
	map->index_mask = rt_map_power_of_two(map->max_entries) - 1;
}

long rt_array_delete(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	return -EINVAL;
}

long rt_array_next_key(const struct rt_map *map, const void *key, void *next_key,
		       struct rt_vcpu *vcpu)
{
	u32 index = key ? rt_array_index(key) : ~0u, next = 0;

	if (index == map->max_entries - 1)
		return -ENOENT;
	if (index < map->max_entries)
		next = index + 1;
	__builtin_memcpy(next_key, &next, sizeof(next));
	return 0;
}

long rt_array_for_each(const struct rt_map *map, rt_map_visit_fn visit, void *arg,
		       struct rt_vcpu *vcpu)
{
	const struct rt_map_ops *ops = rt_map_ops_of(map->type);
	long nr = 0;

	for (u32 index = 0; index < map->max_entries; index++) {
		/* A copy for each call: the program cannot move the walk through it. */
		u32 key = index;

		nr++;
		if (visit(arg, &key, ops->lookup(map, &key, vcpu)))
			break;
	}
	return nr;
}

static u64 array_memory_size(const struct rt_map_spec *spec)
{
	return rt_map_product(rt_map_power_of_two(spec->max_entries),
			      ALIGN_UP((u64)spec->value_size, 8));
}

static void *array_lookup(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	u32 index = rt_array_index(key);

	if (unlikely(index >= map->max_entries))
		return NULL;
	return rt_array_value(map, map->data, index);
}

static long array_update(const struct rt_map *map, const void *key, const void *value, u64 flags,
			 struct rt_vcpu *vcpu)
{
	u32 index = rt_array_index(key);
	long error = rt_array_check_update(map, index, flags);
	void *shared;

	if (unlikely(error))
		return error;
	shared = rt_array_value(map, map->data, index);
	if (unlikely(flags & BPF_F_LOCK))
		error = rt_value_store_locked(map, shared, value, vcpu);
	else
		rt_value_store(map, shared, value);
	/* An element of an array lives for ever, but not what its fields hold. */
	if (unlikely(map->nr_fields) && !error)
		rt_value_end(map, shared, vcpu);
	return error;
}

static long array_copy_out(const struct rt_map *map, const void *key, void *value,
			   struct rt_vcpu *vcpu)
{
	const void *found = array_lookup(map, key, vcpu);

	if (!found)
		return -ENOENT;
	rt_value_load(map, value, found);
	return 0;
}

const struct rt_map_ops rt_map_array_ops = {
	.memory_size = array_memory_size,
	.init = rt_array_init,
	.lookup = array_lookup,
	.update = array_update,
	.delete = rt_array_delete,
	.for_each = rt_array_for_each,
	.copy_out = array_copy_out,
	.copy_in = array_update,
	.next_key = rt_array_next_key,
	.in_process = true,
};
