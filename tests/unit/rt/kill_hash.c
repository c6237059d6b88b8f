/* SPDX-License-Identifier: BSD-2-Clause */
/* See kill.h: hash tables, of CPUs and with a list of what was used last. */
#include <string.h>

#include "kill.h"
#include "rt/map/hash.h"

/* Keys 1 … 3 of a map of 4, and a deleted one, so that chains and free lists are not empty. */
static void prepare_hash(struct rt_map *map, struct rt_vcpu *vcpu)
{
	for (u32 key = 1; key <= 4; key++)
		kill_put(map, vcpu, key, key * 10);
	kill_drop(map, vcpu, 4);
}

/* The same, and the free element lies in another vCPU's list: it has to be stolen. */
static void prepare_steal(struct rt_map *map, struct rt_vcpu *vcpu)
{
	struct hash_slot *own = hash_slot(map, vcpu->index),
			 *other = hash_slot(map, (vcpu->index + 1) % map->nr_vcpus);

	prepare_hash(map, vcpu);
	other->free = own->free;
	own->free = 0;
}

/* The same, and the free element lies in the cell of a vCPU whose holder is gone. */
static void prepare_cell(struct rt_map *map, struct rt_vcpu *vcpu)
{
	struct hash_slot *own = hash_slot(map, vcpu->index),
			 *other = hash_slot(map, (vcpu->index + 1) % map->nr_vcpus);

	prepare_hash(map, vcpu);
	other->cell = own->free;
	own->free = 0;
}

static void insert_one(struct rt_map *map, struct rt_vcpu *vcpu)
{
	kill_put(map, vcpu, 5, 50);
}

static void replace_one(struct rt_map *map, struct rt_vcpu *vcpu)
{
	kill_put(map, vcpu, 2, 21);
}

static void delete_one(struct rt_map *map, struct rt_vcpu *vcpu)
{
	kill_drop(map, vcpu, 2);
}

/* Keys that nobody touched are whole; the map takes exactly max_entries keys. */
static const char *examine_hash(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u64 two = kill_get(map, vcpu, 2), five = kill_get(map, vcpu, 5);
	u32 linked, fits = 0;
	const char *wrong;

	if (kill_get(map, vcpu, 1) != 10 || kill_get(map, vcpu, 3) != 30)
		return "another key changed";
	if (two != 20 && two != 21 && two != 0)
		return "a value is torn";
	if (five != 0 && five != 50)
		return "a new value is torn";
	/* Operations on all keys and from all slots meet every lock and journal. */
	for (u32 key = 0; key < 64; key++)
		kill_drop(map, vcpu, key);
	for (u32 key = 100; key < 164; key++) {
		u64 value = key;

		fits += rt_map_update_elem(map, &key, &value, BPF_NOEXIST, vcpu) == 0;
	}
	if (fits != map->max_entries)
		return "not exactly max_entries keys fit";
	for (u32 key = 100; key < 164; key++)
		kill_drop(map, vcpu, key);
	wrong = env_hash_check(map, &linked);
	if (wrong && strcmp(wrong, "a journal is open") != 0)
		return wrong;
	return !wrong && linked ? "keys remain" : NULL;
}

/* A replacement is all or nothing: the key is there before, after and in between. */
static const char *examine_replace(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u64 two = kill_get(map, vcpu, 2);

	if (two != 20 && two != 21)
		return "the key is not there";
	kill_drop(map, vcpu, 2);
	if (kill_get(map, vcpu, 2))
		return "the key is there twice";
	kill_put(map, vcpu, 2, 20);
	return examine_hash(map, vcpu);
}

/* So many that the next element that is used for the first time splits bucket 0. */
#define SPLIT_KEYS (HASH_BUCKETS_FIRST / 2)

/* The nth key: of the first 8, which all are in bucket 0, every other leaves. */
static u32 split_key(const struct rt_map *map, u32 nth)
{
	u32 key = 0, mask = 2 * HASH_BUCKETS_FIRST - 1;

	if (nth >= 8)
		return 1000000 + nth;
	for (u32 nr = 0;; key++)
		if ((hash_key(map, &key) & mask) == nr % 2 * HASH_BUCKETS_FIRST && nr++ == nth)
			return key;
}

static void prepare_split(struct rt_map *map, struct rt_vcpu *vcpu)
{
	for (u32 i = 0; i < SPLIT_KEYS; i++)
		kill_put(map, vcpu, split_key(map, i), i + 1);
}

