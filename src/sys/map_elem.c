/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands on one element of a map: look up, update, delete, next key, and freezing. The order
 * of checks is the kernel's. Elements are reached by the same code as a program's (src/rt), under a
 * vCPU that the supervisor takes for the time of the call.
 */
#include "sys/hive.h"
#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>

/* A call's map, key and room for a value; done with elem_done(). */
struct elem {
	struct sys_map *map;
	void *key, *value;
	u64 value_size;
};

u64 sys_map_value_size(const struct sys_map *map)
{
	return rt_map_user_value_size(map->rt);
}

int sys_map_permits(struct sys_call *call, const struct sys_map *map, u32 fd, u32 rights)
{
	int access = call->client->ops->fd_access(call->client, (int)fd) & O_ACCMODE;

	if (rights & SYS_MAY_READ && access == O_WRONLY)
		return -EPERM;
	if (rights & SYS_MAY_WRITE && (access == O_RDONLY || map->frozen))
		return -EPERM;
	return 0;
}

static void elem_done(struct elem *elem)
{
	sys_map_put(elem->map);
	base_free(elem->key);
	base_free(elem->value);
}

/* Copies a key in; a map without keys takes none. */
static int read_key(struct sys_call *call, struct elem *elem)
{
	u64 address = call->attr.elem.key;

	if (elem->map->rt->key_size)
		return sys_read_new(call, address, elem->map->rt->key_size, &elem->key);
	return address ? -EINVAL : 0;
}

/* The map, if the descriptor's and the map's rights and the flags allow the use. */
static int elem_map(struct sys_call *call, struct elem *elem, u32 rights)
{
	int error = sys_map_by_fd(call, call->attr.elem.map_fd, &elem->map);

	if (!error)
		error = sys_map_permits(call, elem->map, call->attr.elem.map_fd, rights);
	/* BPF_F_LOCK needs a bpf_spin_lock in the value, and such maps are refused. */
	if (!error && call->attr.elem.flags & BPF_F_LOCK)
		error = -EINVAL;
	return error;
}

static int elem_room(struct elem *elem)
{
	elem->value_size = sys_map_value_size(elem->map);
	elem->value = base_zalloc(1, elem->value_size);
	return elem->value ? 0 : -ENOMEM;
}

/* One operation of src/rt on a map that does not hold objects. */
static long with_vcpu(struct sys_call *call, struct elem *elem,
		      long (*operation)(struct sys_call *call, struct elem *elem,
					struct rt_vcpu *vcpu))
{
	struct rt_vcpu *vcpu = sys_vcpu_acquire(call->client);
	long result;

	if (!vcpu)
		return -EBUSY;
	result = operation(call, elem, vcpu);
	sys_vcpu_release(vcpu);
	return result;
}

static long copy_out(struct sys_call *call, struct elem *elem, struct rt_vcpu *vcpu)
{
	return rt_map_copy_out(elem->map->rt, elem->key, elem->value, call->attr.elem.flags, vcpu);
}

static long lookup(struct sys_call *call, struct elem *elem)
{
	if (sys_map_holds_objects(elem->map))
		return sys_slot_lookup(elem->map, elem->key, elem->value);
	return with_vcpu(call, elem, copy_out);
}

long sys_map_lookup(struct sys_call *call)
{
	struct elem elem = { 0 };
	long result;

	if (call->attr.elem.flags & ~(u64)BPF_F_LOCK)
		return -EINVAL;
	result = elem_map(call, &elem, SYS_MAY_READ);
	if (!result)
		result = read_key(call, &elem);
	if (!result)
		result = elem_room(&elem);
	/* A Bloom filter is asked about the value that the client gives. */
	if (!result && elem.map->rt->type == BPF_MAP_TYPE_BLOOM_FILTER)
		result = sys_read(call, elem.value, call->attr.elem.value, elem.value_size);
	if (!result)
		result = lookup(call, &elem);
	if (!result)
		result = sys_write(call, call->attr.elem.value, elem.value, elem.value_size);
	elem_done(&elem);
	return result;
}

