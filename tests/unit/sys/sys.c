/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * src/sys by itself: the scenarios on a hive in this process, then what only skep has: refusals
 * with a sentence, clients without rights, pins, mmap's rules, fdinfo, an allocation that fails at
 * each place.
 */
#include "scenario.h"
#include "base/alloc.h"
#include "rt/arena.h"
#include "rt/map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const struct bpf_insn ok_insns[] = { MOV_K(0, 0), EXIT() };

static void test_refusals(struct world *world)
{
	union abi_attr attr;
	int fd;

	fd = world_map(world, ABI_MAP_TYPE_ARENA, 0, 0, 1, BPF_F_MMAPABLE | ABI_F_SEGV_ON_FAULT);
	tap_is(fd, -EOPNOTSUPP, "a flag of maps that skep has not");
	tap_ok(strstr(world_last_message(world), "BPF_F_SEGV_ON_FAULT"), "is refused by name");
	fd = world_prog(world, BPF_PROG_TYPE_LIRC_MODE2, ok_insns, 2);
	tap_is(fd, -EINVAL, "a program type that skep has not");
	tap_ok(strstr(world_last_message(world), "lirc_mode2"), "is refused by name");
	fd = world_prog(world, BPF_PROG_TYPE_RAW_TRACEPOINT, ok_insns, 2);
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.name = (u64)(uintptr_t) "block_rq_issue";
	attr.raw_tracepoint.prog_fd = (u32)fd;
	tap_is(world_call(world, BPF_RAW_TRACEPOINT_OPEN, &attr), -EOPNOTSUPP, "what cannot fire");
	tap_ok(strstr(world_last_message(world), "block devices"), "is refused with the reason");
	world->close(world, fd);
	fd = world_map(world, BPF_MAP_TYPE_HASH, 4, 1 << 20, 1 << 22, 0);
	tap_is(fd, -ENOMEM, "a map larger than the arena");
	tap_ok(strstr(world_last_message(world), "MiB that the hive's arena has"),
	       "says what there is");
}

static void test_rights(struct world *world)
{
	struct sys_client *client = world_client(world);
	union abi_attr attr;
	int map = -1, fd;

	client->privileged = false;
	tap_is(world_map(world, BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0), -EPERM,
	       "another user makes no map");
	tap_is(world_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, ok_insns, 2), -EPERM, "no program");
	memset(&attr, 0, sizeof(attr));
	tap_is(world_call(world, BPF_BTF_LOAD, &attr), -EPERM, "no BTF");
	tap_is(world_call(world, BPF_MAP_GET_NEXT_ID, &attr), -EPERM, "walks no ids");
	tap_is(world_call(world, BPF_PROG_GET_FD_BY_ID, &attr), -EPERM, "opens no ids");
	tap_is(world_call(world, BPF_TASK_FD_QUERY, &attr), -EPERM, "asks for no descriptors");
	tap_is(world_call(world, BPF_ENABLE_STATS, &attr), -EPERM, "enables no statistics");
	tap_is(world_call(world, BPF_PROG_QUERY, &attr), -EPERM, "queries nothing");
	client->privileged = true;
	attr.id.id = object_next_id(sys_hive_objects(world_hive(world)), OBJECT_MAP, 0);
	if (!attr.id.id) {
		map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);
		attr.id.id = world_object(world, map)->id;
	}
	client->uid++;
	tap_is(world_call(world, BPF_MAP_GET_FD_BY_ID, &attr), -EPERM,
	       "a map of another user, by id");
	client->uid--;
	fd = (int)world_call(world, BPF_MAP_GET_FD_BY_ID, &attr);
	tap_ok(fd >= 0, "its maker opens it");
	world->close(world, fd);
	if (map >= 0)
		world->close(world, map);
}

static void test_pins(struct world *world)
{
	int map = world_map(world, BPF_MAP_TYPE_HASH, 4, 4, 1, 0), again;
	u32 key = 1, value = 2;
	union abi_attr attr;

	world_update(world, map, &key, &value, 0);
	memset(&attr, 0, sizeof(attr));
	attr.pin.pathname = (u64)(uintptr_t) "/sys/fs/bpf/m";
	attr.pin.bpf_fd = (u32)map;
	tap_is(world_call(world, BPF_OBJ_PIN, &attr), 0, "pin a map");
	tap_is(world_call(world, BPF_OBJ_PIN, &attr), -EEXIST, "only once");
	world->close(world, map);
	attr.pin.bpf_fd = 0;
	attr.pin.file_flags = BPF_F_RDONLY;
	again = (int)world_call(world, BPF_OBJ_GET, &attr);
	tap_ok(again >= 0, "get it back");
	value = 0;
	tap_is(world_lookup(world, again, &key, &value), 0, "with what was in it");
	tap_is(value, 2, "its value");
	tap_is(world_update(world, again, &key, &value, 0), -EPERM, "opened for reading alone");
	world->close(world, again);
	map = world->perf_open(world);
	attr.pin.bpf_fd = (u32)map;
	attr.pin.file_flags = 0;
	attr.pin.pathname = (u64)(uintptr_t) "/sys/fs/bpf/p";
	tap_is(world_call(world, BPF_OBJ_PIN, &attr), -EINVAL, "a perf event cannot be pinned");
	world->close(world, map);
}

