/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash table behind the hash map types: layout of its memory, and what hash.c, hash_slot.c and
 * the types' files share.
 *
 * Memory of a map, each part on its own pages:
 *   struct hash_head | one struct hash_slot a vCPU | summary bits | buckets | elements | per-CPU
 * values | one byte an element (LRU types: used lately), or a count for each length (LPM tries).
 * Elements are numbered from 1; 0 is "none". Elements 1 … max_entries belong to the keys, those
 * after are one for each vCPU, with which it replaces an element without needing a free one.
 *
 * Everything here may be overwritten by any process of the hive. Numbers read from it are checked
 * against the descriptor (in control) before they become addresses, and walks are limited to
 * HASH_HOPS_MAX.
 *
 * 1. A lookup takes no lock and never misses a key that is in the map all the time.
 *    Each bucket has a version in the word of its head. A replacement stores new head and next
 * version at once; every removal moves the version on after the element is out of the chain and
 * before the element can be used again. A lookup reads head and version, walks, and reads the
 * version again; if it moved, what was found means nothing and the lookup starts over. If it did
 * not move:
 *    - no element of the chain at the first read was used again before the second read, since a
 * removal after the first read would have moved the version before the element's reuse, and the
 * walker that saw a reused element's link or key would, by acquire/release, see that version too.
 * So the walk stayed in this bucket, and the keys it compared were whole.
 *    - a replaced key is found as its new element, if the head read was the new one; if it was the
 * old one, the version moves with the replacement's first store, and the old element leaves later.
 *    After HASH_RETRIES lost races the lookup takes the bucket's lock.
 *
 * 2. A process may be killed at any instruction of an update: the slot's journal says what was
 * being done, and whoever takes the dead owner's lock over completes or undoes it (hash_slot.c).
 * Nothing leaks, no key is lost and none is doubled.
 */
#ifndef SKEP_RT_MAP_HASH_H
#define SKEP_RT_MAP_HASH_H

#include "rt/lock.h"
#include "rt/map/ops.h"
#include "rt/map/shared.h"

#define HASH_RETRIES	     64
#define HASH_RETRIES_MAX     65536 /* where there is no lock */
#define HASH_EVICTIONS	     16
#define HASH_HOPS_MAX	     8192u
#define HASH_CHAIN_MAX	     (HASH_HOPS_MAX - 8) /* keys of a bucket; a replacement needs one more */
#define HASH_SUMMARY_BUCKETS 256u /* buckets that share one summary bit: a page of them */

#define HASH_LPM_WORDS (2048 / 64 + 1)

struct hash_bucket {
	u64 head_version; /* head: low half; version: high half */
	u32 lock;
	u32 unused;
};

struct hash_elem {
	u32 link; /* next in the chain, or in the free list */
	u32 hash;
	u8 key[]; /* padded to 8, then (not for per-CPU types) the value */
};

/* Elements never used yet: those above taken. */
struct hash_head {
	u32 lock;
	u32 taken;
	u32 hand;		     /* LRU types: where the search for a victim goes on */
	u64 lengths[HASH_LPM_WORDS]; /* LPM tries: prefix lengths that were ever stored */
};

enum hash_op { HASH_OP_NONE, HASH_OP_INSERT, HASH_OP_REPLACE, HASH_OP_DELETE };

/*
 * One vCPU's free elements and journal. The free list (lock, free) is open to all; the rest is
 * written by the slot's holder, and on behalf of a dead one by whoever holds the lock that the
 * journal entry is about: pop/from: the list `from`; push: this list; op, new, old: the bucket's
 * lock.
 */
struct hash_slot {
	u32 lock;
	u32 free;   /* first element of the free list */
	u32 token;  /* whose journal this is */
	u32 extra;  /* the element that the next replacement uses; 0: this slot's original one */
	u32 cell;   /* an element in neither a chain nor a list */
	u32 from;   /* list being popped, + 1 */
	u32 pop;    /* its first element, on the way to cell */
	u32 push;   /* cell's element, on the way to this list */
	u32 op;	    /* enum hash_op */
	u32 bucket; /* of op */
	u32 new;    /* to be linked */
	u32 old;    /* to be unlinked */
} __attribute__((aligned(64)));

