/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_CGROUP_STORAGE and its per-CPU form (kernel/bpf/local_storage.c): a value for each
 * cgroup that a program with this map is attached to. A hive attaches to none, so clients find the
 * map empty. What a program that is run by hand gets from bpf_get_local_storage() is one value that
 * belongs to no cgroup; it lies in the map's memory, and each command begins with zeros there.
 */
#include "rt/map/ops.h"

static bool is_percpu(u32 type)
{
	return type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

static u64 storage_memory_size(const struct rt_map_spec *spec)
{
	return rt_map_product(ALIGN_UP(spec->value_size, 8u),
			      is_percpu(spec->type) ? spec->nr_vcpus : 1);
}

static void storage_init(struct rt_map *map)
{
	map->cpu_stride = is_percpu(map->type) ? map->value_stride : 0;
}

void *rt_map_storage(const struct rt_map *map, const struct rt_vcpu *vcpu)
{
	return map->data + map->cpu_stride * vcpu->index;
}

static void *storage_lookup(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	return NULL;
}

static long storage_delete(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	return -EINVAL;
}

static long storage_copy_out(const struct rt_map *map, const void *key, void *value,
			     struct rt_vcpu *vcpu)
{
	return -ENOENT;
}

static long storage_copy_in(const struct rt_map *map, const void *key, const void *value, u64 flags,
			    struct rt_vcpu *vcpu)
{
	return flags & ~(u64)(BPF_EXIST | (is_percpu(map->type) ? 0 : BPF_F_LOCK)) ? -EINVAL
										   : -ENOENT;
}

static long storage_next_key(const struct rt_map *map, const void *key, void *next_key,
			     struct rt_vcpu *vcpu)
{
	return -ENOENT;
}

#define STORAGE_ROW                                                                         \
	.memory_size = storage_memory_size, .init = storage_init, .lookup = storage_lookup, \
	.delete = storage_delete, .copy_out = storage_copy_out, .copy_in = storage_copy_in, \
	.next_key = storage_next_key, .missing = -EINVAL

const struct rt_map_ops rt_map_cgroup_storage_ops = { STORAGE_ROW };
const struct rt_map_ops rt_map_percpu_cgroup_storage_ops = { STORAGE_ROW, .percpu = true };
