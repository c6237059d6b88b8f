/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps, type-independent: the table of types, making a map, and the doors through which helpers and
 * the system call reach a type's own functions.
 */
#include "rt/map/hash.h"
#include "rt/map/ops.h"
#include "abi/bpf_new.h"
#include "rt/map/value.h"
#include "rt/arena.h"

#define LOCKED_RETRIES 1024

/* Its one element is the supervisor's business: here is nothing of it but that there is a map. */
static u64 one_page(const struct rt_map_spec *spec)
{
	return RT_PAGE_SIZE;
}

static void nothing_to_set(struct rt_map *map)
{
}

static const struct rt_map_ops struct_ops_ops = { .memory_size = one_page,
						  .init = nothing_to_set,
						  .missing = -RT_ENOTSUPP };

const struct rt_map_ops *const rt_map_types[RT_MAP_TYPES] = {
	[BPF_MAP_TYPE_HASH] = &rt_map_hash_ops,
	[BPF_MAP_TYPE_ARRAY] = &rt_map_array_ops,
	[BPF_MAP_TYPE_PROG_ARRAY] = &rt_map_prog_array_ops,
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = &rt_map_perf_event_array_ops,
	[BPF_MAP_TYPE_CGROUP_ARRAY] = &rt_map_perf_event_array_ops,
	[BPF_MAP_TYPE_PERCPU_HASH] = &rt_map_percpu_hash_ops,
	[BPF_MAP_TYPE_PERCPU_ARRAY] = &rt_map_percpu_array_ops,
	[BPF_MAP_TYPE_STACK_TRACE] = &rt_map_stack_trace_ops,
	[BPF_MAP_TYPE_LRU_HASH] = &rt_map_lru_hash_ops,
	[BPF_MAP_TYPE_LRU_PERCPU_HASH] = &rt_map_lru_percpu_hash_ops,
	[BPF_MAP_TYPE_ARRAY_OF_MAPS] = &rt_map_array_of_maps_ops,
	[BPF_MAP_TYPE_HASH_OF_MAPS] = &rt_map_hash_of_maps_ops,
	[BPF_MAP_TYPE_LPM_TRIE] = &rt_map_lpm_trie_ops,
	[BPF_MAP_TYPE_DEVMAP] = &rt_map_devmap_ops,
	[BPF_MAP_TYPE_CPUMAP] = &rt_map_cpumap_ops,
	[BPF_MAP_TYPE_XSKMAP] = &rt_map_devmap_ops,
	[BPF_MAP_TYPE_SOCKMAP] = &rt_map_sockmap_ops,
	[BPF_MAP_TYPE_SOCKHASH] = &rt_map_sockhash_ops,
	[BPF_MAP_TYPE_DEVMAP_HASH] = &rt_map_devmap_hash_ops,
	[BPF_MAP_TYPE_REUSEPORT_SOCKARRAY] = &rt_map_cpumap_ops,
	[BPF_MAP_TYPE_CGROUP_STORAGE] = &rt_map_cgroup_storage_ops,
	[BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE] = &rt_map_percpu_cgroup_storage_ops,
	[BPF_MAP_TYPE_QUEUE] = &rt_map_queue_ops,
	[BPF_MAP_TYPE_STACK] = &rt_map_queue_ops,
	[BPF_MAP_TYPE_BLOOM_FILTER] = &rt_map_bloom_filter_ops,
	[BPF_MAP_TYPE_RINGBUF] = &rt_map_ringbuf_ops,
	[BPF_MAP_TYPE_USER_RINGBUF] = &rt_map_user_ringbuf_ops,
	[BPF_MAP_TYPE_STRUCT_OPS] = &struct_ops_ops,
	[BPF_MAP_TYPE_SK_STORAGE] = &rt_map_local_storage_ops,
	[BPF_MAP_TYPE_TASK_STORAGE] = &rt_map_local_storage_ops,
	[BPF_MAP_TYPE_INODE_STORAGE] = &rt_map_local_storage_ops,
	[ABI_MAP_TYPE_CGRP_STORAGE] = &rt_map_local_storage_ops,
	[ABI_MAP_TYPE_ARENA] = &rt_map_page_arena_ops,
};

/* For a type that this build does not have: every operation is missing. */
static const struct rt_map_ops unknown_ops = { .missing = -EINVAL };

const struct rt_map_ops *rt_map_ops_of(u32 type)
{
	return type < ARRAY_SIZE(rt_map_types) ? rt_map_types[type] : NULL;
}

static const struct rt_map_ops *ops_of(const struct rt_map *map)
{
	const struct rt_map_ops *ops = rt_map_ops_of(map->type);

	return likely(ops) ? ops : &unknown_ops;
}

