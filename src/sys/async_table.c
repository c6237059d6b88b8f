/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See async.h. There is at most one entry for each timer or work queue in a map.
 */
#include "sys/async.h"

#include <errno.h>
#include <sys/random.h>
#include "base/alloc.h"
#include "base/hash.h"
#include "rt/shared.h"

struct sys_async *async_table(struct sys_hive *hive)
{
	struct sys_async *async = hive->async;
	u64 seed;

	if (async || getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return async;
	async = base_zalloc(1, sizeof(*async));
	if (async)
		async->entries = hash_new(seed);
	if (async && !async->entries) {
		base_free(async);
		async = NULL;
	}
	hive->async = async;
	return async;
}

struct async_entry *async_entry(struct sys_async *async, const struct rt_async *field)
{
	return hash_find_u64(async->entries, (u64)field);
}

struct async_entry *async_entry_new(struct sys_async *async, struct rt_async *field,
				    struct sys_map *map)
{
	struct async_entry *entry = base_zalloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	if (hash_add_u64(async->entries, (u64)field, entry)) {
		base_free(entry);
		return NULL;
	}
	entry->field = field;
	entry->map = map;
	map->nr_async++;
	return entry;
}

static void put(struct sys_async *async, u32 place, struct async_entry *entry)
{
	async->heap[place - 1] = entry;
	entry->place = place;
}

/* The entry, which is in the heap or takes the place at its end, goes where it belongs. */
static void settle(struct sys_async *async, u32 place, struct async_entry *entry)
{
	while (place > 1 && async->heap[place / 2 - 1]->due > entry->due) {
		put(async, place, async->heap[place / 2 - 1]);
		place /= 2;
	}
	for (u32 child; (child = 2 * place) <= async->nr_heap; place = child) {
		if (child < async->nr_heap && async->heap[child]->due < async->heap[child - 1]->due)
			child++;
		if (async->heap[child - 1]->due >= entry->due)
			break;
		put(async, place, async->heap[child - 1]);
	}
	put(async, place, entry);
}

int async_wait(struct sys_async *async, struct async_entry *entry, u64 due)
{
	if (!entry->place && async->nr_heap == async->room) {
		u32 room = async->room ? 2 * async->room : 16;
		struct async_entry **heap =
			base_realloc(async->heap, room, sizeof(struct async_entry *));

		if (!heap)
			return -ENOMEM;
		async->heap = heap;
		async->room = room;
	}
	entry->due = due;
	if (!entry->place) {
		async->nr_heap++;
		put(async, async->nr_heap, entry);
	}
	settle(async, entry->place, entry);
	return 0;
}

void async_wait_no_more(struct sys_async *async, struct async_entry *entry)
{
	u32 place = entry->place;
	struct async_entry *last;

	if (!place)
		return;
	entry->place = 0;
	last = async->heap[--async->nr_heap];
	if (last != entry)
		settle(async, place, last);
}

void async_set_prog(struct async_entry *entry, struct sys_prog *prog)
{
	if (prog)
		prog->async_set++;
	if (entry->prog)
		entry->prog->async_set--;
	entry->prog = prog;
}

void async_keep(struct sys_async *async, struct sys_prog *prog)
{
	object_ref(&prog->object);
	prog->async_kept = true;
	prog->next_kept = async->kept;
	async->kept = prog;
	__atomic_store_n(&RT_SHARED->async.tell_ends, 1, __ATOMIC_SEQ_CST);
}

void async_release_kept(struct sys_async *async)
{
	struct sys_prog **link = &async->kept;

	while (*link) {
		struct sys_prog *prog = *link;

		if (prog->async_set) {
			link = &prog->next_kept;
			continue;
		}
		*link = prog->next_kept;
		prog->async_kept = false;
		object_unref(&prog->object);
	}
	if (!async->kept)
		__atomic_store_n(&RT_SHARED->async.tell_ends, 0, __ATOMIC_SEQ_CST);
}

void async_entry_free(struct sys_async *async, struct async_entry *entry)
{
	async_wait_no_more(async, entry);
	hash_remove_u64(async->entries, (u64)entry->field);
	entry->map->nr_async--;
	async_set_prog(entry, NULL);
	base_free(entry);
}

void async_table_free(struct sys_hive *hive)
{
	struct sys_async *async = hive->async;
	struct async_entry *entry;
	size_t cursor;

	if (!async)
		return;
	hash_for_each(entry, cursor, async->entries)
		async_entry_free(async, entry);
	async_release_kept(async);
	hash_free(async->entries);
	base_free(async->heap);
	base_free(async);
	hive->async = NULL;
}
