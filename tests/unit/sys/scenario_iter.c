/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See scenario.h: links of iterators, and what is read of them. Programs write the key of each
 * element, four bytes, and "end!" behind the last one.
 */
#include "scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "btf/btf.h"
#include "harness/kernel_btf.h"
#include "isa/opcode.h"

#define SEQ_WRITE	      BPF_FUNC_seq_write
#define STORE(size, src, off) INSN(BPF_STX | BPF_MEM | (size), 10, src, off, 0)

static struct btf *kernel_btf(void)
{
	static struct btf *btf;

	if (!btf)
		btf = kernel_btf_read();
	return btf;
}

static int load(struct world *world, const char *target, const struct bpf_insn *insns, u32 nr)
{
	char function[64];
	union abi_attr attr = world_prog_attr(BPF_PROG_TYPE_TRACING, insns, nr);

	snprintf(function, sizeof(function), "bpf_iter_%s", target);
	attr.load.expected_attach_type = BPF_TRACE_ITER;
	attr.load.attach_btf_id = btf_find(kernel_btf(), function, BTF_KIND_FUNC);
	return (int)world_call(world, BPF_PROG_LOAD, &attr);
}

static int load_silent(struct world *world, const char *target)
{
	static const struct bpf_insn insns[] = { MOV_K(0, 0), EXIT() };

	return load(world, target, insns, 2);
}

/* Reads size bytes of the value too, so that a map must have them. */
static int load_elem(struct world *world, int value_size)
{
	const struct bpf_insn insns[] = {
		LOAD(BPF_DW, 6, 1, 0), /* meta */
		LOAD(BPF_DW, 2, 1, 16),
		LOAD(BPF_DW, 3, 1, 24),
		LOAD(BPF_DW, 1, 6, 0), /* seq */
		JEQ_K(3, 0, 1),
		LOAD(BPF_B, 3, 3, (s16)(value_size - 1)),
		JEQ_K(2, 0, 2),
		MOV_K(3, 4),
		INSN(BPF_JMP | BPF_JA, 0, 0, 4, 0),
		STORE_K(BPF_W, 10, -4, 0x21646e65),
		MOV_X(2, 10),
		ADD_K(2, -4),
		MOV_K(3, 4),
		CALL(SEQ_WRITE),
		MOV_K(0, 0),
		EXIT(),
	};

	return load(world, "bpf_map_elem", insns, ARRAY_SIZE(insns));
}

static long link_create(struct world *world, int prog, const void *info, u32 length)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (u32)prog;
	attr.link_create.attach_type = BPF_TRACE_ITER;
	attr.link_create.iter_info = (u64)(uintptr_t)info;
	attr.link_create.iter_info_len = length;
	return world_call(world, BPF_LINK_CREATE, &attr);
}

static long link_map(struct world *world, int prog, int map)
{
	union bpf_iter_link_info info = { .map.map_fd = (u32)map };

	return link_create(world, prog, &info, sizeof(info));
}

static long iter_create(struct world *world, int link, u32 flags)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.iter_create.link_fd = (u32)link;
	attr.iter_create.flags = flags;
	return world_call(world, BPF_ITER_CREATE, &attr);
}

static long update(struct world *world, int link, int prog, int old_prog, u32 flags)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_update.link_fd = (u32)link;
	attr.link_update.new_prog_fd = (u32)prog;
	attr.link_update.old_prog_fd = (u32)old_prog;
	attr.link_update.flags = flags;
	return world_call(world, BPF_LINK_UPDATE, &attr);
}

