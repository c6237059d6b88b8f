/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: object arrays, information, and the small commands. */
#include "scenario.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct bpf_insn ok_insns[] = { MOV_K(0, 0), EXIT() };

void scenario_map_objects(struct world *world)
{
	int progs = world_map(world, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2, 0);
	int perf = world_map(world, BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 2, 0);
	int filter = world_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, ok_insns, 2);
	int tracepoint = world_prog(world, BPF_PROG_TYPE_TRACEPOINT, ok_insns, 2);
	int event = world->perf_open(world);
	u32 key = 0, bad = 2, value = (u32)filter, out = 0, next = 9;
	union abi_attr attr;

	expect(world, world_lookup(world, progs, &key, &out), -ENOENT, "prog array: empty");
	expect(world, world_delete(world, progs, &key), -ENOENT, "prog array: delete nothing");
	expect(world, world_update(world, progs, &key, &value, BPF_NOEXIST), -EINVAL,
	       "prog array: NOEXIST");
	expect(world, world_update(world, progs, &bad, &value, 0), -E2BIG,
	       "prog array: out of range");
	expect(world, world_delete(world, progs, &bad), -E2BIG, "prog array: delete out of range");
	expect(world, world_update(world, progs, &key, &value, 0), 0, "prog array: update");
	expect(world, world_lookup(world, progs, &key, &out), 0, "prog array: look up");
	tap_ok(out != 0, "%s: prog array: the program's id", world->name);
	value = (u32)tracepoint;
	expect(world, world_update(world, progs, &key, &value, 0), -EINVAL,
	       "prog array: another type");
	value = (u32)progs;
	expect(world, world_update(world, progs, &key, &value, 0), -EINVAL,
	       "prog array: not a program");
	value = 900;
	expect(world, world_update(world, progs, &key, &value, 0), -EBADF, "prog array: closed");
	memset(&attr, 0, sizeof(attr));
	attr.elem.map_fd = (u32)progs;
	attr.elem.next_key = (u64)(uintptr_t)&next;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_KEY, &attr), 0, "prog array: first key");
	expect(world, next, 0, "prog array: is 0");
	expect(world, world_delete(world, progs, &key), 0, "prog array: delete");
	value = (u32)filter;
	expect(world, world_update(world, progs, &key, &value, 0), 0, "prog array: update again");

	value = (u32)event;
	expect(world, world_update(world, perf, &key, &value, 0), 0, "perf array: update");
	expect(world, world_lookup(world, perf, &key, &out), -ABI_ENOTSUPP, "perf array: look up");
	value = (u32)filter;
	expect(world, world_update(world, perf, &key, &value, 0), -EBADF, "perf array: a program");
	value = 900;
	expect(world, world_update(world, perf, &key, &value, 0), -EBADF, "perf array: closed");
	expect(world, world_delete(world, perf, &key), 0, "perf array: delete");
	expect(world, world_delete(world, perf, &key), -ENOENT, "perf array: delete again");
	value = (u32)event;
	expect(world, world_update(world, perf, &key, &value, 0), 0, "perf array: left in");
	world->close(world, event);
	world->close(world, perf);
	world->close(world, progs);
	world->close(world, filter);
	world->close(world, tracepoint);
}

static long prog_info(struct world *world, int fd, struct bpf_prog_info *info, u32 length)
{
	union abi_attr attr;
	long result;

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (u32)fd;
	attr.info.info = (u64)(uintptr_t)info;
	attr.info.info_len = length;
	result = world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr);
	if (!result)
		expect(world, attr.info.info_len, length < sizeof(*info) ? length : sizeof(*info),
		       "info: length");
	return result;
}

