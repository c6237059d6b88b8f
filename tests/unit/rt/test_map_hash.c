/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash maps against a plain model: random operations with a fixed seed give the results that the
 * kernel's rules ask for, exactly max_entries keys fit, values of other vCPUs begin as zero,
 * iteration sees every key once, and a corrupted map harms nobody.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness/tap.h"
#include "map_env.h"
#include "rt/map/hash.h"

#define KEYS 40

/* What the map should hold. */
struct model {
	bool there[KEYS];
	u64 value[KEYS];
	u32 nr, max;
};

static void make_key(u8 *key, u32 size, u32 number)
{
	for (u32 i = 0; i < size; i++)
		key[i] = (u8)(number * (i + 3) + i);
	memcpy(key, &number, size < 4 ? size : 4);
}

static long model_update(struct model *model, u32 key, u64 value, u64 flags)
{
	if (flags > BPF_EXIST)
		return -EINVAL;
	if (model->there[key] && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!model->there[key] && flags == BPF_EXIST)
		return -ENOENT;
	if (!model->there[key]) {
		if (model->nr == model->max)
			return -E2BIG;
		model->nr++;
	}
	model->there[key] = true;
	model->value[key] = value;
	return 0;
}

static long model_delete(struct model *model, u32 key)
{
	if (!model->there[key])
		return -ENOENT;
	model->there[key] = false;
	model->nr--;
	return 0;
}

static u32 count_keys(const struct rt_map *map, struct rt_vcpu *vcpu)
{
	u8 key[64];
	u32 nr = 0;
	bool first = true;

	while (nr < 100000 && !rt_map_get_next_key(map, first ? NULL : key, key, vcpu)) {
		first = false;
		nr++;
	}
	return nr;
}

/* One random operation on both; false if they differ. */
static bool step(struct rt_map *map, struct model *model, u64 *seed, struct rt_vcpu *vcpu)
{
	u64 r = env_random(seed), value = env_random(seed), out = 0, *found;
	u32 number = (u32)(r >> 8) % KEYS;
	u8 key[64];
	long want, got;

	make_key(key, map->key_size, number);
	switch (r % 8) {
	case 0:
	case 1:
	case 2:
		want = model_update(model, number, value, (r >> 40) % 4);
		got = rt_map_update_elem(map, key, &value, (r >> 40) % 4, vcpu);
		return want == got;
	case 3:
	case 4:
		want = model_delete(model, number);
		return want == rt_map_delete_elem(map, key, vcpu);
	case 5:
		want = model->there[number] ? 0 : -ENOENT;
		got = rt_map_copy_out(map, key, &out, 0, vcpu);
		return want == got && (got || out == model->value[number]);
	case 6: {
		u64 old = model->value[number];

		want = model_delete(model, number);
		got = rt_map_lookup_and_delete(map, key, &out, 0, vcpu);
		return want == got && (got || out == old);
	}
	default:
		found = rt_map_lookup_elem(map, key, vcpu);
		return model->there[number] ? found && *found == model->value[number] : !found;
	}
}

static void test_model(struct arena *arena, struct rt_vcpu *vcpu, u32 key_size, u32 max, u32 flags)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_HASH, key_size, 8, max, flags);
	struct model model = { .max = max };
	u64 seed = key_size * 1000 + max;
	u32 differ = 0, linked;
	const char *wrong;

	for (u32 i = 0; i < 20000; i++)
		differ += !step(map, &model, &seed, vcpu);
	tap_is(differ, 0, "hash: 20000 operations as the model");
	wrong = env_hash_check(map, &linked);
	tap_ok(!wrong, "hash: key %u, max %u: every element in its place: %s", key_size, max,
	       wrong ? wrong : "yes");
	tap_is(linked, model.nr, "hash: number of keys");
	tap_is(count_keys(map, vcpu), model.nr, "hash: iteration sees each");
	env_map_free(arena, map);
}

static u64 visit_sum(void *arg, const void *key, void *value)
{
	u64 *sum = arg;

	*sum += *(const u32 *)key;
	return *(const u32 *)key == *(u32 *)value ? 0 : 1;
}

static void test_for_each(struct arena *arena, struct rt_vcpu *vcpu, u32 type)
{
	struct rt_map *map = env_map(arena, type, 4, 8, 3000, 0);
	u64 sum = 0;
	u32 key;

	tap_is(rt_map_for_each(map, visit_sum, &sum, vcpu), 0, "for each: none");
	for (key = 1; key <= 1000; key++)
		rt_map_update_elem(map, &key, &(u64){ key }, 0, vcpu);
	tap_is(rt_map_for_each(map, visit_sum, &sum, vcpu), 1000, "for each: all");
	tap_is(sum, 500500, "for each: each once");
	for (key = 1; key <= 1000; key++)
		rt_map_update_elem(map, &key, &(u64){ 0 }, 0, vcpu);
	tap_is(rt_map_for_each(map, visit_sum, &sum, vcpu), 1, "for each: until nonzero");
	env_map_free(arena, map);
}

