/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: commands on maps. */
#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool expect_at(const char *file, int line, struct world *world, long got, long want,
	       const char *name)
{
	bool ok = want == FD ? got >= 0 : got == want;

	if (!tap_ok_at(file, line, ok, "%s: %s", world->name, name))
		tap_note("got %ld, want %ld", got, want);
	return ok;
}

void scenario_attr(struct world *world)
{
	static u8 page[8192] __attribute__((aligned(8)));
	union abi_attr *attr = (union abi_attr *)page;
	u32 sizes[] = { 0, 4, 20, 72, 168, 169, 4096 }, i;
	long result;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		char name[64];

		memset(page, 0, sizeof(page));
		attr->map_type = BPF_MAP_TYPE_ARRAY;
		attr->key_size = 4;
		attr->value_size = 8;
		attr->max_entries = 1;
		result = world->bpf(world, BPF_MAP_CREATE, page, sizes[i]);
		snprintf(name, sizeof(name), "MAP_CREATE of %u bytes", sizes[i]);
		expect(world, result, sizes[i] >= 16 ? FD : -EINVAL, name);
		if (result >= 0)
			world->close(world, (int)result);
	}
	expect(world, world->bpf(world, BPF_MAP_CREATE, page, 4097), -E2BIG, "more than a page");
	page[4095] = 1;
	expect(world, world->bpf(world, BPF_MAP_CREATE, page, 4096), -E2BIG,
	       "garbage in the last byte");
	page[4095] = 0;
	page[168] = 1;
	expect(world, world->bpf(world, BPF_MAP_CREATE, page, 176), -E2BIG,
	       "garbage behind union bpf_attr");
	expect(world, world->bpf(world, BPF_MAP_CREATE, page, 168), FD, "garbage behind size");
	page[168] = 0;
	page[100] = 1;
	expect(world, world->bpf(world, BPF_MAP_CREATE, page, 168), -EINVAL,
	       "garbage behind the last field");
	page[100] = 0;
	expect(world, world->bpf(world, BPF_MAP_CREATE, NULL, 72), -EFAULT, "attributes at NULL");
	expect(world, world->bpf(world, BPF_MAP_CREATE, NULL, 0), -EINVAL, "no attributes at all");
	expect(world, world->bpf(world, BPF_MAP_CREATE, NULL, 200), -EFAULT, "a tail at NULL");
	expect(world, world->bpf(world, 38, page, 72), -EINVAL, "command 38");
	expect(world, world->bpf(world, 0x7fffffff, page, 72), -EINVAL, "a far away command");
	memset(page, 0, sizeof(page));
	for (i = 0; i < 38; i++) {
		char name[64];

		/* Every command knows less than the whole union, or has flags there; PROG_LOAD ends
		 * with it. */
		if (i == BPF_PROG_LOAD || i == BPF_ENABLE_STATS)
			continue;
		page[167] = 0x80;
		snprintf(name, sizeof(name), "command %u with garbage at its end", i);
		expect(world, world->bpf(world, i, page, 168), -EINVAL, name);
		page[167] = 0;
	}
}

struct create_case {
	const char *name;
	u32 type, key, value, max, flags;
	long want;
};

