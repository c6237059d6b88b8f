/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: storage of sockets, tasks, inodes and cgroups; cgroup arrays. */
#include "scenario.h"
#include "../btf/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INT = 1, LONG, LOCK, LOCKED, BLOB, LARGE };

#define VALUE_MAX (65535 - 128)

static int load_btf(struct world *world)
{
	static struct blob blob;

	memset(&blob, 0, sizeof(blob));
	blob_int(&blob, "int", 4);
	blob_int(&blob, "long", 8);
	blob_type(&blob, "bpf_spin_lock", BTF_KIND_STRUCT, 0, 1, 4);
	blob_member(&blob, "val", INT, 0);
	blob_type(&blob, "locked", BTF_KIND_STRUCT, 0, 2, 8);
	blob_member(&blob, "number", INT, 0), blob_member(&blob, "lock", LOCK, 32);
	blob_type(&blob, "blob", BTF_KIND_STRUCT, 0, 0, VALUE_MAX);
	blob_type(&blob, "large", BTF_KIND_STRUCT, 0, 0, VALUE_MAX + 1);
	blob_finish(&blob);
	return world_btf(world, &blob);
}

union abi_attr scenario_storage(u32 type, int btf)
{
	union abi_attr attr = { 0 };

	attr.map_type = type;
	attr.key_size = 4;
	attr.value_size = 8;
	attr.map_flags = BPF_F_NO_PREALLOC;
	attr.btf_fd = (u32)btf;
	attr.btf_key_type_id = INT;
	attr.btf_value_type_id = LONG;
	return attr;
}

static void creates(struct world *world, u32 type, int btf)
{
	union abi_attr attr;
	long result;

#define CASE(text, want, change)                                   \
	do {                                                       \
		attr = scenario_storage(type, btf);                \
		change;                                            \
		result = world_call(world, BPF_MAP_CREATE, &attr); \
		expect(world, result, want, "storage: " text);     \
		if (result >= 0)                                   \
			world->close(world, (int)result);          \
	} while (0)
	CASE("create", FD, );
	CASE("preallocated", -EINVAL, attr.map_flags = 0);
	CASE("CLONE", FD, attr.map_flags |= BPF_F_CLONE);
	CASE("RDONLY", -EINVAL, attr.map_flags |= BPF_F_RDONLY);
	CASE("with entries", -EINVAL, attr.max_entries = 1);
	CASE("key 8", -EINVAL, attr.key_size = 8);
	CASE("no value", -EINVAL, attr.value_size = 0);
	CASE("no key type", -EINVAL, attr.btf_key_type_id = 0);
	CASE("no value type", -EINVAL, attr.btf_value_type_id = 0);
	CASE("no types", -EINVAL, attr.btf_key_type_id = attr.btf_value_type_id = 0);
	CASE("key a structure", -EINVAL, attr.btf_key_type_id = LOCK);
	CASE("value with a lock", FD, attr.btf_value_type_id = LOCKED);
	CASE("largest value", FD, (attr.value_size = VALUE_MAX, attr.btf_value_type_id = BLOB));
	CASE("larger value", -E2BIG,
	     (attr.value_size = VALUE_MAX + 1, attr.btf_value_type_id = LARGE));
#undef CASE
}

