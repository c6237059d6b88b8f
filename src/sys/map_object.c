/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps whose elements are objects: prog arrays and perf event arrays. The supervisor keeps a
 * reference for each slot in its own memory; what the data plane follows is a pointer in the
 * control segment, stored with rt_map_set_object(). What leaves a slot keeps its reference for a
 * grace period, because a program that is running may have read the pointer before.
 */
#include "sys/hive.h"
#include "base/alloc.h"

#include <errno.h>
#include <string.h>

/* What stands in one slot. Made with the entry, so that leaving never needs memory. */
struct sys_slot {
	struct object *object;
	struct sys_deferred deferred;
};

static void free_slot(struct sys_deferred *deferred)
{
	struct sys_slot *slot = container_of(deferred, struct sys_slot, deferred);

	object_unref(slot->object);
	base_free(slot);
}

bool sys_map_holds_objects(const struct sys_map *map)
{
	return map->rt && (map->rt->type == BPF_MAP_TYPE_PROG_ARRAY ||
			   map->rt->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY ||
			   map->rt->type == BPF_MAP_TYPE_ARRAY_OF_MAPS);
}

int sys_slot_lookup(struct sys_map *map, const void *key, u32 *ret_value)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	if (map->rt->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		return -ABI_ENOTSUPP;
	if (index >= map->rt->max_entries || !map->slots[index])
		return -ENOENT;
	*ret_value = map->slots[index]->object->id;
	return 0;
}

bool sys_map_accepts_prog(struct sys_map *map, const struct sys_prog *prog)
{
	u32 frags = prog->flags & BPF_F_XDP_HAS_FRAGS;

	if (!map->has_owner) {
		map->has_owner = true;
		map->owner_type = prog->type;
		map->owner_attach_type = prog->expected_attach_type;
		map->owner_frags = frags;
	}
	return map->owner_type == prog->type &&
	       map->owner_attach_type == prog->expected_attach_type && map->owner_frags == frags;
}

int sys_map_set_inner(struct sys_call *call, struct sys_map *map, u32 fd)
{
	struct verify_map *inner = &map->inner;
	struct sys_map *sample;
	int error = sys_map_by_fd(call, fd, &sample);

	if (error)
		return error;
	if (sample->rt->type == BPF_MAP_TYPE_ARRAY_OF_MAPS)
		error = -EINVAL;
	else if (sample->rt->type == BPF_MAP_TYPE_PROG_ARRAY)
		error = -ABI_ENOTSUPP;
	inner->type = sample->rt->type;
	inner->key_size = sample->rt->key_size;
	inner->value_size = sample->rt->value_size;
	inner->flags = sample->rt->flags;
	inner->map_extra = sample->rt->map_extra;
	/* The others may have fewer elements: then no index is known to be there. */
	if (inner->type != BPF_MAP_TYPE_PERCPU_ARRAY && !(inner->flags & BPF_F_INNER_MAP))
		inner->max_entries = sample->rt->max_entries;
	sys_map_put(sample);
	return error;
}

static bool fits_inner(const struct verify_map *inner, const struct rt_map *rt)
{
	if (inner->type == BPF_MAP_TYPE_ARRAY && !(inner->flags & BPF_F_INNER_MAP) &&
	    inner->max_entries != rt->max_entries)
		return false;
	return inner->type == rt->type && inner->key_size == rt->key_size &&
	       inner->value_size == rt->value_size && inner->flags == rt->flags;
}

static int resolve_map(struct sys_call *call, struct sys_map *map, u32 fd,
		       struct object **ret_object, void **ret_target)
{
	struct sys_map *inner;
	int error = sys_map_by_fd(call, fd, &inner);

	if (error)
		return error;
	*ret_object = &inner->object;
	*ret_target = inner->rt;
	return fits_inner(&map->inner, inner->rt) ? 0 : -EINVAL;
}

/* The object for a slot, a new reference, and what the data plane shall find there. */
static int resolve(struct sys_call *call, struct sys_map *map, u32 fd, struct object **ret_object,
		   void **ret_target)
{
	const struct sys_hive_options *options = &call->hive->options;
	struct sys_prog *prog;
	int error;

	if (map->rt->type == BPF_MAP_TYPE_PROG_ARRAY) {
		error = sys_prog_by_fd(call, fd, &prog);
		if (error)
			return error;
		*ret_object = &prog->object;
		*ret_target = prog->rt;
		error = sys_map_accepts_prog(map, prog) ? 0 : -EINVAL;
	} else if (map->rt->type == BPF_MAP_TYPE_ARRAY_OF_MAPS) {
		*ret_object = NULL;
		error = resolve_map(call, map, fd, ret_object, ret_target);
		if (!*ret_object)
			return error;
	} else {
		error = sys_object_by_fd(call, fd, OBJECT_PERF, ret_object);
		if (error)
			return error;
		error = options->attach_ops && options->attach_ops->perf_target
				? options->attach_ops->perf_target(options->attach_arg, *ret_object,
								   ret_target)
				: -EINVAL;
	}
	if (error)
		object_unref(*ret_object);
	return error;
}

int sys_slot_update(struct sys_call *call, struct sys_map *map, const void *key, u32 fd, u64 flags)
{
	struct sys_slot *slot, *old;
	void *target;
	u32 index;
	int error;

	memcpy(&index, key, sizeof(index));
	if (flags != BPF_ANY)
		return -EINVAL;
	if (index >= map->rt->max_entries)
		return -E2BIG;
	slot = base_zalloc(1, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	error = resolve(call, map, fd, &slot->object, &target);
	if (error) {
		base_free(slot);
		return error;
	}
	old = map->slots[index];
	error = (int)rt_map_set_object(map->rt, index, target);
	if (error) {
		free_slot(&slot->deferred);
		return error;
	}
	map->slots[index] = slot;
	if (old)
		sys_defer(map->hive, &old->deferred, free_slot);
	return 0;
}

int sys_slot_delete(struct sys_map *map, u32 index)
{
	struct sys_slot *old;

	if (index >= map->rt->max_entries)
		return -E2BIG;
	old = map->slots[index];
	if (!old)
		return -ENOENT;
	map->slots[index] = NULL;
	rt_map_set_object(map->rt, index, NULL);
	sys_defer(map->hive, &old->deferred, free_slot);
	return 0;
}

void sys_slots_clear(struct sys_map *map)
{
	u32 i;

	for (i = 0; map->slots && i < map->rt->max_entries; i++)
		sys_slot_delete(map, i);
}
