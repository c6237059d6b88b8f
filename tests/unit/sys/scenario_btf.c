/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: BTF_LOAD, its log and information, and maps whose values it describes. */
#include "scenario.h"
#include "../btf/blob.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
