/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_arena_alloc_pages(), _free_pages() and _reserve_pages(): the map is any map, as the program
 * likes it; what an iterator shows of one (vcpu->call_arg, from the verifier) is no arena.
 */
#include "abi/bpf_new.h"
#include "rt/kfunc/families.h"
#include "rt/page_arena.h"

static const struct rt_map *arena_of(u64 map, const struct rt_vcpu *vcpu)
{
	const struct rt_map *arena = vcpu->call_arg ? NULL : (const struct rt_map *)map;

	return arena && arena->type == ABI_MAP_TYPE_ARENA ? arena : NULL;
}

/* (map, address or NULL, number of pages, node, flags) */
RT_KFUNC(bpf_arena_alloc_pages)
{
	const struct rt_map *map = arena_of(r1, vcpu);

	return map && !r5 ? rt_page_arena_alloc(map, r2, (u32)r3, (s32)r4, vcpu) : 0;
}

/* (map, address, number of pages) */
RT_KFUNC(bpf_arena_free_pages)
{
	const struct rt_map *map = arena_of(r1, vcpu);

	if (map)
		rt_page_arena_free(map, r2, (u32)r3, vcpu);
	return 0;
}

/* (map, address, number of pages) */
RT_KFUNC(bpf_arena_reserve_pages)
{
	const struct rt_map *map = arena_of(r1, vcpu);

	return (u64)(map ? rt_page_arena_reserve(map, r2, (u32)r3, vcpu) : -EINVAL);
}
