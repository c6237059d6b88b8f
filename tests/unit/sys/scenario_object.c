/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: BTF, object arrays, links, information, and the small commands. */
#include "scenario.h"
#include "../btf/blob.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct bpf_insn ok_insns[] = { MOV_K(0, 0), EXIT() };

static void put_btf(struct blob *blob)
{
	memset(blob, 0, sizeof(*blob));
	blob_int(blob, "int", 4);		       /* 1 */
	blob_int(blob, "long", 8);		       /* 2 */
	blob_type(blob, "var", BTF_KIND_VAR, 0, 0, 2); /* 3 */
	blob_word(blob, 1);
	blob_type(blob, ".data", BTF_KIND_DATASEC, 0, 1, 8); /* 4 */
	blob_word(blob, 3), blob_word(blob, 0), blob_word(blob, 8);
	blob_type(blob, "bpf_timer", BTF_KIND_STRUCT, 0, 2, 16); /* 5 */
	blob_member(blob, "a", 2, 0), blob_member(blob, "b", 2, 64);
	blob_type(blob, "", BTF_KIND_FUNC_PROTO, 0, 0, 1);	    /* 6 */
	blob_type(blob, "f", BTF_KIND_FUNC, 0, BTF_FUNC_STATIC, 6); /* 7 */
	blob_type(blob, "timed", BTF_KIND_STRUCT, 0, 1, 16);	    /* 8 */
	blob_member(blob, "timer", 5, 0);
	blob_type(blob, "bpf_spin_lock", BTF_KIND_STRUCT, 0, 1, 4); /* 9 */
	blob_member(blob, "val", 1, 0);
	blob_type(blob, "locked", BTF_KIND_STRUCT, 0, 2, 16); /* 10 */
	blob_member(blob, "number", 2, 0), blob_member(blob, "lock", 9, 64);
	blob_finish(blob);
}

static int load_btf(struct world *world)
{
	static struct blob blob;

	put_btf(&blob);
	return world_btf(world, &blob);
}

static void btf_maps(struct world *world, int btf)
{
	union abi_attr attr, plain;

	memset(&plain, 0, sizeof(plain));
	plain.map_type = BPF_MAP_TYPE_ARRAY;
	plain.key_size = 4;
	plain.value_size = 8;
	plain.max_entries = 1;
	plain.btf_fd = (u32)btf;
#define CASE(text, want, change)                                    \
	do {                                                        \
		long result;                                        \
		attr = plain;                                       \
		change;                                             \
		result = world_call(world, BPF_MAP_CREATE, &attr);  \
		expect(world, result, want, "map with BTF: " text); \
		if (result >= 0)                                    \
			world->close(world, (int)result);           \
	} while (0)
	CASE("int to long", FD, (attr.btf_key_type_id = 1, attr.btf_value_type_id = 2));
	CASE("int to int of 8 bytes", -EINVAL,
	     (attr.btf_key_type_id = 1, attr.btf_value_type_id = 1));
	CASE("section without key", FD, attr.btf_value_type_id = 4);
	CASE("section without key, two entries", -EINVAL,
	     (attr.btf_value_type_id = 4, attr.max_entries = 2));
	CASE("long without key", -EINVAL, attr.btf_value_type_id = 2);
	CASE("type 99", -EINVAL, (attr.btf_key_type_id = 1, attr.btf_value_type_id = 99));
	CASE("hash", FD,
	     (attr.map_type = BPF_MAP_TYPE_HASH, attr.btf_key_type_id = 1,
	      attr.btf_value_type_id = 2));
	CASE("hash without key", -EINVAL,
	     (attr.map_type = BPF_MAP_TYPE_HASH, attr.btf_value_type_id = 2));
	CASE("per-CPU array", FD,
	     (attr.map_type = BPF_MAP_TYPE_PERCPU_ARRAY, attr.btf_key_type_id = 1,
	      attr.btf_value_type_id = 2));
	CASE("perf event array", -ABI_ENOTSUPP,
	     (attr.map_type = BPF_MAP_TYPE_PERF_EVENT_ARRAY, attr.value_size = 4,
	      attr.btf_key_type_id = 1, attr.btf_value_type_id = 1));
	CASE("prog array", FD,
	     (attr.map_type = BPF_MAP_TYPE_PROG_ARRAY, attr.value_size = 4,
	      attr.btf_key_type_id = 1, attr.btf_value_type_id = 1));
	CASE("ring buffer", -EINVAL,
	     (attr.map_type = BPF_MAP_TYPE_RINGBUF, attr.key_size = 0, attr.value_size = 0,
	      attr.max_entries = 4096, attr.btf_key_type_id = 1, attr.btf_value_type_id = 2));
	CASE("a lock", FD,
	     (attr.value_size = 16, attr.btf_key_type_id = 1, attr.btf_value_type_id = 10));
	CASE("a lock for programs to read", -EACCES,
	     (attr.value_size = 16, attr.btf_key_type_id = 1, attr.btf_value_type_id = 10,
	      attr.map_flags = BPF_F_RDONLY_PROG));
	CASE("a lock for each CPU", -EOPNOTSUPP,
	     (attr.map_type = BPF_MAP_TYPE_PERCPU_ARRAY, attr.value_size = 16,
	      attr.btf_key_type_id = 1, attr.btf_value_type_id = 10));
	CASE("a lock by itself", FD,
	     (attr.value_size = 4, attr.btf_key_type_id = 1, attr.btf_value_type_id = 9));
#undef CASE
}

