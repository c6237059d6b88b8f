/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: maps that one program alone may have, and hashes of frozen arrays. */
#include "scenario.h"

#include <errno.h>
#include <string.h>

#include "abi/bpf_new.h"
#include "sys/sha256.h"

#define ENOTSUPP 524

static long create(struct world *world, u32 type, u32 value_size, int inner, const u8 *hash)
{
	union abi_attr attr = { 0 };

	attr.map_type = type;
	attr.key_size = 4;
	attr.value_size = value_size;
	attr.max_entries = 3;
	attr.inner_map_fd = (u32)inner;
	attr.excl_prog_hash = ADDRESS(hash);
	attr.excl_prog_hash_size = hash ? SHA256_SIZE : 0;
	return world_call(world, BPF_MAP_CREATE, &attr);
}

/* A program that has the map, by descriptor or by its value, and what stands behind that. */
static int load(struct world *world, int map, u32 pseudo, s32 result)
{
	const struct bpf_insn insns[] = { LD_MAP(1, pseudo, map), MOV_K(0, result), EXIT() };

	return world_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, insns, ARRAY_SIZE(insns));
}

static void digest(u8 *ret_digest)
{
	/* Descriptors count as 0. */
	const struct bpf_insn insns[] = { LD_MAP(1, BPF_PSEUDO_MAP_FD, 0), MOV_K(0, 7), EXIT() };

	sha256(insns, sizeof(insns), ret_digest);
}

static void programs(struct world *world, int map)
{
	int prog = load(world, map, BPF_PSEUDO_MAP_FD, 7), other;

	expect(world, prog, FD, "exclusive: its program");
	expect(world, load(world, map, BPF_PSEUDO_MAP_FD, 8), -EACCES, "exclusive: another one");
	expect(world, load(world, map, BPF_PSEUDO_MAP_VALUE, 7), -EACCES, "exclusive: the value");
	world->close(world, prog);
	other = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 3, 0);
	prog = load(world, other, BPF_PSEUDO_MAP_FD, 8);
	expect(world, prog, FD, "exclusive: a map that is not");
	world->close(world, prog);
	world->close(world, other);
}

/* Another map would lead any program to it. */
static void inside(struct world *world, const u8 *hash, int map)
{
	int plain = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 3, 0);
	int larger = (int)create(world, BPF_MAP_TYPE_ARRAY, 16, 0, hash);

	for (u32 type = BPF_MAP_TYPE_ARRAY_OF_MAPS; type <= BPF_MAP_TYPE_HASH_OF_MAPS; type++) {
		int outer = (int)create(world, type, 4, plain, NULL), excl;
		u32 key = 0;

		expect(world, create(world, type, 4, map, NULL), -ENOTSUPP, "exclusive: inner");
		expect(world, outer, FD, "exclusive: a map of maps");
		expect(world, world_update(world, outer, &key, &map, 0), -ENOTSUPP,
		       "exclusive: put into a map");
		expect(world, world_update(world, outer, &key, &larger, 0), -ENOTSUPP,
		       "exclusive: another kind put into a map");
		excl = (int)create(world, type, 4, plain, hash);
		expect(world, excl, FD, "exclusive: a map of maps that is");
		expect(world, create(world, type, 4, excl, NULL), -EINVAL, "exclusive: of these");
		world->close(world, excl);
		world->close(world, outer);
	}
	world->close(world, larger);
	world->close(world, plain);
}

static long ask_hash(struct world *world, int map, u64 address, u32 size)
{
	struct abi_map_info info = { .hash = address, .hash_size = size };
	union abi_attr attr = { 0 };

	attr.info.bpf_fd = (u32)map;
	attr.info.info = ADDRESS(&info);
	attr.info.info_len = offsetof(struct abi_map_info, hash_size) + sizeof(info.hash_size);
	return world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr);
}

static void hashes(struct world *world, u32 value_size)
{
	int map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, value_size, 3, 0);
	u8 hash[SHA256_SIZE + 1] = { 0 }, want[SHA256_SIZE], values[3 * 24] = { 0 };
	u32 stride = ALIGN_UP(value_size, 8u), key = 1;
	union abi_attr attr = { .elem = { .map_fd = (u32)map } };

	memset(values + stride, 'v', value_size);
	expect(world, world_update(world, map, &key, values + stride, 0), 0, "hash: a value");
	expect(world, ask_hash(world, map, ADDRESS(hash), SHA256_SIZE), -EPERM, "hash: not frozen");
	expect(world, ask_hash(world, map, ADDRESS(hash), 31), -EINVAL, "hash: not its size");
	expect(world, world_call(world, BPF_MAP_FREEZE, &attr), 0, "hash: it freezes");
	expect(world, ask_hash(world, map, ADDRESS(hash), SHA256_SIZE), 0, "hash: asked");
	sha256(values, 3 * stride, want);
	expect(world, memcmp(hash, want, sizeof(want)), 0, "hash: of the values");
	expect(world, ask_hash(world, map, ADDRESS(hash), 0), -EINVAL, "hash: no size");
	expect(world, ask_hash(world, map, 0, SHA256_SIZE), -EINVAL, "hash: no place");
	expect(world, ask_hash(world, map, 8, SHA256_SIZE), -EFAULT, "hash: a bad place");
	world->close(world, map);
	map = world_map(world, BPF_MAP_TYPE_HASH, 4, value_size, 3, 0);
	expect(world, ask_hash(world, map, ADDRESS(hash), SHA256_SIZE), -EINVAL, "hash: of a hash");
	world->close(world, map);
}

void scenario_exclusive(struct world *world)
{
	u8 hash[SHA256_SIZE];
	int map;

	digest(hash);
	map = (int)create(world, BPF_MAP_TYPE_ARRAY, 8, 0, hash);
	expect(world, map, FD, "exclusive: a map");
	programs(world, map);
	inside(world, hash, map);
	world->close(world, map);
	hashes(world, 8);
	hashes(world, 12);
}
