/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the array types share: keys are u32 indices, all elements exist, none can be deleted
 * (kernel/bpf/arraymap.c).
 */
#ifndef SKEP_RT_MAP_ARRAY_H
#define SKEP_RT_MAP_ARRAY_H

#include "rt/map/ops.h"

static inline u32 rt_array_index(const void *key)
{
	u32 index;

	__builtin_memcpy(&index, key, sizeof(index));
	return index;
}

/* Element index of the values that begin at values; the mask holds under speculation too. */
static inline u8 *rt_array_value(const struct rt_map *map, u8 *values, u32 index)
{
	return values + (index & map->index_mask) * map->elem_stride;
}

/* The checks that each update makes before it stores: 0 or -errno. */
static inline long rt_array_check_update(const struct rt_map *map, u32 index, u64 flags)
{
	if ((flags & ~(u64)BPF_F_LOCK) > BPF_EXIST)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	if (flags & BPF_NOEXIST)
		return -EEXIST;
	return flags & BPF_F_LOCK && !map->has_lock ? -EINVAL : 0;
}

void rt_array_init(struct rt_map *map);
long rt_array_delete(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu);
/* By ops->lookup of the map's type. */
long rt_array_for_each(const struct rt_map *map, rt_map_visit_fn visit, void *arg,
		       struct rt_vcpu *vcpu);
long rt_array_next_key(const struct rt_map *map, const void *key, void *next_key,
		       struct rt_vcpu *vcpu);

#endif