/* Values that are a timer. */
static void timer_maps(struct world *world, int btf)
{
	static const struct {
		const char *text;
		u32 type, flags;
		long want;
	} rows[] = {
		{ "in an array", BPF_MAP_TYPE_ARRAY, 0, FD },
		{ "in a hash", BPF_MAP_TYPE_HASH, 0, FD },
		{ "in an LRU hash", BPF_MAP_TYPE_LRU_HASH, 0, FD },
		{ "in an array that clients map", BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE, FD },
		{ "for programs to read", BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, -EACCES },
		{ "for each CPU", BPF_MAP_TYPE_PERCPU_ARRAY, 0, -EOPNOTSUPP },
		{ "in a per-CPU hash", BPF_MAP_TYPE_PERCPU_HASH, 0, -EOPNOTSUPP },
		{ "in a task's storage", BPF_MAP_TYPE_TASK_STORAGE, BPF_F_NO_PREALLOC,
		  -EOPNOTSUPP },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		union abi_attr attr;
		char text[80];
		long result;

		memset(&attr, 0, sizeof(attr));
		attr.map_type = rows[i].type;
		attr.map_flags = rows[i].flags;
		attr.key_size = 4;
		attr.value_size = 16;
		attr.max_entries = rows[i].type != BPF_MAP_TYPE_TASK_STORAGE;
		attr.btf_fd = (u32)btf;
		attr.btf_key_type_id = 1;
		attr.btf_value_type_id = 8;
		result = world_call(world, BPF_MAP_CREATE, &attr);
		snprintf(text, sizeof(text), "map with a timer: %s", rows[i].text);
		expect(world, result, rows[i].want, text);
		if (result >= 0)
			world->close(world, (int)result);
	}
}

