/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: map types beside arrays, hashes and buffers, from bpf(2) and from programs. */
#include "scenario.h"

#include <errno.h>
#include <string.h>

struct create_case {
	const char *name;
	u32 type, key, value, max, flags;
	long want;
};

static const struct create_case creates[] = {
	{ "LRU hash", BPF_MAP_TYPE_LRU_HASH, 4, 8, 10, 0, FD },
	{ "LRU hash, NO_PREALLOC", BPF_MAP_TYPE_LRU_HASH, 4, 8, 10, BPF_F_NO_PREALLOC, -524 },
	{ "LRU hash, NO_COMMON_LRU", BPF_MAP_TYPE_LRU_HASH, 4, 8, 10, BPF_F_NO_COMMON_LRU, FD },
	{ "LRU hash, NUMA_NODE", BPF_MAP_TYPE_LRU_HASH, 4, 8, 10, BPF_F_NUMA_NODE, FD },
	{ "LRU hash, NUMA_NODE, NO_COMMON_LRU", BPF_MAP_TYPE_LRU_HASH, 4, 8, 10,
	  BPF_F_NUMA_NODE | BPF_F_NO_COMMON_LRU, -EINVAL },
	{ "LRU hash, NO_PREALLOC, no key", BPF_MAP_TYPE_LRU_HASH, 0, 8, 10, BPF_F_NO_PREALLOC,
	  -524 },
	{ "LRU hash, no entries", BPF_MAP_TYPE_LRU_HASH, 4, 8, 0, 0, -EINVAL },
	{ "LRU per-CPU hash", BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 10, 0, FD },
	{ "LRU per-CPU hash, NUMA_NODE", BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 10, BPF_F_NUMA_NODE,
	  -EINVAL },
	{ "LRU per-CPU hash, value 32769", BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 32769, 10, 0, -E2BIG },
	{ "LPM trie", BPF_MAP_TYPE_LPM_TRIE, 8, 8, 10, BPF_F_NO_PREALLOC, FD },
	{ "LPM trie, preallocated", BPF_MAP_TYPE_LPM_TRIE, 8, 8, 10, 0, -EINVAL },
	{ "LPM trie, key 4", BPF_MAP_TYPE_LPM_TRIE, 4, 8, 10, BPF_F_NO_PREALLOC, -EINVAL },
	{ "LPM trie, key 5", BPF_MAP_TYPE_LPM_TRIE, 5, 8, 10, BPF_F_NO_PREALLOC, FD },
	{ "LPM trie, key 260", BPF_MAP_TYPE_LPM_TRIE, 260, 8, 10, BPF_F_NO_PREALLOC, FD },
	{ "LPM trie, key 261", BPF_MAP_TYPE_LPM_TRIE, 261, 8, 10, BPF_F_NO_PREALLOC, -EINVAL },
	{ "LPM trie, value 0", BPF_MAP_TYPE_LPM_TRIE, 8, 0, 10, BPF_F_NO_PREALLOC, -EINVAL },
	{ "LPM trie, largest value", BPF_MAP_TYPE_LPM_TRIE, 8, (4u << 20) - 280, 10,
	  BPF_F_NO_PREALLOC, FD },
	{ "LPM trie, larger value", BPF_MAP_TYPE_LPM_TRIE, 8, (4u << 20) - 279, 10,
	  BPF_F_NO_PREALLOC, -EINVAL },
	{ "LPM trie, ZERO_SEED", BPF_MAP_TYPE_LPM_TRIE, 8, 8, 10,
	  BPF_F_NO_PREALLOC | BPF_F_ZERO_SEED, -EINVAL },
	{ "LPM trie, NUMA_NODE", BPF_MAP_TYPE_LPM_TRIE, 8, 8, 10,
	  BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE, FD },
	{ "queue", BPF_MAP_TYPE_QUEUE, 0, 8, 10, 0, FD },
	{ "queue, key 4", BPF_MAP_TYPE_QUEUE, 4, 8, 10, 0, -EINVAL },
	{ "queue, value 0", BPF_MAP_TYPE_QUEUE, 0, 0, 10, 0, -EINVAL },
	{ "queue, no entries", BPF_MAP_TYPE_QUEUE, 0, 8, 0, 0, -EINVAL },
	{ "queue, NO_PREALLOC", BPF_MAP_TYPE_QUEUE, 0, 8, 10, BPF_F_NO_PREALLOC, -EINVAL },
	{ "queue, RDONLY_PROG", BPF_MAP_TYPE_QUEUE, 0, 8, 10, BPF_F_RDONLY_PROG, FD },
	{ "queue, value of 4 MiB + 1", BPF_MAP_TYPE_QUEUE, 0, (4u << 20) + 1, 1, 0, -E2BIG },
	{ "stack", BPF_MAP_TYPE_STACK, 0, 8, 10, BPF_F_NUMA_NODE, FD },
	{ "stack, MMAPABLE", BPF_MAP_TYPE_STACK, 0, 8, 10, BPF_F_MMAPABLE, -EINVAL },
	{ "bloom filter", BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 10, 0, FD },
	{ "bloom filter, ZERO_SEED", BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 10, BPF_F_ZERO_SEED, FD },
	{ "bloom filter, key 4", BPF_MAP_TYPE_BLOOM_FILTER, 4, 8, 10, 0, -EINVAL },
	{ "bloom filter, value 0", BPF_MAP_TYPE_BLOOM_FILTER, 0, 0, 10, 0, -EINVAL },
	{ "bloom filter, no entries", BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 0, 0, -EINVAL },
	{ "bloom filter, NO_PREALLOC", BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 9, BPF_F_NO_PREALLOC,
	  -EINVAL },
};

