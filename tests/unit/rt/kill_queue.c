/* SPDX-License-Identifier: BSD-2-Clause */
/* See kill.h: queues and stacks of values, and tables of stack traces. */
#include <errno.h>

#include "kill.h"
#include "rt/stack.h"

static void prepare_queue(struct rt_map *map, struct rt_vcpu *vcpu)
{
	for (u64 value = 1; value <= 3; value++)
		rt_map_push_elem(map, &value, 0, vcpu);
}

static void push_one(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u64 value = 4;

	rt_map_push_elem(map, &value, BPF_EXIST, vcpu);
}

static void pop_one(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u64 value;

	rt_map_pop_elem(map, &value, vcpu);
}

/* 1, 2, 3 with perhaps a 4 after it, or without the value that was popped. */
static const char *examine_queue(struct rt_map *map, struct rt_vcpu *vcpu)
{
	bool stack = map->type == BPF_MAP_TYPE_STACK;
	u64 value, last = 0, nr = 0;

	while (rt_map_pop_elem(map, &value, vcpu) == 0) {
		if (value < 1 || value > 4 || (nr && value != (stack ? last - 1 : last + 1)))
			return "a value is torn or out of order";
		last = value;
		nr++;
	}
	if (nr < 2 || nr > 4)
		return "values are lost";
	prepare_queue(map, vcpu);
	return rt_map_peek_elem(map, &value, vcpu) || value != (stack ? 3 : 1)
		       ? "the queue is not usable"
		       : NULL;
}

/* Stacks of one address. Two of them fall into the bucket of the first. */
static u64 stacks[3];

static long keep(struct rt_map *map, struct rt_vcpu *vcpu, u64 ip, u64 flags)
{
	return rt_stack_store(map, &ip, 1, flags, vcpu);
}

static void prepare_stacks(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 nr = 0, key;
	long id = keep(map, vcpu, 1000, 0);

	stacks[nr++] = 1000;
	for (u64 ip = 1001; nr < ARRAY_SIZE(stacks); ip++) {
		long other = keep(map, vcpu, ip, 0);

		if (other == -EEXIST && keep(map, vcpu, ip, BPF_F_REUSE_STACKID) == id)
			stacks[nr++] = ip;
		else if (other != -EEXIST && other != id)
			key = (u32)other, rt_map_delete_elem(map, &key, vcpu);
	}
	keep(map, vcpu, stacks[0], BPF_F_REUSE_STACKID);
}

static void replace_stack(struct rt_map *map, struct rt_vcpu *vcpu)
{
	keep(map, vcpu, stacks[1], BPF_F_REUSE_STACKID);
}

static void delete_stack(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 id = (u32)keep(map, vcpu, stacks[0], 0);

	rt_map_delete_elem(map, &id, vcpu);
}

static void prepare_no_stack(struct rt_map *map, struct rt_vcpu *vcpu)
{
	prepare_stacks(map, vcpu);
	delete_stack(map, vcpu);
}

static void keep_stack(struct rt_map *map, struct rt_vcpu *vcpu)
{
	keep(map, vcpu, stacks[0], 0);
}

/* One stack or the other or none is there, whole, and as many fit as before. */
static const char *examine_stacks(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 key, next, nr = 0;
	u64 ip = 0;

	while (!rt_map_get_next_key(map, NULL, &key, vcpu)) {
		if (rt_map_lookup_and_delete(map, &key, &ip, 0, vcpu))
			return "a stack cannot be taken out";
		if (ip != stacks[0] && ip != stacks[1])
			return "a stack is torn";
	}
	if (keep(map, vcpu, stacks[2], 0) < 0)
		return "no stack can be stored";
	for (ip = 1; ip < 500; ip++)
		keep(map, vcpu, ip, 0);
	for (nr = 0; !rt_map_get_next_key(map, nr ? &key : NULL, &next, vcpu); nr++)
		key = next;
	/* A count that may or may not have been taken back leaves room for one more. */
	return nr < map->max_entries || nr > map->max_entries + 1 ? "not as many stacks fit" : NULL;
}

static const struct kill_scenario scenarios[] = {
	{ "queue push", BPF_MAP_TYPE_QUEUE, 4, prepare_queue, push_one, examine_queue, false },
	{ "queue push, full", BPF_MAP_TYPE_QUEUE, 3, prepare_queue, push_one, examine_queue,
	  false },
	{ "queue pop", BPF_MAP_TYPE_QUEUE, 4, prepare_queue, pop_one, examine_queue, false },
	{ "stack push", BPF_MAP_TYPE_STACK, 4, prepare_queue, push_one, examine_queue, false },
	{ "stack pop", BPF_MAP_TYPE_STACK, 4, prepare_queue, pop_one, examine_queue, false },
	{ "stack, kept", BPF_MAP_TYPE_STACK_TRACE, 3, prepare_no_stack, keep_stack, examine_stacks,
	  false },
	{ "stack, replaced", BPF_MAP_TYPE_STACK_TRACE, 3, prepare_stacks, replace_stack,
	  examine_stacks, false },
	{ "stack, deleted", BPF_MAP_TYPE_STACK_TRACE, 3, prepare_stacks, delete_stack,
	  examine_stacks, false },
};

void kill_queues(void)
{
	kill_run(scenarios, ARRAY_SIZE(scenarios), NULL);
}