static const struct create_case creates[] = {
	{ "array", BPF_MAP_TYPE_ARRAY, 4, 8, 10, 0, FD },
	{ "array, key 8", BPF_MAP_TYPE_ARRAY, 8, 8, 10, 0, -EINVAL },
	{ "array, value 0", BPF_MAP_TYPE_ARRAY, 4, 0, 10, 0, -EINVAL },
	{ "array, no entries", BPF_MAP_TYPE_ARRAY, 4, 8, 0, 0, -EINVAL },
	{ "array, NO_PREALLOC", BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_NO_PREALLOC, -EINVAL },
	{ "array, MMAPABLE", BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_MMAPABLE, FD },
	{ "array, RDONLY", BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_RDONLY, FD },
	{ "array, RDONLY and WRONLY", BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_RDONLY | BPF_F_WRONLY,
	  -EINVAL },
	{ "array, RDONLY_PROG", BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_RDONLY_PROG, FD },
	{ "array, RDONLY_PROG and WRONLY_PROG", BPF_MAP_TYPE_ARRAY, 4, 8, 1,
	  BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG, -EINVAL },
	{ "array, PRESERVE_ELEMS", BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_PRESERVE_ELEMS, -EINVAL },
	{ "array, INNER_MAP", BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_INNER_MAP, FD },
	{ "array, flag 1 << 30", BPF_MAP_TYPE_ARRAY, 4, 8, 1, 1u << 30, -EINVAL },
	{ "array, ZERO_SEED", BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_ZERO_SEED, -EINVAL },
	{ "array, value of 2 GiB", BPF_MAP_TYPE_ARRAY, 4, 0x80000000u, 1, 0, -E2BIG },
	{ "array, TOKEN_FD 0", BPF_MAP_TYPE_ARRAY, 4, 8, 1, ABI_F_TOKEN_FD, -EINVAL },
	{ "per-CPU array", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 10, 0, FD },
	{ "per-CPU array, MMAPABLE", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 10, BPF_F_MMAPABLE, -EINVAL },
	{ "per-CPU array, value 32768", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 32768, 1, 0, FD },
	{ "per-CPU array, value 32769", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 32769, 1, 0, -E2BIG },
	{ "per-CPU array, NUMA_NODE", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1, BPF_F_NUMA_NODE,
	  -EINVAL },
	{ "hash", BPF_MAP_TYPE_HASH, 12, 9, 10, 0, FD },
	{ "hash, NO_PREALLOC", BPF_MAP_TYPE_HASH, 4, 8, 10, BPF_F_NO_PREALLOC, FD },
	{ "hash, ZERO_SEED", BPF_MAP_TYPE_HASH, 4, 8, 10, BPF_F_ZERO_SEED, FD },
	{ "hash, NO_COMMON_LRU", BPF_MAP_TYPE_HASH, 4, 8, 10, BPF_F_NO_COMMON_LRU, -EINVAL },
	{ "hash, MMAPABLE", BPF_MAP_TYPE_HASH, 4, 8, 10, BPF_F_MMAPABLE, -EINVAL },
	{ "hash, key 0", BPF_MAP_TYPE_HASH, 0, 8, 10, 0, -EINVAL },
	{ "hash, value 0", BPF_MAP_TYPE_HASH, 4, 0, 10, 0, -EINVAL },
	{ "hash, no entries", BPF_MAP_TYPE_HASH, 4, 8, 0, 0, -EINVAL },
	{ "hash, elements of 4 MiB", BPF_MAP_TYPE_HASH, 4, 4 << 20, 1, 0, -E2BIG },
	{ "hash, 2^31 + 1 entries", BPF_MAP_TYPE_HASH, 4, 4, 0x80000001u, BPF_F_NO_PREALLOC,
	  -E2BIG },
	{ "hash, NUMA_NODE", BPF_MAP_TYPE_HASH, 4, 8, 10, BPF_F_NUMA_NODE, FD },
	{ "per-CPU hash", BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 10, 0, FD },
	{ "per-CPU hash, NUMA_NODE", BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 10, BPF_F_NUMA_NODE, -EINVAL },
	{ "per-CPU hash, value 32769", BPF_MAP_TYPE_PERCPU_HASH, 4, 32769, 1, 0, -E2BIG },
	{ "prog array", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 10, 0, FD },
	{ "prog array, value 8", BPF_MAP_TYPE_PROG_ARRAY, 4, 8, 10, 0, -EINVAL },
	{ "prog array, RDONLY_PROG", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 10, BPF_F_RDONLY_PROG,
	  -EINVAL },
	{ "prog array, PRESERVE_ELEMS", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1, BPF_F_PRESERVE_ELEMS,
	  -EINVAL },
	{ "perf event array", BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 10, 0, FD },
	{ "perf event array, PRESERVE_ELEMS", BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 1,
	  BPF_F_PRESERVE_ELEMS, FD },
	{ "perf event array, key 8", BPF_MAP_TYPE_PERF_EVENT_ARRAY, 8, 4, 1, 0, -EINVAL },
	{ "ring buffer", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0, FD },
	{ "ring buffer, key 4", BPF_MAP_TYPE_RINGBUF, 4, 0, 4096, 0, -EINVAL },
	{ "ring buffer, value 4", BPF_MAP_TYPE_RINGBUF, 0, 4, 4096, 0, -EINVAL },
	{ "ring buffer of 5000", BPF_MAP_TYPE_RINGBUF, 0, 0, 5000, 0, -EINVAL },
	{ "ring buffer of 12288", BPF_MAP_TYPE_RINGBUF, 0, 0, 12288, 0, -EINVAL },
	{ "ring buffer of 2048", BPF_MAP_TYPE_RINGBUF, 0, 0, 2048, 0, -EINVAL },
	{ "ring buffer of 0", BPF_MAP_TYPE_RINGBUF, 0, 0, 0, 0, -EINVAL },
	{ "ring buffer, MMAPABLE", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, BPF_F_MMAPABLE, -EINVAL },
	{ "user ring", BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 4096, 0, FD },
	{ "user ring, key 4", BPF_MAP_TYPE_USER_RINGBUF, 4, 0, 4096, 0, -EINVAL },
	{ "user ring, value 4", BPF_MAP_TYPE_USER_RINGBUF, 0, 4, 4096, 0, -EINVAL },
	{ "user ring of 12288", BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 12288, 0, -EINVAL },
	{ "user ring of 0", BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 0, 0, -EINVAL },
	{ "user ring, RDONLY_PROG", BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 4096, BPF_F_RDONLY_PROG,
	  -EINVAL },
	{ "type 0", 0, 4, 4, 1, 0, -EINVAL },
	{ "type 34", 34, 4, 4, 1, 0, -EINVAL },
	{ "type 10^9", 1000000000, 4, 4, 1, 0, -EINVAL },
};

