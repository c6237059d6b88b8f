/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: what single helpers answer to a program that is run by hand. */
#include "scenario.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>

/* A map's value: what helpers are given and fill, and the result. */
struct memory {
	u8 bytes[64];
	s64 result;
};

struct place {
	struct world *world;
	int map; /* of one struct memory */
	struct memory memory;
};

enum { NUMBER, MAP, BYTES }; /* BYTES: the memory's, from value on */

struct arg {
	u32 kind;
	s64 value;
};

/* helper(args …) from a program that is run by hand: its result, or -1000 - errno of the load. */
static s64 ask(struct place *place, s32 helper, const struct arg *args, u32 nr_args)
{
	struct world *world = place->world;
	union abi_attr attr = { 0 };
	struct bpf_insn insns[64];
	const struct bpf_insn value[] = { LD_MAP(0, BPF_PSEUDO_MAP_VALUE, place->map) };
	u32 nr = 0, key = 0;
	long prog;

	for (u32 i = 0; i < nr_args; i++) {
		struct bpf_insn pair[] = { LD_MAP(i + 1, 0, (s32)args[i].value) };

		pair[1].imm = (s32)(args[i].value >> 32);
		if (args[i].kind != NUMBER) {
			pair[0].src_reg =
				args[i].kind == MAP ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE;
			pair[0].imm = args[i].kind == MAP ? (s32)args[i].value : place->map;
			pair[1].imm = args[i].kind == MAP ? 0 : (s32)args[i].value;
		}
		memcpy(insns + nr, pair, sizeof(pair));
		nr += 2;
	}
	insns[nr++] = CALL(helper);
	insns[nr++] = MOV_X(6, 0);
	memcpy(insns + nr, value, sizeof(value));
	nr += 2;
	insns[nr++] = INSN(BPF_STX | BPF_MEM | BPF_DW, 0, 6, offsetof(struct memory, result), 0);
	insns[nr++] = MOV_K(0, 0);
	insns[nr++] = EXIT();
	attr.load.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	attr.load.insns = ADDRESS(insns);
	attr.load.insn_cnt = nr;
	attr.load.license = ADDRESS("GPL");
	prog = world_call(world, BPF_PROG_LOAD, &attr);
	if (prog < 0)
		return prog - 1000;
	world_update(world, place->map, &key, &place->memory, 0);
	attr = (union abi_attr){ .test.prog_fd = (u32)prog };
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), 0, "helper: it runs");
	world_lookup(world, place->map, &key, &place->memory);
	world->close(world, (int)prog);
	return place->memory.result;
}

#define N(number)                \
	{                        \
		NUMBER, (number) \
	}
#define M(map)             \
	{                  \
		MAP, (map) \
	}
#define B(offset)               \
	{                       \
		BYTES, (offset) \
	}
#define ASK(helper, ...)                                                   \
	ask(place, BPF_FUNC_##helper, (const struct arg[]){ __VA_ARGS__ }, \
	    sizeof((const struct arg[]){ __VA_ARGS__ }) / sizeof(struct arg))
#define IS(want, helper, ...) \
	expect(place->world, ASK(helper, __VA_ARGS__), want, #helper " " #__VA_ARGS__)

static bool all(const struct place *place, u32 from, u32 size, u8 byte)
{
	for (u32 i = from; i < from + size; i++)
		if (place->memory.bytes[i] != byte)
			return false;
	return true;
}

/* Counters of events of which there is none, and branches that nobody records. */
static void counters(struct place *place)
{
	struct world *world = place->world;
	int events = world_map(world, BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 2, 0);

	expect(world, events, FD, "counters: a map");
	IS(-ENOENT, perf_event_read, M(events), N(0));
	IS(-E2BIG, perf_event_read, M(events), N(2));
	IS(-EINVAL, perf_event_read, M(events), N(1ll << 32));
	memset(place->memory.bytes, 1, 64);
	IS(-ENOENT, perf_event_read_value, M(events), N(1), B(8), N(24));
	expect(world, all(place, 8, 24, 0) && all(place, 32, 32, 1), true, "counters: cleared");
	memset(place->memory.bytes, 1, 64);
	IS(-EINVAL, perf_event_read_value, M(events), N(1), B(8), N(16));
	expect(world, all(place, 8, 16, 0) && all(place, 24, 40, 1), true, "counters: cleared");
	IS(-EINVAL, perf_event_read_value, M(events), N(-1), B(8), N(24));
	IS(-ENOENT, get_branch_snapshot, B(0), N(64), N(0));
	IS(-EINVAL, get_branch_snapshot, B(0), N(64), N(1));
	/* A hash is no array of events. */
	IS(-1000 - EINVAL, perf_event_read, M(place->map), N(0));
	world->close(world, events);
}

void scenario_helper(struct world *world)
{
	struct place place = { .world = world };

	place.map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct memory), 1, 0);
	expect(world, place.map, FD, "helper: a map");
	counters(&place);
	world->close(world, place.map);
}
