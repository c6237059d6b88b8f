/* SPDX-License-Identifier: BSD-2-Clause */
/* See scenario.h: what single helpers answer to a program that is run by hand. */
#include "scenario.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>

#include "btf/btf.h"
#include "harness/kernel_btf.h"

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

/* The program's descriptor is closed behind its run on the memory: what it returned. */
static u32 run(struct place *place, int prog, const char *name)
{
	struct world *world = place->world;
	union abi_attr attr = { .test.prog_fd = (u32)prog };
	u32 key = 0;

	world_update(world, place->map, &key, &place->memory, 0);
	expect(world, world_call(world, BPF_PROG_TEST_RUN, &attr), 0, name);
	world_lookup(world, place->map, &key, &place->memory);
	world->close(world, prog);
	return attr.test.retval;
}

/* helper(args …) from a program that is run by hand: its result, or -1000 - errno of the load. */
static s64 ask(struct place *place, s32 helper, const struct arg *args, u32 nr_args)
{
	struct bpf_insn insns[64];
	const struct bpf_insn value[] = { LD_MAP(0, BPF_PSEUDO_MAP_VALUE, place->map) };
	u32 nr = 0;
	int prog;

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
	prog = world_prog(place->world, BPF_PROG_TYPE_RAW_TRACEPOINT, insns, nr);
	if (prog < 0)
		return prog - 1000;
	run(place, prog, "helper: it runs");
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

#define IMM64(reg, value)                                              \
	INSN(BPF_LD | BPF_IMM | BPF_DW, reg, 0, 0, (s32)(u64)(value)), \
		INSN(0, 0, 0, 0, (s32)((u64)(value) >> 32))

/* Runs a program of type syscall on the memory, all of it 'x' before: its result. */
static s64 run_syscall(struct place *place, const struct bpf_insn *insns, u32 nr)
{
	struct world *world = place->world;
	union abi_attr attr = world_prog_attr(BPF_PROG_TYPE_SYSCALL, insns, nr);
	long prog;

	memset(place->memory.bytes, 'x', sizeof(place->memory.bytes));
	attr.load.prog_flags = BPF_F_SLEEPABLE;
	prog = world_call(world, BPF_PROG_LOAD, &attr);
	expect(world, prog, FD, "copies: a program");
	return prog < 0 ? prog : (s32)run(place, (int)prog, "copies: it runs");
}

/* A copy of the client's memory into plain memory, the task being the one that asks. */
static s64 copy_string(struct place *place, const struct btf *btf, const void *from, u64 flags)
{
	const struct bpf_insn insns[] = {
		CALL(BPF_FUNC_get_current_task_btf),
		MOV_X(4, 0),
		LD_MAP(1, BPF_PSEUDO_MAP_VALUE, place->map),
		MOV_K(2, 32),
		IMM64(3, ADDRESS(from)),
		MOV_K(5, (s32)flags),
		KFUNC(btf, "bpf_copy_from_user_task_str"),
		EXIT(),
	};

	return run_syscall(place, insns, ARRAY_SIZE(insns));
}

/* (What lies behind a string in its room is the kernel's own affair.) The same into a dynptr, from
 * its 8th byte on. */
static s64 copy_into_dynptr(struct place *place, const struct btf *btf, const char *function,
			    const void *from, s32 size)
{
	const struct bpf_insn insns[] = {
		CALL(BPF_FUNC_get_current_task_btf),
		MOV_X(6, 0),
		LD_MAP(1, BPF_PSEUDO_MAP_VALUE, place->map),
		MOV_K(2, 32),
		MOV_K(3, 0),
		MOV_X(4, 10),
		ADD_K(4, -16),
		CALL(BPF_FUNC_dynptr_from_mem),
		MOV_X(1, 10),
		ADD_K(1, -16),
		MOV_K(2, 8),
		MOV_K(3, size),
		IMM64(4, ADDRESS(from)),
		MOV_X(5, 6),
		KFUNC(btf, function),
		EXIT(),
	};

	return run_syscall(place, insns, ARRAY_SIZE(insns));
}

static void user_copies(struct place *place)
{
	static const char text[] = "something to be copied";
	static struct btf *btf;
	struct world *world = place->world;

	btf = btf ? btf : kernel_btf_read();
	if (!btf || !btf_find(btf, "bpf_copy_from_user_task_str", BTF_KIND_FUNC)) {
		tap_skip(1, "%s: the kernel has no copies of tasks' memory", world->name);
		return;
	}
	expect(world, copy_string(place, btf, text, 0), sizeof(text), "copies: a string");
	expect(world, memcmp(place->memory.bytes, text, sizeof(text)), 0, "copies: its bytes");
	expect(world, all(place, 32, 32, 'x'), true, "copies: no more");
	expect(world, copy_string(place, btf, text, 1), sizeof(text), "copies: padded");
	expect(world, all(place, sizeof(text), 32 - sizeof(text), 0), true, "copies: zeros");
	expect(world, copy_string(place, btf, text, 2), -EINVAL, "copies: a flag");
	expect(world, copy_string(place, btf, (void *)8, 0), -EFAULT, "copies: no memory");
	for (u32 task = 0; task < 2; task++) {
		const char *bytes =
			task ? "bpf_copy_from_user_task_dynptr" : "bpf_copy_from_user_dynptr";
		const char *string = task ? "bpf_copy_from_user_task_str_dynptr"
					  : "bpf_copy_from_user_str_dynptr";

		expect(world, copy_into_dynptr(place, btf, bytes, text, 9), 0, bytes);
		expect(world, memcmp(place->memory.bytes, "xxxxxxxxsomethingxx", 19), 0, bytes);
		expect(world, copy_into_dynptr(place, btf, bytes, text, 25), -E2BIG, bytes);
		expect(world, copy_into_dynptr(place, btf, bytes, (void *)8, 8), -EFAULT, bytes);
		expect(world, copy_into_dynptr(place, btf, string, text + 13, 24), 10, string);
		expect(world, memcmp(place->memory.bytes, "xxxxxxxxbe copied", 18), 0, string);
		expect(world, copy_into_dynptr(place, btf, string, text, 5), 5, string);
		expect(world, memcmp(place->memory.bytes, "xxxxxxxxsome\0xx", 15), 0, string);
		expect(world, copy_into_dynptr(place, btf, string, (void *)8, 8), -EFAULT, string);
	}
}

void scenario_helper(struct world *world)
{
	struct place place = { .world = world };

	place.map = world_map(world, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct memory), 1, 0);
	expect(world, place.map, FD, "helper: a map");
	counters(&place);
	user_copies(&place);
	world->close(world, place.map);
}
