/* SPDX-License-Identifier: BSD-2-Clause */
/* Storage that belongs to something: whose it is when numbers are used again, and room for more. */
#include "rt/storage.h"

#include <errno.h>
#include <string.h>

#include "abi/bpf_new.h"
#include "harness/tap.h"
#include "map_env.h"
#include "rt/arena.h"
#include "rt/sys.h"

#define NR_OWNERS 100

static struct arena *arena;
static struct rt_vcpu *vcpu;

static void one_owner(u32 type)
{
	struct rt_map *map = env_map(arena, type, 4, 12, 8, 0);
	struct rt_owner owner = { .number = 0x123456789 }, other = { .number = 0x23456789 };
	const u32 first[3] = { 1, 2, 3 };
	u32 *value, *same;

	tap_ok(!rt_storage_find(map, &owner, vcpu), "type %u: there is none", type);
	value = rt_storage_make(map, &owner, first, vcpu);
	same = rt_storage_make(map, &owner, NULL, vcpu);
	tap_ok(value && !memcmp(value, first, sizeof(first)), "made of a value");
	tap_ok(same == value && same[2] == 3, "and only once");
	value = rt_storage_make(map, &other, NULL, vcpu);
	tap_ok(value && value != same && !value[0] && !value[2], "another owner's begins with 0");
	tap_ok(!rt_storage_delete(map, &owner, vcpu), "deleted");
	tap_ok(rt_storage_delete(map, &owner, vcpu) == -ENOENT, "but once");
	tap_ok(rt_storage_find(map, &other, vcpu) == value, "the other one's stays");
	value[1] = 7;
	rt_storage_delete(map, &other, vcpu);
	value = rt_storage_make(map, &owner, NULL, vcpu);
	tap_ok(value && !value[0] && !value[1] && !value[2], "used memory begins with 0, too");
	env_map_free(arena, map);
}

static void same_number(void)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_TASK_STORAGE, 4, 8, 8, 0);
	struct rt_owner early = { .number = 77, .born = 1 }, late = { .number = 77, .born = ~0ull };
	const u64 one = 1;

	tap_ok(rt_storage_make(map, &early, &one, vcpu) != NULL, "a task stores something");
	tap_ok(!rt_storage_find(map, &late, vcpu), "the next one with its id does not find it");
	tap_ok(rt_storage_find(map, &early, vcpu) != NULL, "the first one would");
	tap_ok(rt_storage_delete(map, &late, vcpu) == -ENOENT, "nor delete it");
	tap_ok(!rt_storage_find(map, &early, vcpu), "but it is gone with that");
	env_map_free(arena, map);
}

/* Ids that no thread has: above the kernel's largest. */
static void room(void)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_TASK_STORAGE, 4, 8, NR_OWNERS, 0);
	struct rt_owner self = { .number = rt_sys_gettid() }, dead = { 0 };
	u32 stored = 0;

	tap_ok(rt_storage_make(map, &self, NULL, vcpu) != NULL, "a living task stores something");
	for (u32 i = 0; i < 10 * NR_OWNERS; i++) {
		dead.number = (1u << 23) + i;
		stored += rt_storage_make(map, &dead, NULL, vcpu) != NULL;
	}
	tap_ok(stored == 10 * NR_OWNERS, "dead ones make room for others: %u", stored);
	tap_ok(rt_storage_find(map, &self, vcpu) != NULL, "living ones do not");
	env_map_free(arena, map);
	map = env_map(arena, BPF_MAP_TYPE_SK_STORAGE, 4, 8, NR_OWNERS, 0);
	stored = 0;
	for (u32 i = 0; i < 2 * NR_OWNERS; i++) {
		dead.number = 1 + i;
		stored += rt_storage_make(map, &dead, NULL, vcpu) != NULL;
	}
	tap_ok(stored == NR_OWNERS, "of sockets that is not known here: %u", stored);
	env_map_free(arena, map);
}

static void leaving(void)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_TASK_STORAGE, 4, 8, 8, 0);
	struct rt_owner owner = { .number = 99 };
	static struct rt_storages storages;

	tap_ok(!rt_storages_any(), "no storage is named in control");
	storages.maps[3] = map;
	RT_CONTROL->storages = &storages;
	rt_storage_make(map, &owner, NULL, vcpu);
	tap_ok(rt_storages_any(), "now one is");
	rt_storages_leave(98, vcpu);
	tap_ok(rt_storage_find(map, &owner, vcpu) != NULL, "another task exits");
	rt_storages_leave(99, vcpu);
	tap_ok(!rt_storage_find(map, &owner, vcpu), "the owner exits");
	RT_CONTROL->storages = NULL;
	env_map_free(arena, map);
}

int main(void)
{
	arena = env_new(2);
	vcpu = env_vcpu();
	one_owner(BPF_MAP_TYPE_TASK_STORAGE);
	one_owner(BPF_MAP_TYPE_SK_STORAGE);
	one_owner(ABI_MAP_TYPE_CGRP_STORAGE);
	same_number();
	room();
	leaving();
	return tap_done();
}
