/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of maps: what the maps in one have to be like, and hashes of maps as clients see them.
 * map_object.c has what arrays of maps share with other arrays of objects. For each place of the
 * hash table in which a map stands, the supervisor keeps a reference: it alone changes the table,
 * so it knows where a key is.
 */
#include "sys/hive.h"
#include "base/alloc.h"
#include "sys/map_slot.h"

#include <errno.h>
#include <string.h>

bool sys_map_is_of_maps(const struct sys_map *map)
{
	return map->rt->type == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
	       map->rt->type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

int sys_map_set_inner(struct sys_call *call, struct sys_map *map, u32 fd)
{
	struct verify_map *inner = &map->inner;
	struct sys_map *sample;
	int error = sys_map_by_fd(call, fd, &sample);

	if (error)
		return error;
	if (sys_map_is_of_maps(sample))
		error = -EINVAL;
	else if (sample->exclusive || sample->rt->type == BPF_MAP_TYPE_PROG_ARRAY ||
		 sample->rt->type == BPF_MAP_TYPE_CGROUP_STORAGE ||
		 sample->rt->type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE)
		error = -ABI_ENOTSUPP;
	inner->type = sample->rt->type;
	inner->key_size = sample->rt->key_size;
	inner->value_size = sample->rt->value_size;
	inner->flags = sample->rt->flags;
	inner->map_extra = sample->rt->map_extra;
	/* The others may have fewer elements: then no index is known to be there. */
	if (inner->type != BPF_MAP_TYPE_PERCPU_ARRAY && !(inner->flags & BPF_F_INNER_MAP))
		inner->max_entries = sample->rt->max_entries;
	map->inner_fields = sample->fields;
	inner->fields = &map->inner_fields;
	/* What its fields lead to is described there. */
	if (sample->btf && sample->fields.nr) {
		inner->btf = sample->btf->btf;
		map->inner_btf = sample->btf;
		object_ref(&sample->btf->object);
	}
	sys_map_put(sample);
	return error;
}

bool sys_map_fits(const struct verify_map *inner, const struct sys_map *candidate)
{
	const struct rt_map *rt = candidate->rt;

	if (inner->type == BPF_MAP_TYPE_ARRAY && !(inner->flags & BPF_F_INNER_MAP) &&
	    inner->max_entries != rt->max_entries)
		return false;
	return inner->type == rt->type && inner->key_size == rt->key_size &&
	       inner->value_size == rt->value_size && inner->flags == rt->flags &&
	       btf_fields_equal(inner->fields, &candidate->fields);
}

int sys_inner_by_fd(struct sys_call *call, struct sys_map *map, u32 fd, struct sys_map **ret_inner)
{
	struct sys_map *inner;
	int error = sys_map_by_fd(call, fd, &inner);

	if (error)
		return error;
	if (inner->exclusive)
		error = -ABI_ENOTSUPP;
	else if (!sys_map_fits(&map->inner, inner))
		error = -EINVAL;
	if (error) {
		sys_map_put(inner);
		return error;
	}
	*ret_inner = inner;
	return 0;
}

static void let_go(struct sys_map *map, u32 place)
{
	struct sys_slot *old = place ? map->slots[place] : NULL;

	if (!old)
		return;
	map->slots[place] = NULL;
	sys_defer(map->hive, &old->deferred, sys_slot_free);
}

static int store(struct sys_map *map, const void *key, struct sys_slot *slot, u64 flags,
		 struct rt_vcpu *vcpu)
{
	u32 number = rt_map_number(sys_map_of(slot->object)->rt);
	u32 before = rt_map_place(map->rt, key, vcpu);
	long error = rt_map_copy_in(map->rt, key, &number, flags, vcpu);

	if (error)
		return (int)error;
	let_go(map, before);
	map->slots[rt_map_place(map->rt, key, vcpu)] = slot;
	return 0;
}

int sys_hash_of_maps_update(struct sys_call *call, struct sys_map *map, const void *key, u32 fd,
			    u64 flags, struct rt_vcpu *vcpu)
{
	struct sys_slot *slot;
	struct sys_map *inner;
	int error = sys_inner_by_fd(call, map, fd, &inner);

	if (error)
		return error;
	slot = base_zalloc(1, sizeof(*slot));
	if (!slot) {
		sys_map_put(inner);
		return -ENOMEM;
	}
	slot->object = &inner->object;
	error = store(map, key, slot, flags, vcpu);
	if (error)
		sys_slot_free(&slot->deferred);
	return error;
}

int sys_hash_of_maps_delete(struct sys_map *map, const void *key, struct rt_vcpu *vcpu)
{
	u32 place = rt_map_place(map->rt, key, vcpu);
	long error = rt_map_delete_elem(map->rt, key, vcpu);

	if (!error)
		let_go(map, place);
	return (int)error;
}

int sys_hash_of_maps_lookup(struct sys_map *map, const void *key, u32 *ret_value,
			    struct rt_vcpu *vcpu)
{
	u32 place = rt_map_place(map->rt, key, vcpu);

	if (!place || !map->slots[place])
		return -ENOENT;
	*ret_value = map->slots[place]->object->id;
	return 0;
}