static long missing(const struct rt_map_ops *ops)
{
	return ops->missing ? ops->missing : -EOPNOTSUPP;
}

u64 rt_map_product(u64 a, u64 b)
{
	u64 product;

	if (__builtin_mul_overflow(a, b, &product) || product > RT_DATA_SIZE)
		return 0;
	return ALIGN_UP(product, (u64)RT_PAGE_SIZE);
}

u64 rt_map_memory_size(const struct rt_map_spec *spec)
{
	const struct rt_map_ops *ops = rt_map_ops_of(spec->type);
	u64 size = ops ? ops->memory_size(spec) : 0;

	return size <= RT_DATA_SIZE ? size : 0;
}

bool rt_map_in_control(const struct rt_map_spec *spec)
{
	const struct rt_map_ops *ops = rt_map_ops_of(spec->type);

	return (ops && ops->objects) ||
	       (spec->type == BPF_MAP_TYPE_ARRAY && spec->flags & BPF_F_RDONLY_PROG);
}

void rt_map_init(struct rt_map *map, const struct rt_map_spec *spec, u32 id, u64 seed)
{
	map->type = spec->type;
	map->key_size = spec->key_size;
	map->value_size = spec->value_size;
	map->max_entries = spec->max_entries;
	map->flags = spec->flags;
	map->id = id;
	map->value_stride = ALIGN_UP(spec->value_size, 8u);
	map->nr_vcpus = spec->nr_vcpus;
	map->map_extra = spec->map_extra;
	map->seed = seed;
	map->nr_fields = 0;
	map->has_lock = false;
	/* Constant maps lie in control, which only the supervisor writes. */
	map->state = ops_of(map)->in_process && !(spec->flags & BPF_F_RDONLY_PROG)
			     ? RT_MAP_IN_PROCESS
			     : 0;
	ops_of(map)->init(map);
}

void *rt_map_lookup_elem(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	const struct rt_map_ops *ops = ops_of(map);

	return ops->lookup ? ops->lookup(map, key, vcpu) : NULL;
}

void *rt_map_lookup_percpu_elem(const struct rt_map *map, const void *key, u32 cpu,
				struct rt_vcpu *vcpu)
{
	const struct rt_map_ops *ops = ops_of(map);

	if (!ops->lookup_percpu || cpu >= map->nr_vcpus)
		return NULL;
	return ops->lookup_percpu(map, key, cpu, vcpu);
}

long rt_map_update_elem(const struct rt_map *map, const void *key, const void *value, u64 flags,
			struct rt_vcpu *vcpu)
{
	const struct rt_map_ops *ops = ops_of(map);

	return ops->update ? ops->update(map, key, value, flags, vcpu) : missing(ops);
}

long rt_map_delete_elem(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	const struct rt_map_ops *ops = ops_of(map);

	return ops->delete ? ops->delete (map, key, vcpu) : missing(ops);
}

long rt_map_push_elem(const struct rt_map *map, const void *value, u64 flags, struct rt_vcpu *vcpu)
{
	const struct rt_map_ops *ops = ops_of(map);

	return ops->push ? ops->push(map, value, flags, vcpu) : missing(ops);
}

long rt_map_pop_elem(const struct rt_map *map, void *value, struct rt_vcpu *vcpu)
{
	const struct rt_map_ops *ops = ops_of(map);

	return ops->pop ? ops->pop(map, value, vcpu) : missing(ops);
}

long rt_map_peek_elem(const struct rt_map *map, void *value, struct rt_vcpu *vcpu)
{
	const struct rt_map_ops *ops = ops_of(map);

	return ops->peek ? ops->peek(map, value, vcpu) : missing(ops);
}

long rt_map_for_each(const struct rt_map *map, rt_map_visit_fn visit, void *arg,
		     struct rt_vcpu *vcpu)
{
	const struct rt_map_ops *ops = ops_of(map);

	return ops->for_each ? ops->for_each(map, visit, arg, vcpu) : -EINVAL;
}

u64 rt_map_user_value_size(const struct rt_map *map)
{
	const struct rt_map_ops *ops = ops_of(map);

	return ops->percpu ? (u64)map->value_stride * map->nr_vcpus : map->value_size;
}

/* The value that was locked may be another key's by then: it counts if the key still has it. */
static long copy_out_locked(const struct rt_map *map, const void *key, void *value,
			    struct rt_vcpu *vcpu)
{
	const struct rt_map_ops *ops = ops_of(map);