static void links(struct world *world)
{
	struct {
		union bpf_iter_link_info info;
		u64 tail[2];
	} large = { 0 };
	union bpf_iter_link_info info = { 0 };
	int prog = load_silent(world, "bpf_map"), elem = load_elem(world, 8);
	int array = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0);
	int small = world_map(world, BPF_MAP_TYPE_HASH, 4, 4, 4, 0);
	int short_key = world_map(world, BPF_MAP_TYPE_HASH, 2, 8, 4, 0);
	int queue = world_map(world, BPF_MAP_TYPE_QUEUE, 0, 8, 4, 0);
	int lru = world_map(world, BPF_MAP_TYPE_LRU_HASH, 4, 8, 4, 0);
	int percpu = world_map(world, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 4, 0);
	union abi_attr attr;

	expect(world, prog, FD, "a program over maps");
	expect(world, elem, FD, "a program over elements");
	expect(world, link_create(world, prog, NULL, 0), FD, "a link without info");
	expect(world, link_create(world, prog, &info, 0), -EINVAL, "info without length");
	expect(world, link_create(world, prog, NULL, 8), -EINVAL, "length without info");
	expect(world, link_create(world, prog, (void *)8, 8), -EFAULT, "info that cannot be read");
	expect(world, link_create(world, prog, &info, 4), FD, "short info");
	expect(world, link_create(world, prog, &large, sizeof(large)), FD, "long info");
	large.tail[1] = 1;
	expect(world, link_create(world, prog, &large, sizeof(large)), -E2BIG,
	       "long info with something in it");
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (u32)prog;
	attr.link_create.attach_type = BPF_TRACE_ITER;
	attr.link_create.flags = 1;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EINVAL, "flags");
	attr.link_create.flags = 0;
	attr.link_create.target_fd = (u32)array;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EINVAL, "a target's fd");
	attr.link_create.target_fd = 0;
	attr.link_create.attach_type = BPF_TRACE_RAW_TP;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EINVAL, "as a tracepoint");
	attr.link_create.attach_type = BPF_TRACE_FENTRY;
	expect(world, world_call(world, BPF_LINK_CREATE, &attr), -EINVAL, "as fentry");

	expect(world, link_map(world, elem, array), FD, "over an array");
	expect(world, link_map(world, elem, lru), FD, "over an LRU hash");
	expect(world, link_map(world, elem, percpu), FD, "over a per-CPU array");
	expect(world, link_create(world, elem, NULL, 0), -EBADF, "over no map");
	expect(world, link_map(world, elem, 900), -EBADF, "over a closed descriptor");
	expect(world, link_map(world, elem, prog), -EINVAL, "over a program");
	expect(world, link_map(world, elem, queue), -EINVAL, "over a queue");
	expect(world, link_map(world, elem, small), -EACCES, "beyond the value");
	expect(world, link_map(world, elem, short_key), -EACCES, "beyond the key");
}

static void updates(struct world *world)
{
	int array = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0);
	int one = load_elem(world, 4), two = load_elem(world, 8),
	    other = load_silent(world, "bpf_map");
	static const struct bpf_insn insns[] = { MOV_K(0, 0), EXIT() };
	int xdp = world_prog(world, BPF_PROG_TYPE_XDP, insns, 2);
	int link = (int)link_map(world, one, array);

	expect(world, link, FD, "a link to be updated");
	expect(world, update(world, link, two, 0, 0), 0, "another program");
	expect(world, update(world, link, two, 0, 0), 0, "the same again");
	expect(world, update(world, link, one, two, BPF_F_REPLACE), 0,
	       "the one in place of the other");
	expect(world, update(world, link, two, two, BPF_F_REPLACE), -EPERM, "in place of a third");
	expect(world, update(world, link, two, 900, BPF_F_REPLACE), -EBADF, "in place of none");
	expect(world, update(world, link, other, 0, 0), -EINVAL, "one for another target");
	expect(world, update(world, link, xdp, 0, 0), -EINVAL, "one of another type");
	expect(world, update(world, link, two, one, 0), -EINVAL, "an old one without the flag");
	expect(world, update(world, link, two, 0, BPF_F_REPLACE << 1), -EINVAL, "other flags");
}

