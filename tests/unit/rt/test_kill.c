/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Death at every instruction: a child does one operation and is single-stepped; after each
 * instruction the shared memory is kept. When the child is dead each of these states is put back
 * and examined: it is what a SIGKILL at that instruction leaves, since nothing but shared memory
 * outlives a process. This is exhaustive over the instructions of an operation that meets no other
 * thread.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/tap.h"
#include "map_env.h"
#include "rt/async.h"
#include "rt/buffer.h"
#include "rt/map/hash.h"
#include "rt/prog.h"
#include "rt/ring.h"
#include "rt/shared.h"
#include "rt/stack.h"
#include "rt/trace.h"

#define STEPS_MAX  50000
#define STATES_MAX 512
#define AREAS_MAX  6
#define SLOTS	   3
/* One operation and what must hold when it was cut off anywhere. */
struct scenario {
	const char *name;
	u32 type;
	u32 max_entries;
	void (*prepare)(struct rt_map *map, struct rt_vcpu *vcpu);
	void (*operate)(struct rt_map *map, struct rt_vcpu *vcpu);
	/* NULL, or what is wrong. */
	const char *(*examine)(struct rt_map *map, struct rt_vcpu *vcpu);
	bool twice; /* the operation may be cut off twice */
};

static u32 *done; /* shared: the child's operation has ended */

static void put(struct rt_map *map, struct rt_vcpu *vcpu, u32 key, u64 value)
{
	rt_map_update_elem(map, &key, &value, 0, vcpu);
}

static void drop(struct rt_map *map, struct rt_vcpu *vcpu, u32 key)
{
	rt_map_delete_elem(map, &key, vcpu);
}

static u64 get(struct rt_map *map, struct rt_vcpu *vcpu, u32 key)
{
	u64 *value = rt_map_lookup_elem(map, &key, vcpu);

	return value ? *value : 0;
}

/* Keys 1 … 3 of a map of 4, and a deleted one, so that chains and free lists are not empty. */
static void prepare_hash(struct rt_map *map, struct rt_vcpu *vcpu)
{
	for (u32 key = 1; key <= 4; key++)
		put(map, vcpu, key, key * 10);
	drop(map, vcpu, 4);
}

/* The same, and the free element lies in another vCPU's list: it has to be stolen. */
static void prepare_steal(struct rt_map *map, struct rt_vcpu *vcpu)
{
	struct hash_slot *own = hash_slot(map, vcpu->index),
			 *other = hash_slot(map, (vcpu->index + 1) % map->nr_vcpus);

	prepare_hash(map, vcpu);
	other->free = own->free;
	own->free = 0;
}

/* The same, and the free element lies in the cell of a vCPU whose holder is gone. */
static void prepare_cell(struct rt_map *map, struct rt_vcpu *vcpu)
{
	struct hash_slot *own = hash_slot(map, vcpu->index),
			 *other = hash_slot(map, (vcpu->index + 1) % map->nr_vcpus);

	prepare_hash(map, vcpu);
	other->cell = own->free;
	own->free = 0;
}

static void insert_one(struct rt_map *map, struct rt_vcpu *vcpu)
{
	put(map, vcpu, 5, 50);
}

static void replace_one(struct rt_map *map, struct rt_vcpu *vcpu)
{
	put(map, vcpu, 2, 21);
}

static void delete_one(struct rt_map *map, struct rt_vcpu *vcpu)
{
	drop(map, vcpu, 2);
}

/* Keys that nobody touched are whole; the map takes exactly max_entries keys. */
static const char *examine_hash(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u64 two = get(map, vcpu, 2), five = get(map, vcpu, 5);
	u32 linked, fits = 0;
	const char *wrong;

	if (get(map, vcpu, 1) != 10 || get(map, vcpu, 3) != 30)
		return "another key changed";
	if (two != 20 && two != 21 && two != 0)
		return "a value is torn";
	if (five != 0 && five != 50)
		return "a new value is torn";
	/* Operations on all keys and from all slots meet every lock and journal. */
	for (u32 key = 0; key < 64; key++)
		drop(map, vcpu, key);
	for (u32 key = 100; key < 164; key++) {
		u64 value = key;

		fits += rt_map_update_elem(map, &key, &value, BPF_NOEXIST, vcpu) == 0;
	}
	if (fits != map->max_entries)
		return "not exactly max_entries keys fit";
	for (u32 key = 100; key < 164; key++)
		drop(map, vcpu, key);
	wrong = env_hash_check(map, &linked);
	if (wrong && strcmp(wrong, "a journal is open") != 0)
		return wrong;
	return !wrong && linked ? "keys remain" : NULL;
}

