/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks: the walk over frame pointers, also over frames that lead nowhere; maps of stacks beside a
 * model of them; any bytes at all in such a map's memory.
 */
#include <errno.h>
#include <string.h>

#include "harness/tap.h"
#include "map_env.h"
#include "rt/helper/families.h"
#include "rt/stack.h"

#define DEPTH 5

static void test_walk(struct rt_vcpu *vcpu)
{
	u64 frames[3][2] = { { 0, 101 }, { 0, 102 }, { 0, 103 } }, ips[RT_STACK_DEPTH_MAX];

	vcpu->task.remote_pid = 0;
	vcpu->task.flags = 0;
	tap_is(rt_stack_of_user(vcpu, ips, 10), -EFAULT, "walk: no user code");
	frames[0][0] = (u64)(uintptr_t)frames[1];
	frames[1][0] = (u64)(uintptr_t)frames[2];
	vcpu->task.flags = RT_TASK_HAS_REGS;
	vcpu->task.ip = 100;
	vcpu->task.bp = (u64)(uintptr_t)frames[0];
	tap_is(rt_stack_of_user(vcpu, ips, 10), 4, "walk: to the last frame");
	tap_ok(ips[0] == 100 && ips[1] == 101 && ips[3] == 103, "walk: its addresses");
	tap_is(rt_stack_of_user(vcpu, ips, 2), 2, "walk: no further than asked");
	frames[2][0] = (u64)(uintptr_t)frames[0];
	tap_is(rt_stack_of_user(vcpu, ips, RT_STACK_DEPTH_MAX), RT_STACK_DEPTH_MAX,
	       "walk: a ring of frames ends");
	vcpu->task.bp = RT_CONTROL_BASE;
	tap_is(rt_stack_of_user(vcpu, ips, 10), 1, "walk: the arena is no stack");
	vcpu->task.bp = ~0ull;
	tap_is(rt_stack_of_user(vcpu, ips, 10), 1, "walk: beyond user memory");
	vcpu->task.bp = 8;
	tap_is(rt_stack_of_user(vcpu, ips, 10), 1, "walk: nothing there");
}

static long get_stack(struct rt_vcpu *vcpu, void *buffer, u32 size, u64 flags)
{
	return (long)rt_helper_get_stack(0, (u64)(uintptr_t)buffer, size, flags, 0, vcpu);
}

static void test_helpers(struct arena *arena, struct rt_vcpu *vcpu)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_STACK_TRACE, 4, 8 * DEPTH, 16, 0);
	u64 frames[2][2] = { { 0, 101 }, { 0, 102 } }, ips[8], value[DEPTH];
	struct bpf_stack_build_id ids[4];
	u32 key;
	long id;

	frames[0][0] = (u64)(uintptr_t)frames[1];
	vcpu->task.flags = RT_TASK_HAS_REGS;
	vcpu->task.ip = 100;
	vcpu->task.bp = (u64)(uintptr_t)frames[0];
	tap_is(get_stack(vcpu, ips, sizeof(ips), BPF_F_USER_STACK), 24, "get_stack: three");
	tap_ok(ips[2] == 102 && !ips[3] && !ips[7], "get_stack: zeros after them");
	tap_is(get_stack(vcpu, ips, 16, BPF_F_USER_STACK | 1), 16, "get_stack: two after one");
	tap_ok(ips[0] == 101 && ips[1] == 102, "get_stack: those");
	tap_is(get_stack(vcpu, ips, 64, BPF_F_USER_STACK | 3), 0, "get_stack: all skipped");
	tap_is(get_stack(vcpu, ips, 64, BPF_F_USER_STACK | 4), -EFAULT, "get_stack: more than all");
	tap_is(get_stack(vcpu, ips, 64, 0), -EFAULT, "get_stack: no kernel stack");
	tap_is(get_stack(vcpu, ips, 63, BPF_F_USER_STACK), -EINVAL, "get_stack: odd size");
	tap_is(get_stack(vcpu, ips, 64, 1 << 20), -EINVAL, "get_stack: flags");
	tap_is(get_stack(vcpu, ips, 64, BPF_F_USER_BUILD_ID), -EINVAL,
	       "get_stack: kernel build ids");
	tap_is(get_stack(vcpu, ids, sizeof(ids), BPF_F_USER_STACK | BPF_F_USER_BUILD_ID),
	       3 * sizeof(ids[0]), "get_stack: build ids");
	tap_ok(ids[1].status == BPF_STACK_BUILD_ID_IP && ids[1].ip == 101 && !ids[3].ip,
	       "get_stack: as addresses");
	id = (long)rt_helper_get_stackid(0, (u64)(uintptr_t)map, BPF_F_USER_STACK, 0, 0, vcpu);
	tap_ok(id >= 0 && id < 16, "get_stackid: %ld", id);
	key = (u32)id;
	tap_is(rt_map_copy_out(map, &key, value, 0, vcpu), 0, "get_stackid: it is there");
	tap_ok(value[0] == 100 && value[2] == 102 && !value[3], "get_stackid: the addresses");
	tap_is((long)rt_helper_get_stackid(0, (u64)(uintptr_t)map, BPF_F_USER_STACK | 3, 0, 0,
					   vcpu),
	       -EFAULT, "get_stackid: all skipped");
	tap_is((long)rt_helper_get_stackid(0, (u64)(uintptr_t)map, BPF_F_USER_BUILD_ID, 0, 0, vcpu),
	       -EINVAL, "get_stackid: flags");
	env_map_free(arena, map);
}