/* Where the parts lie. Computed from the descriptor alone. */
struct hash_layout {
	u64 summary, buckets, elems, values, used, total;
};

/* false if the map would be too big. extra: bytes at the end that a type has for itself. */
bool hash_layout(u32 max_entries, u32 elem_stride, u64 cpu_stride, u32 nr_vcpus, u64 extra,
		 struct hash_layout *ret_layout);

static inline bool hash_type_is_percpu(u32 type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static inline bool hash_type_is_lru(u32 type)
{
	return type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static inline bool hash_is_percpu(const struct rt_map *map)
{
	return hash_type_is_percpu(map->type);
}

static inline bool hash_is_lru(const struct rt_map *map)
{
	return hash_type_is_lru(map->type);
}

static inline u32 hash_nr_elems(const struct rt_map *map)
{
	return map->max_entries + map->nr_vcpus;
}

static inline struct hash_head *hash_head(const struct rt_map *map)
{
	return (struct hash_head *)(void *)map->data;
}

static inline struct hash_slot *hash_slot(const struct rt_map *map, u32 index)
{
	return (struct hash_slot *)(void *)(map->data + RT_PAGE_SIZE) + index;
}

static inline struct hash_bucket *hash_bucket(const struct rt_map *map, u32 index)
{
	return (struct hash_bucket *)(void *)(map->data + map->buckets_offset) + index;
}

/* number is in 1 … hash_nr_elems(). */
static inline struct hash_elem *hash_elem(const struct rt_map *map, u32 number)
{
	return (struct hash_elem *)(void *)(map->data + map->elems_offset +
					    (u64)(number - 1) * map->elem_stride);
}

static inline bool hash_elem_valid(const struct rt_map *map, u32 number)
{
	return number - 1 < hash_nr_elems(map);
}

/* The value of element number, for per-CPU types that of vCPU cpu. */
static inline u8 *hash_value(const struct rt_map *map, u32 number, u32 cpu)
{
	if (hash_is_percpu(map))
		return map->data + map->values_offset + cpu * map->cpu_stride +
		       (u64)(number - 1) * map->value_stride;
	return hash_elem(map, number)->key + ALIGN_UP(map->hash_key_size, 8u);
}

/* LPM tries: the lengths in use. */
/* How many prefixes of each length there are, or were about to be: never fewer. */
static inline u32 *hash_lpm_counts(const struct rt_map *map)
{
	return (u32 *)(void *)(map->data + map->used_offset);
}

static inline u64 *hash_lpm_lengths(const struct rt_map *map)
{
	return hash_head(map)->lengths;
}

/*
 * What is kept behind element number's value: an LPM trie's bits of the prefix as they were given,
 * a storage's time of birth.
 */
static inline u8 *hash_behind(const struct rt_map *map, u32 number)
{
	return hash_value(map, number, 0) + map->value_stride;
}

#define HASH_LOAD(word)		__atomic_load_n(&(word), __ATOMIC_ACQUIRE)
#define HASH_STORE(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELEASE)

static inline u32 hash_bucket_head(u64 head_version)
{
	return (u32)head_version;
}

static inline u32 hash_bucket_version(u64 head_version)
{
	return head_version >> 32;
}

/* Under the bucket's lock. */
static inline void hash_bucket_set(struct hash_bucket *bucket, u32 head, u32 version)
{
	HASH_STORE(bucket->head_version, (u64)version << 32 | head);
}

/* Did nothing leave the bucket since word was read from it? */
static inline bool hash_unchanged(const struct hash_bucket *bucket, u64 word)
{
	return hash_bucket_version(HASH_LOAD(bucket->head_version)) == hash_bucket_version(word);
}

/* A bit for each page of buckets that ever held an element: walks skip the others. */
static inline u64 *hash_summary_word(const struct rt_map *map, u32 bucket)
{
	return (u64 *)(void *)(map->data + map->summary_offset) +
	       bucket / HASH_SUMMARY_BUCKETS / 64;
}

static inline u64 hash_summary_bit(u32 bucket)
{
	return 1ULL << (bucket / HASH_SUMMARY_BUCKETS % 64);
}

/* The keys of the hash function, from the map's seed; and the function itself, over size bytes. */
void hash_init_key(struct rt_map *map);
u64 hash_of_bytes(const struct rt_map *map, const void *bytes, u32 size);

/* The key's hash; its low bits choose the bucket. */
u32 hash_key(const struct rt_map *map, const void *key);

static inline u32 hash_bucket_of(const struct rt_map *map, u32 hash)
{
	return hash & (map->nr_buckets - 1);
}

/*
 * The element with this key in the chain that begins with element at, or 0; *ret_hops then tells
 * how long the chain is. hash_locked_find() begins at the bucket's head; its caller holds the lock.
 */
u32 hash_chain_walk(const struct rt_map *map, u32 at, u32 hash, const void *key, u32 *ret_hops);
u32 hash_locked_find(const struct rt_map *map, const struct hash_bucket *bucket, u32 hash,
		     const void *key, u32 *ret_hops);

/* Copies a value as clients see it: of per-CPU types all vCPUs'. */
void hash_load_value(const struct rt_map *map, u32 number, void *value);

/* The element with this key, or 0. */
u32 hash_find(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu);

/* What an update stores. */
struct hash_store {
	const void *value;  /* NULL: zeros, not for per-CPU types */
	const void *behind; /* hash_behind_size bytes to be kept behind the value */
	bool *ret_new;	    /* NULL, or set to true when the key was not there before */
	bool all_cpus; /* per-CPU types: value holds one value for each vCPU, value_stride apart */
};

u64 hash_memory_size(const struct rt_map_spec *spec);
void hash_init(struct rt_map *map);
void *hash_lookup(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu);
long hash_update(const struct rt_map *map, const void *key, const struct hash_store *store,
		 u64 flags, struct rt_vcpu *vcpu);
long hash_delete(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu);
long hash_copy_out(const struct rt_map *map, const void *key, void *value, struct rt_vcpu *vcpu);
long hash_lookup_and_delete(const struct rt_map *map, const void *key, void *value,
			    struct rt_vcpu *vcpu);
long hash_for_each(const struct rt_map *map, rt_map_visit_fn visit, void *arg,
		   struct rt_vcpu * vcpu);
long hash_next_key(const struct rt_map *map, const void *key, void *next_key, struct rt_vcpu *vcpu);
long hash_bucket_keys(const struct rt_map *map, struct rt_map_bucket *bucket, struct rt_vcpu *vcpu);

/*
 * hash_slot.c. hash_enter() gives the caller's slot with an empty journal, having cleared up after
 * a dead holder: 0, -EDEADLK or -ETIMEDOUT. hash_bucket_lock() likewise. hash_pop() moves a free
 * element to slot->cell: 0, -E2BIG when all keys' elements are in use; *ret_fresh says that it was
 * never used before. hash_push() puts slot->cell on the slot's list. hash_finish() does what the
 * journal's op says from wherever it stopped, and ends the values of elements that leave: the
 * caller holds the bucket's lock.
 */
long hash_enter(const struct rt_map *map, struct rt_vcpu *vcpu, struct hash_slot **ret_slot);
long hash_bucket_lock(const struct rt_map *map, u32 index, struct rt_vcpu *vcpu);
long hash_pop(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu,
	      bool *ret_fresh);
long hash_push(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu);
void hash_finish(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu);
bool hash_reclaim(const struct rt_map *map, struct rt_vcpu *vcpu);
/*
 * Takes the key out that element number belongs to: 0, -ENOENT when it is in no chain, or a lock's
 * error. The element becomes free.
 */
long hash_remove_element(const struct rt_map *map, u32 number, struct rt_vcpu *vcpu);

/* lru_hash.c. hash_evict() makes an element free by taking out a key; false: it found none. */
bool hash_evict(const struct rt_map *map, struct rt_vcpu *vcpu);
void hash_note_use(const struct rt_map *map, u32 number);
void hash_forget_use(const struct rt_map *map, u32 number);

static inline void hash_bucket_unlock(const struct rt_map *map, u32 index)
{
	rt_lock_release(&hash_bucket(map, index)->lock);
}

#endif
