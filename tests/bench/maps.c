/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cost of map operations and helpers, side by side in one run: the data plane's functions, hosted
 * and called from C, and the running kernel's, called from a program that makes the same call 64
 * times (less the cost of that program without the calls). Medians of several runs, and what skep
 * is to stay below.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../diff/maps/kernel.h"
#include "../unit/rt/map_env.h"
#include "harness/tap.h"
#include "rt/buffer.h"
#include "rt/clock.h"
#include "rt/helper.h"

#define CALLS	64
#define REPEAT	2000
#define RUNS	9
#define ENTRIES 10000u

enum what { LOOKUP, UPDATE, RINGBUF, CLOCK };

static const struct row {
	const char *name;
	enum what what;
	u32 type, helper, size, flags;
	double bar; /* of skep, in nanoseconds */
} rows[] = {
	{ "array lookup", LOOKUP, BPF_MAP_TYPE_ARRAY, BPF_FUNC_map_lookup_elem, 0, 0, 0.8 },
	{ "per-CPU array lookup", LOOKUP, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_FUNC_map_lookup_elem, 0, 0,
	  0.8 },
	{ "hash lookup", LOOKUP, BPF_MAP_TYPE_HASH, BPF_FUNC_map_lookup_elem, 0, 0, 15 },
	{ "per-CPU hash lookup", LOOKUP, BPF_MAP_TYPE_PERCPU_HASH, BPF_FUNC_map_lookup_elem, 0, 0,
	  15 },
	{ "LRU hash lookup", LOOKUP, BPF_MAP_TYPE_LRU_HASH, BPF_FUNC_map_lookup_elem, 0, 0, 15 },
	{ "hash update, existing", UPDATE, BPF_MAP_TYPE_HASH, BPF_FUNC_map_update_elem, 0, 0, 40 },
	{ "the same, no_prealloc", UPDATE, BPF_MAP_TYPE_HASH, BPF_FUNC_map_update_elem, 0,
	  BPF_F_NO_PREALLOC, 40 },
	{ "ringbuf_output 8 B", RINGBUF, BPF_MAP_TYPE_RINGBUF, BPF_FUNC_ringbuf_output, 8, 0, 25 },
	{ "ringbuf_output 256 B", RINGBUF, BPF_MAP_TYPE_RINGBUF, BPF_FUNC_ringbuf_output, 256, 0,
	  35 },
	{ "ktime_get_ns", CLOCK, 0, BPF_FUNC_ktime_get_ns, 0, 0, 25 },
};

static u32 key_of(u32 i)
{
	return i * 7919 % ENTRIES;
}

/* An LRU map holds all keys only with room to spare. */
static u32 room_for(const struct row *row)
{
	return row->type == BPF_MAP_TYPE_LRU_HASH ? 2 * ENTRIES : ENTRIES;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, RUNS, sizeof(*values), compare);
	return values[RUNS / 2];
}

/* Time on a CPU: as the kernel's test runs, which do not count what they lose to other tasks. */
static double now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* One call of the row's helper, as the engines make it. */
static void call(const struct row *row, const struct rt_map *map, u32 i, struct rt_vcpu *vcpu)
{
	static const u8 data[256];
	u32 key = key_of(i);

	if (row->what == RINGBUF) {
		rt_helpers[row->helper]((u64)map, (u64)data, row->size, BPF_RB_NO_WAKEUP, 0, vcpu);
		*(u64 *)(void *)map->data = *(u64 *)(void *)(map->data + 4096);
	} else {
		rt_helpers[row->helper]((u64)map, (u64)&key, (u64)data, 0, 0, vcpu);
	}
}

static double by_skep(const struct row *row, const struct rt_map *map, struct rt_vcpu *vcpu)
{
	double runs[RUNS];

	for (u32 run = 0; run < RUNS; run++) {
		double start = now_ns();

		for (u32 i = 0; i < REPEAT * CALLS; i++)
			call(row, map, i % CALLS, vcpu);
		runs[run] = (now_ns() - start) / (REPEAT * CALLS);
	}
	return median(runs);
}

