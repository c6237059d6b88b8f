/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps whose elements are objects, and of these prog arrays, perf event arrays and arrays of maps;
 * map_of_maps.c, map_redirect.c and map_reuseport.c have the others. The supervisor
 * keeps a reference for each slot in its own memory; what the data plane follows is a pointer in
 * the control segment, stored with rt_map_set_object(). What leaves a slot keeps its reference for
 * a grace period, because a program that is running may have read the pointer before.
 */
#include "sys/hive.h"
#include "base/alloc.h"
#include "sys/map_slot.h"

#include <errno.h>
#include <string.h>

void sys_slot_free(struct sys_deferred *deferred)
{
	struct sys_slot *slot = container_of(deferred, struct sys_slot, deferred);

	object_unref(slot->object);
	base_free(slot);
}

enum kind { KIND_NONE, KIND_ARRAY, KIND_HASH_OF_MAPS, KIND_REDIRECT, KIND_REUSEPORT, KIND_SOCK };

static enum kind kind_of(const struct sys_map *map)
{
	switch (map->rt->type) {
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS: return KIND_ARRAY;
	case BPF_MAP_TYPE_HASH_OF_MAPS: return KIND_HASH_OF_MAPS;
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_CPUMAP:
	case BPF_MAP_TYPE_XSKMAP: return KIND_REDIRECT;
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY: return KIND_REUSEPORT;
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_SOCKHASH: return KIND_SOCK;
	default: return KIND_NONE;
	}
}

bool sys_map_holds_objects(const struct sys_map *map)
{
	return map->rt && kind_of(map) != KIND_NONE;
}

u32 sys_map_nr_slots(const struct sys_map *map)
{
	return map->rt->type == BPF_MAP_TYPE_HASH_OF_MAPS ||
			       map->rt->type == BPF_MAP_TYPE_DEVMAP_HASH
		       ? rt_map_nr_places(map->rt)
		       : map->rt->max_entries;
}

static int lookup_index(struct sys_map *map, const void *key, u32 *ret_value)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	if (map->rt->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY ||
	    map->rt->type == BPF_MAP_TYPE_CGROUP_ARRAY)
		return -ABI_ENOTSUPP;
	if (index >= map->rt->max_entries || !map->slots[index])
		return -ENOENT;
	*ret_value = map->slots[index]->object->id;
	return 0;
}

int sys_slot_lookup(struct sys_map *map, const void *key, void *value, struct rt_vcpu *vcpu)
{
	switch (kind_of(map)) {
	case KIND_ARRAY: return lookup_index(map, key, value);
	case KIND_HASH_OF_MAPS: return sys_hash_of_maps_lookup(map, key, value, vcpu);
	case KIND_REUSEPORT: return sys_reuseport_lookup(map, key, value);
	case KIND_SOCK: return sys_sock_lookup(map, key, value, vcpu);
	default: return sys_redirect_lookup(map, key, value, vcpu);
	}
}

bool sys_map_accepts_prog(struct sys_map *map, const struct sys_prog *prog)
{
	u32 frags = prog->flags & BPF_F_XDP_HAS_FRAGS, type = prog->type, function = 0;

	/* An extension stands for its target; contexts of arguments differ by whose they are. */
	if (type == BPF_PROG_TYPE_EXT)
		type = prog->rt ? prog->rt->type : prog->target->rt->type;
	if (type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM ||
	    type == BPF_PROG_TYPE_STRUCT_OPS)
		function = prog->attach_btf_id;
	if (!map->has_owner) {
		map->has_owner = true;
		map->owner_type = type;
		map->owner_attach_type = prog->expected_attach_type;
		map->owner_frags = frags;
		map->owner_function = function;
	}
	/* Only tail calls go from one program to another of the same place. */
	return map->owner_type == type && map->owner_frags == frags &&
	       map->owner_function == function &&
	       (map->rt->type != BPF_MAP_TYPE_PROG_ARRAY ||
		map->owner_attach_type == prog->expected_attach_type);
}

/* A program's place in a prog array is free again. */
static void leave_slot(struct sys_slot *slot)
{
	if (slot->object->kind == OBJECT_PROG)
		sys_prog_of(slot->object)->nr_slots--;
}

/* Whether a task is in a cgroup is nothing that the data plane can tell: none is taken. */
static int refuse_cgroup(struct sys_call *call, struct sys_map *map, u32 fd)
{
	struct sys_client *client = call->client;
	int place = client->ops->place_of_fd ? client->ops->place_of_fd(client, (int)fd) : -EBADF;

	if (place != SYS_PLACE_CGROUP)
		return -EBADF;
	sys_say(call->hive, "map \"%.16s\": cgroups cannot be put into maps in user space",
		map->rt->name);
	return -EOPNOTSUPP;
}

