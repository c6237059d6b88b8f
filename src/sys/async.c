/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See async.h. Callbacks run here, on a vCPU of the supervisor's and for no task, one after the
 * other, each to its end; loops of one that takes too long are ended. What is due is called for a
 * few milliseconds, then the loop looks after the others.
 */
#include "sys/async.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "rt/shared.h"

#define SLICE_NS      5000000ull    /* of callbacks, before others are served */
#define RUN_MAX_NS    1000000000ull /* of one callback's loops */
#define PINNED_NS     250000000ull  /* for a vCPU that is taken, before another one will do */
#define RETRY_NS      1000000ull    /* when all vCPUs were taken */
#define CLOCK_LOOK    1000000000ull /* clocks that may be set are looked at again so often */
#define TELL_NS	      1000000000ull /* between two sentences */
#define SCAN_SHARE    10	    /* looking at everything takes a tenth of the time at most */
#define NOTHING_WAITS UINT64_MAX

static u64 load(const struct rt_async *field)
{
	return __atomic_load_n(&field->word, __ATOMIC_SEQ_CST);
}

#define ASYNC_KINDS (BTF_FIELD_BIT(BTF_FIELD_TIMER) | BTF_FIELD_BIT(BTF_FIELD_WORKQUEUE))

static bool is_async(const struct btf_field *field)
{
	return BTF_FIELD_BIT(field->kind) & ASYNC_KINDS;
}

static bool has_async(const struct sys_map *map)
{
	return map->fields.kinds & ASYNC_KINDS;
}

/* The map whose value has a timer or work queue at this address; *ret_value: that value. */
static struct sys_map *map_at(struct sys_hive *hive, u64 address, u8 **ret_value)
{
	for (struct sys_map *map = hive->async_maps; map; map = map->next_async) {
		if (address < (u64)map->rt->data ||
		    address - (u64)map->rt->data >= map->rt->data_size)
			continue;
		for (u32 i = 0; i < map->fields.nr; i++) {
			const struct btf_field *field = &map->fields.field[i];

			*ret_value = (u8 *)address - field->offset;
			if (is_async(field) && rt_map_is_value(map->rt, *ret_value))
				return map;
		}
		return NULL;
	}
	return NULL;
}

/* Was this function of prog accepted as one to be called with this map's values? */
static bool may_call(const struct sys_prog *prog, u32 subprog, const struct sys_map *map)
{
	for (u32 i = 0; i < prog->nr_async; i++) {
		const struct verify_async *async = &prog->async[i];

		if (async->subprog == subprog &&
		    (async->handle ? async->handle == map : sys_map_fits(async->map, map)))
			return true;
	}
	return false;
}

/* The program whose callback is set; no reference. NULL: none is, or it is not to be believed. */
static struct sys_prog *prog_of(struct sys_hive *hive, const struct sys_map *map, u64 word)
{
	struct object *object;
	struct sys_prog *prog = NULL;

	if (!(word & RT_ASYNC_INIT) || !rt_async_prog(word))
		return NULL;
	object = object_by_id(hive->objects, OBJECT_PROG, rt_async_prog(word));
	if (!object)
		return NULL;
	if (may_call(sys_prog_of(object), rt_async_subprog(word), map))
		prog = sys_prog_of(object);
	object_unref(object);
	return prog;
}

/* When it is due, by the monotonic clock. */
static u64 due_of(u64 word, const struct rt_async *field, u64 now)
{
	s64 due = __atomic_load_n(&field->due, __ATOMIC_SEQ_CST), other;
	s32 clock = rt_async_clock(word);
	u64 left;

	if (word & RT_ASYNC_WORK || clock < 0)
		return now;
	other = clock == CLOCK_MONOTONIC ? (s64)now : (s64)base_clock_ns(clock);
	if (due <= other)
		return now;
	left = (u64)due - (u64)other;
	if (clock != CLOCK_MONOTONIC && left > CLOCK_LOOK)
		left = CLOCK_LOOK;
	return now + left;
}

static void out_of_memory(struct sys_hive *hive, u64 now)
{
	/* Tried again with the next scan. */
	__atomic_store_n(&RT_SHARED->async.overflow, 1, __ATOMIC_SEQ_CST);
	if (now < hive->async->told_ns + TELL_NS)
		return;
	hive->async->told_ns = now;
	sys_say(hive, "no memory for timers of map values: some are late");
}

/* Looks at a field and takes note of what it says. */
static void note(struct sys_hive *hive, struct rt_async *field, u64 now)
{
	struct sys_async *async = hive->async;
	struct async_entry *entry = async_entry(async, field);
	struct sys_map *map;
	struct sys_prog *prog;
	u64 word;
	u8 *value;

	map = map_at(hive, (u64)field, &value);
	if (map && READ_ONCE(map->rt->state) & RT_MAP_WITHOUT_USERS)
		rt_async_end(field);
	if (entry && entry->map != map) {
		async_entry_free(async, entry);
		entry = NULL;
	}
	word = map ? load(field) : 0;
	prog = map ? prog_of(hive, map, word) : NULL;
	if (!prog) {
		if (entry)
			async_entry_free(async, entry);
		return;
	}
	if (!entry)
		entry = async_entry_new(async, field, map);
	if (!entry) {
		out_of_memory(hive, now);
		return;
	}
	async_set_prog(entry, prog);
	if (!(word & RT_ASYNC_STARTED))
		async_wait_no_more(async, entry);
	else if (async_wait(async, entry, due_of(word, field, now)))
		out_of_memory(hive, now);
}