/* What is the same for every owner. */
static void calls(struct world *world, u32 type, int btf, int owner)
{
	union abi_attr attr = scenario_storage(type, btf);
	int map = (int)world_call(world, BPF_MAP_CREATE, &attr), closed = 900;
	const char *name = "storage";
	u64 value = 7, out = 0;
	u32 next = 0;

	expect(world, map, FD, name);
	expect(world, world_lookup(world, map, &owner, &out), -ENOENT, name);
	expect(world, world_delete(world, map, &owner), -ENOENT, name);
	expect(world, world_update(world, map, &owner, &value, BPF_EXIST), -ENOENT, name);
	expect(world, world_update(world, map, &owner, &value, 3), -EINVAL, name);
	expect(world, world_update(world, map, &owner, &value, BPF_F_LOCK), -EINVAL, name);
	expect(world, world_update(world, map, &owner, &value, BPF_NOEXIST), 0, name);
	expect(world, world_update(world, map, &owner, &value, BPF_NOEXIST), -EEXIST, name);
	expect(world, world_lookup(world, map, &owner, &out), 0, name);
	expect(world, (long)out, 7, name);
	value = 8;
	expect(world, world_update(world, map, &owner, &value, BPF_EXIST), 0, name);
	expect(world, world_lookup(world, map, &owner, &out), 0, name);
	expect(world, (long)out, 8, name);
	expect(world, world_update(world, map, &closed, &value, 0), -EBADF, name);
	expect(world, world_lookup(world, map, &closed, &out), -EBADF, name);
	expect(world, world_delete(world, map, &closed), -EBADF, name);
	expect(world, scenario_element(world, BPF_MAP_GET_NEXT_KEY, map, NULL, &next, 0), -524,
	       name);
	expect(world, scenario_element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, map, &owner, &out, 0),
	       -524, name);
	expect(world, world_delete(world, map, &owner), 0, name);
	expect(world, world_delete(world, map, &owner), -ENOENT, name);
	expect(world, world_lookup(world, map, &owner, &out), -ENOENT, name);
	world->close(world, map);
}

static void wrong_owner(struct world *world, u32 type, int btf, int owner, long want)
{
	union abi_attr attr = scenario_storage(type, btf);
	int map = (int)world_call(world, BPF_MAP_CREATE, &attr);
	u64 value = 1;

	expect(world, world_update(world, map, &owner, &value, 0), want, "storage: no owner");
	world->close(world, map);
}

static void locked(struct world *world, int btf, int owner)
{
	union abi_attr attr = scenario_storage(BPF_MAP_TYPE_SK_STORAGE, btf);
	u32 value[2] = { 5, 1 }, out[2] = { 9, 9 };
	int map;

	attr.btf_value_type_id = LOCKED;
	map = (int)world_call(world, BPF_MAP_CREATE, &attr);
	expect(world, world_update(world, map, &owner, value, BPF_F_LOCK), 0, "storage: F_LOCK");
	expect(world, scenario_element(world, BPF_MAP_LOOKUP_ELEM, map, &owner, out, BPF_F_LOCK), 0,
	       "storage: look up, F_LOCK");
	expect(world, out[0], 5, "storage: the value");
	expect(world, out[1], 0, "storage: without the lock");
	world->close(world, map);
}

/* Two owners of a kind, of which one goes and another one comes. */
static void many_sockets(struct world *world, int btf)
{
	union abi_attr attr = scenario_storage(BPF_MAP_TYPE_SK_STORAGE, btf);
	int map = (int)world_call(world, BPF_MAP_CREATE, &attr), sockets[2];
	u32 right = 0;
	u64 value, out = 0;

	for (u32 i = 0; i < 50; i++) {
		for (u32 j = 0; j < 2; j++) {
			sockets[j] = world_take(world, socket(AF_INET, SOCK_DGRAM, 0));
			value = 2 * i + j;
			right += world_lookup(world, map, &sockets[j], &out) == -ENOENT &&
				 world_update(world, map, &sockets[j], &value, BPF_NOEXIST) == 0;
		}
		for (u32 j = 0; j < 2; j++) {
			right += world_lookup(world, map, &sockets[j], &out) == 0 &&
				 out == 2 * i + j;
			world->close(world, sockets[j]);
		}
	}
	expect(world, right, 200, "storage: each socket its own");
	world->close(world, map);
}

static int pidfd_of(struct world *world, pid_t pid)
{
	return world_take(world, (int)syscall(SYS_pidfd_open, pid, 0));
}

