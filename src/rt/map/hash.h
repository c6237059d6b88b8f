/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash table behind the hash map types: layout of its memory, and what hash.c, hash_slot.c and
 * the types' files share.
 *
 * Memory of a map, each part on its own pages:
 *   struct hash_head | one struct hash_slot a vCPU | buckets | elements | per-CPU values | LRU
 * types: one byte an element (used lately), and lists (lru_list.h); LPM tries: a count for each
 * length. Elements are numbered from 1; 0 is "none". Elements 1 … max_entries belong to the keys,
 * those after are one for each vCPU, with which it replaces an element without needing a free one.
 *
 * All of it has addresses from the start, but memory only where something was written: elements are
 * used in the order of their numbers, and buckets, two for each element (hash_buckets.c).
 *
 * Everything here may be overwritten by any process of the hive. Numbers read from it are checked
 * against the descriptor (in control) before they become addresses, and walks are limited to
 * HASH_HOPS_MAX.
 *
 * 1. A lookup takes no lock and never misses a key that is in the map all the time.
 *    Each bucket has a version in the word of its head. Whatever leaves a chain moves the version
 * on after it is out of the chain and before it can be used again. A lookup reads head and version,
 * then which hashes the bucket has, walks, and reads the version again; if it moved, what was found
 * means nothing and the lookup starts over. If it did not move:
 *    - no element of the chain at the first read was used again before the second read, since a
 * removal after the first read would have moved the version before the element's reuse, and the
 * walker that saw a reused element's link or key would, by acquire/release, see that version too.
 * So the walk stayed in this bucket, and the keys it compared were whole.
 *    - a key that is being replaced is found as its new element or as the old one: the new one is
 * linked right before the old one, which leaves later.
 *    - the bucket was not split meanwhile: of a split, too, the version moves before any key leaves
 * the chain, and the other half has the keys by then (hash_buckets.c).
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

#define HASH_RETRIES	 64
#define HASH_RETRIES_MAX 65536 /* where there is no lock */
#define HASH_EVICTIONS	 16
#define HASH_HOPS_MAX	 8192u
#define HASH_CHAIN_MAX	 (HASH_HOPS_MAX - 8) /* keys of a bucket; a replacement needs one more */
#define HASH_SEEKS	 64	/* buckets that a search for the one of a hash looks at */
#ifndef HASH_BUCKETS_FIRST	/* tests/interleave begins with fewer */
#define HASH_BUCKETS_FIRST 256u /* those that every map begins with: a page of them */
#endif

#define HASH_LPM_WORDS (2048 / 64 + 1)

struct hash_bucket {
	u64 head_version; /* head: low half; version: high half */
	u32 lock;
	u32 mask; /* the bits of a hash that are this bucket's number; 0: as in the beginning */
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
	u32 more_buckets; /* how many there are beyond the first ones: a hint for where to look */
	u32 hand;	  /* LRU types: where the search for a victim goes on */
	u64 lengths[HASH_LPM_WORDS]; /* LPM tries: prefix lengths that were ever stored */
};

enum hash_op { HASH_OP_NONE, HASH_OP_INSERT, HASH_OP_REPLACE, HASH_OP_DELETE, HASH_OP_SPLIT };

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
	u32 new;    /* to be linked; of a split: the new bucket */
	u32 old;    /* to be unlinked */
} __attribute__((aligned(64)));