/* A replacement is all or nothing: the key is there before, after and in between. */
static const char *examine_replace(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u64 two = get(map, vcpu, 2);

	if (two != 20 && two != 21)
		return "the key is not there";
	drop(map, vcpu, 2);
	if (get(map, vcpu, 2))
		return "the key is there twice";
	put(map, vcpu, 2, 20);
	return examine_hash(map, vcpu);
}

/* So many that the next element that is used for the first time splits bucket 0. */
#define SPLIT_KEYS (HASH_BUCKETS_FIRST / 2)

/* The nth key: of the first 8, which all are in bucket 0, every other leaves. */
static u32 split_key(const struct rt_map *map, u32 nth)
{
	u32 key = 0, mask = 2 * HASH_BUCKETS_FIRST - 1;

	if (nth >= 8)
		return 1000000 + nth;
	for (u32 nr = 0;; key++)
		if ((hash_key(map, &key) & mask) == nr % 2 * HASH_BUCKETS_FIRST && nr++ == nth)
			return key;
}

static void prepare_split(struct rt_map *map, struct rt_vcpu *vcpu)
{
	for (u32 i = 0; i < SPLIT_KEYS; i++)
		put(map, vcpu, split_key(map, i), i + 1);
}

static void insert_split(struct rt_map *map, struct rt_vcpu *vcpu)
{
	put(map, vcpu, split_key(map, SPLIT_KEYS), SPLIT_KEYS + 1);
}

static const char *examine_split(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 linked, fits = 0;
	const char *wrong;

	for (u32 i = 0; i < SPLIT_KEYS; i++) {
		u32 key = split_key(map, i);

		if (get(map, vcpu, key) != i + 1)
			return "a key is not there";
		if (i % 3 == 0)
			drop(map, vcpu, key);
		else if (i % 3 == 1)
			put(map, vcpu, key, i + 1);
	}
	for (u32 i = 0; i <= SPLIT_KEYS; i++)
		drop(map, vcpu, split_key(map, i));
	for (u32 key = 2000000; key < 2000000 + map->max_entries + 1; key++) {
		u64 value = key;

		fits += rt_map_update_elem(map, &key, &value, BPF_NOEXIST, vcpu) == 0;
	}
	if (fits != map->max_entries)
		return "not exactly max_entries keys fit";
	wrong = env_hash_check(map, &linked);
	return wrong && strcmp(wrong, "a journal is open") != 0 ? wrong : NULL;
}

static void output_one(struct rt_map *map, struct rt_vcpu *vcpu)
{
	rt_ringbuf_output(map, "hello, world", 12, 0, vcpu);
}

static void prepare_nothing(struct rt_map *map, struct rt_vcpu *vcpu)
{
}

/* The consumer can pass over whatever was left, and later records arrive. */
static const char *examine_ring(struct rt_map *map, struct rt_vcpu *vcpu)
{
	struct rt_ring ring = { .memory = map->data, .mask = map->max_entries - 1 };
	const char *sample;
	u32 length;

	if (rt_ringbuf_output(map, "second", 6, 0, vcpu))
		return "no second record";
	rt_ringbuf_reap(map);
	sample = rt_ring_peek(&ring, &length);
	if (sample && length == 12) {
		if (memcmp(sample, "hello, world", 12) != 0)
			return "the first record is torn";
		rt_ring_consume(&ring, sample, length);
		sample = rt_ring_peek(&ring, &length);
	}
	return sample && length == 6 && !memcmp(sample, "second", 6) ? NULL
								     : "no second record to read";
}

static void trace_one(struct rt_map *map, struct rt_vcpu *vcpu)
{
	rt_trace_write(vcpu, "first", 5);
}

static const char *examine_trace(struct rt_map *map, struct rt_vcpu *vcpu)
{
	struct rt_trace_record record = { 0 };

	if (rt_trace_write(vcpu, "second", 6))
		return "no second text";
	if (!rt_trace_read(&record))
		return "nothing to read";
	if (record.length == 5) {
		if (memcmp(record.text, "first", 5) != 0 || !rt_trace_read(&record))
			return "the first text is torn";
	}
	if (record.length != 6 || memcmp(record.text, "second", 6) != 0)
		return "no second text to read";
	return rt_trace_read(&record) ? "a third text" : NULL;
}

