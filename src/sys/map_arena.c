/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arenas: where clients map them. All clients of one use the same addresses, since programs store
 * them there (kernel/bpf/arena.c): those that map_extra says, or those of the first mapping, which
 * the hive chooses if the client does not.
 */
#include "rt/page_arena.h"
#include "sys/map_slot.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096ull
#define HALF (1ull << 32) /* a mapping does not reach from one of these into the next */

/* Arenas without a place of their own: one behind the other, where nothing else lies by itself. */
#define PLACES_BASE 0x100000000000ull
#define PLACES	    4096u

int sys_arena_check(const union abi_attr *attr)
{
	u64 size = (u64)attr->max_entries * PAGE;

	if (attr->key_size || attr->value_size || !attr->max_entries ||
	    !(attr->map_flags & BPF_F_MMAPABLE) ||
	    attr->map_flags & ~(BPF_F_MMAPABLE | ABI_F_SEGV_ON_FAULT | ABI_F_NO_USER_CONV) ||
	    attr->map_extra % PAGE)
		return -EINVAL;
	if (size > HALF)
		return -E2BIG;
	return attr->map_extra / HALF == (attr->map_extra + size - 1) / HALF ? 0 : -ERANGE;
}

/* The place of the map with this id. */
static u64 own_place(const struct rt_map *rt)
{
	return PLACES_BASE + (u64)(rt->id % PLACES) * HALF;
}

/* Tells agents where to map the pages. False: too many arenas are mapped. */
static bool publish(struct sys_map *map)
{
	struct rt_page_arenas *arenas = RT_CONTROL->page_arenas;
	u64 pages = (u64)(uintptr_t)rt_page_arena_pages(map->rt);

	if (!arenas) {
		arenas = arena_alloc(map->hive->options.arena, ARENA_CONTROL, sizeof(*arenas), 64);
		if (!arenas)
			return false;
		memset(arenas, 0, sizeof(*arenas));
		__atomic_store_n(&RT_CONTROL->page_arenas, arenas, __ATOMIC_RELEASE);
	}
	for (u32 i = 0; i < RT_PAGE_ARENAS; i++) {
		if (arenas->places[i].pages && arenas->places[i].pages != pages)
			continue;
		arenas->places[i].user_start = map->rt->user_start;
		__atomic_store_n(&arenas->places[i].pages, pages, __ATOMIC_RELEASE);
		return true;
	}
	sys_say(map->hive, "map \"%.16s\": %u arenas are mapped already", map->rt->name,
		RT_PAGE_ARENAS);
	return false;
}

void sys_arena_retire(struct sys_map *map)
{
	struct rt_page_arenas *arenas = RT_CONTROL->page_arenas;

	if (map->rt->type != ABI_MAP_TYPE_ARENA)
		return;
	for (u32 i = 0; arenas && i < RT_PAGE_ARENAS; i++)
		if (arenas->places[i].pages == (u64)(uintptr_t)rt_page_arena_pages(map->rt))
			__atomic_store_n(&arenas->places[i].pages, 0, __ATOMIC_RELEASE);
}

int sys_arena_mmap(struct sys_map *map, u64 hint, u32 flags, u64 offset, u64 length, u64 *ret_place)
{
	bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	struct rt_map *rt = map->rt;
	u64 place = fixed ? hint : own_place(rt), limit;

	length = ALIGN_UP(length, PAGE);
	limit = rt->user_start ? rt->user_size : (u64)rt->max_entries * PAGE;
	if (offset || !length)
		return -EINVAL;
	if (length > limit)
		return -E2BIG;
	if (rt->user_start) {
		place = rt->user_start;
		if (length != rt->user_size || hint != place)
			return -EINVAL;
	}
	if (place % PAGE || place / HALF != (place + length - 1) / HALF)
		return -EINVAL;
	__atomic_store_n(&rt->user_size, length, __ATOMIC_RELEASE);
	__atomic_store_n(&rt->user_start, place, __ATOMIC_RELEASE);
	*ret_place = place;
	return publish(map) ? 0 : -ENOMEM;
}