/* Where the parts lie. Computed from the descriptor alone. */
struct hash_layout {
	u64 buckets, elems, values, used, total;
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

/* The keys of the hash function, from the map's seed; and the function itself, over size bytes. */
void hash_init_key(struct rt_map *map);
u64 hash_of_bytes(const struct rt_map *map, const void *bytes, u32 size);

/* The key's hash; its low bits choose the bucket. */
u32 hash_key(const struct rt_map *map, const void *key);

/*
 * Does the order of chains have hash a strictly before b? It is that of their bits read backwards,
 * so that the halves into which a bucket is split lie one behind the other in its chain.
 */
static inline bool hash_before(u32 a, u32 b)
{
	u32 differ = a ^ b;

	return (b & differ & -differ) != 0;
}

static inline u32 hash_buckets_first(const struct rt_map *map)
{
	return map->nr_buckets < HASH_BUCKETS_FIRST ? map->nr_buckets : HASH_BUCKETS_FIRST;
}

/* A bucket as a search met it. */
struct hash_view {
	struct hash_bucket *bucket;
	u64 word;  /* its head_version */
	u32 index; /* its number */
	u32 mask;  /* read after word */
};

/* Are keys with this hash in bucket index, whose number is so many bits of them? */
static inline bool hash_bucket_holds(u32 index, u32 mask, u32 hash)
{
	return likely(!((hash ^ index) & mask)) && likely(mask || index < HASH_BUCKETS_FIRST);
}

static inline u32 hash_bucket_mask(const struct rt_map *map, u32 mask)
{
	return mask ? mask & (map->nr_buckets - 1) : hash_buckets_first(map) - 1;
}

/* The bucket where keys of this hash are most likely. */
static inline u32 hash_bucket_guess(const struct rt_map *map, u32 hash)
{
	u32 first = hash_buckets_first(map), more = HASH_LOAD(hash_head(map)->more_buckets), nr;
	u32 mask, index;

	nr = first + (likely(more <= map->nr_buckets - first) ? more : 0);
	mask = ~0u >> __builtin_clz((nr - 1) | 1);
	index = hash & mask;
	return index < nr ? index : index & mask >> 1;
}

static inline void hash_bucket_look(const struct rt_map *map, u32 index, struct hash_view *view)
{
	view->index = index;
	view->bucket = hash_bucket(map, index);
	view->word = HASH_LOAD(view->bucket->head_version);
	view->mask = HASH_LOAD(view->bucket->mask);
}

/* hash_buckets.c. The search goes on from a bucket that does not have keys of this hash. */
void hash_bucket_seek(const struct rt_map *map, u32 hash, struct hash_view *view);

/* The bucket that has the keys of this hash. */
static inline void hash_bucket_find(const struct rt_map *map, u32 hash, struct hash_view *view)
{
	hash_bucket_look(map, hash_bucket_guess(map, hash), view);
	if (unlikely(!hash_bucket_holds(view->index, view->mask, hash)))
		hash_bucket_seek(map, hash, view);
}

/*
 * An element was taken that was never used before, for a key with this hash, and put into bucket
 * index: the map gets its buckets for it. The caller holds slot and no lock.
 */
void hash_grow(const struct rt_map *map, struct hash_slot *slot, u32 hash, u32 index,
	       struct rt_vcpu *vcpu);

/* Does, or goes on with, the split of bucket index of which new is the other half. Under its lock.
 */
void hash_split_finish(const struct rt_map *map, u32 index, u32 new);

/*
 * The place of a hash in a walk, below nr_buckets. Each bucket has the places from *ret_begin to
 * *ret_end - 1, and its chain is in their order, so that a walk over all places meets the keys in
 * an order that no split changes.
 */
u32 hash_place(const struct rt_map *map, u32 hash);
u32 hash_of_place(const struct rt_map *map, u32 place);
u64 hash_place_end(const struct rt_map *map, u32 mask, u64 place);

/*
 * The element with this key in the chain that begins with element at, or 0. hash_locked_find()
 * begins at the bucket's head; *ret_previous is the element that it stands or would stand behind,
 * 0: the head, and *ret_hops, when it is not there, the length of the chain. The caller holds the
 * lock.
 */
u32 hash_chain_walk(const struct rt_map *map, u32 at, u32 hash, const void *key);
u32 hash_locked_find(const struct rt_map *map, const struct hash_bucket *bucket, u32 hash,
		     const void *key, u32 *ret_hops, u32 *ret_previous);

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
 * a dead holder: 0, -EDEADLK or -ETIMEDOUT. hash_bucket_settle() clears up after the dead who held
 * the bucket's lock, which now is the caller's. hash_pop() moves a free
 * element to slot->cell: 0, -E2BIG when all keys' elements are in use; *ret_fresh says that it was
 * never used before. hash_push() puts slot->cell on the slot's list. hash_finish() does what the
 * journal's op says from wherever it stopped, and ends the values of elements that leave: the
 * caller holds the bucket's lock.
 */
long hash_enter(const struct rt_map *map, struct rt_vcpu *vcpu, struct hash_slot **ret_slot);
void hash_bucket_settle(const struct rt_map *map, u32 index, struct rt_vcpu *vcpu);
long hash_pop(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu,
	      bool *ret_fresh);
long hash_push(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu);
void hash_finish(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu);

/* Says in the journal what is to be done to the bucket, op last: from then on it counts. */
static inline void hash_journal(struct hash_slot *slot, enum hash_op op, u32 bucket, u32 new,
				u32 old)
{
	HASH_STORE(slot->bucket, bucket);
	HASH_STORE(slot->new, new);
	HASH_STORE(slot->old, old);
	HASH_STORE(slot->op, op);
}

bool hash_reclaim(const struct rt_map *map, struct rt_vcpu *vcpu);

static inline long hash_bucket_lock(const struct rt_map *map, u32 index, struct rt_vcpu *vcpu)
{
	u32 dead;
	long error = rt_lock_acquire(&hash_bucket(map, index)->lock, vcpu, &dead);

	if (unlikely(dead))
		hash_bucket_settle(map, index, vcpu);
	return error;
}

/* hash_bucket_find() and hash_bucket_lock(): 0 and the bucket's number, or the lock's error. */
long hash_bucket_lock_seek(const struct rt_map *map, u32 hash, struct rt_vcpu *vcpu,
			   u32 *ret_index);

/*
 * Takes the key out that element number belongs to: 0, -ENOENT when it is in no chain, or a lock's
 * error. The element becomes free.
 */
long hash_remove_element(const struct rt_map *map, u32 number, struct rt_vcpu *vcpu);

/*
 * For the caller's slot, which has nothing in its cell: that is where the element is then, if it is
 * in a chain (*ret_found). 0 or a lock's error.
 */
long hash_take_element(const struct rt_map *map, struct hash_slot *slot, u32 number,
		       struct rt_vcpu *vcpu, bool *ret_found);

/* A key and its place: under the lock of bucket. */
struct hash_spot {
	const void *key;
	u32 hash, bucket;
	u32 found;    /* the key's element, 0: none */
	u32 previous; /* the one before it, or where it would be; 0: the head */
};

/* Writes a value into an element that is in no chain, or into a key's own of a per-CPU type. */
void hash_store_value(const struct rt_map *map, u32 number, const struct hash_store *store,
		      struct rt_vcpu *vcpu, bool zero_others);
/* Links element new in, before the key's present one, and takes that out; slot's journal says so.
 */
void hash_link(const struct rt_map *map, struct hash_slot *slot, const struct hash_spot *spot,
	       u32 new, struct rt_vcpu *vcpu);

/*
 * hash_slot.c: what hash_finish() does when element new has just been linked in, by who did it and
 * so need not look where it is.
 */
void hash_linked(const struct rt_map *map, struct hash_slot *slot, const struct hash_spot *spot,
		 u32 new, struct rt_vcpu *vcpu);

/* lru_hash.c: of an LRU type, whether the element was used since it was last looked at. */
void hash_note_use(const struct rt_map *map, u32 number);
void hash_forget_use(const struct rt_map *map, u32 number);

static inline void hash_bucket_unlock(const struct rt_map *map, u32 index)
{
	rt_lock_release(&hash_bucket(map, index)->lock);
}

static inline long hash_bucket_lock_of(const struct rt_map *map, u32 hash, struct rt_vcpu *vcpu,
				       u32 *ret_index)
{
	u32 index = hash_bucket_guess(map, hash);
	long error = hash_bucket_lock(map, index, vcpu);

	*ret_index = index;
	if (unlikely(error))
		return error;
	if (likely(hash_bucket_holds(index, HASH_LOAD(hash_bucket(map, index)->mask), hash)))
		return 0;
	hash_bucket_unlock(map, index);
	return hash_bucket_lock_seek(map, hash, vcpu, ret_index);
}

#endif