static void create_fields(struct world *world)
{
	union abi_attr attr, plain;

	memset(&plain, 0, sizeof(plain));
	plain.map_type = BPF_MAP_TYPE_ARRAY;
	plain.key_size = plain.value_size = 4;
	plain.max_entries = 1;
#define CASE(text, want, change)                                   \
	do {                                                       \
		long result;                                       \
		attr = plain;                                      \
		change;                                            \
		result = world_call(world, BPF_MAP_CREATE, &attr); \
		expect(world, result, want, "create: " text);      \
		if (result >= 0)                                   \
			world->close(world, (int)result);          \
	} while (0)
	CASE("plain", FD, );
	CASE("name", FD, memcpy(attr.map_name, "a_b.C9", 7));
	CASE("name with a blank", -EINVAL, memcpy(attr.map_name, "a b", 4));
	CASE("name with a dash", -EINVAL, memcpy(attr.map_name, "a-b", 4));
	CASE("name of 16", -EINVAL, memset(attr.map_name, 'a', 16));
	CASE("name of 15", FD, memset(attr.map_name, 'a', 15));
	CASE("Latin-1 letter in a name", FD, memcpy(attr.map_name, "\xe4", 2));
	CASE("device", -EOPNOTSUPP, attr.map_ifindex = 1);
	CASE("map_extra", -EINVAL, attr.map_extra = 1);
	CASE("key type without value type", -EINVAL, attr.btf_key_type_id = 1);
	CASE("value type without BTF", -EINVAL, attr.btf_value_type_id = 1);
	CASE("value type, BTF closed", -EBADF, (attr.btf_value_type_id = 1, attr.btf_fd = 900));
	CASE("vmlinux type", -EINVAL, attr.btf_vmlinux_value_type_id = 1);
	CASE("NUMA node 0", FD, attr.map_flags = BPF_F_NUMA_NODE);
	CASE("NUMA node 1000", -EINVAL, (attr.map_flags = BPF_F_NUMA_NODE, attr.numa_node = 1000));
	CASE("NUMA node without flag", FD, attr.numa_node = 1000);
	CASE("inner map without need", FD, attr.inner_map_fd = 5);
	CASE("BTF without types", FD, attr.btf_fd = 900);
	CASE("hash size without hash", -EINVAL, attr.excl_prog_hash_size = 32);
	CASE("token closed", -EBADF, (attr.map_flags = ABI_F_TOKEN_FD, attr.map_token_fd = 900));
#undef CASE
}

void scenario_map_create(struct world *world)
{
	u32 i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(creates); i++) {
		const struct create_case *row = &creates[i];

		fd = world_map(world, row->type, row->key, row->value, row->max, row->flags);
		expect(world, fd, row->want, row->name);
		if (fd >= 0)
			world->close(world, fd);
	}
	create_fields(world);
}

