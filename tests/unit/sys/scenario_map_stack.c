/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: maps of stacks, from bpf(2) and as programs may use them. */
#include "scenario.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	u32 key, value, max, flags;
	long want;
} creates[] = {
	{ "stacks", 4, 80, 10, 0, FD },
	{ "stacks, key 8", 8, 80, 10, 0, -EINVAL },
	{ "stacks, no value", 4, 0, 10, 0, -EINVAL },
	{ "stacks, half an address", 4, 12, 10, 0, -EINVAL },
	{ "stacks, no entries", 4, 80, 0, 0, -EINVAL },
	{ "stacks, deepest", 4, 127 * 8, 10, 0, FD },
	{ "stacks, deeper", 4, 128 * 8, 10, 0, -EINVAL },
	{ "stacks, NUMA_NODE", 4, 80, 10, BPF_F_NUMA_NODE, FD },
	{ "stacks, NO_PREALLOC", 4, 80, 10, BPF_F_NO_PREALLOC, -EINVAL },
	{ "stacks, RDONLY_PROG", 4, 80, 10, BPF_F_RDONLY_PROG, -EINVAL },
	{ "stacks, RDONLY", 4, 80, 10, BPF_F_RDONLY, FD },
	{ "stacks, BUILD_ID", 4, 64, 10, BPF_F_STACK_BUILD_ID, FD },
	{ "stacks, BUILD_ID, value 8", 4, 8, 10, BPF_F_STACK_BUILD_ID, -EINVAL },
	{ "stacks, BUILD_ID, deepest", 4, 127 * 32, 10, BPF_F_STACK_BUILD_ID, FD },
	{ "stacks, BUILD_ID, deeper", 4, 128 * 32, 10, BPF_F_STACK_BUILD_ID, -EINVAL },
};

static void element_calls(struct world *world)
{
	int fd = world_map(world, BPF_MAP_TYPE_STACK_TRACE, 4, 16, 3, 0);
	u64 value[2] = { 1, 2 };
	u32 key = 3;

	expect(world, world_update(world, fd, &key, value, 0), -EINVAL, "stacks: update");
	expect(world, world_update(world, fd, &key, value, BPF_F_LOCK), -EINVAL,
	       "stacks: update, F_LOCK");
	expect(world, world_lookup(world, fd, &key, value), -ENOENT, "stacks: look up");
	expect(world, world_delete(world, fd, &key), -ENOENT, "stacks: delete");
	expect(world, scenario_element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, &key, value, 0),
	       -ENOENT, "stacks: look up and delete");
	key = 4;
	expect(world, world_lookup(world, fd, &key, value), -ENOENT, "stacks: look up, too far");
	expect(world, world_delete(world, fd, &key), -E2BIG, "stacks: delete, too far");
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, fd, &key, &key, 0), -ENOENT,
	       "stacks: next key");
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, fd, NULL, &key, 0), -ENOENT,
	       "stacks: first key");
	world->close(world, fd);
}

static long stack_prog(struct world *world, u32 type, s32 helper, int fd)
{
	const struct bpf_insn insns[] = {
		STORE_K(BPF_W, 10, -4, 0),
		MOV_X(6, 1),
		LD_MAP(2, BPF_PSEUDO_MAP_FD, fd),
		MOV_K(3, 256),
		CALL(helper),
		MOV_K(0, 0),
		EXIT(),
	};
	const struct bpf_insn lookup[] = {
		STORE_K(BPF_W, 10, -4, 0),
		MOV_X(2, 10),
		ADD_K(2, -4),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, fd),
		CALL(helper),
		MOV_K(0, 0),
		EXIT(),
	};
	long prog = helper == BPF_FUNC_map_lookup_elem || helper == BPF_FUNC_map_delete_elem
			    ? world_prog(world, type, lookup, ARRAY_SIZE(lookup))
			    : world_prog(world, type, insns, ARRAY_SIZE(insns));

	if (prog >= 0)
		world->close(world, (int)prog);
	return prog;
}

static void programs(struct world *world)
{
	int fd = world_map(world, BPF_MAP_TYPE_STACK_TRACE, 4, 16, 4, 0);
	int hash = world_map(world, BPF_MAP_TYPE_HASH, 4, 16, 4, 0);

	expect(world, stack_prog(world, BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_get_stackid, fd), FD,
	       "stacks: get_stackid");
	expect(world, stack_prog(world, BPF_PROG_TYPE_TRACEPOINT, BPF_FUNC_get_stackid, fd), FD,
	       "stacks: get_stackid in a tracepoint");
	expect(world, stack_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_get_stackid, fd),
	       -EINVAL, "stacks: get_stackid in a socket filter");
	expect(world, stack_prog(world, BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_get_stackid, hash),
	       -EINVAL, "stacks: get_stackid with a hash");
	expect(world, stack_prog(world, BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_map_lookup_elem, fd),
	       -EINVAL, "stacks: look up in a program");
	expect(world, stack_prog(world, BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_map_delete_elem, fd),
	       -EINVAL, "stacks: delete in a program");
	world->close(world, hash);
	world->close(world, fd);
}

void scenario_map_stack(struct world *world)
{
	for (u32 i = 0; i < ARRAY_SIZE(creates); i++) {
		long fd = world_map(world, BPF_MAP_TYPE_STACK_TRACE, creates[i].key,
				    creates[i].value, creates[i].max, creates[i].flags);

		expect(world, fd, creates[i].want, creates[i].name);
		if (fd >= 0)
			world->close(world, (int)fd);
	}
	element_calls(world);
	programs(world);
}
