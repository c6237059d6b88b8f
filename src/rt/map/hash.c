/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash tables: finding, storing, deleting and walking keys. What makes this safe without a lock on
 * the reader's side and against death on the writer's is said in rt/map/hash.h. Results and their
 * order of precedence are those of kernel/bpf/hashtab.c.
 */
#include "rt/map/hash.h"
#include "rt/map/lru_list.h"
#include "rt/map/value.h"
#include "rt/storage.h"

bool hash_layout(u32 max_entries, u32 elem_stride, u64 cpu_stride, u32 nr_vcpus, u64 extra,
		 struct hash_layout *ret_layout)
{
	u32 nr_buckets = (u32)rt_map_power_of_two(max_entries);
	u64 slots = ALIGN_UP(nr_vcpus * sizeof(struct hash_slot), (u64)RT_PAGE_SIZE);
	u64 buckets = rt_map_product(nr_buckets, sizeof(struct hash_bucket));
	u64 elems = rt_map_product((u64)max_entries + nr_vcpus, elem_stride);
	u64 values = cpu_stride ? rt_map_product(cpu_stride, nr_vcpus) : 0;

	if (!buckets || !elems || (cpu_stride && !values))
		return false;
	ret_layout->buckets = RT_PAGE_SIZE + slots;
	ret_layout->elems = ret_layout->buckets + buckets;
	ret_layout->values = ret_layout->elems + elems;
	ret_layout->used = ret_layout->values + values;
	ret_layout->total = ret_layout->used;
	if (extra)
		ret_layout->total += rt_map_product(extra, 1);
	return ret_layout->total <= RT_DATA_SIZE;
}

/* A storage's key is not the client's descriptor but the owner that it stands for. */
static u32 stored_key_size(u32 type, u32 key_size)
{
	return rt_type_is_storage(type) ? sizeof(u64) : key_size;
}

static u32 behind_size(u32 type, u32 key_size)
{
	if (rt_type_is_storage(type))
		return sizeof(u64);
	return type == BPF_MAP_TYPE_LPM_TRIE ? key_size - 4 : 0;
}

static u64 extra_size(u32 type, u32 key_size, u64 nr_elems, u32 nr_vcpus)
{
	if (type == BPF_MAP_TYPE_LPM_TRIE)
		return ((u64)key_size - 4) * 8 * sizeof(u32) + sizeof(u32);
	return hash_type_is_lru(type) ? lru_memory_size(nr_elems, nr_vcpus) : 0;
}

/* The strides that follow from a map's sizes; false: too big. */
static bool strides(u32 type, u32 key_size, u32 value_size, u64 nr_elems, u64 *ret_elem,
		    u64 *ret_cpu)
{
	u64 value = ALIGN_UP((u64)value_size, 8);

	*ret_elem = sizeof(struct hash_elem) + ALIGN_UP((u64)stored_key_size(type, key_size), 8);
	*ret_cpu = 0;
	if (hash_type_is_percpu(type)) {
		*ret_cpu = rt_map_product(nr_elems, value);
		if (!*ret_cpu)
			return false;
	} else {
		*ret_elem += value + ALIGN_UP((u64)behind_size(type, key_size), 8);
	}
	return *ret_elem <= 1u << 30;
}

u64 hash_memory_size(const struct rt_map_spec *spec)
{
	struct hash_layout layout;
	u64 elem_stride, cpu_stride;

	if (spec->max_entries == 0 || spec->max_entries > 1u << 31 ||
	    !strides(spec->type, spec->key_size, spec->value_size,
		     (u64)spec->max_entries + spec->nr_vcpus, &elem_stride, &cpu_stride))
		return 0;
	if (!hash_layout(spec->max_entries, (u32)elem_stride, cpu_stride, spec->nr_vcpus,
			 extra_size(spec->type, spec->key_size,
				    (u64)spec->max_entries + spec->nr_vcpus, spec->nr_vcpus),
			 &layout))
		return 0;
	return layout.total;
}

