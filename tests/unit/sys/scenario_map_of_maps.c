/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: arrays and hashes of maps, from bpf(2) and from programs. */
#include "scenario.h"

#include <errno.h>
#include <string.h>

static int outer_map(struct world *world, u32 type, int inner, u32 nr)
{
	union abi_attr attr = { 0 };

	attr.map_type = type;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = nr;
	attr.inner_map_fd = (u32)inner;
	return (int)world_call(world, BPF_MAP_CREATE, &attr);
}

static void inner_kinds(struct world *world, u32 type)
{
	static const struct {
		u32 type, key, value, max;
		long want;
	} kinds[] = {
		{ BPF_MAP_TYPE_HASH, 4, 8, 4, FD },
		{ BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, FD },
		{ BPF_MAP_TYPE_QUEUE, 0, 8, 4, FD },
		{ BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 4, FD },
		{ BPF_MAP_TYPE_LRU_HASH, 4, 8, 4, FD },
		{ BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 4, FD },
		{ BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 4, FD },
		{ BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, -524 },
	};
	int fd, outer, nested;

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		fd = world_map(world, kinds[i].type, kinds[i].key, kinds[i].value, kinds[i].max, 0);
		outer = outer_map(world, type, fd, 2);
		expect(world, outer, kinds[i].want, "of maps: a type that may be in it");
		if (outer >= 0) {
			nested = outer_map(world, type, outer, 2);
			expect(world, nested, -EINVAL, "of maps: not of arrays of maps");
			world->close(world, outer);
		}
		world->close(world, fd);
	}
	expect(world, outer_map(world, type, 900, 2), -EBADF, "of maps: closed sample");
}

/* The two kinds differ in what a new key means. */
static void past_the_end(struct world *world, u32 type, int outer, int inner)
{
	bool hash = type == BPF_MAP_TYPE_HASH_OF_MAPS;
	u32 key = 2, next;

	expect(world, world_update(world, outer, &key, &inner, 0), hash ? 0 : -E2BIG,
	       "of maps: another key");
	key = 3;
	expect(world, world_update(world, outer, &key, &inner, 0), -E2BIG, "of maps: full");
	expect(world, world_delete(world, outer, &key), hash ? -ENOENT : -E2BIG,
	       "of maps: delete what is not there");
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, outer, &key, &next, 0), 0,
	       "of maps: the first key");
	key = 2;
	expect(world, world_delete(world, outer, &key), hash ? 0 : -E2BIG, "of maps: delete it");
}

/* All keys at once, and taking them out. */
static void batches(struct world *world, u32 type)
{
	bool hash = type == BPF_MAP_TYPE_HASH_OF_MAPS;
	int a = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0),
	    outer = outer_map(world, type, a, 2);
	u32 keys[4] = { 0, 1 }, values[4] = { (u32)a, (u32)a }, out[4] = { 0 }, ids[4] = { 0 };
	union abi_attr attr = { 0 };

	attr.batch.map_fd = (u32)outer;
	attr.batch.keys = (u64)(uintptr_t)keys;
	attr.batch.values = (u64)(uintptr_t)values;
	attr.batch.count = 2;
	expect(world, world_call(world, BPF_MAP_UPDATE_BATCH, &attr), 0, "of maps: update batch");
	memset(&attr, 0, sizeof(attr));
	attr.batch.map_fd = (u32)outer;
	attr.batch.keys = (u64)(uintptr_t)keys;
	attr.batch.values = (u64)(uintptr_t)ids;
	attr.batch.out_batch = (u64)(uintptr_t)out;
	attr.batch.count = 4;
	expect(world, world_call(world, BPF_MAP_LOOKUP_BATCH, &attr), -ENOENT,
	       "of maps: lookup batch");
	expect(world, attr.batch.count, 2, "of maps: all of them");
	tap_ok(ids[0] && ids[0] == ids[1], "%s: of maps: their ids", world->name);
	memset(&attr, 0, sizeof(attr));
	attr.batch.map_fd = (u32)outer;
	attr.batch.keys = (u64)(uintptr_t)keys;
	attr.batch.values = (u64)(uintptr_t)ids;
	attr.batch.out_batch = (u64)(uintptr_t)out;
	attr.batch.count = 4;
	expect(world, world_call(world, BPF_MAP_LOOKUP_AND_DELETE_BATCH, &attr),
	       hash ? -ENOENT : -524, "of maps: lookup and delete batch");
	expect(world, world_lookup(world, outer, &keys[1], &ids[0]), hash ? -ENOENT : 0,
	       "of maps: after it");
	values[0] = 900;
	attr.batch.values = (u64)(uintptr_t)values;
	attr.batch.count = 2;
	expect(world, world_call(world, BPF_MAP_UPDATE_BATCH, &attr), -EBADF,
	       "of maps: update batch with a closed descriptor");
	attr.batch.values = attr.batch.out_batch = 0;
	attr.batch.count = 1;
	expect(world, world_call(world, BPF_MAP_DELETE_BATCH, &attr), hash ? -ENOENT : -524,
	       "of maps: delete batch");
	world->close(world, outer);
	world->close(world, a);
}