static void create_all(struct world *world)
{
	union abi_attr attr = { 0 };
	long fd;

	for (u32 i = 0; i < ARRAY_SIZE(creates); i++) {
		const struct create_case *row = &creates[i];

		fd = world_map(world, row->type, row->key, row->value, row->max, row->flags);
		expect(world, fd, row->want, row->name);
		if (fd >= 0)
			world->close(world, (int)fd);
	}
	attr.map_type = BPF_MAP_TYPE_BLOOM_FILTER;
	attr.value_size = attr.max_entries = 4;
	attr.map_extra = 15;
	fd = world_call(world, BPF_MAP_CREATE, &attr);
	expect(world, fd, FD, "bloom filter, 15 hashes");
	if (fd >= 0)
		world->close(world, (int)fd);
	attr.map_extra = 16;
	expect(world, world_call(world, BPF_MAP_CREATE, &attr), -EINVAL, "bloom filter, 16 hashes");
	/* Of a Bloom filter only the size is looked at before the token. */
	attr.map_flags = ABI_F_TOKEN_FD;
	attr.map_token_fd = 900;
	expect(world, world_call(world, BPF_MAP_CREATE, &attr), -EBADF,
	       "bloom filter, 16 hashes and no token");
	attr.value_size = 1u << 23;
	expect(world, world_call(world, BPF_MAP_CREATE, &attr), -E2BIG,
	       "bloom filter, a value too large and no token");
}

long scenario_element(struct world *world, u32 cmd, int fd, const void *key, void *value, u64 flags)
{
	union abi_attr attr = { 0 };

	attr.elem.map_fd = (u32)fd;
	attr.elem.key = (u64)(uintptr_t)key;
	attr.elem.value = (u64)(uintptr_t)value;
	attr.elem.flags = flags;
	return world_call(world, cmd, &attr);
}

long scenario_run(struct world *world, int prog)
{
	union abi_attr attr = { 0 };
	u8 data[64] = { 0 };
	long result;

	attr.test.prog_fd = (u32)prog;
	attr.test.data_in = (u64)(uintptr_t)data;
	attr.test.data_size_in = sizeof(data);
	result = world_call(world, BPF_PROG_TEST_RUN, &attr);
	return result ? result : (long)attr.test.retval;
}

long scenario_run_once(struct world *world, u32 type, const struct bpf_insn *insns, u32 nr)
{
	int prog = world_prog(world, type, insns, nr);
	long result;

	if (prog < 0)
		return prog;
	result = scenario_run(world, prog);
	world->close(world, prog);
	return result;
}

