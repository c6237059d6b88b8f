/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: maps of devices, CPUs and AF_XDP sockets; bpf_redirect_map(). */
#include "scenario.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NO_DEVICE 0x7ffffff0u

static const struct {
	const char *name;
	u32 type, key, value, max, flags;
	long want;
} creates[] = {
	{ "devmap", BPF_MAP_TYPE_DEVMAP, 4, 4, 10, 0, FD },
	{ "devmap, programs", BPF_MAP_TYPE_DEVMAP, 4, 8, 10, 0, FD },
	{ "devmap, value 6", BPF_MAP_TYPE_DEVMAP, 4, 6, 10, 0, -EINVAL },
	{ "devmap, value 12", BPF_MAP_TYPE_DEVMAP, 4, 12, 10, 0, -EINVAL },
	{ "devmap, key 8", BPF_MAP_TYPE_DEVMAP, 8, 4, 10, 0, -EINVAL },
	{ "devmap, no entries", BPF_MAP_TYPE_DEVMAP, 4, 4, 0, 0, -EINVAL },
	{ "devmap, NO_PREALLOC", BPF_MAP_TYPE_DEVMAP, 4, 4, 10, BPF_F_NO_PREALLOC, -EINVAL },
	{ "devmap, RDONLY_PROG", BPF_MAP_TYPE_DEVMAP, 4, 4, 10, BPF_F_RDONLY_PROG, -EINVAL },
	{ "devmap, WRONLY", BPF_MAP_TYPE_DEVMAP, 4, 4, 10, BPF_F_WRONLY, FD },
	{ "devmap hash", BPF_MAP_TYPE_DEVMAP_HASH, 4, 8, 10, 0, FD },
	{ "devmap hash, key 8", BPF_MAP_TYPE_DEVMAP_HASH, 8, 8, 10, 0, -EINVAL },
	{ "devmap hash, MMAPABLE", BPF_MAP_TYPE_DEVMAP_HASH, 4, 8, 10, BPF_F_MMAPABLE, -EINVAL },
	{ "cpumap", BPF_MAP_TYPE_CPUMAP, 4, 4, 2, 0, FD },
	{ "cpumap, programs", BPF_MAP_TYPE_CPUMAP, 4, 8, 2, BPF_F_NUMA_NODE, FD },
	{ "cpumap, RDONLY", BPF_MAP_TYPE_CPUMAP, 4, 8, 2, BPF_F_RDONLY, -EINVAL },
	{ "cpumap, value 5", BPF_MAP_TYPE_CPUMAP, 4, 5, 2, 0, -EINVAL },
	{ "cpumap, very many", BPF_MAP_TYPE_CPUMAP, 4, 4, 1 << 20, 0, -E2BIG },
	{ "xskmap", BPF_MAP_TYPE_XSKMAP, 4, 4, 2, BPF_F_RDONLY, FD },
	{ "xskmap, value 8", BPF_MAP_TYPE_XSKMAP, 4, 8, 2, 0, -EINVAL },
	{ "xskmap, no entries", BPF_MAP_TYPE_XSKMAP, 4, 4, 0, 0, -EINVAL },
};

static int xdp_prog(struct world *world, u32 attach)
{
	const struct bpf_insn insns[] = { MOV_K(0, 2), EXIT() };

	return world_prog_for(world, BPF_PROG_TYPE_XDP, attach, insns, ARRAY_SIZE(insns));
}

/* TEST_RUN of a program that returns bpf_redirect_map(map, key, flags). */
static long redirect(struct world *world, int map, u32 key, u32 flags)
{
	const struct bpf_insn insns[] = {
		LD_MAP(1, BPF_PSEUDO_MAP_FD, map),
		MOV_K(2, (s32)key),
		MOV_K(3, (s32)flags),
		CALL(BPF_FUNC_redirect_map),
		EXIT(),
	};

	return scenario_run_once(world, BPF_PROG_TYPE_XDP, insns, ARRAY_SIZE(insns));
}

/* The first half of the value that a program finds, 77: nothing. */
static long look(struct world *world, int map, u32 key, bool write)
{
	const struct bpf_insn insns[] = {
		STORE_K(BPF_W, 10, -4, (s32)key),
		MOV_X(2, 10),
		ADD_K(2, -4),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, map),
		CALL(BPF_FUNC_map_lookup_elem),
		JEQ_K(0, 0, 2),
		write ? STORE_K(BPF_W, 0, 0, 1) : LOAD(BPF_W, 0, 0, 0),
		EXIT(),
		MOV_K(0, 77),
		EXIT(),
	};

	return scenario_run_once(world, BPF_PROG_TYPE_XDP, insns, ARRAY_SIZE(insns));
}