static void dead_task(struct world *world, int btf)
{
	pid_t pid = fork();
	int fd;

	if (!pid) {
		pause();
		_exit(0);
	}
	fd = pidfd_of(world, pid);
	calls(world, BPF_MAP_TYPE_TASK_STORAGE, btf, fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	wrong_owner(world, BPF_MAP_TYPE_TASK_STORAGE, btf, fd, -ENOENT);
	world->close(world, fd);
}

/* What the program returns for a slot of a cgroup array in which nothing is. */
static long under_cgroup(struct world *world, int map, s32 index)
{
	const struct bpf_insn insns[] = {
		LD_MAP(1, BPF_PSEUDO_MAP_FD, map),
		MOV_K(2, index),
		CALL(BPF_FUNC_current_task_under_cgroup),
		EXIT(),
	};

	return (s32)scenario_run_once(world, BPF_PROG_TYPE_SOCKET_FILTER, insns, ARRAY_SIZE(insns));
}

static void cgroup_array(struct world *world)
{
	int map = world_map(world, BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 2, 0),
	    hash = world_map(world, BPF_MAP_TYPE_HASH, 4, 4, 2, 0), foreign = world_foreign(world);
	const char *name = "cgroup array";
	u32 key = 0, closed = 900, out = 0;

	expect(world, map, FD, name);
	expect(world, world_map(world, BPF_MAP_TYPE_CGROUP_ARRAY, 4, 8, 2, 0), -EINVAL, name);
	expect(world, world_map(world, BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 2, BPF_F_RDONLY_PROG),
	       -EINVAL, name);
	expect(world, world_lookup(world, map, &key, &out), -524, name);
	expect(world, world_delete(world, map, &key), -ENOENT, name);
	expect(world, world_update(world, map, &key, &closed, BPF_EXIST), -EINVAL, name);
	expect(world, world_update(world, map, &key, &closed, 0), -EBADF, name);
	expect(world, world_update(world, map, &key, &foreign, 0), -EBADF, name);
	expect(world, under_cgroup(world, map, 1), -EAGAIN, name);
	expect(world, under_cgroup(world, map, 2), -E2BIG, name);
	expect(world, under_cgroup(world, hash, 0), -EINVAL, name);
	key = 2;
	expect(world, world_update(world, map, &key, &foreign, 0), -E2BIG, name);
	expect(world, world_delete(world, map, &key), -E2BIG, name);
	world->close(world, foreign);
	world->close(world, hash);
	world->close(world, map);
}

void scenario_map_local(struct world *world)
{
	static const u32 types[] = { BPF_MAP_TYPE_SK_STORAGE, BPF_MAP_TYPE_TASK_STORAGE,
				     BPF_MAP_TYPE_INODE_STORAGE, ABI_MAP_TYPE_CGRP_STORAGE };
	int btf = load_btf(world), foreign = world_foreign(world),
	    socket_fd = world_take(world, socket(AF_INET, SOCK_STREAM, 0)),
	    cgroup = world->place_open(world, SYS_PLACE_CGROUP);

	expect(world, btf, FD, "storage: BTF");
	for (u32 i = 0; i < ARRAY_SIZE(types); i++)
		creates(world, types[i], btf);
	calls(world, BPF_MAP_TYPE_SK_STORAGE, btf, socket_fd);
	wrong_owner(world, BPF_MAP_TYPE_SK_STORAGE, btf, foreign, -ENOTSOCK);
	locked(world, btf, socket_fd);
	many_sockets(world, btf);
	dead_task(world, btf);
	wrong_owner(world, BPF_MAP_TYPE_TASK_STORAGE, btf, foreign, -EBADF);
	calls(world, BPF_MAP_TYPE_INODE_STORAGE, btf, foreign);
	wrong_owner(world, ABI_MAP_TYPE_CGRP_STORAGE, btf, foreign, -EBADF);
	if (cgroup >= 0)
		calls(world, ABI_MAP_TYPE_CGRP_STORAGE, btf, cgroup);
	cgroup_array(world);
	world->close(world, cgroup);
	world->close(world, socket_fd);
	world->close(world, foreign);
	world->close(world, btf);
}