/* What the map should hold, by number. */
struct model {
	u64 ips[64][DEPTH];
	u32 nr[64];
	u32 total, max;
};

static long model_store(struct model *model, u32 id, const u64 *ips, u32 nr, u64 flags)
{
	bool same = model->nr[id] == nr && !memcmp(model->ips[id], ips, nr * sizeof(*ips));

	if (same)
		return id;
	if (model->nr[id] && !(flags & BPF_F_REUSE_STACKID))
		return -EEXIST;
	if (model->total >= model->max)
		return -ENOMEM;
	model->total += !model->nr[id];
	memset(model->ips[id], 0, sizeof(model->ips[id]));
	memcpy(model->ips[id], ips, nr * sizeof(*ips));
	model->nr[id] = nr;
	return id;
}

/* The bucket that a stack falls into: where an empty map puts it. */
static u32 bucket_of(struct rt_map *empty, const u64 *ips, u32 nr, struct rt_vcpu *vcpu)
{
	u32 id = (u32)rt_stack_store(empty, ips, nr, 0, vcpu);

	rt_map_delete_elem(empty, &id, vcpu);
	return id;
}

static bool step(struct model *model, struct rt_map *map, struct rt_map *empty, u64 *seed,
		 struct rt_vcpu *vcpu)
{
	static const u64 flags_of[] = { 0, BPF_F_REUSE_STACKID };
	u64 r = env_random(seed), ips[DEPTH], value[DEPTH], flags = flags_of[r >> 8 & 1];
	u32 nr = 1 + (u32)(r >> 16) % DEPTH, id = (u32)(r >> 32) % 70;
	long want, got;

	for (u32 i = 0; i < nr; i++)
		ips[i] = env_random(seed) % 3;
	switch (r % 4) {
	case 0:
	case 1:
		want = model_store(model, bucket_of(empty, ips, nr, vcpu), ips, nr, flags);
		got = rt_stack_store(map, ips, nr, flags, vcpu);
		break;
	case 2:
		want = id >= map->nr_buckets ? -E2BIG : model->nr[id] ? 0 : -ENOENT;
		got = rt_map_delete_elem(map, &id, vcpu);
		if (!want) {
			model->nr[id] = 0;
			model->total--;
		}
		break;
	default:
		want = id >= map->nr_buckets || !model->nr[id] ? -ENOENT : 0;
		got = rt_map_copy_out(map, &id, value, 0, vcpu);
		if (!want && memcmp(value, model->ips[id], sizeof(value)) != 0)
			got = 1;
		break;
	}
	if (want != got)
		tap_note("operation %llu: want %ld, got %ld", (unsigned long long)r % 4, want, got);
	return want == got;
}

static void test_model(struct arena *arena, struct rt_vcpu *vcpu, u32 max_entries)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_STACK_TRACE, 4, 8 * DEPTH, max_entries, 0);
	struct rt_map *empty =
		env_map(arena, BPF_MAP_TYPE_STACK_TRACE, 4, 8 * DEPTH, max_entries, 0);
	struct model model = { .max = max_entries };
	u32 key = 0, next, seen = 0;
	bool same = true;
	u64 seed = max_entries;

	for (u32 i = 0; i < 20000 && same; i++)
		same = step(&model, map, empty, &seed, vcpu);
	tap_ok(same, "model: %u stacks", max_entries);
	while (seen < 100 && !rt_map_get_next_key(map, seen ? &key : NULL, &next, vcpu)) {
		key = next;
		seen++;
	}
	tap_is(seen, model.total, "model: all are walked");
	env_map_free(arena, map);
	env_map_free(arena, empty);
}

/* Results may be wrong, but they come, and nothing outside of the map changes. */
static void test_garbage(struct arena *arena, struct rt_vcpu *vcpu)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_STACK_TRACE, 4, 8 * DEPTH, 5, 0);
	u64 seed = 7, ips[DEPTH], value[DEPTH + 1] = { 0 };
	u32 key = 0, whole = 0;

	value[DEPTH] = 77;
	for (u32 round = 0; round < 200; round++) {
		for (u64 i = 0; i < map->data_size; i++)
			map->data[i] = (u8)env_random(&seed);
		for (u32 i = 0; i < 8; i++)
			memset(map->data + map->buckets_offset + 16 * i + 8, 0, 4); /* locks */
		for (key = 0; key < 10; key++) {
			for (u32 i = 0; i < DEPTH; i++)
				ips[i] = env_random(&seed);
			rt_stack_store(map, ips, DEPTH, BPF_F_REUSE_STACKID, vcpu);
			rt_map_copy_out(map, &key, value, 0, vcpu);
			rt_map_lookup_and_delete(map, &key, value, 0, vcpu);
			rt_map_get_next_key(map, &key, ips, vcpu);
		}
		whole += value[DEPTH] == 77;
	}
	tap_is(whole, 200, "garbage: values end where they end");
	env_map_free(arena, map);
}

int main(void)
{
	struct arena *arena = env_new(4);
	struct rt_vcpu *vcpu = env_vcpu();

	test_walk(vcpu);
	test_helpers(arena, vcpu);
	test_model(arena, vcpu, 64);
	test_model(arena, vcpu, 33);
	test_model(arena, vcpu, 1);
	test_garbage(arena, vcpu);
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return tap_done();
}