static struct rt_perf_buffer *perf;

static void perf_one(struct rt_map *map, struct rt_vcpu *vcpu)
{
	rt_perf_output(perf, "hello, world", 12, vcpu);
}

static const char *examine_perf(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u64 *head = (u64 *)(void *)(perf->pages + 1024), *tail = head + 1, before = *head;
	const char *wrong = NULL;

	if (before != *tail && before != *tail + 8 + 4 + 12)
		wrong = "half a record";
	else if (rt_perf_output(perf, "hello, world", 12, vcpu) || *head != before + 8 + 4 + 12)
		wrong = "no second record";
	*tail = *head;
	return wrong;
}

/* All keys of a percpu hash are free afterwards. */
static const char *examine_percpu(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 fits = 0;

	drop(map, vcpu, 5);
	for (u32 key = 100; key < 120; key++) {
		u64 value = key;

		fits += rt_map_update_elem(map, &key, &value, BPF_NOEXIST, vcpu) == 0;
	}
	return fits == map->max_entries ? NULL : "not exactly max_entries keys fit";
}

/* Keys 1 … 4 fill the map, 3 is in use: 5 takes another one's place. */
static void prepare_full(struct rt_map *map, struct rt_vcpu *vcpu)
{
	for (u32 key = 1; key <= 4; key++)
		put(map, vcpu, key, key * 10);
	get(map, vcpu, 3);
}

static const char *examine_lru(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 linked = 0;
	const char *wrong;

	for (u32 key = 1; key <= 5; key++) {
		u64 value = get(map, vcpu, key);

		if (value && value != key * 10)
			return "a value is torn";
		linked += value != 0;
	}
	/* Each insertion that was begun takes an element first: one, or two where two were cut off.
	 */
	if (linked < 2 || !get(map, vcpu, 3))
		return "more keys went than were to be put in";
	for (u32 key = 100; key < 164; key++) {
		u64 value = key;

		if (rt_map_update_elem(map, &key, &value, 0, vcpu))
			return "a new key finds no place";
		if (!get(map, vcpu, key))
			return "a new key is not there";
	}
	wrong = env_hash_check(map, &linked);
	if (wrong && strcmp(wrong, "a journal is open") != 0)
		return wrong;
	/* An element may lie in the own list of each vCPU that came before. */
	return !wrong && linked + 2 < map->max_entries ? "the map is not full" : NULL;
}

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
	drop(map, vcpu, 4);
}

static void start_timer(struct rt_map *map, struct rt_vcpu *vcpu)
{
	set_timer(map, vcpu, 2, 5000);
}

static void begin_timer(struct rt_map *map, struct rt_vcpu *vcpu)
{
	drop(map, vcpu, 2);
	put_timed(map, vcpu, 2, 20);
	set_timer(map, vcpu, 2, 5000);
}

static void cancel_timer(struct rt_map *map, struct rt_vcpu *vcpu)
{
	rt_timer_cancel(&timed(map, vcpu, 2)->timer, vcpu);
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
		drop(map, vcpu, key);
	/* Whoever comes to a bucket of the dead's ends what they were ending. */
	for (u32 i = 1; i <= hash_nr_elems(map); i++)
		if (((struct timed *)(void *)hash_value(map, i, 0))->timer.word)
			return "a timer goes on in an element that is free";
	return NULL;
}

