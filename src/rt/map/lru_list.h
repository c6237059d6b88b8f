/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lists of LRU maps, which say what is evicted when: those of kernel/bpf/bpf_lru_list.c. Every
 * element that was ever used is on one of them:
 *   active, inactive  keys, by whether they were used lately
 *   free              no key
 * and, unless each vCPU has these lists for itself (BPF_F_NO_COMMON_LRU), of each vCPU:
 *   local free        a batch of free ones that it took from all vCPUs' lists
 *   pending           keys that it inserted since it took the batch
 *
 * One lock is for all lists of a map, or one for each vCPU's. It comes before buckets' locks. Under
 * it lists change by transactions: which words get which values is written to the list's log, is
 * decided by the store of how many there are, and then done. Whoever takes the lock over from one
 * who died does it again. What is between two lists in somebody's hands stands in that slot's cell
 * (rt/map/hash.h), which is part of the same transactions.
 *
 * A key is evicted like it is deleted, with the slot's journal: it waits in the cell until its
 * element is on a free list. A cell that is not empty changes under the lock of its element's list
 * alone, whosever slot it is.
 */
#ifndef SKEP_RT_MAP_LRU_LIST_H
#define SKEP_RT_MAP_LRU_LIST_H

#include "rt/map/hash.h"

#define LRU_LOG_MAX 16

enum lru_where {
	LRU_NEVER_USED,
	LRU_ACTIVE,
	LRU_INACTIVE,
	LRU_FREE,
	LRU_LOCAL_FREE,
	LRU_PENDING,
};

/* An element's place in its list; 0: the list's end. */
struct lru_node {
	u32 next, previous;
	u32 where; /* enum lru_where; the vCPU that it belongs to above LRU_CPU_SHIFT */
};

#define LRU_CPU_SHIFT 8

struct lru_ends {
	u32 first, last;
};

struct lru_write {
	u64 at; /* in the map's memory */
	u32 value;
	u32 unused;
};

struct lru_list {
	u32 lock;
	u32 nr_writes; /* of the log: to be done */
	struct lru_ends active, inactive, free;
	u32 nr_active, nr_inactive;
	u32 hand;  /* where the next rotation of the inactive list begins */
	u32 taken; /* elements of this list's that were ever used */
	/* Of the vCPU, under the lock of the common list. */
	struct lru_ends local_free, pending;
	u32 next_steal; /* whose elements it takes next when there are no free ones */
	struct lru_write writes[LRU_LOG_MAX];
} __attribute__((aligned(64)));

/* Bytes that the lists of a map need. */
u64 lru_memory_size(u64 nr_elems, u32 nr_vcpus);

static inline bool lru_is_common(const struct rt_map *map)
{
	return !(map->flags & BPF_F_NO_COMMON_LRU);
}

static inline u8 *lru_used_byte(const struct rt_map *map, u32 number)
{
	return map->data + map->used_offset + number - 1;
}

/* Of vCPU index, or nr_vcpus: the common one. */
static inline struct lru_list *lru_list(const struct rt_map *map, u32 index)
{
	return (struct lru_list *)(void *)(map->data + map->used_offset +
					   ALIGN_UP((u64)hash_nr_elems(map), 64u)) +
	       index;
}

static inline struct lru_node *lru_node(const struct rt_map *map, u32 number)
{
	return (struct lru_node *)(void *)lru_list(map, map->nr_vcpus + 1) + number - 1;
}

/*
 * A free element in the caller's slot's cell, on the pending or inactive list as if it had a key
 * already: 0, -ENOMEM or a lock's error. A key may have been evicted for it.
 */
long lru_pop(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu);

/* What is in the slot's cell is free: 0 or a lock's error, and it stays there. */
long lru_push(const struct rt_map *map, struct hash_slot *slot, struct rt_vcpu *vcpu);

/* Transactions of the holder of this slot, who is gone, are done. 0 or a lock's error. */
long lru_settle(const struct rt_map *map, u32 index, struct rt_vcpu *vcpu);

#endif