static void test_full(struct arena *arena, struct rt_vcpu *vcpu)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_HASH, 4, 4, 1000, 0);
	u32 key, errors = 0, out, linked;
	const char *wrong;

	for (u32 round = 0; round < 3; round++) {
		for (key = 0; key < 1000; key++)
			errors += rt_map_update_elem(map, &key, &key, BPF_NOEXIST, vcpu) != 0;
		tap_is(errors, 0, "full: max_entries keys fit");
		key = 5000;
		tap_is(rt_map_update_elem(map, &key, &key, 0, vcpu), -E2BIG, "full: no more");
		tap_is(rt_map_update_elem(map, &key, &key, BPF_EXIST, vcpu), -ENOENT,
		       "full: EXIST comes first");
		key = 77;
		out = 78;
		tap_is(rt_map_update_elem(map, &key, &out, 0, vcpu), 0, "full: replacing goes");
		tap_is(*(u32 *)rt_map_lookup_elem(map, &key, vcpu), 78, "full: replaced");
		for (key = 0; key < 1000; key++)
			errors += rt_map_delete_elem(map, &key, vcpu) != 0;
		tap_is(errors, 0, "full: all can be deleted");
	}
	wrong = env_hash_check(map, &linked);
	tap_ok(!wrong && !linked, "full: then it is empty: %s", wrong ? wrong : "yes");
	tap_is(rt_map_get_next_key(map, NULL, &key, vcpu), -ENOENT, "full: no first key");
	env_map_free(arena, map);
}

static void test_percpu(struct arena *arena, struct rt_vcpu *vcpu)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_PERCPU_HASH, 8, 4, 2, 0);
	u64 all[4], out[4] = { 0 }, key = 7, mine = vcpu->index;
	u32 one = 5, linked;
	const char *wrong;

	tap_is(rt_map_user_value_size(map), 32, "percpu hash: 8 bytes a vCPU");
	for (u32 i = 0; i < 4; i++)
		all[i] = 100 + i;
	tap_is(rt_map_copy_in(map, &key, all, 0, vcpu), 0, "percpu hash: copy in");
	tap_is(rt_map_copy_out(map, &key, out, 0, vcpu), 0, "percpu hash: copy out");
	tap_ok(!memcmp(all, out, sizeof(all)), "percpu hash: all values");
	tap_is(*(u32 *)rt_map_lookup_elem(map, &key, vcpu), 100 + mine, "percpu hash: own value");
	tap_is(rt_map_update_elem(map, &key, &one, BPF_EXIST, vcpu), 0, "percpu hash: own update");
	all[mine] = 5;
	rt_map_copy_out(map, &key, out, 0, vcpu);
	tap_ok(!memcmp(all, out, sizeof(all)), "percpu hash: only the own value changed");
	tap_is(rt_map_delete_elem(map, &key, vcpu), 0, "percpu hash: delete");
	key = 9;
	tap_is(rt_map_update_elem(map, &key, &one, 0, vcpu), 0, "percpu hash: insert by a program");
	rt_map_copy_out(map, &key, out, 0, vcpu);
	memset(all, 0, sizeof(all));
	all[mine] = 5;
	tap_ok(!memcmp(all, out, sizeof(all)), "percpu hash: the others begin as zero");
	tap_is(*(u32 *)rt_map_lookup_percpu_elem(map, &key, 3, vcpu), all[3],
	       "percpu hash: lookup of another's");
	wrong = env_hash_check(map, &linked);
	tap_ok(!wrong, "percpu hash: every element in its place: %s", wrong ? wrong : "yes");
	env_map_free(arena, map);
}

static u64 resident_pages(const struct rt_map *map)
{
	u64 pages = map->data_size / 4096, resident = 0;
	unsigned char *state = malloc(pages);

	if (mincore(map->data, map->data_size, state) == 0)
		for (u64 i = 0; i < pages; i++)
			resident += state[i] & 1;
	free(state);
	return resident;
}

/* A map of ten million elements costs what it holds, whatever keys these have. */
static void test_sparse(struct arena *arena, struct rt_vcpu *vcpu)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_HASH, 8, 8, 10000000, 0);
	u64 seed = 3, key;
	u32 linked;

	for (u32 nr = 0, next = 100; nr < 100000; nr++) {
		key = env_random(&seed);
		rt_map_update_elem(map, &key, &key, 0, vcpu);
		if (nr + 1 == next) {
			u64 resident = resident_pages(map), bytes = next * (24 + 2 * 16);

			next *= 10;
			tap_ok(resident > 2 && resident <= bytes / 4096 + 8,
			       "sparse: %u keys of 10^7 take %llu pages", nr + 1,
			       (unsigned long long)resident);
		}
	}
	tap_is(count_keys(map, vcpu), 100000, "sparse: iteration sees each key");
	tap_ok(!env_hash_check(map, &linked), "sparse: every element is in its place");
	env_map_free(arena, map);
}