static void test_mmap(struct world *world)
{
	int array = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 1000, BPF_F_MMAPABLE);
	int plain = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	int constant =
		world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG);
	int ring = world_map(world, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	int hash = world_map(world, BPF_MAP_TYPE_HASH, 4, 8, 1, 0);
	struct object *object = world_object(world, array);
	const u32 rw = PROT_READ | PROT_WRITE;
	u64 address = 0;

	tap_is(sys_map_mmap(object, O_RDWR, rw, MAP_SHARED, 0, 8192, &address), 0, "map an array");
	tap_ok(address == (u64)(uintptr_t)sys_map_rt(object)->data, "at its first value");
	tap_is(sys_map_mmap(object, O_RDWR, rw, MAP_SHARED, 4096, 4096, &address), 0,
	       "its second page");
	tap_is(sys_map_mmap(object, O_RDWR, rw, MAP_SHARED, 4096, 8192, &address), -EINVAL,
	       "beyond it");
	tap_is(sys_map_mmap(object, O_RDWR, rw, MAP_SHARED, ~0ull << 12, 4096, &address), -EINVAL,
	       "far beyond");
	tap_is(sys_map_mmap(object, O_RDWR, rw, MAP_PRIVATE, 0, 4096, &address), -EINVAL,
	       "privately");
	tap_is(sys_map_mmap(object, O_RDONLY, rw, MAP_SHARED, 0, 4096, &address), -EACCES,
	       "writable, read-only fd");
	tap_is(sys_map_mmap(object, O_WRONLY, PROT_READ, MAP_SHARED, 0, 4096, &address), -EACCES,
	       "write-only fd");
	tap_is(sys_map_mmap(world_object(world, plain), O_RDWR, PROT_READ, MAP_SHARED, 0, 4096,
			    &address),
	       -EINVAL, "an array that is not mmapable");
	tap_is(sys_map_mmap(world_object(world, hash), O_RDWR, PROT_READ, MAP_SHARED, 0, 4096,
			    &address),
	       -ABI_ENOTSUPP, "a hash");
	object = world_object(world, constant);
	tap_is(sys_map_mmap(object, O_RDWR, rw, MAP_SHARED, 0, 4096, &address), -EACCES,
	       "RDONLY_PROG, writable");
	tap_is(sys_map_mmap(object, O_RDWR, PROT_READ, MAP_SHARED, 0, 4096, &address), 0,
	       "RDONLY_PROG, readable");
	tap_ok(address >= RT_CONTROL_BASE && address < RT_CONTROL_BASE + RT_CONTROL_SIZE,
	       "which is in control");
	object = world_object(world, ring);
	tap_is(sys_map_mmap(object, O_RDWR, rw, MAP_SHARED, 0, 4096, &address), 0,
	       "ring buffer: consumer page");
	tap_is(sys_map_mmap(object, O_RDWR, rw, MAP_SHARED, 4096, 4096, &address), -EPERM,
	       "producer page, writable");
	tap_is(sys_map_mmap(object, O_RDWR, PROT_READ, MAP_SHARED, 4096, 4096 + 8192, &address), 0,
	       "the rest");
	tap_is(sys_map_mmap(object, O_RDWR, PROT_READ, MAP_SHARED, 4096, 4096 + 12288, &address),
	       -EINVAL, "too much");
	world->close(world, array);
	world->close(world, plain);
	world->close(world, constant);
	world->close(world, ring);
	world->close(world, hash);
}