/* Values 1 … 3 in a queue or stack of three. */
static void queue_calls(struct world *world, u32 type, u64 first)
{
	int fd = world_map(world, type, 0, 8, 3, 0);
	u64 value, out = 99;
	u32 key = 0;

	expect(world, world_lookup(world, fd, NULL, &out), -ENOENT, "queue: peek, empty");
	expect(world, (long)out, 99, "queue: nothing written");
	expect(world, scenario_element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, NULL, &out, 0),
	       -ENOENT, "queue: pop, empty");
	for (value = 1; value <= 3; value++)
		expect(world, world_update(world, fd, NULL, &value, 0), 0, "queue: push");
	expect(world, world_update(world, fd, NULL, &value, 0), -E2BIG, "queue: full");
	expect(world, world_update(world, fd, NULL, &value, BPF_NOEXIST), -EINVAL,
	       "queue: push, NOEXIST");
	expect(world, world_update(world, fd, NULL, &value, BPF_F_LOCK), -EINVAL,
	       "queue: push, F_LOCK");
	expect(world, world_update(world, fd, &key, &value, 0), -EINVAL, "queue: push with a key");
	expect(world, world_update(world, fd, NULL, &value, BPF_EXIST), 0, "queue: push over");
	expect(world, world_lookup(world, fd, NULL, &out), 0, "queue: peek");
	expect(world, (long)out, (long)first, "queue: what comes next");
	expect(world, scenario_element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, NULL, &out, 1),
	       -EINVAL, "queue: pop with flags");
	expect(world, scenario_element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, NULL, &out, 0), 0,
	       "queue: pop");
	expect(world, (long)out, (long)first, "queue: what came");
	expect(world, world_lookup(world, fd, &key, &out), -EINVAL, "queue: peek with a key");
	expect(world, world_delete(world, fd, NULL), -EINVAL, "queue: delete");
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, fd, NULL, &out, 0), -EINVAL,
	       "queue: next key");
	expect(world, scenario_element(world, BPF_MAP_FREEZE, fd, NULL, NULL, 0), 0,
	       "queue: freeze");
	expect(world, world_update(world, fd, NULL, &value, 0), -EPERM, "queue: push, frozen");
	expect(world, scenario_element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, NULL, &out, 0),
	       -EPERM, "queue: pop, frozen");
	world->close(world, fd);
}

static void bloom_calls(struct world *world)
{
	int fd = world_map(world, BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 1000, 0);
	u64 value = 7, other = 8;

	expect(world, world_lookup(world, fd, NULL, &value), -ENOENT, "bloom filter: empty");
	expect(world, world_update(world, fd, NULL, &value, 0), 0, "bloom filter: push");
	expect(world, world_lookup(world, fd, NULL, &value), 0, "bloom filter: perhaps there");
	expect(world, world_lookup(world, fd, NULL, &other), -ENOENT, "bloom filter: not there");
	expect(world, world_lookup(world, fd, NULL, NULL), -EFAULT, "bloom filter: look for NULL");
	expect(world, world_update(world, fd, NULL, &value, BPF_EXIST), -EINVAL,
	       "bloom filter: push, EXIST");
	expect(world, world_delete(world, fd, NULL), -EOPNOTSUPP, "bloom filter: delete");
	expect(world, scenario_element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, NULL, &value, 0),
	       -524, "bloom filter: pop");
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, fd, NULL, &other, 0),
	       -EOPNOTSUPP, "bloom filter: next key");
	world->close(world, fd);
}

/* A full map takes a new key all the same, and keeps the one that a program used. */
static void lru_calls(struct world *world)
{
	int fd = world_map(world, BPF_MAP_TYPE_LRU_HASH, 4, 8, 100, 0);
	u32 nr = 0;
	u64 value = 5;

	for (u32 key = 0; key < 1000; key++)
		nr += world_update(world, fd, &key, &value, BPF_NOEXIST) == 0;
	expect(world, nr, 1000, "LRU hash: takes every key");
	for (u32 key = nr = 0; key < 1000; key++)
		nr += world_lookup(world, fd, &key, &value) == 0;
	if (!tap_ok(nr > 0 && nr <= 100, "%s: LRU hash: holds at most its size", world->name))
		tap_note("it holds %u", nr);
	nr = 999;
	expect(world, world_lookup(world, fd, &nr, &value), 0, "LRU hash: the last key is there");
	expect(world, world_update(world, fd, &nr, &value, BPF_NOEXIST), -EEXIST,
	       "LRU hash: NOEXIST");
	expect(world, world_update(world, fd, &nr, &value, BPF_F_LOCK), -EINVAL,
	       "LRU hash: F_LOCK");
	expect(world, world_delete(world, fd, &nr), 0, "LRU hash: delete");
	expect(world, world_update(world, fd, &nr, &value, BPF_EXIST), -ENOENT, "LRU hash: EXIST");
	world->close(world, fd);
}