static void btf_logs(struct world *world)
{
	static struct blob blob;
	static char log[8192];
	union abi_attr attr, plain;
	u32 whole;

	put_btf(&blob);
	memset(&plain, 0, sizeof(plain));
	plain.btf.btf = (u64)(uintptr_t)blob.bytes;
	plain.btf.btf_size = blob.size;
#define CASE(text, want, change)                                 \
	do {                                                     \
		long result;                                     \
		attr = plain;                                    \
		memset(log, 'z', sizeof(log));                   \
		change;                                          \
		result = world_call(world, BPF_BTF_LOAD, &attr); \
		expect(world, result, want, "BTF_LOAD: " text);  \
		if (result >= 0)                                 \
			world->close(world, (int)result);        \
	} while (0)
#define LOG(lvl, len)                                                       \
	(attr.btf.log_buf = (u64)(uintptr_t)log, attr.btf.log_size = (len), \
	 attr.btf.log_level = (lvl))
	CASE("plain", FD, );
	CASE("with a log", FD, LOG(1, sizeof(log)));
	whole = attr.btf.log_true_size;
	expect(world, whole, (long)strlen(log) + 1, "BTF log: true size");
	CASE("log exactly as large", FD, LOG(1, whole));
	CASE("log one too small", -ENOSPC, LOG(1, whole - 1));
	expect(world, (long)strlen(log), whole - 2, "BTF log: rotated, full");
	expect(world, attr.btf.log_true_size, whole, "BTF log: true size, cut");
	tap_ok(!strncmp(log, "agic: ", 6), "%s: BTF log: the oldest character is gone",
	       world->name);
	CASE("fixed log of 20", -ENOSPC, LOG(9, 20));
	tap_ok(!strcmp(log, "magic: 0xeb9f\nversi"), "%s: BTF log: fixed keeps the start",
	       world->name);
	CASE("level without a buffer", FD, attr.btf.log_level = 1);
	expect(world, attr.btf.log_true_size, whole, "BTF log: true size without a buffer");
	CASE("buffer without level", -EINVAL, LOG(0, 100));
	CASE("size without a buffer", -EINVAL, (attr.btf.log_level = 1, attr.btf.log_size = 10));
	CASE("level 16", -EINVAL, LOG(16, 100));
	CASE("a gigabyte and more", -EINVAL, LOG(1, 0x40000000u));
	CASE("a log at 8", -EFAULT, (LOG(1, 100), attr.btf.log_buf = 8));
	CASE("data at NULL", -EFAULT, attr.btf.btf = 0);
	CASE("no data", -EINVAL, attr.btf.btf_size = 0);
	CASE("17 MiB", -E2BIG, attr.btf.btf_size = 17 << 20);
	CASE("flags", -EINVAL, attr.btf.flags = 1);
	CASE("token closed", -EBADF, (attr.btf.flags = ABI_F_TOKEN_FD, attr.btf.token_fd = 900));
#undef LOG
#undef CASE
}

static void btf_info(struct world *world, int fd)
{
	static u8 bytes[4096];
	struct bpf_btf_info info = { .btf = (u64)(uintptr_t)bytes, .btf_size = sizeof(bytes) };
	static struct blob blob;
	union abi_attr attr;
	int again;

	put_btf(&blob);
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (u32)fd;
	attr.info.info = (u64)(uintptr_t)&info;
	attr.info.info_len = sizeof(info);
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), 0, "BTF info");
	expect(world, info.btf_size, blob.size, "BTF info: size");
	tap_ok(!memcmp(bytes, blob.bytes, blob.size), "%s: BTF info: the blob", world->name);
	memset(&attr, 0, sizeof(attr));
	attr.id.id = info.id;
	again = (int)world_call(world, BPF_BTF_GET_FD_BY_ID, &attr);
	expect(world, again, FD, "BTF by id");
	world->close(world, again);
	attr.id.id = 0x7ffffff0;
	expect(world, world_call(world, BPF_BTF_GET_FD_BY_ID, &attr), -ENOENT, "BTF by a wrong id");
	attr.id.open_flags = 1;
	expect(world, world_call(world, BPF_BTF_GET_FD_BY_ID, &attr), -EINVAL, "BTF by id, flags");
}

/* The kernel's own BTF is object 1. */
static void btf_of_kernel(struct world *world)
{
	char name[16] = "";
	struct bpf_btf_info info = { .name = (u64)(uintptr_t)name, .name_len = sizeof(name) };
	union abi_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	expect(world, world_call(world, BPF_BTF_GET_NEXT_ID, &attr), 0, "kernel BTF: the first id");
	expect(world, attr.id.next_id, 1, "kernel BTF: is 1");
	memset(&attr, 0, sizeof(attr));
	attr.id.id = 1;
	fd = (int)world_call(world, BPF_BTF_GET_FD_BY_ID, &attr);
	if (!expect(world, fd, FD, "kernel BTF by id"))
		return;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (u32)fd;
	attr.info.info = (u64)(uintptr_t)&info;
	attr.info.info_len = sizeof(info);
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), 0, "kernel BTF: info");
	tap_ok(info.kernel_btf == 1 && info.name_len == 7 && !strcmp(name, "vmlinux") &&
		       info.btf_size > 1 << 20,
	       "%s: kernel BTF: its name and size", world->name);
	info.name_len = 4;
	info.btf_size = 0;
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), -ENOSPC,
	       "kernel BTF: short name");
	tap_ok(info.name_len == 7 && !strcmp(name, "vml"), "%s: kernel BTF: cut", world->name);
	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = 1;
	attr.btf_fd = (u32)fd;
	attr.btf_key_type_id = attr.btf_value_type_id = 1;
	expect(world, world_call(world, BPF_MAP_CREATE, &attr), -EACCES,
	       "kernel BTF: not for maps");
	world->close(world, fd);
}