static void redirects(struct world *world, int map, u32 type, const char *name)
{
	bool device = type == BPF_MAP_TYPE_DEVMAP || type == BPF_MAP_TYPE_DEVMAP_HASH;

	expect(world, redirect(world, map, 0, 0), XDP_REDIRECT, name);
	expect(world, redirect(world, map, 0, XDP_TX), XDP_REDIRECT, name);
	expect(world, redirect(world, map, 1, XDP_PASS), XDP_PASS, name);
	expect(world, redirect(world, map, 1, 0), XDP_ABORTED, name);
	expect(world, redirect(world, map, 9, XDP_TX), XDP_TX, name);
	expect(world, redirect(world, map, 0, 4), XDP_ABORTED, name);
	expect(world, redirect(world, map, 1, 8 | XDP_PASS), device ? XDP_REDIRECT : XDP_ABORTED,
	       name);
	expect(world, redirect(world, map, 1, 16 | XDP_PASS), device ? XDP_PASS : XDP_ABORTED,
	       name);
	expect(world, redirect(world, map, 1, 32), XDP_ABORTED, name);
}

static void devices(struct world *world, u32 type)
{
	bool hash = type == BPF_MAP_TYPE_DEVMAP_HASH;
	const char *name = hash ? "devmap hash" : "devmap";
	int map = world_map(world, type, 4, 8, 4, 0), prog = xdp_prog(world, BPF_XDP_DEVMAP),
	    other = xdp_prog(world, BPF_XDP);
	u32 lo = if_nametoindex("lo"), key = 0, next = 0, value[2] = { lo, 0 }, out[2] = { 0 };

	expect(world, map, FD, name);
	expect(world, world_lookup(world, map, &key, out), -ENOENT, name);
	expect(world, world_delete(world, map, &key), hash ? -ENOENT : 0, name);
	expect(world, world_update(world, map, &key, value, 3), -EINVAL, name);
	expect(world, world_update(world, map, &key, value, BPF_NOEXIST), hash ? 0 : -EEXIST, name);
	expect(world, world_update(world, map, &key, value, BPF_EXIST), 0, name);
	expect(world, world_update(world, map, &key, value, BPF_NOEXIST), -EEXIST, name);
	expect(world, world_update(world, map, &key, value, BPF_F_LOCK), -EINVAL, name);
	expect(world, world_lookup(world, map, &key, out), 0, name);
	expect(world, out[0], lo, name);
	expect(world, out[1], 0, name);
	redirects(world, map, type, name);
	expect(world, look(world, map, 0, false), lo, name);
	expect(world, look(world, map, 1, false), 77, name);
	expect(world, look(world, map, 0, true), -EACCES, name);
	value[0] = NO_DEVICE;
	expect(world, world_update(world, map, &key, value, 0), -EINVAL, name);
	value[0] = lo;
	value[1] = (u32)other;
	expect(world, world_update(world, map, &key, value, 0), -EINVAL, name);
	value[1] = 900;
	expect(world, world_update(world, map, &key, value, 0), -EINVAL, name);
	value[1] = (u32)prog;
	expect(world, world_update(world, map, &key, value, 0), 0, name);
	world->close(world, prog);
	expect(world, world_lookup(world, map, &key, out), 0, name);
	tap_ok(out[0] == lo && out[1], "%s: %s: the program's id", world->name, name);
	value[0] = 0;
	expect(world, world_update(world, map, &key, value, 0), -EINVAL, name);
	value[1] = 0;
	expect(world, world_update(world, map, &key, value, 0), hash ? -EINVAL : 0, name);
	expect(world, world_lookup(world, map, &key, out), hash ? 0 : -ENOENT, name);
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, map, NULL, &next, 0), 0, name);
	expect(world, next, 0, name);
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, map, &key, &next, 0),
	       hash ? -ENOENT : 0, name);
	expect(world, scenario_element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, map, &key, out, 0),
	       -524, name);
	expect(world, world_delete(world, map, &key), 0, name);
	expect(world, world_delete(world, map, &key), hash ? -ENOENT : 0, name);
	key = 4;
	value[0] = lo;
	expect(world, world_update(world, map, &key, value, 0), hash ? 0 : -E2BIG, name);
	expect(world, world_delete(world, map, &key), hash ? 0 : -EINVAL, name);
	for (key = 10; key < 14; key++)
		expect(world, world_update(world, map, &key, value, 0), hash ? 0 : -E2BIG, name);
	expect(world, world_update(world, map, &key, value, 0), -E2BIG, name);
	world->close(world, other);
	world->close(world, map);
}

