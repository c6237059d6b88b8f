/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seeded random sequences of map commands, sent to the running kernel and to skep side by side:
 * every result and every byte that comes back must be the same. Arguments are drawn from few
 * values, so that keys meet again, maps fill up and every flag is tried on every type.
 *
 * Usage: diff-sys-random [ROUNDS [SEED]]
 */
#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPS_MAX   6
#define BUFFER_MAX 4096
#define STEPS	   60

struct pair {
	int fds[2];
	u32 type, key_size, value_size, max_entries;
	bool ordered; /* keys come in the same order on both sides */
};

static struct world *worlds[2];
static struct pair maps[MAPS_MAX];
static u64 state;
static u32 differences;

static u32 draw(u32 below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(state >> 33) % below;
}

static u32 pick(const u32 *values, u32 nr)
{
	return values[draw(nr)];
}

static void report(const char *what, const union abi_attr *attr, long kernel, long skep)
{
	if (differences++ < 10)
		tap_note("%s: kernel %ld, skep %ld (type %u, %u/%u/%u, flags %#x)", what, kernel,
			 skep, attr->map_type, attr->key_size, attr->value_size, attr->max_entries,
			 attr->map_flags);
}

static u64 user_size(const struct pair *pair)
{
	static u32 cpus;

	if (!cpus) {
		FILE *file = fopen("/sys/devices/system/cpu/possible", "r");
		u32 first = 0, last = 0;

		if (!file || fscanf(file, "%u-%u", &first, &last) < 1)
			tap_bail("no number of possible CPUs");
		fclose(file);
		cpus = last + 1;
	}
	if (pair->type == BPF_MAP_TYPE_PERCPU_ARRAY || pair->type == BPF_MAP_TYPE_PERCPU_HASH)
		return ALIGN_UP(pair->value_size, 8u) * cpus;
	return pair->value_size;
}

static void create(struct pair *pair)
{
	static const u32 types[] = { 1, 2, 3, 4, 5, 6, 27, 1, 2, 5, 6, 0, 34, 99 };
	static const u32 sizes[] = { 0, 1, 4, 4, 4, 8, 12, 16, 33, 256 };
	static const u32 entries[] = { 0, 1, 2, 4, 8, 4096, 8192 };
	static const u32 flags[] = { 0,	  0,   0,     0,   1,	 2,    4,    8,	       16,	64,
				     128, 256, 0x180, 512, 1024, 2048, 4096, 1u << 17, 1u << 31 };
	union abi_attr attr;
	long results[2];
	u32 i;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = pick(types, ARRAY_SIZE(types));
	attr.key_size = pick(sizes, ARRAY_SIZE(sizes));
	attr.value_size = pick(sizes, ARRAY_SIZE(sizes));
	attr.max_entries = pick(entries, ARRAY_SIZE(entries));
	attr.map_flags = pick(flags, ARRAY_SIZE(flags));
	if (!draw(20))
		attr.map_extra = 1;
	if (!draw(20))
		attr.btf_value_type_id = 1;
	if (!draw(2)) { /* most often something that works */
		attr.map_type = pick(types, 7);
		attr.key_size = attr.map_type == BPF_MAP_TYPE_RINGBUF ? 0 : 4;
		attr.value_size = attr.map_type == BPF_MAP_TYPE_RINGBUF ? 0
				  : attr.map_type <= 4			? 4
									: 12;
		attr.max_entries = attr.map_type == BPF_MAP_TYPE_RINGBUF ? 4096 : 4;
		attr.map_flags = 0;
	}
	for (i = 0; i < 2; i++)
		results[i] = world_call(worlds[i], BPF_MAP_CREATE, &attr);
	if (results[0] < 0 || results[1] < 0) {
		if (results[0] != results[1])
			report("MAP_CREATE", &attr, results[0], results[1]);
		for (i = 0; i < 2; i++)
			if (results[i] >= 0)
				worlds[i]->close(worlds[i], (int)results[i]);
		return;
	}
	pair->fds[0] = (int)results[0];
	pair->fds[1] = (int)results[1];
	pair->type = attr.map_type;
	pair->key_size = attr.key_size;
	pair->value_size = attr.value_size;
	pair->max_entries = attr.max_entries;
	pair->ordered =
		attr.map_type != BPF_MAP_TYPE_HASH && attr.map_type != BPF_MAP_TYPE_PERCPU_HASH;
	if (user_size(pair) > BUFFER_MAX)
		tap_bail("buffer too small");
}

static void fill_key(const struct pair *pair, u8 *key)
{
	memset(key, 0, BUFFER_MAX);
	key[0] = (u8)draw(6);
	if (pair->key_size > 1 && !draw(8))
		key[pair->key_size - 1] = (u8)draw(3);
}