	for (u32 i = 0; i < LOCKED_RETRIES; i++) {
		void *found = ops->lookup(map, key, vcpu);
		long error = found ? rt_value_load_locked(map, value, found, vcpu) : -ENOENT;

		if (error || ops->lookup(map, key, vcpu) == found)
			return error;
	}
	return -EBUSY;
}

long rt_map_copy_out(const struct rt_map *map, const void *key, void *value, u64 flags,
		     struct rt_vcpu *vcpu)
{
	const struct rt_map_ops *ops = ops_of(map);

	if (unlikely(flags))
		return flags == BPF_F_LOCK && map->has_lock ? copy_out_locked(map, key, value, vcpu)
							    : -EINVAL;
	return ops->copy_out ? ops->copy_out(map, key, value, vcpu) : missing(ops);
}

long rt_map_copy_in(const struct rt_map *map, const void *key, const void *value, u64 flags,
		    struct rt_vcpu *vcpu)
{
	const struct rt_map_ops *ops = ops_of(map);

	/* The kernel looks for a spin lock in the value before anything else. */
	if (flags & BPF_F_LOCK && !map->has_lock)
		return -EINVAL;
	return ops->copy_in ? ops->copy_in(map, key, value, flags, vcpu) : missing(ops);
}

long rt_map_lookup_and_delete(const struct rt_map *map, const void *key, void *value, u64 flags,
			      struct rt_vcpu *vcpu)
{
	const struct rt_map_ops *ops = ops_of(map);

	if (flags && (flags != BPF_F_LOCK || !map->has_lock))
		return -EINVAL;
	return ops->lookup_and_delete ? ops->lookup_and_delete(map, key, value, vcpu)
				      : -RT_ENOTSUPP;
}

long rt_map_get_next_key(const struct rt_map *map, const void *key, void *next_key,
			 struct rt_vcpu *vcpu)
{
	const struct rt_map_ops *ops = ops_of(map);

	return ops->next_key ? ops->next_key(map, key, next_key, vcpu) : missing(ops);
}

struct ending {
	const struct rt_map *map;
	struct rt_vcpu *vcpu;
	bool async; /* timers and work queues alone */
};

static void end_value(const struct ending *ending, void *value)
{
	if (ending->async)
		rt_value_end_async(ending->map, value, ending->vcpu);
	else
		rt_value_end(ending->map, value, ending->vcpu);
}

static u64 end_one(void *arg, const void *key, void *value)
{
	const struct ending *ending = arg;
	const struct rt_map_ops *ops = ops_of(ending->map);

	if (!ops->percpu)
		end_value(ending, value);
	for (u32 cpu = 0; ops->percpu && cpu < ending->map->nr_vcpus; cpu++) {
		value = ops->lookup_percpu(ending->map, key, cpu, ending->vcpu);
		if (value)
			end_value(ending, value);
	}
	return 0;
}

void rt_map_end_values(const struct rt_map *map, struct rt_vcpu *vcpu)
{
	struct ending ending = { map, vcpu, false };
	bool any = false;

	for (u32 i = 0; i < map->nr_fields && i < RT_MAP_FIELDS; i++)
		any |= map->fields[i].kind != RT_FIELD_PLAIN;
	if (any)
		rt_map_for_each(map, end_one, &ending, vcpu);
}

void rt_map_end_async(const struct rt_map *map, struct rt_vcpu *vcpu)
{
	struct ending ending = { map, vcpu, true };

	rt_map_for_each(map, end_one, &ending, vcpu);
}

bool rt_map_is_value(const struct rt_map *map, const u8 *value)
{
	u64 first = map->type == BPF_MAP_TYPE_ARRAY ? 0 : (u64)(hash_value(map, 1, 0) - map->data);
	u64 nr = map->type == BPF_MAP_TYPE_ARRAY ? map->max_entries : hash_nr_elems(map);
	u64 at = (u64)(value - map->data);

	if (value < map->data || at < first || (at - first) % map->elem_stride)
		return false;
	return (at - first) / map->elem_stride < nr;
}

const void *rt_map_key_of(const struct rt_map *map, const u8 *value, u32 *index)
{
	if (map->type != BPF_MAP_TYPE_ARRAY)
		return value - ALIGN_UP(map->key_size, 8u);
	*index = (u32)((u64)(value - map->data) / map->elem_stride);
	return index;
}

bool rt_map_has_buckets(const struct rt_map *map)
{
	return ops_of(map)->bucket_keys != NULL;
}

long rt_map_bucket_keys(const struct rt_map *map, struct rt_map_bucket *bucket,
			struct rt_vcpu *vcpu)
{
	return ops_of(map)->bucket_keys(map, bucket, vcpu);
}