static const struct scenario scenarios[] = {
	{ "hash insert", BPF_MAP_TYPE_HASH, 4, prepare_hash, insert_one, examine_hash, true },
	{ "hash insert, stolen element", BPF_MAP_TYPE_HASH, 4, prepare_steal, insert_one,
	  examine_hash, false },
	{ "hash insert, element of a dead vCPU", BPF_MAP_TYPE_HASH, 4, prepare_cell, insert_one,
	  examine_hash, false },
	{ "hash insert, fresh element", BPF_MAP_TYPE_HASH, 32, prepare_hash, insert_one,
	  examine_hash, false },
	{ "hash replace", BPF_MAP_TYPE_HASH, 4, prepare_hash, replace_one, examine_replace, true },
	{ "hash delete", BPF_MAP_TYPE_HASH, 4, prepare_hash, delete_one, examine_hash, true },
	{ "hash insert, two buckets are split", BPF_MAP_TYPE_HASH, 2 * HASH_BUCKETS_FIRST,
	  prepare_split, insert_split, examine_split, false },
	{ "percpu hash insert", BPF_MAP_TYPE_PERCPU_HASH, 4, prepare_nothing, insert_one,
	  examine_percpu, false },
	{ "LRU hash, eviction", BPF_MAP_TYPE_LRU_HASH, 4, prepare_full, insert_one, examine_lru,
	  true },
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
	{ "ring buffer output", BPF_MAP_TYPE_RINGBUF, 4096, prepare_nothing, output_one,
	  examine_ring, false },
	{ "trace queue", BPF_MAP_TYPE_ARRAY, 1, prepare_nothing, trace_one, examine_trace, false },
	{ "perf buffer", BPF_MAP_TYPE_ARRAY, 1, prepare_nothing, perf_one, examine_perf, false },
	{ "timer, started again", BPF_MAP_TYPE_HASH, 4, prepare_timers, start_timer, examine_timers,
	  false },
	{ "timer, begun", BPF_MAP_TYPE_HASH, 4, prepare_timers, begin_timer, examine_timers,
	  false },
	{ "timer, cancelled", BPF_MAP_TYPE_HASH, 4, prepare_timers, cancel_timer, examine_timers,
	  true },
	{ "timer, its element deleted", BPF_MAP_TYPE_HASH, 4, prepare_timers, delete_one,
	  examine_timers, true },
	{ "timer, its element replaced", BPF_MAP_TYPE_HASH, 4, prepare_timers, replace_timed,
	  examine_timers, true },
};

/* The shared memory that an operation may change. */
static struct {
	u8 *at;
	u64 size;
} areas[AREAS_MAX];
static u32 nr_areas;

static void add_area(void *at, u64 size)
{
	if (nr_areas == AREAS_MAX)
		tap_bail("too many areas");
	areas[nr_areas].at = at;
	areas[nr_areas++].size = size;
}

static u64 areas_size(void)
{
	u64 size = 0;

	for (u32 i = 0; i < nr_areas; i++)
		size += areas[i].size;
	return size;
}

static void save(u8 *state)
{
	for (u32 i = 0; i < nr_areas; state += areas[i++].size)
		memcpy(state, areas[i].at, areas[i].size);
}

static void restore(const u8 *state)
{
	for (u32 i = 0; i < nr_areas; state += areas[i++].size)
		memcpy(areas[i].at, state, areas[i].size);
}

/* Slot index for this thread, also from a dead holder. */
static struct rt_vcpu *take_slot(u32 index)
{
	struct rt_vcpu *held[RT_VCPU_MAX], *found = NULL;
	u32 nr = 0;

	while (!found) {
		struct rt_vcpu *vcpu = env_vcpu();

		if (vcpu->index == index)
			found = vcpu;
		else
			held[nr++] = vcpu;
	}
	while (nr)
		rt_vcpu_release(held[--nr]);
	return found;
}

/* What one operation went through. */
struct history {
	u8 *states[STATES_MAX]; /* each differs from the one before */
	u32 nr, steps;
};

static void history_clear(struct history *history)
{
	while (history->nr)
		free(history->states[--history->nr]);
}

static void history_add(struct history *history)
{
	u64 size = areas_size();
	u8 *state = malloc(size);

	save(state);
	if (history->nr && !memcmp(state, history->states[history->nr - 1], size))
		free(state);
	else if (history->nr == STATES_MAX)
		tap_bail("too many states");
	else
		history->states[history->nr++] = state;
}

static void child(const struct scenario *scenario, struct rt_map *map, u32 slot)
{
	struct rt_vcpu *vcpu;

	rt_process_begin(false, 0);
	vcpu = take_slot(slot);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	scenario->operate(map, vcpu);
	__atomic_store_n(done, 1, __ATOMIC_SEQ_CST);
	_exit(0);
}

/* Steps through the operation, done by a child on this slot. */
static void record(const struct scenario *scenario, struct rt_map *map, u32 slot,
		   struct history *history)
{
	pid_t pid;
	int status;