static void elem_hash(struct world *world)
{
	u32 key = 1, next = 0, missing = 99;
	u64 value = 42, out = 0;
	int fd = world_map(world, BPF_MAP_TYPE_HASH, 4, 8, 2, 0);
	union abi_attr attr;

	expect(world, world_lookup(world, fd, &key, &out), -ENOENT, "hash: empty");
	expect(world, world_delete(world, fd, &key), -ENOENT, "hash: delete what is not there");
	expect(world, world_update(world, fd, &key, &value, BPF_EXIST), -ENOENT,
	       "hash: EXIST, missing");
	expect(world, world_update(world, fd, &key, &value, BPF_NOEXIST), 0, "hash: NOEXIST");
	expect(world, world_update(world, fd, &key, &value, BPF_NOEXIST), -EEXIST,
	       "hash: NOEXIST again");
	expect(world, world_update(world, fd, &key, &value, 3), -EINVAL, "hash: flags 3");
	expect(world, world_update(world, fd, &key, &value, BPF_F_LOCK), -EINVAL, "hash: F_LOCK");
	expect(world, world_update(world, fd, &key, &value, 8), -EINVAL, "hash: flags 8");
	expect(world, world_lookup(world, fd, &key, &out), 0, "hash: found");
	expect(world, (long)out, 42, "hash: its value");
	memset(&attr, 0, sizeof(attr));
	attr.elem.map_fd = (u32)fd;
	attr.elem.next_key = (u64)(uintptr_t)&next;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_KEY, &attr), 0, "hash: first key");
	expect(world, next, 1, "hash: is the key");
	attr.elem.key = (u64)(uintptr_t)&key;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_KEY, &attr), -ENOENT,
	       "hash: no second key");
	attr.elem.key = (u64)(uintptr_t)&missing;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_KEY, &attr), 0,
	       "hash: behind a missing key");
	attr.elem.key = 8;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_KEY, &attr), -EFAULT, "hash: key at 8");
	attr.elem.key = 0;
	attr.elem.next_key = 8;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_KEY, &attr), -EFAULT,
	       "hash: next key at 8");
	expect(world, world_lookup(world, fd, NULL, &out), -EFAULT, "hash: look up NULL");
	expect(world, world_lookup(world, fd, &key, NULL), -EFAULT, "hash: look up into NULL");
	expect(world, world_update(world, fd, &key, NULL, 0), -EFAULT, "hash: update from NULL");
	key = 2;
	expect(world, world_update(world, fd, &key, &value, 0), 0, "hash: second");
	key = 3;
	expect(world, world_update(world, fd, &key, &value, 0), -E2BIG, "hash: full");
	key = 2;
	expect(world, world_update(world, fd, &key, &value, 0), 0, "hash: replace when full");
	memset(&attr, 0, sizeof(attr));
	attr.elem.map_fd = (u32)fd;
	attr.elem.key = (u64)(uintptr_t)&key;
	attr.elem.value = (u64)(uintptr_t)&out;
	out = 0;
	expect(world, world_call(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, &attr), 0,
	       "hash: take out");
	expect(world, (long)out, 42, "hash: what was there");
	expect(world, world_call(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, &attr), -ENOENT,
	       "hash: gone");
	attr.elem.flags = 1;
	expect(world, world_call(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, &attr), -EINVAL,
	       "hash: take, flags 1");
	expect(world, world_call(world, BPF_MAP_LOOKUP_ELEM, &attr), -EINVAL, "look up, flags 1");
	attr.elem.flags = BPF_F_LOCK;
	expect(world, world_call(world, BPF_MAP_LOOKUP_ELEM, &attr), -EINVAL, "look up, F_LOCK");
	world->close(world, fd);
}