static void test_fdinfo(struct world *world)
{
	struct sys_hive *hive = world_hive(world);
	int map = world_map(world, BPF_MAP_TYPE_HASH, 4, 8, 10, BPF_F_NO_PREALLOC);
	int prog = world_prog(world, BPF_PROG_TYPE_TRACEPOINT, ok_insns, 2);
	int event = world->perf_open(world), link;
	union abi_attr attr;
	char text[1024];

	tap_ok(sys_object_fdinfo(hive, world_object(world, map), text, sizeof(text)) > 0 &&
		       strstr(text, "map_type:\t1\nkey_size:\t4\nvalue_size:\t8\nmax_entries:\t10\n"
				    "map_flags:\t0x1\nmap_extra:\t0x0\nmemlock:\t"),
	       "fdinfo of a map");
	tap_ok(sys_object_fdinfo(hive, world_object(world, prog), text, sizeof(text)) > 0 &&
		       strstr(text, "prog_type:\t5\nprog_jited:\t1\nprog_tag:"
				    "\t59f4a931744dcdc6\nmemlock:\t4096\n"),
	       "fdinfo of a program, with the tag that 6.18 gives `r0 = 0; exit`");
	tap_is(sys_object_fdinfo(hive, world_object(world, prog), text, 10), -ENOSPC,
	       "no room for it");
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (u32)prog;
	attr.link_create.target_fd = (u32)event;
	attr.link_create.attach_type = BPF_PERF_EVENT;
	attr.link_create.perf_event.bpf_cookie = 9;
	link = (int)world_call(world, BPF_LINK_CREATE, &attr);
	tap_ok(link >= 0, "a perf link");
	tap_ok(sys_object_fdinfo(hive, world_object(world, link), text, sizeof(text)) > 0 &&
		       strstr(text, "link_type:\tperf\n") &&
		       strstr(text,
			      "tp_name:\tsys_enter_execve\nevent_type:\ttracepoint\ncookie:\t9\n"),
	       "fdinfo of a link");
	world->close(world, event);
	world->close(world, prog);
	world->close(world, link);
	world->close(world, map);
}

/* The same large map, made and closed until the arena would have been full several times. */
static void test_reuse(struct world *world)
{
	u32 rounds = (u32)(RT_CONTROL_SIZE / (64u << 20)) * 4, i;
	int fd = 0;

	for (i = 0; i < rounds && fd >= 0; i++) {
		fd = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 64, 1 << 20, BPF_F_RDONLY_PROG);
		if (fd >= 0)
			world->close(world, fd);
	}
	tap_ok(fd >= 0, "%u maps of 64 MiB in the control segment, one after the other", i);
}

/* How many of the first pages of the file that is mapped here are in memory. */
static u32 resident(void *at, u32 pages)
{
	unsigned char is_there[64] = { 0 };
	u32 nr = 0;

	mincore(at, (size_t)pages * 4096, is_there);
	for (u32 i = 0; i < pages; i++)
		nr += is_there[i] & 1;
	return nr;
}

/* An arena filled up: no map fits any more, those there are go on, and what is given back counts.
 */
static void test_full(struct world *world)
{
	static u8 value[1 << 18];
	int maps[256], fd = 0;
	u32 nr = 0, key = 0;
	void *memory;

	memset(value, 1, sizeof(value));
	while (nr < ARRAY_SIZE(maps)) {
		fd = world_map(world, BPF_MAP_TYPE_ARRAY, 4, sizeof(value), 1 << 12, 0);
		if (fd < 0)
			break;
		maps[nr++] = fd;
	}
	tap_ok(fd == -ENOMEM && nr > 0, "no map fits any more behind %u of a GiB", nr);
	tap_ok(strstr(world_last_message(world), "no room for"), "says that there is no room");
	tap_is(world_update(world, maps[0], &key, value, 0), 0, "those there are go on");
	memory = sys_map_rt(world_object(world, maps[0]))->data;
	tap_is(resident(memory, 64), 64, "a value takes memory of the system");
	world->close(world, maps[0]);
	tap_is(resident(memory, 64), 0, "and gives it back with its map");
	maps[0] = world_map(world, BPF_MAP_TYPE_ARRAY, 4, sizeof(value), 1 << 12, 0);
	tap_ok(maps[0] >= 0, "then a map fits again");
	tap_ok(world_lookup(world, maps[0], &key, value) == 0 && !value[0] && !value[4096],
	       "with nothing of the last one in it");
	while (nr)
		world->close(world, maps[--nr]);
	fd = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 0x7fffffff, 0xffffffff, 0);
	tap_ok(fd < 0, "a size that overflows: %d", fd);
}

/* Nothing may leak or crash whichever allocation fails. */
static void test_no_memory(struct world *world)
{
	u32 key = 0, value = 0, failed = 0, round;
	int fd, prog;

	for (round = 0; round < 200; round++) {
		base_alloc_fail_after(round);
		fd = world_map(world, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2, 0);
		prog = world_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, ok_insns, 2);
		if (fd >= 0 && prog >= 0) {
			value = (u32)prog;
			world_update(world, fd, &key, &value, 0);
			world_lookup(world, fd, &key, &value);
		}
		if (base_alloc_fail_after(-1))
			failed++;
		if (fd >= 0)
			world->close(world, fd);
		if (prog >= 0)
			world->close(world, prog);
	}
	tap_ok(failed > 5, "%u allocations failed, one a round", failed);
}

int main(void)
{
	struct world *world = world_skep();

	scenario_all(world);
	test_run_context(world);
	test_run_helpers(world);
	test_refusals(world);
	test_full(world);
	test_rights(world);
	test_pins(world);
	test_mmap(world);
	test_fdinfo(world);
	test_reuse(world);
	test_no_memory(world);
	tap_is(world_skep_free(world), 0, "nothing is left");
	return tap_done();
}