long sys_map_store(struct sys_call *call, struct sys_map *map, const void *key, const void *value,
		   u64 flags)
{
	struct rt_vcpu *vcpu;
	long result;

	if (sys_map_holds_objects(map))
		return sys_slot_update(call, map, key, *(const u32 *)value, flags);
	vcpu = sys_vcpu_acquire(call->client);
	if (!vcpu)
		return -EBUSY;
	result = rt_map_copy_in(map->rt, key, value, flags, vcpu);
	sys_vcpu_release(vcpu);
	return result;
}

long sys_map_update(struct sys_call *call)
{
	struct elem elem = { 0 };
	long result;

	result = elem_map(call, &elem, SYS_MAY_WRITE);
	if (!result)
		result = read_key(call, &elem);
	if (!result)
		result = sys_read_new(call, call->attr.elem.value, sys_map_value_size(elem.map),
				      &elem.value);
	if (!result)
		result = sys_map_store(call, elem.map, elem.key, elem.value, call->attr.elem.flags);
	elem_done(&elem);
	return result;
}

static long delete_elem(struct sys_call *call, struct elem *elem, struct rt_vcpu *vcpu)
{
	return rt_map_delete_elem(elem->map->rt, elem->key, vcpu);
}

long sys_map_delete(struct sys_call *call)
{
	struct elem elem = { 0 };
	long result;

	result = elem_map(call, &elem, SYS_MAY_WRITE);
	if (!result)
		result = read_key(call, &elem);
	if (!result)
		result = sys_map_holds_objects(elem.map)
				 ? sys_slot_delete(elem.map, *(const u32 *)elem.key)
				 : with_vcpu(call, &elem, delete_elem);
	elem_done(&elem);
	return result;
}

static long next_key(struct sys_call *call, struct elem *elem, struct rt_vcpu *vcpu)
{
	return rt_map_get_next_key(elem->map->rt, elem->key, elem->value, vcpu);
}

long sys_map_next_key(struct sys_call *call)
{
	struct elem elem = { 0 };
	long result;

	result = elem_map(call, &elem, SYS_MAY_READ);
	if (!result && call->attr.elem.key)
		result = read_key(call, &elem);
	if (!result) {
		elem.value_size = elem.map->rt->key_size;
		elem.value = base_zalloc(1, elem.value_size);
		result = elem.value ? with_vcpu(call, &elem, next_key) : -ENOMEM;
	}
	if (!result)
		result = sys_write(call, call->attr.elem.next_key, elem.value, elem.value_size);
	elem_done(&elem);
	return result;
}

static long take_out(struct sys_call *call, struct elem *elem, struct rt_vcpu *vcpu)
{
	return rt_map_lookup_and_delete(elem->map->rt, elem->key, elem->value,
					call->attr.elem.flags, vcpu);
}

long sys_map_lookup_and_delete(struct sys_call *call)
{
	struct elem elem = { 0 };
	long result;

	if (call->attr.elem.flags & ~(u64)BPF_F_LOCK)
		return -EINVAL;
	result = elem_map(call, &elem, SYS_MAY_READ | SYS_MAY_WRITE);
	if (!result)
		result = read_key(call, &elem);
	if (!result)
		result = elem_room(&elem);
	if (!result)
		result = with_vcpu(call, &elem, take_out);
	if (!result)
		result = sys_write(call, call->attr.elem.value, elem.value, elem.value_size);
	elem_done(&elem);
	return result;
}

long sys_map_freeze(struct sys_call *call)
{
	struct sys_map *map;
	int access, error;

	error = sys_map_by_fd(call, call->attr.elem.map_fd, &map);
	if (error)
		return error;
	access = call->client->ops->fd_access(call->client, (int)call->attr.elem.map_fd);
	if ((access & O_ACCMODE) == O_RDONLY || map->frozen)
		error = -EPERM;
	else
		map->frozen = true;
	sys_map_put(map);
	return error;
}
