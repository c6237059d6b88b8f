/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SK_STORAGE, TASK_STORAGE, INODE_STORAGE and CGRP_STORAGE as clients see them
 * (kernel/bpf/bpf_{sk,task,inode,cgrp}_storage.c): the key is a descriptor of the owner. What is
 * stored goes by a number that names the owner (rt/storage.h). Elements of owners that are gone are
 * not found any more; their room is used again when there is no other.
 */
#include "base/alloc.h"
#include "base/proc.h"
#include "rt/storage.h"
#include "sys/client_socket.h"
#include "sys/map_slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWNERS_MAX (1u << 20)
#define OWNERS_MIN 64u
#define TICK_NS	   10000000ull /* 1 / USER_HZ */
#define DATA_SHARE \
	64 /* of the data segment: elements of a map, unless there are fewer than OWNERS_MIN */

bool sys_map_is_storage(const struct sys_map *map)
{
	return rt_type_is_storage(map->rt->type);
}

u32 sys_storage_owners(u32 value_size, u64 data_size)
{
	u64 nr = data_size / DATA_SHARE / (value_size + 64ull);

	return nr > OWNERS_MAX ? OWNERS_MAX : nr < OWNERS_MIN ? OWNERS_MIN : (u32)nr;
}

/* Where tasks that exit look; a map that does not fit in there does without. */
int sys_storage_new(struct sys_map *map)
{
	struct rt_storages *storages = RT_CONTROL->storages;

	if (map->rt->type != BPF_MAP_TYPE_TASK_STORAGE)
		return 0;
	if (!storages) {
		storages =
			arena_alloc(map->hive->options.arena, ARENA_CONTROL, sizeof(*storages), 64);
		if (!storages)
			return -ENOMEM;
		memset(storages, 0, sizeof(*storages));
		__atomic_store_n(&RT_CONTROL->storages, storages, __ATOMIC_RELEASE);
	}
	for (u32 i = 0; i < RT_STORAGES_MAX; i++)
		if (!storages->maps[i]) {
			__atomic_store_n(&storages->maps[i], map->rt, __ATOMIC_RELEASE);
			break;
		}
	return 0;
}

void sys_storage_retire(struct sys_map *map)
{
	struct rt_storages *storages = RT_CONTROL->storages;

	for (u32 i = 0; storages && i < RT_STORAGES_MAX; i++)
		if (storages->maps[i] == map->rt)
			__atomic_store_n(&storages->maps[i], NULL, __ATOMIC_RELEASE);
}

/* A task by its id and its start. */
static int task_of(struct sys_call *call, int fd, struct rt_owner *ret_owner)
{
	struct sys_client *client = call->client;
	long pid = client->ops->pid_of_fd ? client->ops->pid_of_fd(client, fd) : -EBADF;
	u64 start;

	if (pid == 0)
		return -ENOENT;
	if (pid < 0)
		return pid == -ESRCH ? -ENOENT : -EBADF;
	if (!base_start_ticks((u32)pid, &start))
		return -ENOENT;
	*ret_owner = (struct rt_owner){ .number = (u32)pid, .born = start * TICK_NS };
	return 0;
}

/* A file's inode, and when it was made: its number may be used again. */
static int inode_of(struct sys_call *call, int fd, struct rt_owner *ret_owner)
{
	struct sys_client *client = call->client;
	int copy = client->ops->copy_fd ? client->ops->copy_fd(client, fd) : -EBADF;
	struct statx st;
	int error = 0;

	if (copy < 0)
		return -EBADF;
	if (statx(copy, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) < 0)
		error = -EBADF;
	else
		ret_owner->number = rt_owner_of_inode(
			st.stx_dev_major, st.stx_dev_minor, st.stx_ino,
			(u64)st.stx_btime.tv_sec * 1000000000ull + st.stx_btime.tv_nsec);
	close(copy);
	return error;
}

static int cgroup_of(struct sys_call *call, int fd, struct rt_owner *ret_owner)
{
	struct sys_client *client = call->client;
	int place = client->ops->place_of_fd ? client->ops->place_of_fd(client, fd) : -EBADF;

	return place == SYS_PLACE_CGROUP ? inode_of(call, fd, ret_owner) : -EBADF;
}

