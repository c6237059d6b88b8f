/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_ARENA (kernel/bpf/arena.c): pages that programs and clients share at addresses whose
 * low halves are the same for both. They lie in the map's memory, behind three bitmaps' worth of
 * bookkeeping; clients map them where user_start says. A program's access is checked here at run
 * time: outside of the clients' mapping and on pages that nobody has, loads give 0 and stores go
 * nowhere.
 *
 * A page is there when a program has allocated it or a client has touched it. The latter happens
 * unseen: the page is then in the memory file, which mincore(2) tells, when it is first asked for.
 */
#ifndef SKEP_RT_PAGE_ARENA_H
#define SKEP_RT_PAGE_ARENA_H

#include "rt/map.h"

#define RT_PAGE_ARENA_MAX (1ull << 32) /* bytes */

/*
 * In control: at which address agents map the pages of an arena. An entry is free when pages is 0;
 * one that is not is complete.
 */
#define RT_PAGE_ARENAS 64
struct rt_page_arenas {
	struct rt_page_arena_place {
		u64 pages, user_start;
	} places[RT_PAGE_ARENAS];
};

/* Where clients map what lies there; 0: it is no arena's. */
u64 rt_page_arena_place_of(u64 pages);

/* Where the pages lie. */
u8 *rt_page_arena_pages(const struct rt_map *map);

/*
 * Memory of bytes bytes at the low half of address, plus offset; NULL: none of it may be touched.
 * What it holds may change at any time; it stays accessible while the map lives.
 */
void *rt_page_arena_at(const struct rt_map *map, u64 address, s32 offset, u32 bytes);

/* The address that clients use for a program's; 0 stays 0. */
u64 rt_page_arena_to_user(const struct rt_map *map, u64 address);

/* The kfuncs bpf_arena_alloc_pages(), _free_pages() and _reserve_pages(). */
u64 rt_page_arena_alloc(const struct rt_map *map, u64 address, u32 nr, s32 node,
			struct rt_vcpu *vcpu);
void rt_page_arena_free(const struct rt_map *map, u64 address, u32 nr, struct rt_vcpu *vcpu);
long rt_page_arena_reserve(const struct rt_map *map, u64 address, u32 nr, struct rt_vcpu *vcpu);

#endif
