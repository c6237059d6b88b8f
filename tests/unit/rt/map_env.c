/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See map_env.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/tap.h"
#include "map_env.h"
#include "rt/map/hash.h"

struct arena *env_new(u32 nr_vcpus)
{
	struct arena_options options = { .nr_vcpus = nr_vcpus };
	struct arena *arena = NULL;
	const char *message = NULL;
	int error = arena_new(&options, &arena, &message);

	if (error)
		tap_bail("arena_new: %d %s", error, message ? message : "");
	return arena;
}

struct rt_vcpu *env_vcpu(void)
{
	struct rt_vcpu *vcpu = rt_vcpu_acquire((u32)gettid());

	if (!vcpu)
		tap_bail("no vCPU");
	memset(&vcpu->task, 0, sizeof(vcpu->task));
	vcpu->task.pid = (u32)gettid();
	vcpu->task.tgid = (u32)getpid();
	return vcpu;
}

struct rt_map *env_map(struct arena *arena, u32 type, u32 key_size, u32 value_size, u32 max_entries,
		       u32 flags)
{
	struct rt_map_spec spec = { .type = type,
				    .key_size = key_size,
				    .value_size = value_size,
				    .max_entries = max_entries,
				    .flags = flags,
				    .nr_vcpus = RT_CONTROL->nr_vcpus };
	struct rt_map *map = arena_alloc(arena, ARENA_CONTROL, sizeof(*map), 64);
	u64 size = rt_map_memory_size(&spec);

	if (!map || !size)
		tap_bail("map of type %u: no memory", type);
	map->data_size = size;
	map->data = arena_alloc(arena, rt_map_in_control(&spec) ? ARENA_CONTROL : ARENA_DATA, size,
				4096);
	if (!map->data)
		tap_bail("map of type %u: no memory of %llu bytes", type, (unsigned long long)size);
	rt_map_init(map, &spec, 1, 12345);
	return map;
}

void env_map_free(struct arena *arena, struct rt_map *map)
{
	struct rt_map_spec spec = { .type = map->type, .flags = map->flags };

	arena_release(arena, rt_map_in_control(&spec) ? ARENA_CONTROL : ARENA_DATA, map->data,
		      map->data_size);
	arena_release(arena, ARENA_CONTROL, map, sizeof(*map));
}

u64 env_random(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Marks an element as seen; false if it was already or is no element. */
static bool mark(const struct rt_map *map, u8 *seen, u32 element)
{
	if (!hash_elem_valid(map, element) || seen[element])
		return false;
	seen[element] = 1;
	return true;
}

static const char *check_chain(const struct rt_map *map, u8 *seen, u32 index, u32 *linked)
{
	const struct hash_bucket *bucket = hash_bucket(map, index);
	u32 head = hash_bucket_head(bucket->head_version), next;

	if (index >= HASH_BUCKETS_FIRST && !bucket->mask)
		return head ? "a bucket has keys before it is there" : NULL;
	for (u32 at = head; at; at = next) {
		next = hash_elem(map, at)->link;

		if (!mark(map, seen, at))
			return "an element is in a chain and somewhere else";
		if (hash_key(map, hash_elem(map, at)->key) != hash_elem(map, at)->hash ||
		    ((hash_elem(map, at)->hash ^ index) & hash_bucket_mask(map, bucket->mask)))
			return "an element is in the wrong bucket";
		if (next && hash_before(hash_elem(map, next)->hash, hash_elem(map, at)->hash))
			return "a chain is out of order";
		for (u32 other = hash_elem(map, at)->link; hash_elem_valid(map, other);
		     other = hash_elem(map, other)->link)
			if (!memcmp(hash_elem(map, at)->key, hash_elem(map, other)->key,
				    map->key_size))
				return "a key is there twice";
		++*linked;
	}
	if (bucket->lock && !rt_lock_gone(bucket->lock))
		return "a bucket is locked";
	return NULL;
}

static const char *check_slot(const struct rt_map *map, u8 *seen, u32 index)
{
	const struct hash_slot *slot = hash_slot(map, index);
	u32 extra = slot->extra ? slot->extra : map->max_entries + 1 + index;

	if (slot->op || slot->from || slot->push)
		return "a journal is open";
	if (slot->lock && !rt_lock_gone(slot->lock))
		return "a list is locked";
	for (u32 at = slot->free; at; at = hash_elem(map, at)->link)
		if (!mark(map, seen, at))
			return "an element is in a free list and somewhere else";
	if (slot->cell && !mark(map, seen, slot->cell))
		return "an element is in a cell and somewhere else";
	return mark(map, seen, extra) ? NULL : "an extra element is somewhere else too";
}

const char *env_hash_check(const struct rt_map *map, u32 *ret_linked)
{
	u8 *seen = calloc(hash_nr_elems(map) + 1, 1);
	const char *wrong = NULL;

	*ret_linked = 0;
	for (u32 i = 0; i < map->nr_buckets && !wrong; i++)
		wrong = check_chain(map, seen, i, ret_linked);
	for (u32 i = 0; i < map->nr_vcpus && !wrong; i++)
		wrong = check_slot(map, seen, i);
	for (u32 i = 1; i <= hash_head(map)->taken && !wrong; i++)
		if (!seen[i])
			wrong = "an element is lost";
	free(seen);
	return wrong;
}