/* The program of 64 calls; without calls when helper is 0. */
static u32 program(struct bpf_insn *insns, const struct row *row, int map, u32 helper)
{
	struct bpf_insn *p = insns;

	for (u32 i = 8; i <= 256; i += 8)
		*p++ = INSN(BPF_ST | BPF_MEM | BPF_DW, 10, 0, -(int)i, 0);
	for (u32 i = 0; i < CALLS; i++) {
		*p++ = INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -260, key_of(i));
		if (row->what != CLOCK) {
			*p++ = LOAD64(1, BPF_PSEUDO_MAP_FD, map);
			*p++ = LOAD64_HIGH(0);
		}
		*p++ = MOV_REG(2, 10);
		*p++ = ADD_IMM(2, row->what == RINGBUF ? -256 : -260);
		*p++ = MOV_REG(3, 10);
		if (row->what == RINGBUF)
			*p++ = MOV_IMM(3, row->size);
		else
			*p++ = ADD_IMM(3, -256);
		*p++ = MOV_IMM(4, row->what == RINGBUF ? BPF_RB_NO_WAKEUP : 0);
		if (helper)
			*p++ = CALL((s32)helper);
	}
	*p++ = MOV_IMM(0, 0);
	*p++ = EXIT();
	return (u32)(p - insns);
}

static double kernel_time(int prog, int ring)
{
	double runs[RUNS];

	for (u32 run = 0; run < RUNS; run++) {
		u8 packet[64] = { 0 };
		union bpf_attr attr;

		memset(&attr, 0, sizeof(attr));
		attr.test.prog_fd = (u32)prog;
		attr.test.data_in = (u64)packet;
		attr.test.data_size_in = sizeof(packet);
		/* A ring must not fill up: it has room for one run's records. */
		attr.test.repeat = ring ? 16 : REPEAT;
		if (kernel_bpf(BPF_PROG_TEST_RUN, &attr))
			return -1;
		runs[run] = attr.test.duration;
	}
	return median(runs);
}

static double by_kernel(const struct row *row)
{
	struct bpf_insn insns[CALLS * 10 + 64];
	int map = -1, with, without;
	double time = -1;

	if (row->what == RINGBUF)
		map = kernel_map(row->type, 0, 0, 1 << 24, 0);
	else if (row->type)
		map = kernel_map(row->type, 4, 8, room_for(row), row->flags);
	for (u32 i = 0; row->what != RINGBUF && map >= 0 && i < ENTRIES; i++)
		kernel_update(map, &i, (u64[64]){ 1 }, 0);
	with = kernel_prog(BPF_PROG_TYPE_SOCKET_FILTER, insns,
			   program(insns, row, map, row->helper));
	without = kernel_prog(BPF_PROG_TYPE_SOCKET_FILTER, insns, program(insns, row, map, 0));
	if (with >= 0 && without >= 0)
		time = (kernel_time(with, row->what == RINGBUF) - kernel_time(without, 0)) / CALLS;
	close(with);
	close(without);
	close(map);
	return time;
}

int main(void)
{
	struct arena *arena = env_new(0);
	struct rt_vcpu *vcpu = env_vcpu();
	bool kernel = tap_kernel_bpf();

	vcpu->clock = rt_clock_find();
	printf("%-24s %10s %10s %8s %8s\n", "operation", "skep ns", "kernel ns", "ratio", "bar ns");
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct rt_map *map = NULL;
		double ours, theirs;

		if (row->what == RINGBUF)
			map = env_map(arena, row->type, 0, 0, 1 << 20, 0);
		else if (row->type)
			map = env_map(arena, row->type, 4, 8, room_for(row), row->flags);
		for (u32 key = 0; row->what != RINGBUF && map && key < ENTRIES; key++)
			rt_map_update_elem(map, &key, &(u64){ 1 }, 0, vcpu);
		ours = by_skep(row, map, vcpu);
		theirs = kernel ? by_kernel(row) : -1;
		if (theirs > 0)
			printf("%-24s %10.1f %10.1f %8.2f", row->name, ours, theirs, ours / theirs);
		else
			printf("%-24s %10.1f %10s %8s", row->name, ours, "-", "-");
		printf(" %8.1f%s\n", row->bar, ours > row->bar ? ": not met" : "");
		if (map)
			env_map_free(arena, map);
	}
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return 0;
}
