/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies of whole values between private and shared memory, around the value's special fields
 * (locks, …): those are never overwritten by a copy into the value, and read as zeros.
 */
#ifndef SKEP_RT_MAP_VALUE_H
#define SKEP_RT_MAP_VALUE_H

#include "rt/lock.h"
#include "rt/map.h"
#include "rt/map/shared.h"

/* The slow half of rt_value_store(). */
void rt_value_store_fields(const struct rt_map *map, void *shared, const void *private);

static inline void rt_value_store(const struct rt_map *map, void *shared, const void *private)
{
	if (likely(!map->nr_fields))
		rt_shared_store(shared, private, map->value_size);
	else
		rt_value_store_fields(map, shared, private);
}

/* The same for one vCPU's value of a per-CPU type; size: with or without the bytes behind it. */
static inline void rt_value_store_part(const struct rt_map *map, void *shared, const void *private,
				       u64 size)
{
	if (likely(!map->nr_fields))
		rt_shared_store(shared, private, size);
	else
		rt_value_store_fields(map, shared, private);
}

/* private becomes the value, its special fields zero. */
void rt_value_load(const struct rt_map *map, void *private, const void *shared);

/*
 * A value's life ends, or its special fields are made anew as by an array's update: what they hold
 * is taken out of them, once whoever else does the same at this moment, and given back; locks stay.
 * Without a field like that it does nothing. It may be called again, also on behalf of a process
 * that died in it, and on a value that never lived. The caller may hold a bucket's lock.
 */
void rt_value_end(const struct rt_map *map, void *shared, struct rt_vcpu *vcpu);

/* Only its timers and work queues, as when the map has no users any more. */
void rt_value_end_async(const struct rt_map *map, void *shared, struct rt_vcpu *vcpu);

/*
 * A value that begins its life: special fields but a lock are zero; what was left in them is ended.
 */
void rt_value_begin(const struct rt_map *map, void *shared, struct rt_vcpu *vcpu);

/*
 * With BPF_F_LOCK: the same under the value's lock. 0, or why the lock cannot be had (rt/lock.h).
 * The map has a lock.
 */
long rt_value_store_locked(const struct rt_map *map, void *shared, const void *private,
			   struct rt_vcpu *vcpu);
long rt_value_load_locked(const struct rt_map *map, void *private, void *shared,
			  struct rt_vcpu *vcpu);

/* The same for one vCPU's value of a per-CPU type, with the bytes behind it. */
static inline void rt_value_load_part(const struct rt_map *map, void *private, const void *shared)
{
	rt_shared_load(private, shared, map->value_stride);
	if (unlikely(map->nr_fields))
		rt_value_load(map, private, shared);
}

#endif