void scenario_btf(struct world *world)
{
	int fd = load_btf(world);

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		tap_skip(8, "%s: the running kernel has no BTF", world->name);
	else
		btf_of_kernel(world);

	expect(world, fd, FD, "BTF_LOAD");
	btf_maps(world, fd);
	timer_maps(world, fd);
	btf_info(world, fd);
	btf_logs(world);
	world->close(world, fd);
}

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

struct link_progs {
	int raw, tracepoint, filter;
};

static void link_perf(struct world *world, const struct link_progs *progs)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (u32)progs->tracepoint;
	attr.link_create.target_fd = (u32)-1;
	attr.link_create.attach_type = BPF_PERF_EVENT;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EBADF, "link to fd -1");
	attr.link_create.target_fd = (u32)progs->raw;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EBADF, "link to a program");
	attr.link_create.flags = 1;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EINVAL, "link with flags");
	attr.link_create.flags = 0;
	attr.link_create.attach_type = BPF_XDP;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EINVAL, "link as XDP");
	attr.link_create.prog_fd = 900;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EBADF,
	       "link of a closed program");
	attr.link_create.prog_fd = (u32)progs->filter;
	attr.link_create.attach_type = BPF_PERF_EVENT;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EINVAL,
	       "link of a socket filter");
}

static int link_raw(struct world *world, const struct link_progs *progs)
{
	union abi_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.name = (u64)(uintptr_t) "sys_enter";
	attr.raw_tracepoint.prog_fd = (u32)progs->raw;
	attr.raw_tracepoint.cookie = 0x1234;
	fd = (int)world_call(world, BPF_RAW_TRACEPOINT_OPEN, &attr);
	expect(world, fd, FD, "raw tracepoint");
	attr.raw_tracepoint.name = (u64)(uintptr_t) "no_such_point";
	expect(world, world_call(world, BPF_RAW_TRACEPOINT_OPEN, &attr), -ENOENT,
	       "raw tracepoint, unknown");
	attr.raw_tracepoint.name = 0;
	expect(world, world_call(world, BPF_RAW_TRACEPOINT_OPEN, &attr), -EFAULT,
	       "raw tracepoint, NULL");
	attr.raw_tracepoint.name = (u64)(uintptr_t) "sys_enter";
	attr.raw_tracepoint.prog_fd = (u32)progs->tracepoint;
	expect(world, world_call(world, BPF_RAW_TRACEPOINT_OPEN, &attr), -EINVAL,
	       "raw tracepoint, wrong type");
	attr.raw_tracepoint.prog_fd = 900;
	expect(world, world_call(world, BPF_RAW_TRACEPOINT_OPEN, &attr), -EBADF,
	       "raw tracepoint, closed");
	return fd;
}