/* splitmix64: one seed becomes several unrelated keys. */
static u64 next_key_word(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void hash_init_key(struct rt_map *map)
{
	u64 state = map->seed;

	for (u32 i = 0; i < ARRAY_SIZE(map->hash_key); i++)
		map->hash_key[i] = next_key_word(&state) | (i & 1);
}

void hash_init(struct rt_map *map)
{
	struct hash_layout layout = { 0 };
	u64 elem_stride, cpu_stride;

	map->nr_buckets = (u32)rt_map_power_of_two(map->max_entries);
	map->hash_key_size = stored_key_size(map->type, map->key_size);
	map->hash_behind_size = behind_size(map->type, map->key_size);
	strides(map->type, map->key_size, map->value_size, hash_nr_elems(map), &elem_stride,
		&cpu_stride);
	map->elem_stride = (u32)elem_stride;
	map->cpu_stride = cpu_stride;
	hash_layout(map->max_entries, map->elem_stride, cpu_stride, map->nr_vcpus,
		    extra_size(map->type, map->key_size, hash_nr_elems(map), map->nr_vcpus),
		    &layout);
	map->buckets_offset = layout.buckets;
	map->elems_offset = layout.elems;
	map->values_offset = layout.values;
	map->used_offset = layout.used;
	hash_init_key(map);
}

static u64 fold(u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

/* A keyed multiply-and-fold hash: without the key, colliding keys cannot be constructed. */
static inline u64 hash_of(const struct rt_map *map, const void *bytes, u32 left)
{
	const u64 *k = map->hash_key;
	const u8 *at = bytes;
	u64 hash = left ^ k[2], word[2] = { 0 };

	for (; left > 8; left -= 8, at += 8) {
		__builtin_memcpy(word, at, 8);
		hash = fold(hash ^ word[0], k[3]) ^ k[0];
	}
	if (left == 8)
		__builtin_memcpy(word, at, 8);
	else if (left == 4)
		__builtin_memcpy(word, at, 4), word[0] &= 0xffffffff;
	else
		for (word[0] = 0; left; left--)
			word[0] = word[0] << 8 | at[left - 1];
	return fold(hash ^ word[0] ^ k[0], k[1]);
}

u64 hash_of_bytes(const struct rt_map *map, const void *bytes, u32 size)
{
	return hash_of(map, bytes, size);
}

u32 hash_key(const struct rt_map *map, const void *key)
{
	u64 hash = hash_of(map, key, map->hash_key_size);

	return (u32)(hash ^ hash >> 32);
}

static inline bool is_key_of(const struct rt_map *map, const struct hash_elem *elem, u32 elem_hash,
			     u32 hash, const void *key)
{
	return elem_hash == hash && rt_shared_equal(elem->key, key, map->hash_key_size);
}

u32 hash_chain_walk(const struct rt_map *map, u32 at, u32 hash, const void *key)
{
	for (u32 hops = 0; hash_elem_valid(map, at) && hops < HASH_HOPS_MAX; hops++) {
		const struct hash_elem *elem = hash_elem(map, at);
		u32 elem_hash = HASH_LOAD(elem->hash);

		if (is_key_of(map, elem, elem_hash, hash, key))
			return at;
		if (hash_before(hash, elem_hash))
			break;
		at = HASH_LOAD(elem->link);
	}
	return 0;
}

u32 hash_locked_find(const struct rt_map *map, const struct hash_bucket *bucket, u32 hash,
		     const void *key, u32 *ret_hops, u32 *ret_previous)
{
	u32 at = hash_bucket_head(HASH_LOAD(bucket->head_version)), hops = 0;
	bool before = true;

	*ret_previous = 0;
	for (; hash_elem_valid(map, at) && hops < HASH_HOPS_MAX; hops++) {
		const struct hash_elem *elem = hash_elem(map, at);
		u32 elem_hash = HASH_LOAD(elem->hash);

		if (is_key_of(map, elem, elem_hash, hash, key))
			return at;
		before = before && !hash_before(hash, elem_hash);
		if (before)
			*ret_previous = at;
		at = HASH_LOAD(elem->link);
	}
	*ret_hops = hops;
	return 0;
}

/* Without a lock: true with the element, or 0, in *ret_found; false when the race was lost. */
static inline bool find_once(const struct rt_map *map, u32 hash, const void *key, u32 *ret_found)
{
	struct hash_view view;

	hash_bucket_find(map, hash, &view);
	*ret_found = hash_chain_walk(map, hash_bucket_head(view.word), hash, key);
	return hash_unchanged(view.bucket, view.word);
}

/*
 * All races lost: with the bucket's lock nothing moves. A map in the control segment has no lock
 * that everybody could take, and one writer, the supervisor, who does other things in between.
 */
static u32 __attribute__((noinline))
find_locked(const struct rt_map *map, u32 hash, const void *key, struct rt_vcpu *vcpu)
{
	u32 index, hops, previous, found;

	if (rt_map_ops_of(map->type)->objects) {
		for (u32 i = 0; i < HASH_RETRIES_MAX; i++)
			if (find_once(map, hash, key, &found))
				return found;
		return 0;
	}
	if (hash_bucket_lock_of(map, hash, vcpu, &index))
		return 0;
	found = hash_locked_find(map, hash_bucket(map, index), hash, key, &hops, &previous);
	hash_bucket_unlock(map, index);
	return found;
}

u32 hash_find(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	u32 hash = hash_key(map, key), found;

	for (u32 i = 0; i < HASH_RETRIES; i++)
		if (likely(find_once(map, hash, key, &found)))
			return found;
	return find_locked(map, hash, key, vcpu);
}

void *hash_lookup(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	u32 found = hash_find(map, key, vcpu);

	return found ? hash_value(map, found, vcpu->index) : NULL;
}

void hash_store_value(const struct rt_map *map, u32 number, const struct hash_store *store,
		      struct rt_vcpu *vcpu, bool zero_others)
{
	const u8 *value = store->value;

	if (!hash_is_percpu(map)) {
		rt_value_begin(map, hash_value(map, number, 0), vcpu);
		if (value)
			rt_value_store(map, hash_value(map, number, 0), value);
		else
			rt_shared_zero(hash_value(map, number, 0), map->value_stride);
		if (store->behind)
			rt_shared_store(hash_behind(map, number), store->behind,
					map->hash_behind_size);
		return;
	}
	for (u32 i = 0; i < map->nr_vcpus; i++) {
		if (store->all_cpus)
			rt_value_store_part(map, hash_value(map, number, i),
					    value + (u64)i * map->value_stride, map->value_stride);
		else if (i == vcpu->index)
			rt_value_store_part(map, hash_value(map, number, i), value,
					    map->value_size);
		else if (zero_others)
			rt_shared_zero(hash_value(map, number, i), map->value_stride);
	}
}

void hash_load_value(const struct rt_map *map, u32 number, void *value)
{
	if (!hash_is_percpu(map)) {
		rt_value_load(map, value, hash_value(map, number, 0));
		return;
	}
	for (u32 i = 0; i < map->nr_vcpus; i++)
		rt_value_load_part(map, (u8 *)value + (u64)i * map->value_stride,
				   hash_value(map, number, i));
}

/* Links a new element in, before the key's present one: decided by one store. */
static void link_in(const struct rt_map *map, const struct hash_spot *spot, u32 number)
{
	struct hash_bucket *bucket = hash_bucket(map, spot->bucket);
	u64 word = HASH_LOAD(bucket->head_version);
	struct hash_elem *elem = hash_elem(map, number);
	struct hash_elem *previous = spot->previous ? hash_elem(map, spot->previous) : NULL;

	HASH_STORE(elem->hash, spot->hash);
	rt_shared_store(elem->key, spot->key, map->hash_key_size);
	HASH_STORE(elem->link, previous ? HASH_LOAD(previous->link) : hash_bucket_head(word));
	if (previous)
		HASH_STORE(previous->link, number);
	else
		hash_bucket_set(bucket, number, hash_bucket_version(word));
}

void hash_link(const struct rt_map *map, struct hash_slot *slot, const struct hash_spot *spot,
	       u32 new, struct rt_vcpu *vcpu)
{
	hash_journal(slot, spot->found ? HASH_OP_REPLACE : HASH_OP_INSERT, spot->bucket, new,
		     spot->found);
	link_in(map, spot, new);
	hash_linked(map, slot, spot, new, vcpu);
}

static long insert(const struct rt_map *map, struct hash_slot *slot, const struct hash_spot *spot,
		   const struct hash_store *store, struct rt_vcpu *vcpu, bool *ret_fresh)
{
	long error = hash_pop(map, slot, vcpu, ret_fresh);
	u32 new;

	if (unlikely(error))
		return error;
	new = HASH_LOAD(slot->cell);
	if (unlikely(!hash_elem_valid(map, new)))
		return -E2BIG;
	for (u32 i = 0; map->nr_fields && hash_is_percpu(map) && i < map->nr_vcpus; i++)
		rt_value_begin(map, hash_value(map, new, i), vcpu);
	hash_store_value(map, new, store, vcpu, !*ret_fresh);
	hash_link(map, slot, spot, new, vcpu);
	if (store->ret_new)
		*store->ret_new = true;
	return 0;
}

/*
 * The value changes as a whole: a new element takes the old one's place, which stays readable for
 * those who hold a pointer to it. Per-CPU values belong to their vCPU and are written in spot.
 */
static long replace(const struct rt_map *map, struct hash_slot *slot, const struct hash_spot *spot,
		    const struct hash_store *store, struct rt_vcpu *vcpu)
{
	u32 new = HASH_LOAD(slot->extra);

	if (hash_is_percpu(map)) {
		hash_store_value(map, spot->found, store, vcpu, false);
		return 0;
	}
	if (!hash_elem_valid(map, new))
		new = map->max_entries + 1 + vcpu->index;
	hash_store_value(map, new, store, vcpu, false);
	hash_link(map, slot, spot, new, vcpu);
	return 0;
}

static long update_once(const struct rt_map *map, const void *key, u32 hash,
			const struct hash_store *store, u64 flags, struct rt_vcpu *vcpu)
{
	struct hash_spot spot = { .key = key, .hash = hash };
	bool fresh = false;
	struct hash_slot *slot;
	u32 hops;
	long error = hash_enter(map, vcpu, &slot);

	if (likely(!error))
		error = hash_bucket_lock_of(map, hash, vcpu, &spot.bucket);
	if (unlikely(error))
		return error;
	spot.found = hash_locked_find(map, hash_bucket(map, spot.bucket), hash, key, &hops,
				      &spot.previous);
	if (spot.found && (flags & ~(u64)BPF_F_LOCK) == BPF_NOEXIST)
		error = -EEXIST;
	else if (!spot.found && (flags & ~(u64)BPF_F_LOCK) == BPF_EXIST)
		error = -ENOENT;
	else if (spot.found && unlikely(flags & BPF_F_LOCK))
		error = rt_value_store_locked(map, hash_value(map, spot.found, 0), store->value,
					      vcpu);
	else if (spot.found)
		error = replace(map, slot, &spot, store, vcpu);
	else if (likely(hops < HASH_CHAIN_MAX))
		error = insert(map, slot, &spot, store, vcpu, &fresh);
	else
		error = -ENOMEM;
	hash_bucket_unlock(map, spot.bucket);
	if (unlikely(fresh))
		hash_grow(map, slot, hash, spot.bucket, vcpu);
	return error;
}

long hash_update(const struct rt_map *map, const void *key, const struct hash_store *store,
		 u64 flags, struct rt_vcpu *vcpu)
{
	u32 hash = hash_key(map, key);
	long error;

	if (unlikely(flags > BPF_EXIST) &&
	    ((flags & ~(u64)BPF_F_LOCK) > BPF_EXIST || !map->has_lock))
		return -EINVAL;
	error = update_once(map, key, hash, store, flags, vcpu);
	/* Full, unless a dead vCPU has an element in its hands. */
	if (unlikely(error == -E2BIG) && hash_reclaim(map, vcpu))
		error = update_once(map, key, hash, store, flags, vcpu);
	return error;
}

/* Takes key out, its value to value if that is not NULL. */
static long take_out(const struct rt_map *map, const void *key, void *value, struct rt_vcpu *vcpu)
{
	u32 hash = hash_key(map, key), index, old, hops, previous;
	struct hash_slot *slot;
	long error = hash_enter(map, vcpu, &slot);

	if (likely(!error))
		error = hash_bucket_lock_of(map, hash, vcpu, &index);
	if (unlikely(error))
		return error;
	old = hash_locked_find(map, hash_bucket(map, index), hash, key, &hops, &previous);
	if (old) {
		if (value && map->has_lock)
			error = rt_value_load_locked(map, value, hash_value(map, old, 0), vcpu);
		else if (value)
			hash_load_value(map, old, value);
	}
	if (old && !error) {
		hash_journal(slot, HASH_OP_DELETE, index, 0, old);
		hash_finish(map, slot, vcpu);
	}
	hash_bucket_unlock(map, index);
	if (error || !old)
		return error ? error : -ENOENT;
	/* If a stopped thread holds the list, the element waits in the cell for the next
	 * hash_enter(). */
	hash_push(map, slot, vcpu);
	return 0;
}

long hash_delete(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	return take_out(map, key, NULL, vcpu);
}

long hash_lookup_and_delete(const struct rt_map *map, const void *key, void *value,
			    struct rt_vcpu *vcpu)
{
	return take_out(map, key, value, vcpu);
}

static long store_one(const struct rt_map *map, const void *key, const void *value, u64 flags,
		      struct rt_vcpu *vcpu)
{
	struct hash_store store = { .value = value };

	return hash_update(map, key, &store, flags, vcpu);
}

const struct rt_map_ops rt_map_hash_ops = {
	.memory_size = hash_memory_size,
	.init = hash_init,
	.lookup = hash_lookup,
	.update = store_one,
	.delete = hash_delete,
	.for_each = hash_for_each,
	.copy_out = hash_copy_out,
	.copy_in = store_one,
	.lookup_and_delete = hash_lookup_and_delete,
	.next_key = hash_next_key,
	.bucket_keys = hash_bucket_keys,
	.in_process = true,
};