static void info_of_prog(struct world *world)
{
	static u8 large[sizeof(struct bpf_prog_info) + 64] __attribute__((aligned(8)));
	int map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0), fd;
	const struct bpf_insn insns[] = { LD_MAP(1, BPF_PSEUDO_MAP_FD, map), MOV_K(0, 0), EXIT() };
	struct bpf_insn out[64];
	struct bpf_prog_info info;
	u32 ids[4] = { 0 };
	union abi_attr attr =
		world_prog_attr(BPF_PROG_TYPE_SOCKET_FILTER, insns, ARRAY_SIZE(insns));

	attr.load.license = (u64)(uintptr_t) "Dual BSD/GPL";
	memcpy(attr.load.prog_name, "info_prog", 10);
	fd = (int)world_call(world, BPF_PROG_LOAD, &attr);
	expect(world, fd, FD, "info: a program with a map");
	memset(&info, 0, sizeof(info));
	info.xlated_prog_insns = (u64)(uintptr_t)out;
	info.xlated_prog_len = sizeof(out);
	info.map_ids = (u64)(uintptr_t)ids;
	info.nr_map_ids = 4;
	expect(world, prog_info(world, fd, &info, sizeof(info)), 0, "info of a program");
	expect(world, info.type, BPF_PROG_TYPE_SOCKET_FILTER, "info: type");
	expect(world, info.gpl_compatible, 1, "info: licence");
	tap_ok(!strcmp(info.name, "info_prog"), "%s: info: name", world->name);
	/* SHA-256 of the instructions with the descriptor cleared; until 6.17 it was SHA-1. */
	tap_ok(!memcmp(info.tag, "\x0b\xd0\x16\x86\x76\xc7\xc7\x79", 8), "%s: info: the tag",
	       world->name);
	expect(world, info.nr_map_ids, 1, "info: one map");
	expect(world, info.xlated_prog_len, 32, "info: four instructions");
	expect(world, out[0].src_reg, BPF_PSEUDO_MAP_FD, "info: the map is shown as one");
	expect(world, out[0].imm, (long)ids[0], "info: by its id");
	expect(world, out[1].imm, 0, "info: and nothing else");
	expect(world, info.verified_insns, 3, "info: verified instructions");
	memset(&info, 0, sizeof(info));
	expect(world, prog_info(world, fd, &info, 8), 0, "info of 8 bytes");
	expect(world, info.type, BPF_PROG_TYPE_SOCKET_FILTER, "info of 8 bytes: type");
	memset(large, 0, sizeof(large));
	expect(world, prog_info(world, fd, (void *)large, sizeof(large)), 0, "info of more bytes");
	memset(large, 0, sizeof(large));
	large[sizeof(large) - 1] = 1;
	expect(world, prog_info(world, fd, (void *)large, sizeof(large)), -E2BIG,
	       "info with garbage");
	expect(world, prog_info(world, fd, (void *)8, sizeof(info)), -EFAULT, "info at 8");
	memset(&info, 0, sizeof(info));
	info.func_info_rec_size = 4;
	expect(world, prog_info(world, fd, &info, sizeof(info)), -EINVAL,
	       "info: func_info of 4 bytes");
	memset(&info, 0, sizeof(info));
	info.nr_line_info = 1;
	expect(world, prog_info(world, fd, &info, sizeof(info)), -EINVAL,
	       "info: line_info of 0 bytes");
	memset(&info, 0, sizeof(info));
	info.xlated_prog_len = 8;
	expect(world, prog_info(world, fd, &info, sizeof(info)), -EFAULT,
	       "info: instructions to NULL");
	world->close(world, fd);
	world->close(world, map);
}

static void info_of_map(struct world *world)
{
	union abi_attr attr;
	struct abi_map_info info;
	int fd, again;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_HASH;
	attr.key_size = 4;
	attr.value_size = 12;
	attr.max_entries = 7;
	attr.map_flags = BPF_F_NO_PREALLOC | BPF_F_RDONLY;
	memcpy(attr.map_name, "info_map", 9);
	fd = (int)world_call(world, BPF_MAP_CREATE, &attr);
	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (u32)fd;
	attr.info.info = (u64)(uintptr_t)&info;
	attr.info.info_len = sizeof(info);
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), 0, "info of a map");
	expect(world, attr.info.info_len, sizeof(info), "info of a map: length");
	tap_ok(info.type == BPF_MAP_TYPE_HASH && info.key_size == 4 && info.value_size == 12 &&
		       info.max_entries == 7 && info.map_flags == BPF_F_NO_PREALLOC &&
		       !strcmp(info.name, "info_map") && !info.btf_id,
	       "%s: info of a map", world->name);
	memset(&attr, 0, sizeof(attr));
	attr.id.id = info.id;
	attr.id.open_flags = BPF_F_WRONLY;
	again = (int)world_call(world, BPF_MAP_GET_FD_BY_ID, &attr);
	expect(world, again, FD, "map by id");
	world->close(world, again);
	attr.id.open_flags = 1;
	expect(world, world_call(world, BPF_MAP_GET_FD_BY_ID, &attr), -EINVAL,
	       "map by id, flags 1");
	attr.id.open_flags = BPF_F_RDONLY | BPF_F_WRONLY;
	expect(world, world_call(world, BPF_MAP_GET_FD_BY_ID, &attr), -EINVAL,
	       "map by id, both flags");
	attr.id.open_flags = 0;
	attr.id.id = 0;
	expect(world, world_call(world, BPF_MAP_GET_FD_BY_ID, &attr), -ENOENT, "map by id 0");
	attr.id.id = info.id - 1;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_ID, &attr), 0, "next map id");
	expect(world, attr.id.next_id, (long)info.id, "next map id: it");
	attr.id.id = 0x7fffffff;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_ID, &attr), -EINVAL,
	       "next id of the largest");
	attr.id.id = 0x7ffffffe;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_ID, &attr), -ENOENT, "no next id");
	attr.id.open_flags = 1;
	expect(world, world_call(world, BPF_MAP_GET_NEXT_ID, &attr), -EINVAL, "next id with flags");
	world->close(world, fd);
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = 900;
	attr.info.info_len = 8;
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), -EBADFD,
	       "info of a closed fd");
	attr.info.bpf_fd = 1;
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), -EINVAL,
	       "info of something else");
}