static void elem_array(struct world *world)
{
	u32 key = 1, next = 7;
	u64 value = 42, out = 1;
	int fd = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 2, 0);
	union abi_attr attr;

	expect(world, world_lookup(world, fd, &key, &out), 0, "array: zero before any update");
	expect(world, (long)out, 0, "array: zero");
	expect(world, world_update(world, fd, &key, &value, BPF_NOEXIST), -EEXIST,
	       "array: NOEXIST");
	expect(world, world_update(world, fd, &key, &value, BPF_EXIST), 0, "array: EXIST");
	expect(world, world_update(world, fd, &key, &value, 3), -EINVAL, "array: flags 3");
	expect(world, world_delete(world, fd, &key), -EINVAL, "array: delete");
	memset(&attr, 0, sizeof(attr));
	attr.elem.map_fd = (u32)fd;
	attr.elem.next_key = (u64)(uintptr_t)&next;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_KEY, &attr), 0, "array: first key");
	expect(world, next, 0, "array: is 0");
	attr.elem.key = (u64)(uintptr_t)&key;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_KEY, &attr), -ENOENT,
	       "array: behind the last");
	key = 9;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_KEY, &attr), 0, "array: behind a bad key");
	expect(world, world_lookup(world, fd, &key, &out), -ENOENT, "array: out of range");
	expect(world, world_update(world, fd, &key, &value, 0), -E2BIG,
	       "array: update out of range");
	attr.elem.value = (u64)(uintptr_t)&out;
	expect(world, world_call(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, &attr), -ABI_ENOTSUPP,
	       "array: take out");
	world->close(world, fd);
	fd = world_map(world, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	expect(world, world_lookup(world, fd, NULL, &out), -ABI_ENOTSUPP, "ring buffer: look up");
	expect(world, world_lookup(world, fd, &key, &out), -EINVAL, "ring buffer: look up a key");
	expect(world, world_update(world, fd, NULL, &value, 0), -ABI_ENOTSUPP,
	       "ring buffer: update");
	expect(world, world_delete(world, fd, NULL), -ABI_ENOTSUPP, "ring buffer: delete");
	memset(&attr, 0, sizeof(attr));
	attr.elem.map_fd = (u32)fd;
	attr.elem.next_key = (u64)(uintptr_t)&next;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_KEY, &attr), -ABI_ENOTSUPP,
	       "ring buffer: next key");
	world->close(world, fd);
}

static void elem_percpu(struct world *world)
{
	static u64 values[512], out[512];
	u32 key = 1, types[] = { BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH }, i;
	int fd;

	for (i = 0; i < 2; i++) {
		fd = world_map(world, types[i], 4, 4, 4, 0);
		values[0] = 5;
		values[1] = 7;
		expect(world, world_update(world, fd, &key, values, 0), 0, "per-CPU: update");
		memset(out, 0xff, sizeof(out));
		expect(world, world_lookup(world, fd, &key, out), 0, "per-CPU: look up");
		expect(world, (long)out[0], 5, "per-CPU: first CPU's value, padded with zeros");
		expect(world, world_update(world, fd, &key, values, 8), -EINVAL,
		       "per-CPU: flags 8");
		expect(world, world_delete(world, fd, &key), i ? 0 : -EINVAL, "per-CPU: delete");
		world->close(world, fd);
	}
}

static void elem_rights(struct world *world)
{
	u32 key = 0;
	u64 value = 1;
	union abi_attr attr;
	int fd = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_RDONLY);

	expect(world, world_lookup(world, fd, &key, &value), 0, "RDONLY: look up");
	expect(world, world_update(world, fd, &key, &value, 0), -EPERM, "RDONLY: update");
	expect(world, world_delete(world, fd, &key), -EPERM, "RDONLY: delete");
	memset(&attr, 0, sizeof(attr));
	attr.elem.map_fd = (u32)fd;
	expect(world, world_call(world, BPF_MAP_FREEZE, &attr), -EPERM, "RDONLY: freeze");
	world->close(world, fd);
	fd = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_WRONLY);
	expect(world, world_update(world, fd, &key, &value, 0), 0, "WRONLY: update");
	expect(world, world_lookup(world, fd, &key, &value), -EPERM, "WRONLY: look up");
	attr.elem.map_fd = (u32)fd;
	attr.elem.next_key = (u64)(uintptr_t)&key;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_KEY, &attr), -EPERM, "WRONLY: next key");
	world->close(world, fd);
	fd = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_RDONLY_PROG);
	expect(world, world_update(world, fd, &key, &value, 0), 0, "RDONLY_PROG: update");
	memset(&attr, 0, sizeof(attr));
	attr.elem.map_fd = (u32)fd;
	expect(world, world_call(world, BPF_MAP_FREEZE, &attr), 0, "freeze");
	expect(world, world_call(world, BPF_MAP_FREEZE, &attr), -EPERM, "freeze again");
	expect(world, world_update(world, fd, &key, &value, 0), -EPERM, "frozen: update");
	expect(world, world_lookup(world, fd, &key, &value), 0, "frozen: look up");
	attr.elem.key = 1;
	expect(world, world_call(world, BPF_MAP_FREEZE, &attr), -EINVAL, "freeze with garbage");
	world->close(world, fd);
	expect(world, world_lookup(world, fd, &key, &value), -EBADF, "closed");
	expect(world, world_lookup(world, 1, &key, &value), -EINVAL, "not a map");
	expect(world, world_lookup(world, -1, &key, &value), -EBADF, "fd -1");
}

