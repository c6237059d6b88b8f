/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See rt/page_arena.h. The map's memory: a page with the lock | a bit for each page that is taken |
 * a bit for each page that is there | the pages. All of it may be overwritten by any process of the
 * hive: bits choose among the map's own pages, and nothing else.
 */
#include "rt/page_arena.h"

#include "rt/arena.h"
#include "rt/clock.h"
#include "rt/lock.h"
#include "rt/map/ops.h"
#include "rt/sys.h"

#define MADV_REMOVE 9
#define CHUNK	    512u /* pages that one question is about */

enum bits { TAKEN, PRESENT };

static u64 bitmap_size(u32 max_entries)
{
	return ALIGN_UP(((u64)max_entries + 63) / 64 * sizeof(u64), (u64)RT_PAGE_SIZE);
}

static u64 *word_of(const struct rt_map *map, enum bits bits, u32 page)
{
	u8 *bitmap = map->data + RT_PAGE_SIZE + bits * bitmap_size(map->max_entries);

	return (u64 *)(void *)bitmap + page / 64;
}

u64 rt_page_arena_place_of(u64 pages)
{
	const struct rt_page_arenas *arenas =
		__atomic_load_n(&RT_CONTROL->page_arenas, __ATOMIC_ACQUIRE);

	for (u32 i = 0; arenas && i < RT_PAGE_ARENAS; i++)
		if (__atomic_load_n(&arenas->places[i].pages, __ATOMIC_ACQUIRE) == pages)
			return arenas->places[i].user_start;
	return 0;
}

u8 *rt_page_arena_pages(const struct rt_map *map)
{
	return map->data + RT_PAGE_SIZE + 2 * bitmap_size(map->max_entries);
}

static bool is_set(const struct rt_map *map, enum bits bits, u32 page)
{
	return __atomic_load_n(word_of(map, bits, page), __ATOMIC_ACQUIRE) >> page % 64 & 1;
}

static void set(const struct rt_map *map, enum bits bits, u32 page)
{
	__atomic_fetch_or(word_of(map, bits, page), 1ull << page % 64, __ATOMIC_ACQ_REL);
}

/* Sets or clears the bits of nr pages, a word at a time: there may be a million of them. */
static void set_range(const struct rt_map *map, enum bits bits, u32 first, u32 nr, bool value)
{
	for (u32 end = first + nr; first < end;) {
		u32 some = 64 - first % 64 < end - first ? 64 - first % 64 : end - first;
		u64 mask = (some == 64 ? ~0ull : (1ull << some) - 1) << first % 64;

		if (value)
			__atomic_fetch_or(word_of(map, bits, first), mask, __ATOMIC_ACQ_REL);
		else
			__atomic_fetch_and(word_of(map, bits, first), ~mask, __ATOMIC_ACQ_REL);
		first += some;
	}
}

/* Pages of the clients' mapping, which is never larger than the map. */
static u32 nr_pages(const struct rt_map *map)
{
	return (u32)(READ_ONCE(map->user_size) / RT_PAGE_SIZE);
}

/* Notes which of the pages nobody took are there all the same: how many there are. */
static u32 note_touched(const struct rt_map *map, u32 first, u32 nr)
{
	u8 *pages = rt_page_arena_pages(map), there[CHUNK];
	u32 touched = 0;

	for (u32 done = 0; done < nr; done += CHUNK) {
		u32 some = nr - done < CHUNK ? nr - done : CHUNK;
		u64 at = (u64)pages + (u64)(first + done) * RT_PAGE_SIZE;

		if (rt_syscall3(__NR_mincore, at, (u64)some * RT_PAGE_SIZE, (u64)there))
			continue;
		for (u32 i = 0; i < some; i++) {
			u32 page = first + done + i;

			if (!(there[i] & 1) || is_set(map, TAKEN, page))
				continue;
			set(map, TAKEN, page);
			set(map, PRESENT, page);
			touched++;
		}
	}
	return touched;
}