static int owner_of(struct sys_call *call, const struct sys_map *map, int fd,
		    struct rt_owner *ret_owner)
{
	struct sys_socket socket;
	int error;

	switch (map->rt->type) {
	case BPF_MAP_TYPE_SK_STORAGE:
		error = sys_socket_of_fd(call, fd, call->cmd == BPF_MAP_UPDATE_ELEM, &socket);
		ret_owner->number = socket.cookie;
		return error;
	case BPF_MAP_TYPE_TASK_STORAGE: return task_of(call, fd, ret_owner);
	case BPF_MAP_TYPE_INODE_STORAGE: return inode_of(call, fd, ret_owner);
	default: return cgroup_of(call, fd, ret_owner);
	}
}

/* Makes room of what belongs to sockets that are closed. */
static bool collect(struct sys_map *map, struct rt_vcpu *vcpu)
{
	u64 *alive, nr_alive, key = 0, next;
	/* Chains in shared memory may have been tied into a ring: the walk ends anyhow. */
	u64 steps = 2ull * map->rt->max_entries;
	bool any = false, first = true;

	if (map->rt->type != BPF_MAP_TYPE_SK_STORAGE ||
	    sys_sockets_alive(map->hive, &alive, &nr_alive))
		return false;
	/* The element behind a key is found before the key goes. */
	while (steps-- && !rt_map_get_next_key(map->rt, first ? NULL : &key, &next, vcpu)) {
		if (!first && !(key & RT_OWNER_OF_TEST) && !sys_cookie_in(alive, nr_alive, key))
			any |= !rt_map_delete_elem(map->rt, &key, vcpu);
		key = next;
		first = false;
	}
	base_free(alive);
	return any;
}

static long update(struct sys_map *map, const struct rt_owner *owner, const struct rt_elem *elem,
		   struct rt_vcpu *vcpu)
{
	const void *key = &owner->number;
	long result = rt_map_copy_in(map->rt, key, elem->value_room, elem->flags, vcpu);

	if (result == -ENOMEM && collect(map, vcpu))
		result = rt_map_copy_in(map->rt, key, elem->value_room, elem->flags, vcpu);
	return result;
}

long sys_storage_operate(struct sys_call *call, struct sys_map *map, struct rt_elem *elem,
			 struct rt_vcpu *vcpu)
{
	struct rt_owner owner = { 0 };
	long result;
	int fd;

	if (elem->cmd == BPF_MAP_GET_NEXT_KEY || elem->cmd == BPF_MAP_LOOKUP_AND_DELETE_ELEM)
		return -ABI_ENOTSUPP;
	memcpy(&fd, elem->key_room, sizeof(fd));
	result = owner_of(call, map, fd, &owner);
	if (result)
		return result;
	rt_storage_drop_stale(map->rt, &owner, vcpu);
	switch (elem->cmd) {
	case BPF_MAP_LOOKUP_ELEM:
		return rt_map_copy_out(map->rt, &owner.number, elem->value_room, elem->flags, vcpu);
	case BPF_MAP_UPDATE_ELEM: return update(map, &owner, elem, vcpu);
	default: return rt_map_delete_elem(map->rt, &owner.number, vcpu);
	}
}

void sys_storage_end_test(struct sys_call *call, u64 cookie)
{
	struct rt_owner owner = { .number = cookie | RT_OWNER_OF_TEST };
	struct object_table *objects = call->hive->objects;
	struct rt_vcpu *vcpu = sys_vcpu_acquire(call->client);
	u32 id = 0;

	while (vcpu && (id = object_next_id(objects, OBJECT_MAP, id))) {
		struct object *object = object_by_id(objects, OBJECT_MAP, id);
		const struct rt_map *map = object ? sys_map_of(object)->rt : NULL;

		if (map && map->type == BPF_MAP_TYPE_SK_STORAGE)
			rt_storage_delete(map, &owner, vcpu);
		if (object)
			object_unref(object);
	}
	if (vcpu)
		sys_vcpu_release(vcpu);
}