struct scan {
	struct sys_map *map;
	u64 now;
};

static u64 scan_one(void *arg, const void *key, void *value)
{
	const struct scan *scan = arg;
	const struct btf_fields *fields = &scan->map->fields;

	for (u32 i = 0; i < fields->nr; i++) {
		struct rt_async *field = (struct rt_async *)((u8 *)value + fields->field[i].offset);

		if (is_async(&fields->field[i]) && load(field))
			note(scan->map->hive, field, scan->now);
	}
	return 0;
}

/* More was told than there was room for: looks at everything there is. */
static void scan_all(struct sys_hive *hive, u64 now)
{
	struct rt_vcpu *vcpu;

	if (now < hive->async->next_scan ||
	    !__atomic_load_n(&RT_SHARED->async.overflow, __ATOMIC_SEQ_CST))
		return;
	vcpu = sys_vcpu_acquire(NULL);
	if (!vcpu)
		return;
	__atomic_store_n(&RT_SHARED->async.overflow, 0, __ATOMIC_SEQ_CST);
	for (struct sys_map *map = hive->async_maps; map; map = map->next_async)
		rt_map_for_each(map->rt, scan_one, &(struct scan){ map, now }, vcpu);
	sys_vcpu_release(vcpu);
	hive->async->next_scan = now + SCAN_SHARE * (base_clock_ns(CLOCK_MONOTONIC) - now);
}

/* What was told since the last time. */
static void drain(struct sys_hive *hive, u64 now)
{
	struct rt_async_queue *queue = &RT_SHARED->async;

	if (__atomic_exchange_n(&queue->pending, 0, __ATOMIC_SEQ_CST))
		for (u32 i = 0; i < RT_ASYNC_QUEUE_SIZE; i++)
			if (__atomic_load_n(&queue->field[i], __ATOMIC_RELAXED))
				note(hive,
				     (struct rt_async *)__atomic_exchange_n(&queue->field[i], 0,
									    __ATOMIC_SEQ_CST),
				     now);
	scan_all(hive, now);
}

/* The callback's arguments are the map, the key and the value. */
static void call(struct sys_hive *hive, struct async_entry *entry, u32 subprog, void *value,
		 struct rt_vcpu *vcpu)
{
	struct sys_prog *prog = entry->prog;
	u32 index;
	u64 args[5] = { (u64)entry->map->rt, (u64)rt_map_key_of(entry->map->rt, value, &index),
			(u64)value };

	snprintf(vcpu->task.comm, sizeof(vcpu->task.comm),
		 load(entry->field) & RT_ASYNC_WORK ? "kworker/%u:0" : "swapper/%u",
		 vcpu->index % 100);
	vcpu->task.flags |= RT_TASK_HAS_COMM;
	vcpu->async = entry->field;
	vcpu->deadline = base_clock_ns(CLOCK_MONOTONIC) + RUN_MAX_NS;
	vcpu->polls = 0;
	vcpu->stopped = false;
	vcpu->frame = vcpu->tail_calls = vcpu->bits_used = 0;
	vcpu->aborted = vcpu->thrown = false;
	rt_prog_call(prog->rt, subprog, args, vcpu);
	vcpu->async = NULL;
	vcpu->deadline = 0;
	if (vcpu->stopped)
		sys_say(hive, "program %.16s: the callback of a timer was stopped after %llu s",
			prog->rt->name, RUN_MAX_NS / 1000000000ull);
	vcpu->stopped = false;
}

/* The one that it was started on, if possible; a pinned timer waits for it a while. */
static struct rt_vcpu *vcpu_for(struct async_entry *entry, u64 word, u64 now)
{
	struct rt_vcpu *vcpu = sys_vcpu_acquire_slot(rt_async_vcpu(word));

	if (!vcpu && word & RT_ASYNC_PINNED) {
		if (!entry->waits_since)
			entry->waits_since = now;
		if (now - entry->waits_since < PINNED_NS)
			return NULL;
	}
	entry->waits_since = 0;
	return vcpu ? vcpu : sys_vcpu_acquire(NULL);
}

