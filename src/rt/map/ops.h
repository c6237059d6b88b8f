/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a map type is made of: one row of functions. A new type is a file of this directory that
 * defines its row, and an entry in the table in map.c. A NULL function means that the type does not
 * have the operation; map.c answers for it with the kernel's errno.
 */
#ifndef SKEP_RT_MAP_OPS_H
#define SKEP_RT_MAP_OPS_H

#include <linux/errno.h>
#include "abi/bpf_new.h"
#include "rt/map.h"
#include "rt/vcpu.h"

#define RT_PAGE_SIZE 4096u

/* Linux's own "operation not supported", not in its user headers (include/linux/errno.h). */
#define RT_ENOTSUPP 524

struct rt_map_ops {
	/* Bytes of memory, a multiple of the page; 0: too big. */
	u64 (*memory_size)(const struct rt_map_spec *spec);
	/* Sets the fields of map that are the type's own; the generic ones are set. */
	void (*init)(struct rt_map *map);
	void *(*lookup)(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu);
	void *(*lookup_percpu)(const struct rt_map *map, const void *key, u32 cpu,
			       struct rt_vcpu *vcpu);
	long (*update)(const struct rt_map *map, const void *key, const void *value, u64 flags,
		       struct rt_vcpu *vcpu);
	long (*delete)(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu);
	long (*for_each)(const struct rt_map *map, rt_map_visit_fn visit, void *arg,
			 struct rt_vcpu *vcpu);
	/* Types without keys. */
	long (*push)(const struct rt_map *map, const void *value, u64 flags, struct rt_vcpu *vcpu);
	long (*pop)(const struct rt_map *map, void *value, struct rt_vcpu *vcpu);
	long (*peek)(const struct rt_map *map, void *value, struct rt_vcpu *vcpu);
	/* The system-call side. */
	long (*copy_out)(const struct rt_map *map, const void *key, void *value,
			 struct rt_vcpu *vcpu);
	long (*copy_in)(const struct rt_map *map, const void *key, const void *value, u64 flags,
			struct rt_vcpu *vcpu);
	long (*lookup_and_delete)(const struct rt_map *map, const void *key, void *value,
				  struct rt_vcpu *vcpu);
	long (*next_key)(const struct rt_map *map, const void *key, void *next_key,
			 struct rt_vcpu *vcpu);
	long (*bucket_keys)(const struct rt_map *map, struct rt_map_bucket *bucket,
			    struct rt_vcpu *vcpu);
	/* What an operation that is NULL gives: 0 stands for -EOPNOTSUPP. */
	s16 missing;
	bool percpu;
	bool in_process; /* the system-call side needs nothing but the map and a vCPU */
	bool objects;	 /* elements are objects in control, and lie in control themselves */
};

extern const struct rt_map_ops rt_map_array_ops, rt_map_percpu_array_ops, rt_map_hash_ops,
	rt_map_percpu_hash_ops, rt_map_ringbuf_ops, rt_map_prog_array_ops, rt_map_array_of_maps_ops,
	rt_map_perf_event_array_ops, rt_map_queue_ops, rt_map_bloom_filter_ops, rt_map_lru_hash_ops,
	rt_map_lpm_trie_ops, rt_map_lru_percpu_hash_ops, rt_map_hash_of_maps_ops,
	rt_map_cgroup_storage_ops, rt_map_percpu_cgroup_storage_ops, rt_map_stack_trace_ops,
	rt_map_user_ringbuf_ops, rt_map_page_arena_ops, rt_map_local_storage_ops, rt_map_devmap_ops,
	rt_map_devmap_hash_ops, rt_map_cpumap_ops, rt_map_sockmap_ops, rt_map_sockhash_ops;

/* The rows by type; NULL: this build does not have it. */
#define RT_MAP_TYPES (ABI_MAP_TYPE_ARENA + 1)
extern const struct rt_map_ops *const rt_map_types[RT_MAP_TYPES];

/* The row of map's type; NULL if this build does not have it. */
const struct rt_map_ops *rt_map_ops_of(u32 type);

/* a × b rounded up to pages; 0 if it is more than the data segment could hold. */
u64 rt_map_product(u64 a, u64 b);

/* The smallest power of two that is not below x (x is at most 2^31). */
static inline u64 rt_map_power_of_two(u64 x)
{
	return x <= 1 ? 1 : 1ULL << (64 - __builtin_clzll(x - 1));
}

#endif
