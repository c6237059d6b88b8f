/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: cgroup storages, which clients find empty and test runs begin with zeros. */
#include "scenario.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	u32 key, value, max, flags;
	long shared, percpu; /* what the two types answer */
} creates[] = {
	{ "storage", 8, 8, 0, 0, FD, FD },
	{ "storage, key of two", 16, 8, 0, 0, FD, FD },
	{ "storage, key 12", 12, 8, 0, 0, -EINVAL, -EINVAL },
	{ "storage, key 4", 4, 8, 0, 0, -EINVAL, -EINVAL },
	{ "storage, no value", 8, 0, 0, 0, -EINVAL, -EINVAL },
	{ "storage, one entry", 8, 8, 1, 0, -EINVAL, -EINVAL },
	{ "storage, a CPU's largest", 8, 32768, 0, 0, FD, FD },
	{ "storage, larger", 8, 32769, 0, 0, FD, -E2BIG },
	{ "storage, largest", 8, 65407, 0, 0, FD, -E2BIG },
	{ "storage, too large", 8, 65408, 0, 0, -E2BIG, -E2BIG },
	{ "storage, RDONLY", 8, 8, 0, BPF_F_RDONLY, FD, FD },
	{ "storage, WRONLY_PROG", 8, 8, 0, BPF_F_WRONLY_PROG, FD, FD },
	{ "storage, NO_PREALLOC", 8, 8, 0, BPF_F_NO_PREALLOC, -EINVAL, -EINVAL },
};

static void element_calls(struct world *world, u32 type)
{
	int fd = world_map(world, type, 8, 8, 0, 0);
	static u64 value[1024];
	u64 key = 1;

	expect(world, world_lookup(world, fd, &key, value), -ENOENT, "storage: look up");
	expect(world, world_update(world, fd, &key, value, 0), -ENOENT, "storage: update");
	expect(world, world_update(world, fd, &key, value, BPF_EXIST), -ENOENT,
	       "storage: update, EXIST");
	expect(world, world_update(world, fd, &key, value, BPF_NOEXIST), -EINVAL,
	       "storage: update, NOEXIST");
	expect(world, world_update(world, fd, &key, value, BPF_F_LOCK), -EINVAL,
	       "storage: update, F_LOCK");
	expect(world, world_delete(world, fd, &key), -EINVAL, "storage: delete");
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, fd, NULL, &key, 0), -ENOENT,
	       "storage: first key");
	world->close(world, fd);
}

/* Counts in its storage, and returns whether that was 0 before; 6.18 wants 0 or 1. */
static int counting(struct world *world, int first, int second, s32 flags)
{
	const struct bpf_insn insns[] = {
		LD_MAP(1, BPF_PSEUDO_MAP_FD, first),
		MOV_K(2, flags),
		CALL(BPF_FUNC_get_local_storage),
		MOV_X(6, 0),
		LOAD(BPF_W, 7, 6, 0),
		ADD_K(7, 1),
		INSN(BPF_STX | BPF_MEM | BPF_W, 6, 7, 0, 0),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, second),
		MOV_K(2, flags),
		CALL(BPF_FUNC_get_local_storage),
		LOAD(BPF_W, 8, 0, 0),
		ADD_K(8, 1),
		INSN(BPF_STX | BPF_MEM | BPF_W, 0, 8, 0, 0),
		MOV_K(0, 1),
		INSN(BPF_JMP | BPF_JNE | BPF_K, 7, 0, 2, 3),
		INSN(BPF_JMP | BPF_JNE | BPF_K, 8, 0, 1, 3),
		MOV_K(0, 0),
		EXIT(),
	};

	return world_prog(world, BPF_PROG_TYPE_CGROUP_SKB, insns, ARRAY_SIZE(insns));
}

static long run(struct world *world, int prog, u32 repeat)
{
	static u8 data[64];
	union abi_attr attr;
	long error;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (u32)prog;
	attr.test.data_in = (u64)(uintptr_t)data;
	attr.test.data_size_in = sizeof(data);
	attr.test.repeat = repeat;
	error = world_call(world, BPF_PROG_TEST_RUN, &attr);
	return error ? error : attr.test.retval;
}

static void programs(struct world *world)
{
	int shared = world_map(world, BPF_MAP_TYPE_CGROUP_STORAGE, 8, 8, 0, 0);
	int percpu = world_map(world, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, 8, 8, 0, 0);
	int other = world_map(world, BPF_MAP_TYPE_CGROUP_STORAGE, 8, 8, 0, 0);
	int hash = world_map(world, BPF_MAP_TYPE_HASH, 8, 8, 4, 0);
	int prog = counting(world, shared, percpu, 0);

	expect(world, prog, FD, "storage: a program with both");
	expect(world, run(world, prog, 1), 1, "storage: the first run is no third");
	expect(world, run(world, prog, 2), 1, "storage: every command begins with zeros");
	expect(world, run(world, prog, 3), 0, "storage: what one run leaves the next one finds");
	world->close(world, prog);
	expect(world, counting(world, shared, other, 0), -EBUSY, "storage: two of a type");
	expect(world, counting(world, shared, percpu, 1), -EINVAL, "storage: flags");
	expect(world, counting(world, hash, percpu, 0), -EINVAL, "storage: of a hash");
	world->close(world, hash);
	world->close(world, other);
	world->close(world, percpu);
	world->close(world, shared);
}

void scenario_map_storage(struct world *world)
{
	for (u32 i = 0; i < 2 * ARRAY_SIZE(creates); i++) {
		u32 row = i / 2,
		    type = i % 2 ? BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE : BPF_MAP_TYPE_CGROUP_STORAGE;
		long fd = world_map(world, type, creates[row].key, creates[row].value,
				    creates[row].max, creates[row].flags);

		expect(world, fd, i % 2 ? creates[row].percpu : creates[row].shared,
		       creates[row].name);
		if (fd >= 0)
			world->close(world, (int)fd);
	}
	element_calls(world, BPF_MAP_TYPE_CGROUP_STORAGE);
	element_calls(world, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE);
	programs(world);
}