static bool is_there(const struct rt_map *map, u32 page)
{
	return likely(is_set(map, PRESENT, page)) ||
	       (!is_set(map, TAKEN, page) && note_touched(map, page, 1));
}

void *rt_page_arena_at(const struct rt_map *map, u64 address, s32 offset, u32 bytes)
{
	u64 size = READ_ONCE(map->user_size);
	u64 where = (u64)(u32)address + (u64)(s64)offset - (u32)READ_ONCE(map->user_start);
	u32 first = (u32)(where / RT_PAGE_SIZE), last = (u32)((where + bytes - 1) / RT_PAGE_SIZE);

	if (where >= size || bytes > size - where || !is_there(map, first) ||
	    (last != first && !is_there(map, last)))
		return NULL;
	return rt_page_arena_pages(map) + where;
}

static u64 upper_half(u64 address)
{
	return address & ~0xffffffffull;
}

u64 rt_page_arena_to_user(const struct rt_map *map, u64 address)
{
	return (u32)address ? upper_half(READ_ONCE(map->user_start)) | (u32)address : 0;
}

static bool lock(const struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 dead;

	/* What a dead holder left undone are pages that nobody uses. */
	return rt_lock_acquire((u32 *)(void *)map->data, vcpu, &dead) == 0;
}

static void unlock(const struct rt_map *map)
{
	rt_lock_release((u32 *)(void *)map->data);
}

/* The page behind the free ones that begin with first. */
static u32 free_end(const struct rt_map *map, u32 first, u32 nr)
{
	while (first < nr) {
		u64 taken =
			__atomic_load_n(word_of(map, TAKEN, first), __ATOMIC_ACQUIRE) >> first % 64;

		if (taken)
			first += (u32)__builtin_ctzll(taken);
		else
			first += 64 - first % 64;
		if (taken)
			break;
	}
	return first < nr ? first : nr;
}

/* The smallest run of free pages that has room for wanted: its first page, ~0: there is none. */
static u32 best_fit(const struct rt_map *map, u32 wanted, u32 *ret_length)
{
	u32 nr = nr_pages(map), best = ~0u, end;

	for (u32 at = 0; at < nr; at = end) {
		u64 free = ~__atomic_load_n(word_of(map, TAKEN, at), __ATOMIC_ACQUIRE) >> at % 64;

		if (!free) {
			end = at + 64 - at % 64;
			continue;
		}
		at += (u32)__builtin_ctzll(free);
		end = free_end(map, at, nr);
		if (at < nr && end - at >= wanted && (best == ~0u || end - at < *ret_length)) {
			best = at;
			*ret_length = end - at;
		}
		end += end == at;
	}
	return best;
}

/* A look at a million pages takes long enough to look at the clock as well. */
static bool out_of_time(struct rt_vcpu *vcpu)
{
	if (vcpu->deadline && !vcpu->stopped)
		vcpu->stopped = rt_clock_ns(vcpu, RT_CLOCK_MONOTONIC) > vcpu->deadline;
	return vcpu->stopped;
}

static u32 find(const struct rt_map *map, u32 nr, struct rt_vcpu *vcpu)
{
	u32 length = 0, first = best_fit(map, nr, &length);

	/* Each round finds pages that clients have touched meanwhile: then all in that place. */
	while (first != ~0u && note_touched(map, first, nr)) {
		if (out_of_time(vcpu))
			return ~0u;
		note_touched(map, first, length);
		first = best_fit(map, nr, &length);
	}
	return first;
}

static bool range_is_free(const struct rt_map *map, u32 first, u32 nr)
{
	return free_end(map, first, first + nr) == first + nr && !note_touched(map, first, nr);
}

static u32 page_of(const struct rt_map *map, u64 address)
{
	return ((u32)address - (u32)READ_ONCE(map->user_start)) / RT_PAGE_SIZE;
}

