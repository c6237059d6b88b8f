/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See scenario.h: timers in a map's values; and, of skep alone, what is called when somebody writes
 * over their fields and over the table that names them.
 */
#include "scenario.h"
#include "../btf/blob.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "rt/map.h"
#include "rt/shared.h"
#include "sys/sys.h"

enum { INT = 1, LONG, TIMER, VALUE, LARGER, PROTO, MAIN, TICK };

#define NO_THREAD ((1u << 22) - 1)
#define FIELD	  8 /* offset of the timer in both values */

static int load_btf(struct world *world)
{
	static struct blob blob;

	memset(&blob, 0, sizeof(blob));
	blob_int(&blob, "int", 4);
	blob_int(&blob, "long", 8);
	blob_type(&blob, "bpf_timer", BTF_KIND_STRUCT, 0, 1, 16);
	blob_member(&blob, "opaque", LONG, 0);
	blob_type(&blob, "value", BTF_KIND_STRUCT, 0, 2, 24);
	blob_member(&blob, "count", LONG, 0);
	blob_member(&blob, "timer", TIMER, 64);
	blob_type(&blob, "larger", BTF_KIND_STRUCT, 0, 3, 32);
	blob_member(&blob, "count", LONG, 0);
	blob_member(&blob, "timer", TIMER, 64);
	blob_member(&blob, "last", LONG, 192);
	blob_type(&blob, "", BTF_KIND_FUNC_PROTO, 0, 0, INT);
	blob_type(&blob, "main", BTF_KIND_FUNC, 0, 0, PROTO);
	blob_type(&blob, "tick", BTF_KIND_FUNC, 0, 0, PROTO);
	blob_finish(&blob);
	return world_btf(world, &blob);
}

static int make_map(struct world *world, int btf, u32 type, u32 value)
{
	union abi_attr attr = { 0 };

	attr.map_type = type;
	attr.key_size = 4;
	attr.value_size = value == VALUE ? 24 : 32;
	attr.max_entries = 2;
	attr.btf_fd = (u32)btf;
	attr.btf_key_type_id = INT;
	attr.btf_value_type_id = value;
	return (int)world_call(world, BPF_MAP_CREATE, &attr);
}

/* A program and where its other functions begin. */
static int load_insns(struct world *world, int btf, const struct bpf_insn *insns, u32 nr,
		      const u32 *starts, u32 nr_starts)
{
	struct bpf_func_info funcs[4] = { { 0, MAIN } };
	union abi_attr attr = world_prog_attr(BPF_PROG_TYPE_SCHED_CLS, insns, nr);

	for (u32 i = 0; i < nr_starts; i++)
		funcs[i + 1] = (struct bpf_func_info){ starts[i], TICK };
	attr.load.prog_btf_fd = (u32)btf;
	attr.load.func_info = (u64)(uintptr_t)funcs;
	attr.load.func_info_rec_size = sizeof(funcs[0]);
	attr.load.func_info_cnt = 1 + nr_starts;
	return (int)world_call(world, BPF_PROG_LOAD, &attr);
}

#define BEGIN_INSNS 25
#define TICK_MAX    24

/*
 * A program that starts a timer in the value of key 1, and what that then calls: functions that
 * begin at these of its instructions.
 */
static int load(struct world *world, int btf, int map, const struct bpf_insn *tick, u32 nr,
		const u32 *starts, u32 nr_starts)
{
	const struct bpf_insn begin[BEGIN_INSNS] = {
		STORE_K(BPF_W, 10, -8, 1),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, map),
		MOV_X(2, 10),
		ADD_K(2, -8),
		CALL(BPF_FUNC_map_lookup_elem),
		JEQ_K(0, 0, 17),
		MOV_X(6, 0),
		MOV_X(1, 6),
		ADD_K(1, FIELD),
		LD_MAP(2, BPF_PSEUDO_MAP_FD, map),
		MOV_K(3, 1),
		CALL(BPF_FUNC_timer_init),
		MOV_X(1, 6),
		ADD_K(1, FIELD),
		LD_MAP(2, BPF_PSEUDO_FUNC, 8),
		CALL(BPF_FUNC_timer_set_callback),
		MOV_X(1, 6),
		ADD_K(1, FIELD),
		MOV_K(2, 0),
		MOV_K(3, 0),
		CALL(BPF_FUNC_timer_start),
		EXIT(),
	};
	struct bpf_insn insns[BEGIN_INSNS + TICK_MAX];
	u32 all_starts[3];

	memcpy(insns, begin, sizeof(begin));
	memcpy(insns + BEGIN_INSNS, tick, nr * sizeof(*tick));
	for (u32 i = 0; i < nr_starts; i++)
		all_starts[i] = BEGIN_INSNS + starts[i];
	return load_insns(world, btf, insns, BEGIN_INSNS + nr, all_starts, nr_starts);
}

