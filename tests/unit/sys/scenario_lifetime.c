/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See scenario.h: who holds whom. Links hold their programs, programs their maps; an id is gone
 * with the last reference, and is not given again soon. The kernel lets go of links and programs in
 * the background, so there the end of an object is waited for; skep does at once.
 */
#include "scenario.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static u32 id_of(struct world *world, int fd, u32 offset)
{
	u8 info[256] = { 0 };
	union abi_attr attr;
	u32 id;

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (u32)fd;
	attr.info.info_len = 16;
	attr.info.info = (u64)(uintptr_t)info;
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), 0, "its id");
	memcpy(&id, info + offset, sizeof(id));
	return id;
}

static int open_id(struct world *world, u32 cmd, u32 id)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.id.id = id;
	return (int)world_call(world, cmd, &attr);
}

/* Opened by its id: the object lives. */
static void expect_alive(struct world *world, u32 cmd, u32 id, const char *name)
{
	int fd = open_id(world, cmd, id);

	expect(world, fd, FD, name);
	if (fd >= 0)
		world->close(world, fd);
}

static void expect_gone(struct world *world, u32 cmd, u32 id, const char *name)
{
	int fd = open_id(world, cmd, id);

	/* After grace periods that take as long as the machine is busy: for as long as the whole
	 * test may take. */
	while (world->kernel && fd >= 0) {
		world->close(world, fd);
		usleep(10000);
		fd = open_id(world, cmd, id);
	}
	expect(world, fd, -ENOENT, name);
	if (fd >= 0)
		world->close(world, fd);
}

static void chain(struct world *world)
{
	int map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0), prog, link, again;
	struct bpf_insn insns[] = { LD_MAP(1, BPF_PSEUDO_MAP_FD, map), MOV_K(0, 0), EXIT() };
	u32 map_id = id_of(world, map, 4), prog_id, link_id, value = 7, key = 0, out[2] = { 0 };
	union abi_attr attr;

	prog = world_prog(world, BPF_PROG_TYPE_RAW_TRACEPOINT, insns, ARRAY_SIZE(insns));
	prog_id = id_of(world, prog, 4);
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.name = (u64)(uintptr_t) "sys_enter";
	attr.raw_tracepoint.prog_fd = (u32)prog;
	link = (int)world_call(world, BPF_RAW_TRACEPOINT_OPEN, &attr);
	expect(world, link, FD, "lifetime: a link");
	link_id = id_of(world, link, 4);
	out[0] = value;
	world_update(world, map, &key, out, 0);
	world->close(world, map);
	world->close(world, prog);
	expect_alive(world, BPF_MAP_GET_FD_BY_ID, map_id, "lifetime: the map, held by the program");
	expect_alive(world, BPF_PROG_GET_FD_BY_ID, prog_id,
		     "lifetime: the program, held by its link");
	map = open_id(world, BPF_MAP_GET_FD_BY_ID, map_id);
	memset(out, 0, sizeof(out));
	expect(world, world_lookup(world, map, &key, out), 0, "lifetime: look it up");
	expect(world, out[0], value, "lifetime: its value is still there");
	world->close(world, map);
	again = open_id(world, BPF_LINK_GET_FD_BY_ID, link_id);
	expect(world, again, FD, "lifetime: the link by its id");
	world->close(world, link);
	expect_alive(world, BPF_PROG_GET_FD_BY_ID, prog_id,
		     "lifetime: a second descriptor holds it");
	world->close(world, again);
	expect_gone(world, BPF_LINK_GET_FD_BY_ID, link_id, "lifetime: the link goes with the last");
	expect_gone(world, BPF_PROG_GET_FD_BY_ID, prog_id, "lifetime: then its program");
	expect_gone(world, BPF_MAP_GET_FD_BY_ID, map_id, "lifetime: then the map");
}

static void fresh_ids(struct world *world)
{
	u32 last = 0, i, id, rising = 0;
	int fd;

	for (i = 0; i < 20; i++) {
		fd = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);
		id = id_of(world, fd, 4);
		rising += id > last;
		last = id;
		world->close(world, fd);
	}
	expect(world, rising, 20, "lifetime: every map has a new id");
}

void scenario_lifetime(struct world *world)
{
	chain(world);
	fresh_ids(world);
}