/* False: there is no vCPU just now. */
static bool fire(struct sys_hive *hive, struct async_entry *entry, u64 now)
{
	struct rt_async *field = entry->field;
	struct sys_prog *prog = entry->prog;
	struct rt_vcpu *vcpu;
	u64 word, running;
	u8 *value;

	word = load(field);
	/* Cancelled, set anew, or started again for a later time. */
	if (map_at(hive, (u64)field, &value) != entry->map || !(word & RT_ASYNC_STARTED) ||
	    prog_of(hive, entry->map, word) != prog || due_of(word, field, now) > now) {
		note(hive, field, now);
		return true;
	}
	vcpu = vcpu_for(entry, word, now);
	if (!vcpu && entry->waits_since)
		return !async_wait(hive->async, entry, now + RETRY_NS);
	if (!vcpu)
		return false;
	running = (word & ~RT_ASYNC_STARTED) | RT_ASYNC_RUNNING;
	if (__atomic_compare_exchange_n(&field->word, &word, running, false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST)) {
		object_ref(&prog->object);
		async_wait_no_more(hive->async, entry);
		call(hive, entry, rt_async_subprog(word), value, vcpu);
		/* Whatever became of it meanwhile: the callback is over. */
		word = load(field);
		while (word & RT_ASYNC_RUNNING &&
		       !__atomic_compare_exchange_n(&field->word, &word, word & ~RT_ASYNC_RUNNING,
						    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
		object_unref(&prog->object);
	}
	sys_vcpu_release(vcpu);
	note(hive, field, now);
	return true;
}

u64 sys_async_step(struct sys_hive *hive)
{
	struct sys_async *async = hive->async;
	u64 start, now;
	bool busy = false;

	if (!async)
		return NOTHING_WAITS;
	if (!async->nr_heap && !__atomic_load_n(&RT_SHARED->async.pending, __ATOMIC_SEQ_CST) &&
	    !__atomic_load_n(&RT_SHARED->async.overflow, __ATOMIC_SEQ_CST))
		return NOTHING_WAITS;
	start = now = base_clock_ns(CLOCK_MONOTONIC);
	drain(hive, now);
	while (!busy && async->nr_heap && async->heap[0]->due <= now && now < start + SLICE_NS) {
		busy = !fire(hive, async->heap[0], now);
		now = base_clock_ns(CLOCK_MONOTONIC);
	}
	async_release_kept(async);
	if (busy)
		return now + RETRY_NS;
	if (__atomic_load_n(&RT_SHARED->async.pending, __ATOMIC_SEQ_CST))
		return 0;
	start = async->nr_heap ? async->heap[0]->due : NOTHING_WAITS;
	if (__atomic_load_n(&RT_SHARED->async.overflow, __ATOMIC_SEQ_CST) &&
	    async->next_scan < start)
		start = async->next_scan;
	return start <= now ? 0 : start;
}

static void forget_entries(struct sys_map *map)
{
	struct sys_async *async = map->hive->async;
	struct async_entry *entry;
	size_t cursor;

	if (!async || !map->nr_async)
		return;
	hash_for_each(entry, cursor, async->entries)
		if (entry->map == map)
			async_entry_free(async, entry);
	async_release_kept(async);
}

static void set_users(struct sys_map *map, bool any)
{
	if (any)
		__atomic_fetch_and(&map->rt->state, ~RT_MAP_WITHOUT_USERS, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_or(&map->rt->state, RT_MAP_WITHOUT_USERS, __ATOMIC_SEQ_CST);
}

static void first_user(struct object *object)
{
	set_users(sys_map_of(object), true);
}

/* Nobody but programs has the map any more: all that was begun in it is cancelled. */
static void last_user(struct object *object)
{
	struct sys_map *map = sys_map_of(object);
	struct rt_vcpu *vcpu = sys_vcpu_acquire(NULL);

	set_users(map, false);
	if (vcpu) {
		rt_map_end_async(map->rt, vcpu);
		sys_vcpu_release(vcpu);
	}
	forget_entries(map);
}

int sys_async_prepare(struct sys_map *map)
{
	return has_async(map) && !async_table(map->hive) ? -ENOMEM : 0;
}

void sys_async_add_map(struct sys_map *map)
{
	if (!has_async(map))
		return;
	map->next_async = map->hive->async_maps;
	map->hive->async_maps = map;
	map->object.first_user = first_user;
	map->object.last_user = last_user;
	RT_PROCESS->is_supervisor = 1;
}

void sys_async_forget_map(struct sys_map *map)
{
	struct sys_map **link = &map->hive->async_maps;

	if (!has_async(map))
		return;
	while (*link && *link != map)
		link = &(*link)->next_async;
	if (*link)
		*link = map->next_async;
	forget_entries(map);
}

void sys_async_end(struct sys_hive *hive)
{
	async_table_free(hive);
}

void sys_async_last_reference(struct object *object)
{
	struct sys_prog *prog = sys_prog_of(object);
	struct sys_hive *hive = prog->hive;
	struct sys_async *async = hive->async;
	struct async_entry *entry;
	size_t cursor;
	u64 now = base_clock_ns(CLOCK_MONOTONIC);

	if (!async || hive->ending || prog->async_kept)
		return;
	drain(hive, now);
	/* Not all that were set still are: ends are not told as long as nobody needs to know. */
	hash_for_each(entry, cursor, async->entries)
		if (entry->prog == prog && rt_async_prog(load(entry->field)) != object->id)
			async_entry_free(async, entry);
	if (prog->async_set)
		async_keep(async, prog);
}