/* Pushes 11 and 12, pops or peeks into the stack and returns what came. */
static void program_calls(struct world *world, u32 type, u32 take, long want)
{
	int fd = world_map(world, type, 0, 8, 4, 0), prog;
	struct bpf_insn insns[] = {
		STORE_K(BPF_DW, 10, -8, 11),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, fd),
		MOV_X(2, 10),
		ADD_K(2, -8),
		MOV_K(3, 0),
		CALL(BPF_FUNC_map_push_elem),
		STORE_K(BPF_DW, 10, -8, 12),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, fd),
		MOV_X(2, 10),
		ADD_K(2, -8),
		MOV_K(3, 0),
		CALL(BPF_FUNC_map_push_elem),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, fd),
		MOV_X(2, 10),
		ADD_K(2, -16),
		CALL((s32)take),
		LOAD(BPF_DW, 0, 10, -16),
		EXIT(),
	};

	prog = world_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, insns, ARRAY_SIZE(insns));
	expect(world, prog, FD, "program with push and take");
	if (prog >= 0) {
		expect(world, scenario_run(world, prog), want, "program: what it took");
		world->close(world, prog);
	}
	world->close(world, fd);
}

static void program_refusals(struct world *world)
{
	static const u32 types[] = { BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK,
				     BPF_MAP_TYPE_BLOOM_FILTER, BPF_MAP_TYPE_HASH };
	static const u32 calls[] = { BPF_FUNC_map_push_elem, BPF_FUNC_map_pop_elem,
				     BPF_FUNC_map_peek_elem, BPF_FUNC_map_lookup_elem,
				     BPF_FUNC_map_delete_elem };

	for (u32 i = 0; i < ARRAY_SIZE(types); i++)
		for (u32 j = 0; j < ARRAY_SIZE(calls); j++) {
			bool hash = types[i] == BPF_MAP_TYPE_HASH, pops = j == 1;
			bool fits =
				hash ? j > 2
				     : j <= 2 && !(types[i] == BPF_MAP_TYPE_BLOOM_FILTER && pops);
			int fd = world_map(world, types[i], hash ? 8 : 0, 8, 4, 0), prog;
			struct bpf_insn insns[] = {
				STORE_K(BPF_DW, 10, -8, 1),
				LD_MAP(1, BPF_PSEUDO_MAP_FD, fd),
				MOV_X(2, 10),
				ADD_K(2, -8),
				MOV_K(3, 0),
				CALL((s32)calls[j]),
				MOV_K(0, 0),
				EXIT(),
			};

			prog = world_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, insns,
					  ARRAY_SIZE(insns));
			if (!tap_ok(fits ? prog >= 0 : prog == (j > 2 ? -EACCES : -EINVAL),
				    "%s: helper %u on map type %u", world->name, calls[j],
				    types[i]))
				tap_note("got %d", prog);
			if (prog >= 0)
				world->close(world, prog);
			world->close(world, fd);
		}
}

void scenario_map_types(struct world *world)
{
	create_all(world);
	queue_calls(world, BPF_MAP_TYPE_QUEUE, 2);
	queue_calls(world, BPF_MAP_TYPE_STACK, 4);
	bloom_calls(world);
	lru_calls(world);
	program_calls(world, BPF_MAP_TYPE_QUEUE, BPF_FUNC_map_pop_elem, 11);
	program_calls(world, BPF_MAP_TYPE_QUEUE, BPF_FUNC_map_peek_elem, 11);
	program_calls(world, BPF_MAP_TYPE_STACK, BPF_FUNC_map_pop_elem, 12);
	program_refusals(world);
}