	*done = 0;
	history->nr = 0;
	pid = fork();
	if (pid == 0)
		child(scenario, map, slot);
	waitpid(pid, &status, 0);
	for (history->steps = 0; !*done && history->steps < STEPS_MAX; history->steps++) {
		history_add(history);
		ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			tap_bail("%s: the child ended: %x", scenario->name, (unsigned)status);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* Whoever comes next: the same slot's next holder, or another slot's while that one stays dead. */
static const char *examine_all(const struct scenario *scenario, struct rt_map *map,
			       const struct history *history)
{
	const char *wrong = NULL;

	for (u32 i = 0; i < history->nr * SLOTS && !wrong; i++) {
		struct rt_vcpu *vcpu;

		restore(history->states[i / SLOTS]);
		vcpu = take_slot(i % SLOTS);
		wrong = scenario->examine(map, vcpu);
		rt_vcpu_release(vcpu);
		if (wrong)
			tap_note("state %u, examined from slot %u", i / SLOTS, i % SLOTS);
	}
	return wrong;
}

/* The operation is done again after each death, and dies again at each of its instructions. */
static const char *die_again(const struct scenario *scenario, struct rt_map *map,
			     const struct history *first, u32 *ret_states)
{
	static struct history second;
	const char *wrong = NULL;

	*ret_states = 0;
	/* By the dead one's slot and by another, in turn. */
	for (u32 i = 0; i < first->nr && !wrong; i++) {
		restore(first->states[i]);
		record(scenario, map, i % 2, &second);
		wrong = examine_all(scenario, map, &second);
		if (wrong)
			tap_note("after state %u, by slot %u", i, i % 2);
		*ret_states += second.nr;
		history_clear(&second);
	}
	return wrong;
}

static void run(struct arena *arena, const struct scenario *scenario)
{
	static struct history history;
	bool ring = scenario->type == BPF_MAP_TYPE_RINGBUF;
	bool keyless = ring || scenario->type == BPF_MAP_TYPE_QUEUE ||
		       scenario->type == BPF_MAP_TYPE_STACK;
	bool timers = scenario->prepare == prepare_timers; /* behind a number in each value */
	u32 value_size = ring ? 0 : timers ? sizeof(struct timed) : 8;
	struct rt_map *map = env_map(arena, scenario->type, keyless ? 0 : 4, value_size,
				     scenario->max_entries, 0);
	struct rt_vcpu *vcpu = take_slot(0);
	const char *wrong;
	u32 nr;

	if (timers) {
		map->fields[0] = (struct rt_map_field){ .offset = offsetof(struct timed, timer),
							.size = sizeof(struct rt_async),
							.kind = RT_FIELD_TIMER };
		map->nr_fields = 1;
	}
	memset(&RT_SHARED->async, 0, sizeof(RT_SHARED->async));
	nr_areas = 0;
	add_area(map->data, map->data_size);
	add_area(RT_SHARED, sizeof(struct rt_shared));
	add_area((void *)RT_TRACE_BASE, 3UL * 4096);
	/* Of the owners, the first page is enough for a few records. */
	add_area((void *)(RT_TRACE_BASE + 2UL * 4096 + (2UL << 20)), 4096);
	add_area(perf->pages, rt_perf_memory_size(1));
	add_area(perf->lost, sizeof(*perf->lost));
	scenario->prepare(map, vcpu);
	rt_vcpu_release(vcpu);
	record(scenario, map, 0, &history);
	wrong = examine_all(scenario, map, &history);
	tap_ok(!wrong && *done, "%s: killed after each of %u instructions, %u states: %s",
	       scenario->name, history.steps, history.nr, wrong ? wrong : "nothing lost");
	if (scenario->twice && !UNDER_SANITIZER) {
		wrong = die_again(scenario, map, &history, &nr);
		tap_ok(!wrong, "%s: and once more, %u states: %s", scenario->name, nr,
		       wrong ? wrong : "nothing lost");
	}
	history_clear(&history);
	env_map_free(arena, map);
}

int main(void)
{
	struct arena *arena = env_new(SLOTS);

	done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	perf = arena_alloc(arena, ARENA_CONTROL, sizeof(*perf), 64);
	perf->data_pages = 1;
	perf->sample_type = 1u << 10; /* PERF_SAMPLE_RAW */
	perf->cpu = -1;
	perf->lost = arena_alloc(arena, ARENA_DATA, 64, 64);
	perf->pages = arena_alloc(arena, ARENA_DATA, rt_perf_memory_size(1), 4096);
	rt_perf_init(perf->pages, 1);
	for (u32 i = 0; i < ARRAY_SIZE(scenarios); i++)
		run(arena, &scenarios[i]);
	arena_free(arena);
	return tap_done();
}
