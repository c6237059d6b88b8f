/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_REUSEPORT_SOCKARRAY as clients see it (kernel/bpf/reuseport_array.c): sockets that
 * share a port. A socket is in one such array of the hive at most, and leaves it when it is closed.
 * No program looks into one: connections are the kernel's, not ours, to give away.
 */
#include "base/alloc.h"
#include "sys/map_slot.h"
#include "sys/client_socket.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>

/* What stands at an index: a cookie; 0 when the socket is gone. */
static u64 socket_at(struct sys_map *map, u32 index)
{
	if (map->cookies[index] && !sys_socket_lives(map->hive, map->cookies[index]))
		map->cookies[index] = 0;
	return map->cookies[index];
}

static bool is_in_an_array(struct sys_hive *hive, u64 cookie)
{
	for (struct sys_map *map = hive->reuseport_maps; map; map = map->next_reuseport)
		for (u32 i = 0; i < map->rt->max_entries; i++)
			if (map->cookies[i] == cookie)
				return true;
	return false;
}

static int check(struct sys_map *map, const struct sys_socket *socket, u64 old, u64 flags)
{
	bool tcp = socket->protocol == IPPROTO_TCP;

	if (old && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!old && flags == BPF_EXIST)
		return -ENOENT;
	if ((!tcp && socket->protocol != IPPROTO_UDP) ||
	    (socket->family != AF_INET && socket->family != AF_INET6) ||
	    (socket->type != SOCK_STREAM && socket->type != SOCK_DGRAM))
		return -ABI_ENOTSUPP;
	if (!(tcp ? socket->listens : socket->bound) || !socket->reuses_port)
		return -EINVAL;
	return is_in_an_array(map->hive, socket->cookie) ? -EBUSY : 0;
}

int sys_reuseport_update(struct sys_call *call, struct sys_map *map, const void *key,
			 const void *value, u64 flags)
{
	struct sys_socket socket;
	u64 fd = 0;
	u32 index;
	int error;

	memcpy(&index, key, sizeof(index));
	memcpy(&fd, value, map->rt->value_size);
	if (flags > BPF_EXIST)
		return -EINVAL;
	if (index >= map->rt->max_entries)
		return -E2BIG;
	if (map->rt->value_size == sizeof(u64) && fd > INT_MAX)
		return -EINVAL;
	error = sys_socket_of_fd(call, (int)fd, true, &socket);
	if (!error)
		error = check(map, &socket, socket_at(map, index), flags);
	if (!error)
		map->cookies[index] = socket.cookie;
	return error;
}

int sys_reuseport_delete(struct sys_map *map, const void *key)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	if (index >= map->rt->max_entries)
		return -E2BIG;
	if (!socket_at(map, index))
		return -ENOENT;
	map->cookies[index] = 0;
	return 0;
}

int sys_reuseport_lookup(struct sys_map *map, const void *key, void *value)
{
	u64 cookie;
	u32 index;

	memcpy(&index, key, sizeof(index));
	if (map->rt->value_size != sizeof(u64))
		return -ENOSPC;
	cookie = index < map->rt->max_entries ? socket_at(map, index) : 0;
	if (!cookie)
		return -ENOENT;
	memcpy(value, &cookie, sizeof(cookie));
	return 0;
}

int sys_reuseport_new(struct sys_map *map)
{
	map->cookies = base_zalloc(map->rt->max_entries, sizeof(*map->cookies));
	if (!map->cookies)
		return -ENOMEM;
	map->next_reuseport = map->hive->reuseport_maps;
	map->hive->reuseport_maps = map;
	return 0;
}

void sys_reuseport_clear(struct sys_map *map)
{
	struct sys_map **link = &map->hive->reuseport_maps;

	while (*link && *link != map)
		link = &(*link)->next_reuseport;
	if (*link)
		*link = map->next_reuseport;
	base_free(map->cookies);
	map->cookies = NULL;
}