static void cpus(struct world *world)
{
	const char *name = "cpumap";
	int map = world_map(world, BPF_MAP_TYPE_CPUMAP, 4, 8, 200, 0),
	    prog = xdp_prog(world, BPF_XDP_CPUMAP), other = xdp_prog(world, BPF_XDP_DEVMAP);
	u32 key = 0, value[2] = { 192, 0 }, out[2] = { 0 };

	expect(world, map, FD, name);
	expect(world, world_lookup(world, map, &key, out), -ENOENT, name);
	expect(world, world_delete(world, map, &key), 0, name);
	expect(world, world_update(world, map, &key, value, 3), -EINVAL, name);
	expect(world, world_update(world, map, &key, value, BPF_NOEXIST), -EEXIST, name);
	expect(world, world_update(world, map, &key, value, BPF_EXIST), 0, name);
	expect(world, world_lookup(world, map, &key, out), 0, name);
	expect(world, out[0], 192, name);
	redirects(world, map, BPF_MAP_TYPE_CPUMAP, name);
	expect(world, look(world, map, 0, false), -EINVAL, name);
	value[0] = 16385;
	expect(world, world_update(world, map, &key, value, 0), -EOVERFLOW, name);
	value[0] = 16384;
	value[1] = (u32)other;
	expect(world, world_update(world, map, &key, value, 0), -ENOMEM, name);
	value[1] = (u32)prog;
	expect(world, world_update(world, map, &key, value, 0), 0, name);
	expect(world, world_lookup(world, map, &key, out), 0, name);
	tap_ok(out[0] == 16384 && out[1], "%s: %s: the program's id", world->name, name);
	value[0] = 0;
	expect(world, world_update(world, map, &key, value, 0), 0, name);
	expect(world, world_lookup(world, map, &key, out), -ENOENT, name);
	key = 190;
	value[0] = 192;
	expect(world, world_update(world, map, &key, value, 0), -ENODEV, name);
	key = 200;
	expect(world, world_update(world, map, &key, value, 0), -E2BIG, name);
	expect(world, world_delete(world, map, &key), -EINVAL, name);
	world->close(world, other);
	world->close(world, prog);
	world->close(world, map);
}

static void xdp_sockets(struct world *world)
{
	const char *name = "xskmap";
	int map = world_map(world, BPF_MAP_TYPE_XSKMAP, 4, 4, 4, 0), foreign = world_foreign(world),
	    socket_fd = world_take(world, socket(AF_INET, SOCK_DGRAM, 0));
	u32 key = 0, value = 900;

	expect(world, map, FD, name);
	expect(world, world_lookup(world, map, &key, &value), -EOPNOTSUPP, name);
	expect(world, world_update(world, map, &key, &value, 3), -EINVAL, name);
	expect(world, world_update(world, map, &key, &value, 0), -EBADF, name);
	expect(world, world_update(world, map, &key, &foreign, 0), -ENOTSOCK, name);
	expect(world, world_update(world, map, &key, &map, 0), -ENOTSOCK, name);
	expect(world, world_update(world, map, &key, &socket_fd, 0), -EOPNOTSUPP, name);
	expect(world, world_update(world, map, &key, &socket_fd, BPF_EXIST), -EOPNOTSUPP, name);
	expect(world, world_delete(world, map, &key), 0, name);
	expect(world, redirect(world, map, 0, XDP_PASS), XDP_PASS, name);
	expect(world, redirect(world, map, 0, 8), XDP_ABORTED, name);
	key = 4;
	expect(world, world_update(world, map, &key, &value, 0), -E2BIG, name);
	expect(world, world_delete(world, map, &key), -EINVAL, name);
	world->close(world, socket_fd);
	world->close(world, foreign);
	world->close(world, map);
}

void scenario_map_redirect(struct world *world)
{
	int hash = world_map(world, BPF_MAP_TYPE_HASH, 4, 4, 4, 0);

	for (u32 i = 0; i < ARRAY_SIZE(creates); i++) {
		long fd = world_map(world, creates[i].type, creates[i].key, creates[i].value,
				    creates[i].max, creates[i].flags);

		expect(world, fd, creates[i].want, creates[i].name);
		if (fd >= 0)
			world->close(world, (int)fd);
	}
	devices(world, BPF_MAP_TYPE_DEVMAP);
	devices(world, BPF_MAP_TYPE_DEVMAP_HASH);
	cpus(world);
	xdp_sockets(world);
	expect(world, redirect(world, hash, 0, 0), -EINVAL, "redirect through a hash");
	world->close(world, hash);
}