/* The object for a slot, a new reference, and what the data plane shall find there. */
static int resolve(struct sys_call *call, struct sys_map *map, u32 fd, struct object **ret_object,
		   void **ret_target)
{
	const struct sys_hive_options *options = &call->hive->options;
	struct sys_prog *prog;
	struct sys_map *inner;
	int error;

	if (map->rt->type == BPF_MAP_TYPE_CGROUP_ARRAY)
		return refuse_cgroup(call, map, fd);
	if (map->rt->type == BPF_MAP_TYPE_PROG_ARRAY) {
		error = sys_prog_by_fd(call, fd, &prog);
		if (error)
			return error;
		*ret_object = &prog->object;
		*ret_target = prog->rt;
		error = sys_map_accepts_prog(map, prog) ? 0 : -EINVAL;
		/* How far it reaches into an iterator's buffers is compared when it is linked. */
		if (prog->max_rdonly_access || prog->max_rdwr_access)
			error = -EINVAL;
		/* Tail calls go past what is attached to a function. */
		if (!error && prog->nr_extensions)
			error = -EBUSY;
		if (!error)
			prog->nr_slots++;
	} else if (map->rt->type == BPF_MAP_TYPE_ARRAY_OF_MAPS) {
		error = sys_inner_by_fd(call, map, fd, &inner);
		if (error)
			return error;
		*ret_object = &inner->object;
		*ret_target = inner->rt;
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

static int update_index(struct sys_call *call, struct sys_map *map, const void *key, u32 fd,
			u64 flags)
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
		leave_slot(slot);
		sys_slot_free(&slot->deferred);
		return error;
	}
	map->slots[index] = slot;
	if (old) {
		leave_slot(old);
		sys_defer(map->hive, &old->deferred, sys_slot_free);
	}
	return 0;
}

static int delete_index(struct sys_map *map, u32 index)
{
	struct sys_slot *old;

	if (index >= map->rt->max_entries)
		return -E2BIG;
	old = map->slots[index];
	if (!old)
		return -ENOENT;
	map->slots[index] = NULL;
	rt_map_set_object(map->rt, index, NULL);
	leave_slot(old);
	sys_defer(map->hive, &old->deferred, sys_slot_free);
	return 0;
}

int sys_slot_update(struct sys_call *call, struct sys_map *map, const void *key, const void *value,
		    u64 flags, struct rt_vcpu *vcpu)
{
	u32 fd;

	memcpy(&fd, value, sizeof(fd));
	switch (kind_of(map)) {
	case KIND_ARRAY: return update_index(call, map, key, fd, flags);
	case KIND_HASH_OF_MAPS: return sys_hash_of_maps_update(call, map, key, fd, flags, vcpu);
	case KIND_REUSEPORT: return sys_reuseport_update(call, map, key, value, flags);
	case KIND_SOCK: return sys_sock_update(call, map, key, value, flags, vcpu);
	default: return sys_redirect_update(call, map, key, value, flags, vcpu);
	}
}

int sys_slot_delete(struct sys_map *map, const void *key, struct rt_vcpu *vcpu)
{
	u32 index = 0;

	memcpy(&index, key, map->rt->key_size < sizeof(index) ? map->rt->key_size : sizeof(index));
	switch (kind_of(map)) {
	case KIND_ARRAY: return delete_index(map, index);
	case KIND_HASH_OF_MAPS: return sys_hash_of_maps_delete(map, key, vcpu);
	case KIND_REUSEPORT: return sys_reuseport_delete(map, key);
	case KIND_SOCK: return sys_sock_delete(map, key, vcpu);
	default: return sys_redirect_delete(map, key, vcpu);
	}
}

/* Arrays of objects may go on being used; the others end. */
void sys_slots_clear(struct sys_map *map)
{
	u32 i, nr = map->slots ? sys_map_nr_slots(map) : 0;

	if (map->rt && kind_of(map) == KIND_REUSEPORT && map->cookies)
		sys_reuseport_clear(map);
	if (map->rt && kind_of(map) == KIND_SOCK && map->socks)
		sys_sock_clear_map(map);
	for (i = 0; i < nr; i++) {
		struct sys_slot *old = map->slots[i];

		if (kind_of(map) == KIND_ARRAY) {
			delete_index(map, i);
		} else if (old) {
			map->slots[i] = NULL;
			sys_defer(map->hive, &old->deferred, sys_slot_free);
		}
	}
}