static void infos(struct world *world)
{
	int array = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0);
	int elem = (int)link_map(world, load_elem(world, 8), array);
	union bpf_iter_link_info of_task = { .task.tid = (u32)getpid() };
	int task = (int)link_create(world, load_silent(world, "task"), &of_task, sizeof(of_task));
	struct bpf_link_info info;
	char name[32];
	union abi_attr attr;
	struct {
		int link;
		u32 room;
		long want;
		const char *name;
	} rows[] = {
		{ elem, 32, 0, "bpf_map_elem" },
		{ elem, 13, 0, "bpf_map_elem" },
		{ elem, 12, -ENOSPC, "bpf_map_ele" },
		{ elem, 1, -ENOSPC, "" },
		{ task, 32, 0, "task" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(&info, 0, sizeof(info));
		memset(name, 'x', sizeof(name));
		memset(&attr, 0, sizeof(attr));
		info.iter.target_name = (u64)(uintptr_t)name;
		info.iter.target_name_len = rows[i].room;
		attr.info.bpf_fd = (u32)rows[i].link;
		attr.info.info = (u64)(uintptr_t)&info;
		attr.info.info_len = sizeof(info);
		expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), rows[i].want,
		       "info of a link");
		expect(world, strcmp(name, rows[i].name), 0, "its target's name");
		if (rows[i].want)
			continue;
		expect(world, info.type, BPF_LINK_TYPE_ITER, "its type");
		expect(world, info.iter.target_name_len, (long)strlen(rows[i].name) + 1,
		       "the name's length");
		expect(world, info.iter.map.map_id != 0, rows[i].link == elem, "its map");
		/* In Linux 6.18 behind the map's id; Debian's header knows it as padding. */
		expect(world, *(u32 *)((u8 *)&info + 32), rows[i].link == task ? getpid() : 0,
		       "its task");
	}
	memset(&info, 0, sizeof(info));
	info.iter.target_name_len = 4;
	expect(world, world_call(world, BPF_OBJ_GET_INFO_BY_FD, &attr), -EINVAL,
	       "room for a name without a place");
}

static void tasks(struct world *world)
{
	int prog = load_silent(world, "task"), file = load_silent(world, "task_file"),
	    vma = load_silent(world, "task_vma");
	union bpf_iter_link_info info = { 0 };

	expect(world, link_create(world, prog, NULL, 0), FD, "all tasks");
	info.task.tid = 1;
	expect(world, link_create(world, prog, &info, sizeof(info)), FD, "one thread");
	expect(world, link_create(world, file, &info, sizeof(info)), FD, "files of one thread");
	expect(world, link_create(world, vma, &info, sizeof(info)), FD, "memory of one thread");
	info.task.pid = 1;
	expect(world, link_create(world, prog, &info, sizeof(info)), -EINVAL,
	       "a thread and a process");
	info.task.tid = 0;
	expect(world, link_create(world, prog, &info, sizeof(info)), FD, "one process");
	info.task.pid_fd = 900;
	expect(world, link_create(world, prog, &info, sizeof(info)), -EINVAL, "twice a process");
	info.task.pid = 0;
	expect(world, link_create(world, prog, &info, sizeof(info)), -EBADF, "a closed pidfd");
	info.task.pid_fd = (u32)world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0);
	expect(world, link_create(world, prog, &info, sizeof(info)), -EBADF,
	       "a pidfd that is none");
}

/* Up to size bytes: a walk that was interrupted gives what it has. */
static long read_on(struct world *world, int iter, void *bytes, long size)
{
	long total = 0, got = 1;

	while (got > 0 && total < size) {
		got = world_read(world, iter, (char *)bytes + total, (u64)(size - total));
		if (got < 0)
			return got;
		total += got;
	}
	return total;
}