static void step(struct pair *pair)
{
	static const u32 commands[] = {
		BPF_MAP_UPDATE_ELEM,  BPF_MAP_UPDATE_ELEM,
		BPF_MAP_UPDATE_ELEM,  BPF_MAP_LOOKUP_ELEM,
		BPF_MAP_LOOKUP_ELEM,  BPF_MAP_DELETE_ELEM,
		BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_AND_DELETE_ELEM,
		BPF_MAP_FREEZE,
	};
	static const u64 flags[] = { 0, 0, 0, 1, 2, 3, 4, 8, 1ull << 32 };
	static u8 key[BUFFER_MAX], value[BUFFER_MAX], outs[2][BUFFER_MAX];
	u32 cmd = pick(commands, ARRAY_SIZE(commands)), i;
	bool no_key = !draw(12), no_value = !draw(25), in = cmd == BPF_MAP_UPDATE_ELEM;
	u64 flag = flags[draw(ARRAY_SIZE(flags))];
	union abi_attr attr;
	long results[2];

	if (cmd == BPF_MAP_FREEZE && draw(6))
		return;
	/* What comes behind a key of a hash is each side's own: walk() compares the sets. */
	if (cmd == BPF_MAP_GET_NEXT_KEY && !pair->ordered)
		no_key = true;
	fill_key(pair, key);
	for (i = 0; i < BUFFER_MAX; i++)
		value[i] = (u8)draw(256);
	/* Which descriptors stand in object arrays is not this test's matter. */
	if (in &&
	    (pair->type == BPF_MAP_TYPE_PROG_ARRAY || pair->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY))
		memset(value, 0xff, 4);
	for (i = 0; i < 2; i++) {
		memset(&attr, 0, sizeof(attr));
		memcpy(outs[i], value, BUFFER_MAX);
		attr.elem.map_fd = (u32)pair->fds[i];
		if (cmd != BPF_MAP_FREEZE) {
			attr.elem.key = no_key ? 0 : (u64)(uintptr_t)key;
			if (cmd != BPF_MAP_DELETE_ELEM)
				attr.elem.value = no_value ? 0 : (u64)(uintptr_t)outs[i];
			if (cmd != BPF_MAP_DELETE_ELEM && cmd != BPF_MAP_GET_NEXT_KEY)
				attr.elem.flags = flag;
		}
		results[i] = world_call(worlds[i], cmd, &attr);
	}
	if (results[0] != results[1]) {
		char text[128];

		snprintf(text, sizeof(text),
			 "command %u on type %u (key %u%s, value %u%s, flags %#llx)", cmd,
			 pair->type, key[0], no_key ? " none" : "", pair->value_size,
			 no_value ? " none" : "", (unsigned long long)flag);
		report(text, &attr, results[0], results[1]);
	} else if (!(cmd == BPF_MAP_GET_NEXT_KEY && !pair->ordered) &&
		   memcmp(outs[0], outs[1], BUFFER_MAX)) {
		report("what came back differs", &attr, cmd, pair->type);
	}
}

/* Every key of a map, each marked in *ret_set (their first byte is enough to tell them apart); how
 * many. */
static u32 walk(struct world *world, int fd, u64 *ret_set)
{
	static u8 key[BUFFER_MAX], next[BUFFER_MAX];
	union abi_attr attr;
	u32 nr = 0;

	*ret_set = 0;
	do {
		memset(&attr, 0, sizeof(attr));
		attr.elem.map_fd = (u32)fd;
		attr.elem.key = nr ? (u64)(uintptr_t)key : 0;
		attr.elem.next_key = (u64)(uintptr_t)next;
		if (world_call(world, BPF_MAP_GET_NEXT_KEY, &attr))
			break;
		memcpy(key, next, sizeof(key));
		*ret_set |= 1ull << (key[0] % 64);
	} while (++nr < 10000);
	return nr;
}

static void compare_keys(const struct pair *pair)
{
	u64 sets[2];
	u32 nrs[2], i;

	for (i = 0; i < 2; i++)
		nrs[i] = walk(worlds[i], pair->fds[i], &sets[i]);
	if ((nrs[0] != nrs[1] || sets[0] != sets[1]) && differences++ < 10)
		tap_note("keys of a map of type %u: kernel has %u, skep %u", pair->type, nrs[0],
			 nrs[1]);
}

static void finish(struct pair *pair)
{
	if (pair->type)
		compare_keys(pair);
	for (u32 i = 0; i < 2 && pair->type; i++)
		worlds[i]->close(worlds[i], pair->fds[i]);
	pair->type = 0;
}

int main(int argc, char **argv)
{
	u32 rounds = argc > 1 ? (u32)atoi(argv[1]) : 2000, round, i;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1, steps = 0;

	worlds[0] = world_kernel();
	if (!worlds[0]) {
		tap_skip(1, "no kernel bpf(2) to compare with");
		return tap_done();
	}
	worlds[1] = world_skep();
	for (round = 0; round < rounds; round++) {
		state = seed + round;
		draw(2);
		for (i = 0; i < MAPS_MAX; i++)
			create(&maps[i]);
		for (i = 0; i < STEPS; i++) {
			struct pair *pair = &maps[draw(MAPS_MAX)];

			if (!pair->type)
				continue;
			step(pair);
			steps++;
		}
		for (i = 0; i < MAPS_MAX; i++)
			finish(&maps[i]);
	}
	tap_ok(!differences, "%u rounds from seed %llu, %llu steps: %u differences", rounds,
	       (unsigned long long)seed, (unsigned long long)steps, differences);
	tap_is(world_skep_free(worlds[1]), 0, "nothing is left");
	return tap_done();
}
