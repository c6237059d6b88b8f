/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: arrays of sockets that share a port. */
#include "scenario.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const name = "reuseport array";

static int socket_in(struct world *world, int type, int share, int bound, int listening)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type, 0);

	if (fd < 0)
		tap_bail("socket: %d", errno);
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &share, sizeof(share));
	if ((bound && bind(fd, (struct sockaddr *)&address, sizeof(address))) ||
	    (listening && listen(fd, 1)))
		tap_bail("bind: %d", errno);
	return world_take(world, fd);
}

static void creates(struct world *world)
{
	static const struct {
		u32 key, value, max, flags;
		long want;
	} rows[] = {
		{ 4, 4, 4, 0, FD },
		{ 4, 8, 4, 0, FD },
		{ 4, 6, 4, 0, -EINVAL },
		{ 8, 8, 4, 0, -EINVAL },
		{ 4, 8, 0, 0, -EINVAL },
		{ 4, 8, 4, BPF_F_NO_PREALLOC, -EINVAL },
		{ 4, 8, 4, BPF_F_MMAPABLE, -EINVAL },
		{ 4, 8, 4, BPF_F_NUMA_NODE, FD },
		{ 4, 8, 4, BPF_F_RDONLY_PROG, FD },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		long fd = world_map(world, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, rows[i].key,
				    rows[i].value, rows[i].max, rows[i].flags);

		expect(world, fd, rows[i].want, "reuseport array: create");
		if (fd >= 0)
			world->close(world, (int)fd);
	}
}

static long store(struct world *world, int map, u32 key, u64 value, u64 flags)
{
	return world_update(world, map, &key, &value, flags);
}

static void refusals(struct world *world, int map)
{
	int foreign = world_foreign(world), pair[2], unix_socket;
	int idle = socket_in(world, SOCK_STREAM, 1, 1, 0),
	    alone = socket_in(world, SOCK_STREAM, 0, 1, 1),
	    unbound = socket_in(world, SOCK_DGRAM, 1, 0, 0);

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		tap_bail("socketpair: %d", errno);
	close(pair[1]);
	unix_socket = world_take(world, pair[0]);
	expect(world, store(world, map, 4, 900, 0), -E2BIG, name);
	expect(world, store(world, map, 0, ~0ull, 0), -EINVAL, name);
	expect(world, store(world, map, 0, 900, 3), -EINVAL, name);
	expect(world, store(world, map, 0, 900, 0), -EBADF, name);
	expect(world, store(world, map, 0, (u64)foreign, 0), -ENOTSOCK, name);
	expect(world, store(world, map, 0, (u64)unix_socket, 0), -524, name);
	expect(world, store(world, map, 0, (u64)idle, 0), -EINVAL, name);
	expect(world, store(world, map, 0, (u64)alone, 0), -EINVAL, name);
	expect(world, store(world, map, 0, (u64)unbound, 0), -EINVAL, name);
	world->close(world, unbound);
	world->close(world, alone);
	world->close(world, idle);
	world->close(world, unix_socket);
	world->close(world, foreign);
}

void scenario_map_socket(struct world *world)
{
	int map = world_map(world, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 8, 4, 0),
	    small = world_map(world, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 4, 4, 0),
	    tcp = socket_in(world, SOCK_STREAM, 1, 1, 1),
	    udp = socket_in(world, SOCK_DGRAM, 1, 1, 0);
	u32 key = 0, next = 0;
	u64 out = 0, other = 0;

	creates(world);
	refusals(world, map);
	expect(world, world_lookup(world, map, &key, &out), -ENOENT, name);
	expect(world, world_delete(world, map, &key), -ENOENT, name);
	expect(world, store(world, map, 0, (u64)tcp, BPF_EXIST), -ENOENT, name);
	expect(world, store(world, map, 0, (u64)tcp, BPF_NOEXIST), 0, name);
	expect(world, store(world, map, 0, (u64)udp, BPF_NOEXIST), -EEXIST, name);
	expect(world, store(world, map, 0, (u64)tcp, 0), -EBUSY, name);
	expect(world, store(world, map, 1, (u64)tcp, 0), -EBUSY, name);
	expect(world, store(world, small, 1, (u64)tcp, 0), -EBUSY, name);
	expect(world, world_lookup(world, map, &key, &out), 0, name);
	expect(world, store(world, map, 0, (u64)udp, BPF_EXIST), 0, name);
	expect(world, world_lookup(world, map, &key, &other), 0, name);
	tap_ok(out && other && out != other, "%s: %s: cookies", world->name, name);
	expect(world, store(world, small, 1, (u64)tcp, 0), 0, name);
	key = 1;
	expect(world, world_lookup(world, small, &key, &out), -ENOSPC, name);
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, map, &key, &next, 0), 0, name);
	expect(world, next, 2, name);
	expect(world, world_delete(world, small, &key), 0, name);
	expect(world, world_delete(world, small, &key), -ENOENT, name);
	key = 4;
	expect(world, world_delete(world, map, &key), -E2BIG, name);
	expect(world, world_lookup(world, map, &key, &out), -ENOENT, name);
	key = 0;
	world->close(world, udp);
	expect(world, world_lookup(world, map, &key, &out), -ENOENT, "reuseport array: closed");
	expect(world, world_delete(world, map, &key), -ENOENT, name);
	expect(world, store(world, map, 2, (u64)tcp, 0), 0, name);
	world->close(world, map);
	world->close(world, small);
	world->close(world, tcp);
}