static void outer_calls(struct world *world, u32 type)
{
	int a = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0),
	    b = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0),
	    longer = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 5, 0),
	    hash = world_map(world, BPF_MAP_TYPE_HASH, 4, 8, 4, 0),
	    outer = outer_map(world, type, a, 2);
	u32 key = 0, closed = 900, id = 0, next = 0;
	bool hash_type = type == BPF_MAP_TYPE_HASH_OF_MAPS;

	expect(world, outer, FD, "map of maps");
	expect(world, world_lookup(world, outer, &key, &id), -ENOENT, "of maps: empty slot");
	expect(world, world_delete(world, outer, &key), -ENOENT, "of maps: delete nothing");
	expect(world, world_update(world, outer, &key, &b, 0), 0, "of maps: store");
	expect(world, world_update(world, outer, &key, &b, BPF_EXIST), hash_type ? 0 : -EINVAL,
	       "of maps: EXIST");
	expect(world, world_update(world, outer, &key, &b, BPF_NOEXIST),
	       hash_type ? -EEXIST : -EINVAL, "of maps: NOEXIST");
	expect(world, world_update(world, outer, &key, &b, 3), -EINVAL, "of maps: flags");
	expect(world, world_update(world, outer, &key, &b, BPF_F_LOCK), -EINVAL, "of maps: F_LOCK");
	expect(world, scenario_element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, outer, &key, &id, 0),
	       -524, "of maps: look up and delete");
	expect(world, world_update(world, outer, &key, &longer, 0), -EINVAL,
	       "of maps: another length");
	expect(world, world_update(world, outer, &key, &hash, 0), -EINVAL, "of maps: another type");
	expect(world, world_update(world, outer, &key, &closed, 0), -EBADF,
	       "of maps: closed descriptor");
	expect(world, world_lookup(world, outer, &key, &id), 0, "of maps: look up");
	if (!tap_ok(id > 0, "%s: of maps: an id", world->name))
		tap_note("it is %u", id);
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, outer, &key, &next, 0),
	       hash_type ? -ENOENT : 0, "of maps: next key");
	past_the_end(world, type, outer, b);
	key = 0;
	expect(world, world_delete(world, outer, &key), 0, "of maps: delete");
	expect(world, world_lookup(world, outer, &key, &id), -ENOENT, "of maps: gone");
	world->close(world, outer);
	world->close(world, hash);
	world->close(world, longer);
	world->close(world, b);
	world->close(world, a);
}

/* Looks up slot 0 and in the map found there element 1, whose value it returns; 77: no map. */
static int outer_prog(struct world *world, int outer, bool checks, bool writes)
{
	struct bpf_insn insns[] = {
		STORE_K(BPF_W, 10, -4, 0),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, outer),
		MOV_X(2, 10),
		ADD_K(2, -4),
		CALL(BPF_FUNC_map_lookup_elem),
		JEQ_K(0, 0, (s16)(checks ? 9 : 0)),
		STORE_K(BPF_W, 10, -4, 1),
		MOV_X(1, 0),
		MOV_X(2, 10),
		ADD_K(2, -4),
		writes ? STORE_K(BPF_W, 0, 0, 7) : MOV_K(3, 0),
		CALL(BPF_FUNC_map_lookup_elem),
		JEQ_K(0, 0, 2),
		LOAD(BPF_DW, 0, 0, 0),
		EXIT(),
		MOV_K(0, 77),
		EXIT(),
	};

	return world_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, insns, ARRAY_SIZE(insns));
}

static void outer_programs(struct world *world, u32 type)
{
	int a = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0),
	    b = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0),
	    outer = outer_map(world, type, a, 2);
	int prog = outer_prog(world, outer, true, false);
	u32 key = 1, slot = 0;
	u64 value = 41;

	expect(world, prog, FD, "of maps: program");
	expect(world, scenario_run(world, prog), 77, "of maps: nothing there");
	expect(world, world_update(world, a, &key, &value, 0), 0, "of maps: a value");
	value = 42;
	expect(world, world_update(world, b, &key, &value, 0), 0, "of maps: another");
	expect(world, world_update(world, outer, &slot, &a, 0), 0, "of maps: a map");
	expect(world, scenario_run(world, prog), 41, "of maps: its value");
	expect(world, world_update(world, outer, &slot, &b, 0), 0, "of maps: another map");
	world->close(world, b);
	expect(world, scenario_run(world, prog), 42, "of maps: its value, the descriptor closed");
	expect(world, world_delete(world, outer, &slot), 0, "of maps: taken out");
	expect(world, scenario_run(world, prog), 77, "of maps: nothing there again");
	expect(world, outer_prog(world, outer, true, true), -EACCES,
	       "of maps: a program that writes into the map's descriptor");
	expect(world, outer_prog(world, outer, false, false), -EACCES,
	       "of maps: a program that does not look for null");
	world->close(world, prog);
	world->close(world, outer);
	world->close(world, a);
}

void scenario_map_of_maps(struct world *world)
{
	static const u32 types[] = { BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS };

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		inner_kinds(world, types[i]);
		outer_calls(world, types[i]);
		outer_programs(world, types[i]);
		batches(world, types[i]);
	}
}