/* While a table grows, a walk meets each key that was there from the start once. */
static void test_walk_grows(struct arena *arena, struct rt_vcpu *vcpu)
{
	enum { BEFORE = 2000, EACH = 40 };
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_HASH, 4, 4, 1 << 20, 0);
	u32 key, next, more = BEFORE, steady;
	u8 seen[BEFORE + 1] = { 0 };

	for (key = 0; key < BEFORE; key++)
		rt_map_update_elem(map, &key, &key, 0, vcpu);
	for (bool first = true; !rt_map_get_next_key(map, first ? NULL : &key, &next, vcpu);
	     first = false) {
		key = next;
		seen[key < BEFORE ? key : BEFORE] += key < BEFORE;
		for (u32 i = 0; more < 100 * BEFORE && i < EACH; i++, more++)
			rt_map_update_elem(map, &more, &more, 0, vcpu);
	}
	for (key = 0, steady = 0; key < BEFORE; key++)
		steady += seen[key] == 1;
	tap_is(steady, BEFORE, "a walk over a table that grows meets each key once");
	for (key = 0, steady = 0; key < more; key++)
		steady += rt_map_lookup_elem(map, &key, vcpu) != NULL;
	tap_is(steady, more, "all keys are there");
	env_map_free(arena, map);
}

/* Any garbage in the map's memory may give wrong results, never a fault or an endless walk. */
static void test_garbage(struct arena *arena, struct rt_vcpu *vcpu)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_HASH, 4, 8, 64, 0);
	struct model model = { .max = 64 };
	u64 seed = 99;
	u32 next;

	for (u32 round = 0; round < 200; round++) {
		for (u32 i = 0; i < 40; i++)
			step(map, &model, &seed, vcpu);
		for (u32 i = 0; i < 30; i++) {
			u64 word = env_random(&seed) % (map->data_size / 4);
			u64 r = env_random(&seed);

			/* Large numbers, and small ones that make cycles. */
			((u32 *)(void *)map->data)[word] =
				r & 1 ? (u32)(r >> 32) : (u32)(r >> 32) % 70;
		}
		for (u32 i = 0; i < 70; i++)
			hash_elem(map, 1 + i % 66)->link = (u32)(env_random(&seed) % 67);
		rt_map_get_next_key(map, NULL, &next, vcpu);
	}
	tap_ok(true, "garbage: 200 rounds end");
	env_map_free(arena, map);
}

/* Chains stay short when keys differ in few bits only. */
static void test_spread(struct arena *arena, struct rt_vcpu *vcpu)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_HASH, 8, 8, 1 << 14, 0);
	static const u32 shifts[] = { 0, 13, 24, 40, 50 };

	for (u32 i = 0; i < ARRAY_SIZE(shifts); i++) {
		u32 *count = calloc(map->nr_buckets, sizeof(*count)), longest = 0;

		for (u64 k = 0; k < 1 << 14; k++) {
			u64 key = k << shifts[i];
			u32 bucket = hash_key(map, &key) & (map->nr_buckets - 1);

			if (++count[bucket] > longest)
				longest = count[bucket];
		}
		tap_ok(longest <= 12, "spread: keys shifted by %u: longest chain %u", shifts[i],
		       longest);
		free(count);
	}
	env_map_free(arena, map);
}

int main(void)
{
	struct arena *arena = env_new(4);
	struct rt_vcpu *vcpu = env_vcpu();

	test_model(arena, vcpu, 4, 16, 0);
	test_model(arena, vcpu, 8, 25, BPF_F_NO_PREALLOC);
	test_model(arena, vcpu, 13, 39, 0);
	test_model(arena, vcpu, 1, 30, 0);
	test_model(arena, vcpu, 64, 30, BPF_F_ZERO_SEED);
	test_model(arena, vcpu, 16, 1, 0);
	test_full(arena, vcpu);
	test_for_each(arena, vcpu, BPF_MAP_TYPE_HASH);
	test_for_each(arena, vcpu, BPF_MAP_TYPE_PERCPU_HASH);
	test_percpu(arena, vcpu);
	test_sparse(arena, vcpu);
	test_walk_grows(arena, vcpu);
	test_garbage(arena, vcpu);
	test_spread(arena, vcpu);
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return tap_done();
}
