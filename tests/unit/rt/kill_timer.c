/* SPDX-License-Identifier: BSD-2-Clause */
/* See kill.h: timers in the values of a hash table. */
#include "kill.h"
#include "rt/async.h"
#include "rt/map/hash.h"
#include "rt/prog.h"
#include "rt/shared.h"

/* The program whose callback timers have. */
static const struct rt_prog timer_prog = { .id = 7 };

struct timed {
	u64 number;
	struct rt_async timer;
};

static struct timed *timed(struct rt_map *map, struct rt_vcpu *vcpu, u32 key)
{
	return rt_map_lookup_elem(map, &key, vcpu);
}

static void put_timed(struct rt_map *map, struct rt_vcpu *vcpu, u32 key, u64 number)
{
	const struct timed value = { number, { 0, 0 } };

	rt_map_update_elem(map, &key, &value, 0, vcpu);
}

static void set_timer(struct rt_map *map, struct rt_vcpu *vcpu, u32 key, u64 due)
{
	struct timed *value = timed(map, vcpu, key);

	vcpu->prog = &timer_prog;
	rt_timer_init(&value->timer, map, 1);
	rt_async_set_callback(&value->timer, key, vcpu);
	rt_timer_start(&value->timer, due, 1, vcpu);
}

/* Timers in keys 1 to 3, and one that was there. */
static void prepare_timers(struct rt_map *map, struct rt_vcpu *vcpu)
{
	for (u32 key = 1; key <= 4; key++) {
		put_timed(map, vcpu, key, key * 10);
		set_timer(map, vcpu, key, key * 1000);
	}
	kill_drop(map, vcpu, 4);
}

static void start_timer(struct rt_map *map, struct rt_vcpu *vcpu)
{
	set_timer(map, vcpu, 2, 5000);
}

static void begin_timer(struct rt_map *map, struct rt_vcpu *vcpu)
{
	kill_drop(map, vcpu, 2);
	put_timed(map, vcpu, 2, 20);
	set_timer(map, vcpu, 2, 5000);
}

static void cancel_timer(struct rt_map *map, struct rt_vcpu *vcpu)
{
	rt_timer_cancel(&timed(map, vcpu, 2)->timer, vcpu);
}

static void delete_timed(struct rt_map *map, struct rt_vcpu *vcpu)
{
	kill_drop(map, vcpu, 2);
}

static void replace_timed(struct rt_map *map, struct rt_vcpu *vcpu)
{
	put_timed(map, vcpu, 2, 21);
}

/* Is it what the operation began with, or what a prefix of its steps makes of that? */
static bool is_whole(const struct timed *value, u32 key)
{
	u64 word = value->timer.word, callback = word & RT_ASYNC_CALLBACK;
	u64 rest = word & ~(RT_ASYNC_CALLBACK | RT_ASYNC_STARTS);

	if (!word)
		return key == 2;
	if (callback && callback != rt_async_callback(timer_prog.id, key))
		return false;
	if (rest & ~(RT_ASYNC_INIT | RT_ASYNC_STARTED) || !(rest & RT_ASYNC_INIT))
		return false;
	return !(rest & RT_ASYNC_STARTED) || callback;
}

/* No timer goes on in an element that nobody can reach, and every other one is whole. */
static const char *examine_timers(struct rt_map *map, struct rt_vcpu *vcpu)
{
	for (u32 key = 1; key <= 3; key++) {
		const struct timed *value = timed(map, vcpu, key);

		if (value && !is_whole(value, key))
			return "a timer is torn";
		if (key != 2 && (!value || value->timer.due != key * 1000))
			return "another key's timer changed";
	}
	for (u32 i = 0; i < RT_ASYNC_QUEUE_SIZE; i++) {
		u64 field = RT_SHARED->async.field[i];

		if (field && !rt_map_is_value(map, (u8 *)(field - offsetof(struct timed, timer))))
			return "the table names what is no timer";
	}
	for (u32 key = 0; key < 8; key++)
		kill_drop(map, vcpu, key);
	/* Whoever comes to a bucket of the dead's ends what they were ending. */
	for (u32 i = 1; i <= hash_nr_elems(map); i++)
		if (((struct timed *)(void *)hash_value(map, i, 0))->timer.word)
			return "a timer goes on in an element that is free";
	return NULL;
}

static const struct rt_map_field timer_field = { .offset = offsetof(struct timed, timer),
						 .size = sizeof(struct rt_async),
						 .kind = RT_FIELD_TIMER };

static const struct kill_scenario scenarios[] = {
	{ "timer, started again", BPF_MAP_TYPE_HASH, 4, prepare_timers, start_timer, examine_timers,
	  false },
	{ "timer, begun", BPF_MAP_TYPE_HASH, 4, prepare_timers, begin_timer, examine_timers,
	  false },
	{ "timer, cancelled", BPF_MAP_TYPE_HASH, 4, prepare_timers, cancel_timer, examine_timers,
	  true },
	{ "timer, its element deleted", BPF_MAP_TYPE_HASH, 4, prepare_timers, delete_timed,
	  examine_timers, true },
	{ "timer, its element replaced", BPF_MAP_TYPE_HASH, 4, prepare_timers, replace_timed,
	  examine_timers, true },
};

void kill_timers(void)
{
	kill_run(scenarios, ARRAY_SIZE(scenarios), &timer_field);
}