static int load_counter(struct world *world, int btf, int map)
{
	const struct bpf_insn tick[] = { LOAD(BPF_DW, 1, 3, 0), ADD_K(1, 1),
					 INSN(BPF_STX | BPF_MEM | BPF_DW, 3, 1, 0, 0), MOV_K(0, 0),
					 EXIT() };

	return load(world, btf, map, tick, ARRAY_SIZE(tick), (u32[]){ 0 }, 1);
}

static long count(struct world *world, int map)
{
	u64 value[4] = { 0 };
	u32 key = 1;
	long error = world_lookup(world, map, &key, value);

	return error ? error : (long)value[0];
}

static void step(struct world *world)
{
	if (!world->kernel)
		sys_async_step(world_hive(world));
}

/* Until it has counted so far; nothing here takes that long. */
static long await(struct world *world, int map, long wanted)
{
	for (u32 i = 0; i < 100000 && count(world, map) != wanted; i++) {
		step(world);
		usleep(100);
	}
	return count(world, map);
}

static void fires(struct world *world, int btf, u32 type, const char *name)
{
	int map = make_map(world, btf, type, VALUE), prog = load_counter(world, btf, map);
	u64 value[3] = { 0 };
	u32 key = 1;

	expect(world, prog, FD, name);
	expect(world, world_update(world, map, &key, value, 0), 0, "timer: an element");
	expect(world, scenario_run(world, prog), 0, "timer: started");
	expect(world, await(world, map, 1), 1, "timer: fired");
	expect(world, scenario_run(world, prog), 0, "timer: started again");
	expect(world, await(world, map, 2), 2, "timer: fired again");
	/* In its element's second life it is not set any more. */
	expect(world, scenario_run(world, prog), 0, "timer: started once more");
	world_update(world, map, &key, value, 0);
	expect(world, scenario_run(world, prog), 0, "timer: started in the new element");
	expect(world, await(world, map, 1), 1, "timer: fired for the new element alone");
	world->close(world, map);
	world->close(world, prog);
}

static int outer_map(struct world *world, int inner)
{
	union abi_attr attr = { 0 };

	attr.map_type = BPF_MAP_TYPE_ARRAY_OF_MAPS;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = 2;
	attr.inner_map_fd = (u32)inner;
	return (int)world_call(world, BPF_MAP_CREATE, &attr);
}

/*
 * A timer in a map that is found in another one. Of two maps found there nobody knows that they are
 * the same: then (mixed) the timer's map is the second one.
 */
static void in_found_map(struct world *world, int btf, bool mixed)
{
	int inner = make_map(world, btf, BPF_MAP_TYPE_ARRAY, VALUE), prog;
	int outer = outer_map(world, inner);
	const struct bpf_insn insns[] = {
		STORE_K(BPF_W, 10, -8, 1),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, outer),
		MOV_X(2, 10),
		ADD_K(2, -8),
		CALL(BPF_FUNC_map_lookup_elem),
		JEQ_K(0, 0, 29),
		MOV_X(7, 0),
		LD_MAP(1, BPF_PSEUDO_MAP_FD, outer),
		MOV_X(2, 10),
		ADD_K(2, -8),
		CALL(BPF_FUNC_map_lookup_elem),
		JEQ_K(0, 0, 22),
		MOV_X(8, 0),
		MOV_X(1, 7),
		MOV_X(2, 10),
		ADD_K(2, -8),
		CALL(BPF_FUNC_map_lookup_elem),
		JEQ_K(0, 0, 16),
		MOV_X(6, 0),
		MOV_X(1, 6),
		ADD_K(1, FIELD),
		MOV_X(2, mixed ? 8 : 7),
		MOV_K(3, 1),
		CALL(BPF_FUNC_timer_init),
		MOV_X(1, 6),
		ADD_K(1, FIELD),
		LD_MAP(2, BPF_PSEUDO_FUNC, 9),
		CALL(BPF_FUNC_timer_set_callback),
		MOV_X(1, 6),
		ADD_K(1, FIELD),
		MOV_K(2, 0),
		MOV_K(3, 0),
		CALL(BPF_FUNC_timer_start),
		MOV_K(0, 0),
		EXIT(),
		LOAD(BPF_DW, 1, 3, 0),
		ADD_K(1, 1),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 3, 1, 0, 0),
		MOV_K(0, 0),
		EXIT(),
	};
	u32 key = 1, fd = (u32)inner;

	prog = load_insns(world, btf, insns, ARRAY_SIZE(insns), (u32[]){ 38 }, 1);
	if (mixed) {
		expect(world, prog, -EINVAL, "timer: of another map found in a map");
	} else {
		expect(world, prog, FD, "timer: in a map found in a map");
		expect(world, world_update(world, outer, &key, &fd, 0), 0, "timer: the map");
		expect(world, scenario_run(world, prog), 0, "timer: started there");
		expect(world, await(world, inner, 1), 1, "timer: fired there");
		world->close(world, prog);
	}
	world->close(world, outer);
	world->close(world, inner);
}

static struct rt_async *field_of(struct world *world, int map)
{
	const struct rt_map *rt = sys_map_rt(world_object(world, map));

