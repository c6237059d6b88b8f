/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See value.h.
 */
#include "rt/map/value.h"
#include "rt/async.h"
#include "rt/object.h"

static u32 *lock_of(const struct rt_map *map, void *shared)
{
	return (u32 *)(void *)((u8 *)shared + map->lock_offset);
}

void rt_value_store_fields(const struct rt_map *map, void *shared, const void *private)
{
	u32 at = 0;

	for (u32 i = 0; i <= map->nr_fields && i <= RT_MAP_FIELDS; i++) {
		bool last = i == map->nr_fields;
		u32 end = last ? map->value_size : map->fields[i].offset;

		/* Pieces begin where fields end: aligned to 4 at least. */
		while (at < end) {
			u32 step = end - at >= 8 && at % 8 == 0	  ? (end - at) & ~7u
				   : end - at >= 4 && at % 4 == 0 ? 4
								  : 1;

			rt_shared_store((u8 *)shared + at, (const u8 *)private + at, step);
			at += step;
		}
		if (!last)
			at = end + map->fields[i].size;
	}
}

void rt_value_load(const struct rt_map *map, void *private, const void *shared)
{
	rt_shared_load(private, shared, map->value_size);
	for (u32 i = 0; i < map->nr_fields; i++)
		__builtin_memset((u8 *)private + map->fields[i].offset, 0, map->fields[i].size);
}

static void zero_field(const struct rt_map_field *field, void *shared)
{
	for (u32 at = 0; at < field->size; at += 4)
		__atomic_store_n((u32 *)(void *)((u8 *)shared + field->offset + at), 0,
				 __ATOMIC_RELEASE);
}

static void end_async(const struct rt_map_field *field, void *shared)
{
	rt_async_end((struct rt_async *)(void *)((u8 *)shared + field->offset));
}

void rt_value_end_async(const struct rt_map *map, void *shared, struct rt_vcpu *vcpu)
{
	for (u32 i = 0; i < map->nr_fields && i < RT_MAP_FIELDS; i++)
		if (map->fields[i].kind == RT_FIELD_TIMER ||
		    map->fields[i].kind == RT_FIELD_WORKQUEUE)
			end_async(&map->fields[i], shared);
}

void rt_value_end(const struct rt_map *map, void *shared, struct rt_vcpu *vcpu)
{
	for (u32 i = 0; i < map->nr_fields && i < RT_MAP_FIELDS; i++) {
		const struct rt_map_field *field = &map->fields[i];

		switch (field->kind) {
		case RT_FIELD_TIMER:
		case RT_FIELD_WORKQUEUE: end_async(field, shared); break;
		case RT_FIELD_POINTER: zero_field(field, shared); break;
		case RT_FIELD_OBJECT:
		case RT_FIELD_PERCPU_OBJECT:
		case RT_FIELD_LIST:
		case RT_FIELD_TREE:
			rt_object_end_field(
				field, shared,
				map->has_lock || map->has_res_lock ? lock_of(map, shared) : NULL,
				vcpu);
			break;
		default: break;
		}
	}
}

void rt_value_begin(const struct rt_map *map, void *shared, struct rt_vcpu *vcpu)
{
	rt_value_end(map, shared, vcpu);
	for (u32 i = 0; i < map->nr_fields && i < RT_MAP_FIELDS; i++) {
		/*
		 * Whoever has a pointer from the element's former life may hold its lock: that goes
		 * on to keep others out. A word that nobody stands for is as good as a zero.
		 */
		if (map->has_lock && map->fields[i].offset == map->lock_offset)
			continue;
		zero_field(&map->fields[i], shared);
	}
}

long rt_value_store_locked(const struct rt_map *map, void *shared, const void *private,
			   struct rt_vcpu *vcpu)
{
	u32 *lock = lock_of(map, shared), dead;
	long error = rt_lock_acquire(lock, vcpu, &dead);

	if (error)
		return error;
	rt_value_store(map, shared, private);
	rt_lock_release(lock);
	return 0;
}

long rt_value_load_locked(const struct rt_map *map, void *private, void *shared,
			  struct rt_vcpu *vcpu)
{
	u32 *lock = lock_of(map, shared), dead;
	long error = rt_lock_acquire(lock, vcpu, &dead);

	if (error)
		return error;
	rt_value_load(map, private, shared);
	rt_lock_release(lock);
	return 0;
}
