/* SPDX-License-Identifier: BSD-2-Clause */
/* Arenas: what addresses reach, and that hostile bookkeeping reaches no further. */
#include "rt/page_arena.h"

#include <errno.h>
#include <string.h>

#include "abi/bpf_new.h"
#include "harness/tap.h"
#include "map_env.h"
#include "rt/lock.h"

#define PAGE  4096u
#define NR    70u
#define START (0x4000000000ull - NR * PAGE) /* up to the last address of a low half */

static struct arena *arena;
static struct rt_vcpu *vcpu;
static struct rt_map *map;

static bool inside(const void *at, u32 bytes)
{
	const u8 *pages = rt_page_arena_pages(map), *byte = at;

	return !at || (byte >= pages && byte + bytes <= pages + (u64)map->user_size);
}

static void addresses(void)
{
	u64 page = rt_page_arena_alloc(map, 0, 1, -1, vcpu);
	u8 *first = rt_page_arena_pages(map);

	tap_ok(page == START, "the first page");
	tap_ok(rt_page_arena_at(map, START, 0, 8) == first, "its first byte");
	tap_ok(rt_page_arena_at(map, (u32)START + 8, -8, 1) == first, "with an offset");
	tap_ok(rt_page_arena_at(map, START, PAGE - 1, 1) == first + PAGE - 1, "its last byte");
	tap_ok(!rt_page_arena_at(map, START, PAGE - 1, 2), "a byte more");
	tap_ok(!rt_page_arena_at(map, START, -1, 1), "a byte before");
	tap_ok(!rt_page_arena_at(map, START - 4, 0, 8), "half before");
	tap_ok(!rt_page_arena_at(map, 0, 0, 1), "address 0");
	tap_ok(!rt_page_arena_at(map, START + NR * PAGE, 0, 1), "behind the last page");
	tap_ok(!rt_page_arena_at(map, ~0ull, 32767, 8), "the last address");
	tap_ok(rt_page_arena_to_user(map, (u32)START + 16) == START + 16, "a client's address");
	tap_ok(!rt_page_arena_to_user(map, 0x100000000), "no address");
	rt_page_arena_free(map, page, 1, vcpu);
	tap_ok(!rt_page_arena_at(map, START, 0, 8), "given back");
}

static void touched(void)
{
	u8 *pages = rt_page_arena_pages(map);

	*(volatile u8 *)(pages + 3 * PAGE) = 7;
	tap_ok(rt_page_arena_at(map, START + 3 * PAGE, 0, 1) == pages + 3 * PAGE,
	       "a page that somebody has touched is there");
	*(volatile u8 *)(pages + 5 * PAGE) = 7;
	tap_ok(!rt_page_arena_alloc(map, START + 4 * PAGE, 2, -1, vcpu), "and is not given away");
	tap_ok(rt_page_arena_alloc(map, 0, 2, -1, vcpu) == START, "the smallest place");
	tap_ok(rt_page_arena_alloc(map, 0, 3, -1, vcpu) == START + 6 * PAGE, "the next larger one");
	rt_page_arena_free(map, START, NR, vcpu);
	tap_ok(pages[3 * PAGE] == 0, "what is given back is empty");
	rt_page_arena_free(map, START, NR, vcpu);
	tap_ok(rt_page_arena_alloc(map, 0, NR, -1, vcpu) == START, "all pages at once");
	tap_ok(!rt_page_arena_alloc(map, 0, 1, -1, vcpu), "and no other");
	rt_page_arena_free(map, START + 10 * PAGE, 1, vcpu);
	tap_ok(rt_page_arena_reserve(map, START + 10 * PAGE, 1, vcpu) == 0, "one is reserved");
	tap_ok(rt_page_arena_reserve(map, START + 10 * PAGE, 1, vcpu) == -EBUSY, "once");
	tap_ok(!rt_page_arena_at(map, START + 10 * PAGE, 0, 1), "and is not there");
	rt_page_arena_free(map, START, NR, vcpu);
}

/* Somebody has the lock, and keeps it. */
static void locked(void)
{
	u64 page = rt_page_arena_alloc(map, 0, 1, -1, vcpu);
	struct rt_vcpu *other = env_vcpu();
	u32 *lock = (u32 *)(void *)map->data;

	*(volatile u8 *)rt_page_arena_at(map, page, 0, 1) = 7;
	*lock = rt_lock_token(other);
	tap_ok(!rt_page_arena_alloc(map, 0, 1, -1, vcpu), "no page while another has the lock");
	rt_page_arena_free(map, page, 1, vcpu);
	tap_ok(!rt_page_arena_at(map, page, 0, 1), "but what is given back is gone");
	*lock = 0;
	rt_vcpu_release(other);
	tap_ok(rt_page_arena_alloc(map, page, 1, -1, vcpu) == page, "and can be had again");
	tap_ok(!*(volatile u8 *)rt_page_arena_at(map, page, 0, 1), "empty");
	rt_page_arena_free(map, page, 1, vcpu);
}

static void hostile(void)
{
	u64 state = 42, bookkeeping = (u64)(rt_page_arena_pages(map) - map->data);
	u32 wrong = 0;

	for (u32 round = 0; round < 20000; round++) {
		u64 address = env_random(&state), kind = env_random(&state) % 5;
		u32 nr = (u32)env_random(&state) >> (env_random(&state) % 32);
		s16 offset = (s16)env_random(&state);
		u64 got = START;

		/* Not the lock: a word that looks like a living holder's costs a wait. */
		if (round % 16 == 0)
			for (u64 i = PAGE; i < bookkeeping; i += 8)
				*(u64 *)(void *)(map->data + i) = env_random(&state);
		if (env_random(&state) % 2)
			address = START + address % ((u64)(NR + 2) * PAGE);
		if (kind == 0)
			got = rt_page_arena_alloc(map, address & ~4095ull, nr, -1, vcpu);
		else if (kind == 1)
			got = rt_page_arena_alloc(map, 0, nr % 80, -1, vcpu);
		else if (kind == 2)
			rt_page_arena_free(map, address, nr, vcpu);
		else if (kind == 3)
			rt_page_arena_reserve(map, address, nr, vcpu);
		else
			wrong += !inside(rt_page_arena_at(map, address, offset, 8), 8);
		wrong += got && (got < START || got >= START + (u64)NR * PAGE);
	}
	tap_ok(!wrong, "nothing outside is reached: %u", wrong);
}

int main(void)
{
	arena = env_new(2);
	vcpu = env_vcpu();
	map = env_map(arena, ABI_MAP_TYPE_ARENA, 0, 0, NR, BPF_F_MMAPABLE);
	map->user_start = START;
	map->user_size = (u64)NR * PAGE;
	addresses();
	touched();
	locked();
	hostile();
	env_map_free(arena, map);
	return tap_done();
}
