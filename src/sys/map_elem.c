/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands on one element of a map: look up, update, delete, next key, and freezing. The order
 * of checks is the kernel's: rt/elem.h has it, for this side and the agent's. Elements are reached
 * by the same code as a program's (src/rt), under a vCPU that the supervisor takes for that time.
 */
#include "sys/hive.h"
#include "base/alloc.h"
#include "sys/map_image.h"
#include "sys/map_slot.h"
#include "rt/elem.h"
#include "sys/struct_ops.h"

#include <errno.h>
#include <fcntl.h>

u64 sys_map_value_size(const struct sys_map *map)
{
	return rt_map_user_value_size(map->rt);
}

u32 sys_map_access(struct sys_call *call, u32 fd)
{
	switch (call->client->ops->fd_access(call->client, (int)fd) & O_ACCMODE) {
	case O_RDONLY: return RT_ELEM_MAY_READ;
	case O_WRONLY: return RT_ELEM_MAY_WRITE;
	default: return RT_ELEM_MAY_READ | RT_ELEM_MAY_WRITE;
	}
}

u32 sys_map_max_entries(const struct sys_map *map)
{
	return sys_map_is_storage(map) ? 0 : map->rt->max_entries;
}

static long read_client(void *arg, void *dst, u64 address, u64 size)
{
	return sys_read(arg, dst, address, size);
}

static long write_client(void *arg, u64 address, const void *src, u64 size)
{
	return sys_write(arg, address, src, size);
}

static long make_room(struct rt_elem *elem)
{
	rt_elem_measure(elem);
	elem->key_room = base_zalloc(1, elem->key_size);
	elem->value_room = base_zalloc(1, elem->value_size);
	return elem->key_room && elem->value_room ? 0 : -ENOMEM;
}

/* Maps of objects: what their elements mean is known here alone. */
static long operate_on_objects(struct sys_call *call, struct sys_map *map, struct rt_elem *elem,
			       struct rt_vcpu *vcpu)
{
	u8 *value = elem->value_room;

	switch (elem->cmd) {
	case BPF_MAP_LOOKUP_ELEM: return sys_slot_lookup(map, elem->key_room, value, vcpu);
	case BPF_MAP_UPDATE_ELEM:
		return sys_slot_update(call, map, elem->key_room, value, elem->flags, vcpu);
	case BPF_MAP_DELETE_ELEM: return sys_slot_delete(map, elem->key_room, vcpu);
	default: return -ABI_ENOTSUPP;
	}
}

static long operate(struct sys_call *call, struct sys_map *map, struct rt_elem *elem)
{
	struct rt_vcpu *vcpu;
	long result;

	if (map->struct_ops)
		return sys_struct_ops_elem(call, map, elem);
	vcpu = sys_vcpu_acquire_for(map->rt, call->client);
	if (!vcpu)
		return -EBUSY;
	if (sys_map_is_sock(map))
		sys_sock_sweep(map->hive, vcpu);
	if (sys_map_is_storage(map))
		result = sys_storage_operate(call, map, elem, vcpu);
	else
		result = sys_map_holds_objects(map) && elem->cmd != BPF_MAP_GET_NEXT_KEY
				 ? operate_on_objects(call, map, elem, vcpu)
				 : rt_elem_operate(elem, vcpu);
	sys_vcpu_release(vcpu);
	return result;
}

long sys_map_elem(struct sys_call *call)
{
	const struct rt_elem_io io = { read_client, write_client, call };
	struct rt_elem elem = { .cmd = call->cmd,
				.key = call->attr.elem.key,
				.value = call->attr.elem.value,
				.flags = call->attr.elem.flags };
	struct sys_map *map;
	long result = rt_elem_check(call->cmd, call->attr.elem.flags);

	if (!result)
		result = sys_map_by_fd(call, call->attr.elem.map_fd, &map);
	if (result)
		return result;
	elem.map = map->rt;
	elem.access = sys_map_access(call, call->attr.elem.map_fd);
	result = rt_elem_permits(&elem);
	if (!result)
		result = make_room(&elem);
	if (!result)
		result = rt_elem_read(&elem, &io);
	if (!result)
		result = operate(call, map, &elem);
	if (!result)
		result = rt_elem_write(&elem, &io);
	sys_map_put(map);
	base_free(elem.key_room);
	base_free(elem.value_room);
	return result;
}

static void set_frozen(struct sys_map *map)
{
	map->frozen = true;
	__atomic_fetch_or(&map->rt->state, RT_MAP_FROZEN, __ATOMIC_RELEASE);
	sys_map_image(map);
}

long sys_map_freeze(struct sys_call *call)
{
	struct sys_map *map;
	int access, error;

	error = sys_map_by_fd(call, call->attr.elem.map_fd, &map);
	if (error)
		return error;
	access = call->client->ops->fd_access(call->client, (int)call->attr.elem.map_fd);
	if (map->fields.nr || map->struct_ops)
		error = -ABI_ENOTSUPP;
	else if ((access & O_ACCMODE) == O_RDONLY || map->frozen)
		error = -EPERM;
	else
		set_frozen(map);
	sys_map_put(map);
	return error;
}