	return (struct rt_async *)(rt->data + rt->elem_stride + FIELD);
}

static void forge(struct world *world, struct rt_async *field, u64 word)
{
	field->due = 0;
	field->word = word;
	rt_async_tell(field);
	step(world);
	step(world);
}

/* Words that no program wrote. */
static void forged(struct world *world, int btf)
{
	int map = make_map(world, btf, BPF_MAP_TYPE_ARRAY, VALUE);
	int other = make_map(world, btf, BPF_MAP_TYPE_ARRAY, LARGER);
	int prog = load_counter(world, btf, map);
	struct rt_async *field = field_of(world, map), *elsewhere = field_of(world, other);
	u32 id = world_object(world, prog)->id;
	u64 started = RT_ASYNC_INIT | RT_ASYNC_STARTED;

	forge(world, field, started | rt_async_callback(id, 1));
	tap_is(count(world, map), 1, "what a program could have written is called");
	forge(world, elsewhere, started | rt_async_callback(id, 1));
	tap_is(count(world, other), 0, "not for a map that the callback was not checked for");
	forge(world, field, started | rt_async_callback(id, 0));
	forge(world, field, started | rt_async_callback(id, 2));
	forge(world, field, started | rt_async_callback(id, 1023));
	forge(world, field, started | rt_async_callback(id + 1, 1));
	forge(world, field, started | rt_async_callback(UINT32_MAX, 1));
	forge(world, field, RT_ASYNC_STARTED | rt_async_callback(id, 1));
	forge(world, field, UINT64_MAX);
	tap_is(count(world, map), 1, "no function but that one");
	for (u32 i = 0; i < RT_ASYNC_QUEUE_SIZE; i++)
		RT_SHARED->async.field[i] = (u64)field - 8 + i * 0x123457ul * (i % 3 - 1);
	RT_SHARED->async.pending = 1;
	step(world);
	tap_is(count(world, map), 1, "addresses of nothing are passed over");
	field->word = RT_ASYNC_INIT | RT_ASYNC_RUNNING;
	tap_is(scenario_run(world, prog), 0,
	       "a program goes on after a word that says \"running\"");
	tap_is(await(world, map, 2), 2, "and its timer fires");
	/* The table was full. */
	field->due = 0;
	field->word = started | rt_async_callback(id, 1);
	RT_SHARED->async.overflow = 1;
	tap_is(await(world, map, 3), 3, "what found no room in the table is found");
	/* A thread died on each vCPU, one of them in the middle of a start. */
	field->word = started | rt_async_callback(id, 1);
	for (u32 i = 0; i < RT_CONTROL->nr_vcpus; i++)
		RT_SHARED->vcpus[i].word |= NO_THREAD;
	tap_is(await(world, map, 4), 4, "what a dying thread has not told is found");
	world->close(world, map);
	world->close(world, other);
	world->close(world, prog);
}

/* A callback that loops for a year: 8M times 8M times, and then counts. */
static void endless(struct world *world, int btf)
{
	const struct bpf_insn tick[] = {
		LOAD(BPF_DW, 1, 3, 0),
		ADD_K(1, 1),
		INSN(BPF_STX | BPF_MEM | BPF_DW, 3, 1, 0, 0),
		MOV_K(1, 1 << 23),
		LD_MAP(2, BPF_PSEUDO_FUNC, 6),
		MOV_K(3, 0),
		MOV_K(4, 0),
		CALL(BPF_FUNC_loop),
		MOV_K(0, 0),
		EXIT(),
		MOV_K(1, 1 << 23),
		LD_MAP(2, BPF_PSEUDO_FUNC, 6),
		MOV_K(3, 0),
		MOV_K(4, 0),
		CALL(BPF_FUNC_loop),
		MOV_K(0, 0),
		EXIT(),
		MOV_K(0, 0),
		EXIT(),
	};
	int map = make_map(world, btf, BPF_MAP_TYPE_ARRAY, VALUE);
	int prog = load(world, btf, map, tick, ARRAY_SIZE(tick), (u32[]){ 0, 11, 19 }, 3);

	expect(world, prog, FD, "timer: a callback with loops");
	world_last_message(world);
	tap_is(scenario_run(world, prog), 0, "is started");
	step(world);
	tap_is(count(world, map), 1, "and comes to an end");
	tap_ok(strstr(world_last_message(world), "was stopped after 1 s"), "which is said");
	world->close(world, map);
	world->close(world, prog);
}

void scenario_timer(struct world *world)
{
	int btf = load_btf(world);

	fires(world, btf, BPF_MAP_TYPE_ARRAY, "timer: in an array");
	fires(world, btf, BPF_MAP_TYPE_HASH, "timer: in a hash");
	fires(world, btf, BPF_MAP_TYPE_LRU_HASH, "timer: in an LRU hash");
	in_found_map(world, btf, false);
	in_found_map(world, btf, true);
	if (!world->kernel) {
		forged(world, btf);
		endless(world, btf);
	}
	world->close(world, btf);
}
