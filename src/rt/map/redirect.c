/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps that bpf_redirect_map() takes: BPF_MAP_TYPE_DEVMAP, _DEVMAP_HASH, _CPUMAP and _XSKMAP
 * (kernel/bpf/{devmap,cpumap}.c, net/xdp/xskmap.c). A value is 8 bytes: an interface or the length
 * of a CPU's queue, and the id of a program; 0 in its first half says that nothing is there. They
 * lie in the control segment and the supervisor alone stores, one word at a time: programs may read
 * values, as the kernel lets them.
 *
 * AF_XDP sockets are not taken, so an XSKMAP is always empty.
 */
#include "rt/map/array.h"
#include "rt/map/hash.h"
#include "rt/redirect.h"

#define ACTION_MASK (XDP_ABORTED | XDP_DROP | XDP_PASS | XDP_TX)

static u64 *word_at(const struct rt_map *map, u32 index)
{
	return (u64 *)(void *)rt_array_value(map, map->data, index);
}

static void *slot_lookup(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	u32 index = rt_array_index(key);
	u64 *word;

	/* The verifier takes what comes out of an XSKMAP for a socket; there is none in it. */
	if (index >= map->max_entries || map->type == BPF_MAP_TYPE_XSKMAP)
		return NULL;
	word = word_at(map, index);
	return (u32)__atomic_load_n(word, __ATOMIC_ACQUIRE) ? word : NULL;
}

static void *hash_slot_lookup(const struct rt_map *map, const void *key, struct rt_vcpu *vcpu)
{
	return hash_lookup(map, key, vcpu);
}

u64 rt_redirect_map(const struct rt_map *map, u64 key, u64 flags, struct rt_vcpu *vcpu)
{
	u32 index = (u32)key;
	bool device = map->type == BPF_MAP_TYPE_DEVMAP || map->type == BPF_MAP_TYPE_DEVMAP_HASH;
	u64 known = ACTION_MASK | (device ? BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS : 0);
	void *found;

	if (flags & ~known)
		return XDP_ABORTED;
	found = map->type == BPF_MAP_TYPE_DEVMAP_HASH ? hash_slot_lookup(map, &index, vcpu)
						      : slot_lookup(map, &index, vcpu);
	return found || flags & BPF_F_BROADCAST ? XDP_REDIRECT : flags & ACTION_MASK;
}

static u64 slots_memory_size(const struct rt_map_spec *spec)
{
	return rt_map_product(rt_map_power_of_two(spec->max_entries), sizeof(u64));
}

static void slots_init(struct rt_map *map)
{
	rt_array_init(map);
	map->elem_stride = sizeof(u64);
}

/* Of the supervisor alone: a value of 8 bytes, whatever clients' values have. */
static long slot_store(const struct rt_map *map, const void *key, const void *value, u64 flags,
		       struct rt_vcpu *vcpu)
{
	u64 word;

	__builtin_memcpy(&word, value, sizeof(word));
	__atomic_store_n(word_at(map, rt_array_index(key)), word, __ATOMIC_RELEASE);
	return 0;
}

static long slot_copy_out(const struct rt_map *map, const void *key, void *value,
			  struct rt_vcpu *vcpu)
{
	const void *found = slot_lookup(map, key, vcpu);

	if (!found)
		return -ENOENT;
	rt_shared_load(value, found, map->value_size);
	return 0;
}

static long hash_slot_store(const struct rt_map *map, const void *key, const void *value, u64 flags,
			    struct rt_vcpu *vcpu)
{
	struct hash_store store = { .value = value };

	return hash_update(map, key, &store, flags, vcpu);
}

const struct rt_map_ops rt_map_devmap_ops = {
	.memory_size = slots_memory_size,
	.init = slots_init,
	.lookup = slot_lookup,
	.copy_out = slot_copy_out,
	.copy_in = slot_store,
	.next_key = rt_array_next_key,
	.objects = true,
};

/* Programs do not look into these. */
const struct rt_map_ops rt_map_cpumap_ops = {
	.memory_size = slots_memory_size,
	.init = slots_init,
	.copy_out = slot_copy_out,
	.copy_in = slot_store,
	.next_key = rt_array_next_key,
	.objects = true,
};

const struct rt_map_ops rt_map_devmap_hash_ops = {
	.memory_size = hash_memory_size,
	.init = hash_init,
	.lookup = hash_slot_lookup,
	.delete = hash_delete,
	.copy_out = hash_copy_out,
	.copy_in = hash_slot_store,
	.next_key = hash_next_key,
	.objects = true,
};