static void link_info(struct world *world, int fd)
{
	struct abi_link_info info;
	union abi_attr attr;
	char name[32];

	memset(&info, 0, sizeof(info));
	memset(name, 'z', sizeof(name));
	info.raw_tracepoint.tp_name = (u64)(uintptr_t)name;
	info.raw_tracepoint.tp_name_len = sizeof(name);
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (u32)fd;
	attr.info.info = (u64)(uintptr_t)&info;
	attr.info.info_len = sizeof(info);
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), 0, "info of a link");
	expect(world, info.type, BPF_LINK_TYPE_RAW_TRACEPOINT, "info of a link: type");
	expect(world, info.raw_tracepoint.tp_name_len, 10, "info of a link: length of the name");
	expect(world, (long)info.raw_tracepoint.cookie, 0x1234, "info of a link: cookie");
	tap_ok(!strcmp(name, "sys_enter"), "%s: info of a link: name", world->name);
	info.raw_tracepoint.tp_name_len = 4;
	attr.info.info_len = sizeof(info);
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), -ENOSPC,
	       "info of a link: short name");
	tap_ok(!strcmp(name, "sys"), "%s: info of a link: short name", world->name);
	info.raw_tracepoint.tp_name = 0;
	info.raw_tracepoint.tp_name_len = 4;
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), -EINVAL,
	       "info of a link: length alone");
}

static void link_change(struct world *world, int fd, int raw)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_update.link_fd = (u32)fd;
	attr.link_update.new_prog_fd = (u32)raw;
	expect(world, world_call(world, BPF_LINK_UPDATE, &attr), -EINVAL, "update of a link");
	attr.link_update.flags = 8;
	expect(world, world_call(world, BPF_LINK_UPDATE, &attr), -EINVAL,
	       "update of a link, flags");
	memset(&attr, 0, sizeof(attr));
	attr.link_detach.link_fd = (u32)fd;
	expect(world, world_call(world, BPF_LINK_DETACH, &attr), -EOPNOTSUPP, "detaching");
	attr.link_detach.link_fd = (u32)raw;
	expect(world, world_call(world, BPF_LINK_DETACH, &attr), -EINVAL, "detaching a program");
	memset(&attr, 0, sizeof(attr));
	attr.iter_create.link_fd = (u32)fd;
	expect(world, world_call(world, BPF_ITER_CREATE, &attr), -EINVAL,
	       "iterator of another link");
}

static void link_query(struct world *world, int fd, int raw)
{
	union abi_attr attr;
	char name[32];

	memset(&attr, 0, sizeof(attr));
	attr.task_fd_query.pid = (u32)getpid();
	attr.task_fd_query.fd = (u32)fd;
	memset(name, 'z', sizeof(name));
	attr.task_fd_query.buf = (u64)(uintptr_t)name;
	attr.task_fd_query.buf_len = sizeof(name);
	expect(world, world_call(world, BPF_TASK_FD_QUERY, &attr), 0, "TASK_FD_QUERY");
	expect(world, attr.task_fd_query.buf_len, 9, "TASK_FD_QUERY: length");
	tap_ok(!strcmp(name, "sys_enter"), "%s: TASK_FD_QUERY: name", world->name);
	attr.task_fd_query.buf_len = 4;
	expect(world, world_call(world, BPF_TASK_FD_QUERY, &attr), -ENOSPC, "TASK_FD_QUERY: short");
	attr.task_fd_query.fd = (u32)raw;
	expect(world, world_call(world, BPF_TASK_FD_QUERY, &attr), -ABI_ENOTSUPP,
	       "TASK_FD_QUERY: a program");
	attr.task_fd_query.fd = 900;
	expect(world, world_call(world, BPF_TASK_FD_QUERY, &attr), -EBADF, "TASK_FD_QUERY: closed");
	attr.task_fd_query.flags = 1;
	expect(world, world_call(world, BPF_TASK_FD_QUERY, &attr), -EINVAL, "TASK_FD_QUERY: flags");
}

void scenario_link(struct world *world)
{
	struct link_progs progs = {
		.raw = world_prog(world, BPF_PROG_TYPE_RAW_TRACEPOINT, ok_insns, 2),
		.tracepoint = world_prog(world, BPF_PROG_TYPE_TRACEPOINT, ok_insns, 2),
		.filter = world_prog(world, BPF_PROG_TYPE_SOCKET_FILTER, ok_insns, 2),
	};
	int fd;

	link_perf(world, &progs);
	fd = link_raw(world, &progs);
	link_info(world, fd);
	link_change(world, fd, progs.raw);
	link_query(world, fd, progs.raw);
	world->close(world, fd);
	world->close(world, progs.raw);
	world->close(world, progs.tracepoint);
	world->close(world, progs.filter);
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