static void reads(struct world *world)
{
	int array = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 3, 0), prog = load_elem(world, 8);
	int link = (int)link_map(world, prog, array), iter, second;
	u32 words[8];
	char *bytes = (char *)words;

	expect(world, iter_create(world, link, 1), -EINVAL, "a walk with flags");
	expect(world, iter_create(world, 900, 0), -EBADF, "of a closed link");
	expect(world, iter_create(world, array, 0), -EINVAL, "of a map");
	iter = (int)iter_create(world, link, 0);
	second = (int)iter_create(world, link, 0);
	expect(world, iter, FD, "a walk");
	expect(world, second, FD, "another one");
	expect(world, iter_create(world, iter, 0), -EINVAL, "a walk of a walk");
	memset(words, 0xff, sizeof(words));
	expect(world, read_on(world, iter, words, sizeof(words)), 16, "all that there is");
	expect(world, !words[0] && words[1] == 1 && words[2] == 2, 1, "three keys");
	expect(world, memcmp(&words[3], "end!", 4), 0, "and the end");
	expect(world, world_read(world, iter, words, sizeof(words)), 0, "nothing more");
	expect(world, world_read(world, iter, words, sizeof(words)), 0, "and still nothing");
	memset(words, 0xff, sizeof(words));
	expect(world, world_read(world, second, bytes, 3), 3, "three bytes of the other walk");
	expect(world, world_read(world, second, bytes + 3, 2), 1, "what is left of its first key");
	expect(world, world_read(world, second, bytes + 4, 5), 5, "one key and a byte");
	expect(world, read_on(world, second, bytes + 9, 23), 7, "the rest of it");
	expect(world, world_read(world, second, bytes + 16, 16), 0, "the end");
	expect(world, !words[0] && words[1] == 1 && words[2] == 2, 1, "the same keys");
	/* Program and map live on in the walk. */
	iter = (int)iter_create(world, link, 0);
	world->close(world, link);
	world->close(world, prog);
	world->close(world, array);
	expect(world, read_on(world, iter, words, sizeof(words)), 16, "a walk without its link");
}

/* Where a map's structure has its size. */
static s16 size_of_map(void)
{
	const struct btf_type *map =
		btf_type_by_id(kernel_btf(), btf_find(kernel_btf(), "bpf_map", BTF_KIND_STRUCT));

	return (s16)(btf_member_offset(map, btf_find_member(kernel_btf(), map, "max_entries")) / 8);
}

/* A load with order reads what a map's structure says as another load does. */
static void shown_maps(struct world *world)
{
	const s16 size = size_of_map();
	const struct bpf_insn insns[] = {
		LOAD(BPF_DW, 6, 1, 8), /* map */
		JEQ_K(6, 0, 10),
		LOAD(BPF_DW, 1, 1, 0), /* meta */
		LOAD(BPF_DW, 1, 1, 0), /* seq */
		INSN(BPF_STX | BPF_ATOMIC | BPF_W, 2, 6, size, BPF_LOAD_ACQ),
		STORE(BPF_W, 2, -8),
		LOAD(BPF_W, 2, 6, size),
		STORE(BPF_W, 2, -4),
		MOV_X(2, 10),
		ADD_K(2, -8),
		MOV_K(3, 8),
		CALL(SEQ_WRITE),
		MOV_K(0, 0),
		EXIT(),
	};
	int array = world_map(world, BPF_MAP_TYPE_ARRAY, 4, 8, 77, 0);
	int prog = load(world, "bpf_map", insns, ARRAY_SIZE(insns)), iter;
	u32 rows[512][2];
	bool seen = false;
	long got;

	if (world->kernel && prog == -EINVAL) {
		tap_skip(1, "the kernel is older than loads with order");
		return;
	}
	expect(world, array, FD, "a map of 77 elements");
	expect(world, prog, FD, "a program over maps that loads with order");
	iter = (int)iter_create(world, (int)link_create(world, prog, NULL, 0), 0);
	expect(world, iter, FD, "a walk");
	got = iter < 0 ? iter : read_on(world, iter, rows, sizeof(rows));
	expect(world, got >= 8 && got % 8 == 0, 1, "a row for each map");
	for (long i = 0; i < got / 8; i++) {
		expect(world, rows[i][0] == rows[i][1], 1, "the same size both ways");
		seen |= rows[i][0] == 77;
	}
	expect(world, seen, 1, "the map is among them");
}

void scenario_iter(struct world *world)
{
	if (!kernel_btf()) {
		tap_skip(1, "the kernel shows no BTF here");
		return;
	}
	links(world);
	updates(world);
	infos(world);
	tasks(world);
	reads(world);
	shown_maps(world);
}
