/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys that all fall into one bucket, as somebody can make them who knows the seed: a chain ends at
 * HASH_CHAIN_MAX elements, and the key after that gets -ENOMEM, so no operation takes longer than a
 * walk of so many. All other keys go on as before, and with a seed of its own a map has no such
 * keys.
 */
#include <errno.h>
#include <stdlib.h>

#include "harness/tap.h"
#include "map_env.h"
#include "rt/map/hash.h"

#define ENTRIES 16384u
#define FLOOD	(HASH_CHAIN_MAX + 8)

/* Keys of bucket 0 of a map with seed 0. */
static u64 *colliding_keys(const struct rt_map *map, u32 nr)
{
	u64 *keys = calloc(nr, sizeof(*keys));
	u32 found = 0;

	for (u64 key = 1; found < nr; key++)
		if (!(hash_key(map, &key) & (map->nr_buckets - 1)))
			keys[found++] = key;
	return keys;
}

static u32 longest_chain(const struct rt_map *map)
{
	u32 longest = 0;

	for (u32 i = 0; i < map->nr_buckets; i++) {
		u32 at = hash_bucket_head(hash_bucket(map, i)->head_version), length = 0;

		for (; at; at = hash_elem(map, at)->link)
			length++;
		longest = length > longest ? length : longest;
	}
	return longest;
}

static struct rt_map *seeded_map(struct arena *arena, u64 seed)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_HASH, 8, 8, ENTRIES, 0);

	map->seed = seed;
	hash_init_key(map);
	return map;
}

static void test_flood(struct rt_map *map, const u64 *keys, struct rt_vcpu *vcpu)
{
	u64 value = 1, other = 0;
	u32 nr = 0, walked = 0;
	long error = 0;

	while (nr < FLOOD && !(error = rt_map_update_elem(map, &keys[nr], &value, 0, vcpu)))
		nr++;
	tap_is(nr, HASH_CHAIN_MAX, "so many keys fit into one bucket");
	tap_is(error, -ENOMEM, "then there is no memory for one more");
	tap_ok(rt_map_lookup_elem(map, &keys[0], vcpu) &&
		       rt_map_lookup_elem(map, &keys[nr - 1], vcpu),
	       "the first and the last are found");
	tap_is(rt_map_update_elem(map, &keys[0], &value, BPF_EXIST, vcpu), 0,
	       "the first is replaced");
	while (!(hash_key(map, &other) & (map->nr_buckets - 1)))
		other++;
	tap_is(rt_map_update_elem(map, &other, &value, 0, vcpu), 0, "other keys find their place");
	for (u64 key; !rt_map_get_next_key(map, walked ? &key : NULL, &key, vcpu) &&
		      walked <= 2 * HASH_HOPS_MAX;)
		walked++;
	tap_is(walked, HASH_CHAIN_MAX + 1, "a walk meets each of them once");
	tap_ok(!env_hash_check(map, &walked), "every element is in its place");
	tap_is(rt_map_delete_elem(map, &keys[5], vcpu), 0, "one is deleted");
	tap_is(rt_map_update_elem(map, &keys[nr], &value, 0, vcpu), 0, "then one more fits");
}

int main(void)
{
	struct arena *arena = env_new(2);
	struct rt_map *known = seeded_map(arena, 0), *own = seeded_map(arena, 0x5eed5eed5eed);
	struct rt_vcpu *vcpu = env_vcpu();
	u64 *keys = colliding_keys(known, FLOOD), value = 1;
	u32 longest;

	test_flood(known, keys, vcpu);
	for (u32 i = 0; i < FLOOD; i++)
		rt_map_update_elem(own, &keys[i], &value, 0, vcpu);
	longest = longest_chain(own);
	tap_ok(longest < 32, "with another seed the same keys lie apart: %u in one bucket",
	       longest);
	rt_vcpu_release(vcpu);
	free(keys);
	env_map_free(arena, known);
	env_map_free(arena, own);
	arena_free(arena);
	return tap_done();
}