static void insert_split(struct rt_map *map, struct rt_vcpu *vcpu)
{
	kill_put(map, vcpu, split_key(map, SPLIT_KEYS), SPLIT_KEYS + 1);
}

static const char *examine_split(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 linked, fits = 0;
	const char *wrong;

	for (u32 i = 0; i < SPLIT_KEYS; i++) {
		u32 key = split_key(map, i);

		if (kill_get(map, vcpu, key) != i + 1)
			return "a key is not there";
		if (i % 3 == 0)
			kill_drop(map, vcpu, key);
		else if (i % 3 == 1)
			kill_put(map, vcpu, key, i + 1);
	}
	for (u32 i = 0; i <= SPLIT_KEYS; i++)
		kill_drop(map, vcpu, split_key(map, i));
	for (u32 key = 2000000; key < 2000000 + map->max_entries + 1; key++) {
		u64 value = key;

		fits += rt_map_update_elem(map, &key, &value, BPF_NOEXIST, vcpu) == 0;
	}
	if (fits != map->max_entries)
		return "not exactly max_entries keys fit";
	wrong = env_hash_check(map, &linked);
	return wrong && strcmp(wrong, "a journal is open") != 0 ? wrong : NULL;
}

/* All keys of a percpu hash are free afterwards. */
static const char *examine_percpu(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 fits = 0;

	kill_drop(map, vcpu, 5);
	for (u32 key = 100; key < 120; key++) {
		u64 value = key;

		fits += rt_map_update_elem(map, &key, &value, BPF_NOEXIST, vcpu) == 0;
	}
	return fits == map->max_entries ? NULL : "not exactly max_entries keys fit";
}

/* Keys 1 … 4 fill the map, 3 is in use: 5 takes another one's place. */
static void prepare_full(struct rt_map *map, struct rt_vcpu *vcpu)
{
	for (u32 key = 1; key <= 4; key++)
		kill_put(map, vcpu, key, key * 10);
	kill_get(map, vcpu, 3);
}

static const char *examine_lru(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 linked = 0;
	const char *wrong;

	for (u32 key = 1; key <= 5; key++) {
		u64 value = kill_get(map, vcpu, key);

		if (value && value != key * 10)
			return "a value is torn";
		linked += value != 0;
	}
	/* Each insertion that was begun takes an element first: one, or two where two were cut off.
	 */
	if (linked < 2 || !kill_get(map, vcpu, 3))
		return "more keys went than were to be put in";
	for (u32 key = 100; key < 164; key++) {
		u64 value = key;

		if (rt_map_update_elem(map, &key, &value, 0, vcpu))
			return "a new key finds no place";
		if (!kill_get(map, vcpu, key))
			return "a new key is not there";
	}
	wrong = env_hash_check(map, &linked);
	if (wrong && strcmp(wrong, "a journal is open") != 0)
		return wrong;
	/* An element may lie in the own list of each vCPU that came before. */
	return !wrong && linked + 2 < map->max_entries ? "the map is not full" : NULL;
}

static const struct kill_scenario scenarios[] = {
	{ "hash insert", BPF_MAP_TYPE_HASH, 4, prepare_hash, insert_one, examine_hash, true },
	{ "hash insert, stolen element", BPF_MAP_TYPE_HASH, 4, prepare_steal, insert_one,
	  examine_hash, false },
	{ "hash insert, element of a dead vCPU", BPF_MAP_TYPE_HASH, 4, prepare_cell, insert_one,
	  examine_hash, false },
	{ "hash insert, fresh element", BPF_MAP_TYPE_HASH, 32, prepare_hash, insert_one,
	  examine_hash, false },
	{ "hash replace", BPF_MAP_TYPE_HASH, 4, prepare_hash, replace_one, examine_replace, true },
	{ "hash delete", BPF_MAP_TYPE_HASH, 4, prepare_hash, delete_one, examine_hash, true },
	{ "hash insert, two buckets are split", BPF_MAP_TYPE_HASH, 2 * HASH_BUCKETS_FIRST,
	  prepare_split, insert_split, examine_split, false },
	{ "percpu hash insert", BPF_MAP_TYPE_PERCPU_HASH, 4, NULL, insert_one, examine_percpu,
	  false },
	{ "LRU hash, eviction", BPF_MAP_TYPE_LRU_HASH, 4, prepare_full, insert_one, examine_lru,
	  true },
};

void kill_hashes(void)
{
	kill_run(scenarios, ARRAY_SIZE(scenarios), NULL);
}