void scenario_info(struct world *world)
{
	info_of_prog(world);
	info_of_map(world);
}

void scenario_misc(struct world *world)
{
	int map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0), stats;
	int filter = world_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, ok_insns, 2);
	struct bpf_prog_info info;
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_bind_map.prog_fd = (u32)filter;
	attr.prog_bind_map.map_fd = (u32)map;
	expect(world, world_call(world, BPF_PROG_BIND_MAP, &attr), 0, "bind a map");
	expect(world, world_call(world, BPF_PROG_BIND_MAP, &attr), 0, "bind it again");
	memset(&info, 0, sizeof(info));
	expect(world, prog_info(world, filter, &info, sizeof(info)), 0, "info of its program");
	expect(world, info.nr_map_ids, 1, "bound once");
	attr.prog_bind_map.flags = 1;
	expect(world, world_call(world, BPF_PROG_BIND_MAP, &attr), -EINVAL, "bind with flags");
	attr.prog_bind_map.flags = 0;
	attr.prog_bind_map.map_fd = (u32)filter;
	expect(world, world_call(world, BPF_PROG_BIND_MAP, &attr), -EINVAL, "bind a program");
	attr.prog_bind_map.prog_fd = 900;
	expect(world, world_call(world, BPF_PROG_BIND_MAP, &attr), -EBADF, "bind to nothing");
	memset(&attr, 0, sizeof(attr));
	stats = (int)world_call(world, BPF_ENABLE_STATS, &attr);
	expect(world, stats, FD, "enable statistics");
	world->close(world, stats);
	attr.enable_stats.type = 1;
	expect(world, world_call(world, BPF_ENABLE_STATS, &attr), -EINVAL,
	       "enable other statistics");
	memset(&attr, 0, sizeof(attr));
	attr.token_create.flags = 1;
	expect(world, world_call(world, ABI_TOKEN_CREATE, &attr), -EINVAL, "token with flags");
	attr.token_create.flags = 0;
	attr.token_create.bpffs_fd = 900;
	expect(world, world_call(world, ABI_TOKEN_CREATE, &attr), -EBADF, "token of a closed fd");
	memset(&attr, 0, sizeof(attr));
	attr.attach.attach_type = 1000;
	expect(world, world_call(world, BPF_PROG_ATTACH, &attr), -EINVAL, "attach as 1000");
	attr.attach.attach_type = BPF_PERF_EVENT;
	expect(world, world_call(world, BPF_PROG_ATTACH, &attr), -EINVAL, "attach to a perf event");
	memset(&attr, 0, sizeof(attr));
	attr.query.attach_type = 1000;
	expect(world, world_call(world, BPF_PROG_QUERY, &attr), -EINVAL, "query of 1000");
	attr.query.query_flags = 2;
	expect(world, world_call(world, BPF_PROG_QUERY, &attr), -EINVAL, "query with flags");
	memset(&attr, 0, sizeof(attr));
	attr.pin.bpf_fd = 900;
	attr.pin.pathname = (u64)(uintptr_t) "/sys/fs/bpf/x";
	expect(world, world_call(world, BPF_OBJ_PIN, &attr), -EINVAL, "pin a closed fd");
	attr.pin.file_flags = 1;
	expect(world, world_call(world, BPF_OBJ_PIN, &attr), -EINVAL, "pin with flags");
	attr.pin.file_flags = 0;
	attr.pin.path_fd = 1;
	expect(world, world_call(world, BPF_OBJ_PIN, &attr), -EINVAL, "pin with a path_fd alone");
	attr.pin.path_fd = 0;
	expect(world, world_call(world, BPF_OBJ_GET, &attr), -EINVAL, "get with a bpf_fd");
	attr.pin.bpf_fd = 0;
	attr.pin.file_flags = BPF_F_RDONLY | BPF_F_WRONLY;
	expect(world, world_call(world, BPF_OBJ_GET, &attr), -EINVAL, "get with both flags");
	attr.pin.file_flags = 0;
	attr.pin.pathname = (u64)(uintptr_t) "/sys/fs/bpf/there_is_no_such_pin";
	expect(world, world_call(world, BPF_OBJ_GET, &attr), -ENOENT, "get what is not pinned");
	attr.pin.pathname = 0;
	expect(world, world_call(world, BPF_OBJ_GET, &attr), -EFAULT, "get NULL");
	world->close(world, map);
	world->close(world, filter);
}
