/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See map_env.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/tap.h"
#include "map_env.h"
#include "rt/map/lru_list.h"

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
	if (hash_is_lru(map))
		return slot->extra ? "a slot of an LRU map has an element" : NULL;
	return mark(map, seen, extra) ? NULL : "an extra element is somewhere else too";
}

/* One list of an LRU map: elements without a key or with, each where it says it is. */
static const char *check_list(const struct rt_map *map, u8 *seen, u8 *listed, u32 where,
			      const struct lru_ends *ends, u32 *ret_nr)
{
	bool free = where == LRU_FREE || where == LRU_LOCAL_FREE;
	u32 previous = 0;

	*ret_nr = 0;
	for (u32 at = ends->first; at; previous = at, at = lru_node(map, at)->next) {
		if (!hash_elem_valid(map, at) || listed[at])
			return "an element is in two lists";
		listed[at] = 1;
		if ((lru_node(map, at)->where & 0xff) != where)
			return "an element is in another list than it says";
		if (lru_node(map, at)->previous != previous)
			return "a list is torn";
		if (free ? seen[at] : !seen[at])
			return free ? "a key's element is free"
				    : "a key is listed that is not there";
		seen[at] = 1;
		++*ret_nr;
	}
	return ends->last == previous ? NULL : "a list's end is torn";
}

static const char *check_lru(const struct rt_map *map, u8 *seen)
{
	u8 *listed = calloc(hash_nr_elems(map) + 1, 1);
	const char *wrong = NULL;

	for (u32 i = 0; i <= map->nr_vcpus && !wrong; i++) {
		const struct lru_list *list = lru_list(map, i);
		u32 active = 0, inactive = 0, nr;

		wrong = check_list(map, seen, listed, LRU_ACTIVE, &list->active, &active);
		if (!wrong)
			wrong = check_list(map, seen, listed, LRU_INACTIVE, &list->inactive,
					   &inactive);
		if (!wrong)
			wrong = check_list(map, seen, listed, LRU_FREE, &list->free, &nr);
		if (!wrong)
			wrong = check_list(map, seen, listed, LRU_LOCAL_FREE, &list->local_free,
					   &nr);
		if (!wrong)
			wrong = check_list(map, seen, listed, LRU_PENDING, &list->pending, &nr);
		if (!wrong && (active != list->nr_active || inactive != list->nr_inactive))
			wrong = "a list's length is wrong";
		if (!wrong && (list->nr_writes || (list->lock && !rt_lock_gone(list->lock))))
			wrong = "a list is locked";
	}
	for (u32 i = 1; i <= map->max_entries && !wrong; i++)
		if ((lru_node(map, i)->where & 0xff) == LRU_NEVER_USED ? seen[i] : !listed[i])
			wrong = "an element is in no list";
	free(listed);
	return wrong;
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
	if (!wrong && hash_is_lru(map))
		wrong = check_lru(map, seen);
	for (u32 i = 1; !hash_is_lru(map) && i <= hash_head(map)->taken && !wrong; i++)
		if (!seen[i])
			wrong = "an element is lost";
	free(seen);
	return wrong;
}
