/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_PERCPU_ARRAY: one array for each vCPU, each beginning on its own page so that vCPUs
 * do not share cache lines. Programs see the array of the slot that they run on.
 */
#include "rt/map/array.h"
#include "rt/map/shared.h"
#include "rt/map/value.h"

static u64 cpu_stride(u32 max_entries, u32 value_size)
{
	return rt_map_product(rt_map_power_of_two(max_entries), ALIGN_UP((u64)value_size, 8));
}

static u64 percpu_array_memory_size(const struct rt_map_spec *spec)
{
	return rt_map_product(cpu_stride(spec->max_entries, spec->value_size), spec->nr_vcpus);
}

static void percpu_array_init(struct rt_map *map)
{
	rt_array_init(map);
	map->cpu_stride = cpu_stride(map->max_entries, map->value_size);
}

static u8 *value_of_cpu(const struct rt_map *map, u32 index, u32 cpu)
{
	return rt_array_value(map, map->data + cpu * map->cpu_stride, index);
}

static void *percpu_array_lookup_percpu(const struct rt_map *map, const void *key, u32 cpu,
					struct rt_vcpu *vcpu)
{
	u32 index = rt_array_index(key);

	if (unlikely(index >= map->max_entries || cpu >= map->nr_vcpus))
		return NULL;
	return value_of_cpu(map, index, cpu);
}

static void *percpu_array_lookup(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	return percpu_array_lookup_percpu(map, key, vcpu->index, vcpu);
}

/* The element lives for ever, but not what its fields hold. */
static void store(const struct rt_map *map, void *shared, const void *value, u64 size,
		  struct rt_vcpu *vcpu)
{
	rt_value_store_part(map, shared, value, size);
	if (unlikely(map->nr_fields))
		rt_value_end(map, shared, vcpu);
}

static long percpu_array_update(const struct rt_map *map, const void *key, const void *value,
				u64 flags, struct rt_vcpu *vcpu)
{
	u32 index = rt_array_index(key);
	long error = rt_array_check_update(map, index, flags);

	if (unlikely(error))
		return error;
	if (unlikely(vcpu->index >= map->nr_vcpus))
		return -EINVAL;
	store(map, value_of_cpu(map, index, vcpu->index), value, map->value_size, vcpu);
	return 0;
}

static long percpu_array_copy_out(const struct rt_map *map, const void *key, void *value,
				  struct rt_vcpu *vcpu)
{
	u32 index = rt_array_index(key);

	if (index >= map->max_entries)
		return -ENOENT;
	for (u32 cpu = 0; cpu < map->nr_vcpus; cpu++)
		rt_value_load_part(map, (u8 *)value + (u64)cpu * map->value_stride,
				   value_of_cpu(map, index, cpu));
	return 0;
}

static long percpu_array_copy_in(const struct rt_map *map, const void *key, const void *value,
				 u64 flags, struct rt_vcpu *vcpu)
{
	u32 index = rt_array_index(key);
	long error = flags > BPF_EXIST ? -EINVAL : rt_array_check_update(map, index, flags);

	if (error)
		return error;
	for (u32 cpu = 0; cpu < map->nr_vcpus; cpu++)
		store(map, value_of_cpu(map, index, cpu),
		      (const u8 *)value + (u64)cpu * map->value_stride, map->value_stride, vcpu);
	return 0;
}

const struct rt_map_ops rt_map_percpu_array_ops = {
	.memory_size = percpu_array_memory_size,
	.init = percpu_array_init,
	.lookup = percpu_array_lookup,
	.lookup_percpu = percpu_array_lookup_percpu,
	.update = percpu_array_update,
	.delete = rt_array_delete,
	.for_each = rt_array_for_each,
	.copy_out = percpu_array_copy_out,
	.copy_in = percpu_array_copy_in,
	.next_key = rt_array_next_key,
	.percpu = true,
	.in_process = true,
};