u64 rt_page_arena_alloc(const struct rt_map *map, u64 address, u32 nr, s32 node,
			struct rt_vcpu *vcpu)
{
	u32 max = nr_pages(map), first = address ? page_of(map, address) : 0;
	u64 start = READ_ONCE(map->user_start);

	/* There is one node, as for maps. */
	if (!nr || nr > max || node < -1 || node > 0 || out_of_time(vcpu))
		return 0;
	if (address % RT_PAGE_SIZE || first > max - nr || !lock(map, vcpu))
		return 0;
	if (!address)
		first = find(map, nr, vcpu);
	else if (!range_is_free(map, first, nr))
		first = ~0u;
	if (first != ~0u) {
		set_range(map, TAKEN, first, nr, true);
		set_range(map, PRESENT, first, nr, true);
	}
	unlock(map);
	if (first == ~0u)
		return 0;
	return upper_half(start) + (u32)(start + (u64)first * RT_PAGE_SIZE);
}

void rt_page_arena_free(const struct rt_map *map, u64 address, u32 nr, struct rt_vcpu *vcpu)
{
	u64 start = READ_ONCE(map->user_start), end = start + READ_ONCE(map->user_size);
	u64 from = upper_half(start) + ((u32)address & ~(u64)(RT_PAGE_SIZE - 1));
	u64 to = from + (u64)nr * RT_PAGE_SIZE;
	bool locked;
	u32 first;

	to = to < end ? to : end;
	if (!address || from < start || from >= to)
		return;
	first = (u32)((from - start) / RT_PAGE_SIZE);
	nr = (u32)((to - from) / RT_PAGE_SIZE);
	/*
	 * Nobody is told of a failure, so there is none: a lock that cannot be had in good time is
	 * done without. Nobody takes a page before it is empty and its bit is gone, at the end.
	 */
	locked = lock(map, vcpu);
	set_range(map, PRESENT, first, nr, false);
	/* Out of the file, and so out of every mapping. */
	rt_syscall3(__NR_madvise, (u64)rt_page_arena_pages(map) + (u64)first * RT_PAGE_SIZE,
		    (u64)nr * RT_PAGE_SIZE, MADV_REMOVE);
	set_range(map, TAKEN, first, nr, false);
	if (locked)
		unlock(map);
}

long rt_page_arena_reserve(const struct rt_map *map, u64 address, u32 nr, struct rt_vcpu *vcpu)
{
	u32 max = nr_pages(map), first = page_of(map, address);
	bool is_free;

	if (!nr || address % RT_PAGE_SIZE)
		return 0;
	if ((u64)first + nr > max)
		return -EINVAL;
	if (out_of_time(vcpu) || !lock(map, vcpu))
		return -EBUSY;
	is_free = range_is_free(map, first, nr);
	if (is_free)
		set_range(map, TAKEN, first, nr, true);
	unlock(map);
	return is_free ? 0 : -EBUSY;
}

static u64 page_arena_memory_size(const struct rt_map_spec *spec)
{
	if ((u64)spec->max_entries * RT_PAGE_SIZE > RT_PAGE_ARENA_MAX)
		return 0;
	return RT_PAGE_SIZE + 2 * bitmap_size(spec->max_entries) +
	       (u64)spec->max_entries * RT_PAGE_SIZE;
}

static void page_arena_init(struct rt_map *map)
{
	map->user_start = map->map_extra;
	map->user_size = map->map_extra ? (u64)map->max_entries * RT_PAGE_SIZE : 0;
}

static long refuse_lookup(const struct rt_map *map, const void *key, void *value,
			  struct rt_vcpu *vcpu)
{
	return -EINVAL;
}

/* Everything else is -EOPNOTSUPP. */
const struct rt_map_ops rt_map_page_arena_ops = {
	.memory_size = page_arena_memory_size,
	.init = page_arena_init,
	.copy_out = refuse_lookup,
};