void scenario_map_elem(struct world *world)
{
	elem_hash(world);
	elem_array(world);
	elem_percpu(world);
	elem_rights(world);
}

struct batch_data {
	u32 keys[16], token[4], out_token[4];
	u64 values[16];
};

static long batch(struct world *world, u32 cmd, int fd, struct batch_data *data, bool from,
		  u32 *count)
{
	union abi_attr attr;
	long result;

	memset(&attr, 0, sizeof(attr));
	attr.batch.map_fd = (u32)fd;
	attr.batch.keys = (u64)(uintptr_t)data->keys;
	attr.batch.values = (u64)(uintptr_t)data->values;
	attr.batch.in_batch = from ? (u64)(uintptr_t)data->token : 0;
	attr.batch.out_batch = (u64)(uintptr_t)data->out_token;
	attr.batch.count = *count;
	result = world_call(world, cmd, &attr);
	*count = attr.batch.count;
	memcpy(data->token, data->out_token, sizeof(data->token));
	return result;
}

void scenario_map_batch(struct world *world)
{
	struct batch_data data = { .keys = { 0, 1, 2, 3 }, .values = { 10, 11, 12, 13 } };
	u32 count, sum = 0, i;
	int array = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0);
	int hash = world_map(world, BPF_MAP_TYPE_HASH, 4, 8, 16, 0);
	int ring = world_map(world, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);

	count = 4;
	expect(world, batch(world, BPF_MAP_UPDATE_BATCH, array, &data, false, &count), 0,
	       "batch: array");
	expect(world, count, 4, "batch: all");
	expect(world, batch(world, BPF_MAP_UPDATE_BATCH, hash, &data, false, &count), 0,
	       "batch: hash");
	count = 0;
	expect(world, batch(world, BPF_MAP_UPDATE_BATCH, hash, &data, false, &count), 0,
	       "batch of none");
	count = 4;
	expect(world, batch(world, BPF_MAP_DELETE_BATCH, array, &data, false, &count),
	       -ABI_ENOTSUPP, "batch: delete from an array");
	expect(world, batch(world, BPF_MAP_LOOKUP_AND_DELETE_BATCH, array, &data, false, &count),
	       -ABI_ENOTSUPP, "batch: take from an array");
	expect(world, batch(world, BPF_MAP_LOOKUP_BATCH, ring, &data, false, &count), -ABI_ENOTSUPP,
	       "batch: ring buffer");
	memset(data.values, 0, sizeof(data.values));
	count = 3;
	expect(world, batch(world, BPF_MAP_LOOKUP_BATCH, array, &data, false, &count), 0,
	       "batch: three of an array");
	expect(world, (long)data.values[2], 12, "batch: the third");
	count = 3;
	expect(world, batch(world, BPF_MAP_LOOKUP_BATCH, array, &data, true, &count), -ENOENT,
	       "batch: the rest of an array");
	expect(world, count, 1, "batch: is one");
	expect(world, (long)data.values[0], 13, "batch: the fourth");
	count = 16;
	expect(world, batch(world, BPF_MAP_LOOKUP_BATCH, hash, &data, false, &count), -ENOENT,
	       "batch: a whole hash");
	for (i = 0; i < count && i < 16; i++)
		sum += (u32)data.values[i];
	expect(world, sum, 46, "batch: everything once");
	count = 16;
	expect(world, batch(world, BPF_MAP_LOOKUP_AND_DELETE_BATCH, hash, &data, false, &count),
	       -ENOENT, "batch: take a whole hash");
	expect(world, count, 4, "batch: all four");
	count = 16;
	expect(world, batch(world, BPF_MAP_LOOKUP_BATCH, hash, &data, false, &count), -ENOENT,
	       "batch: an empty hash");
	expect(world, count, 0, "batch: nothing");
	count = 1;
	expect(world, batch(world, BPF_MAP_DELETE_BATCH, hash, &data, false, &count), -ENOENT,
	       "batch: delete what is gone");
	expect(world, count, 0, "batch: nothing deleted");
	expect(world, batch(world, BPF_MAP_LOOKUP_BATCH, 900, &data, false, &count), -EBADF,
	       "batch: closed");
	world->close(world, array);
	world->close(world, hash);
	world->close(world, ring);
}
