/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_BLOOM_FILTER (kernel/bpf/bloom_filter.c): a set of bits; a value is "perhaps there"
 * when all bits that its hashes choose are set. Bits are only ever set, each by one atomic
 * instruction, so there is nothing to lock or to repair. The low four bits of map_extra are the
 * number of hashes.
 */
#include "rt/map/hash.h"

#define HASHES_DEFAULT 5
#define BITS_MIN       64u

static u32 nr_hashes(u64 map_extra)
{
	return map_extra & 0xf ? map_extra & 0xf : HASHES_DEFAULT;
}

/* A power of two: max_entries × hashes × 7 / 5, as the kernel rounds it. */
static u64 nr_bits(u32 max_entries, u64 map_extra)
{
	u64 bits = (u64)max_entries * nr_hashes(map_extra) / 5 * 7;

	if (bits > 1ULL << 31)
		return 1ULL << 32;
	return bits <= BITS_MIN ? BITS_MIN : rt_map_power_of_two(bits);
}

static u64 bloom_memory_size(const struct rt_map_spec *spec)
{
	return rt_map_product(nr_bits(spec->max_entries, spec->map_extra) / 8, 1);
}

static void bloom_init(struct rt_map *map)
{
	map->index_mask = nr_bits(map->max_entries, map->map_extra) - 1;
	hash_init_key(map);
}

/* Bit number `which` of a value: two hashes span as many as are asked for. */
static u64 bit_of(const struct rt_map *map, u64 hash, u32 which)
{
	u64 step = hash >> 32 | 1;

	return (hash + which * step) & map->index_mask;
}

static u64 *word_of(const struct rt_map *map, u64 bit)
{
	return (u64 *)(void *)map->data + bit / 64;
}

static long bloom_push(const struct rt_map *map, const void *value, u64 flags, struct rt_vcpu *vcpu)
{
	u64 hash;

	if (flags != BPF_ANY)
		return -EINVAL;
	hash = hash_of_bytes(map, value, map->value_size);
	for (u32 i = 0; i < nr_hashes(map->map_extra); i++) {
		u64 bit = bit_of(map, hash, i), *word = word_of(map, bit);

		if (!(HASH_LOAD(*word) >> bit % 64 & 1))
			__atomic_fetch_or(word, 1ULL << bit % 64, __ATOMIC_RELEASE);
	}
	return 0;
}

static long bloom_peek(const struct rt_map *map, void *value, struct rt_vcpu *vcpu)
{
	u64 hash = hash_of_bytes(map, value, map->value_size);

	for (u32 i = 0; i < nr_hashes(map->map_extra); i++) {
		u64 bit = bit_of(map, hash, i);

		if (!(HASH_LOAD(*word_of(map, bit)) >> bit % 64 & 1))
			return -ENOENT;
	}
	return 0;
}

/* The client gives the value to look for. */
static long bloom_copy_out(const struct rt_map *map, const void *key, void *value,
			   struct rt_vcpu *vcpu)
{
	return bloom_peek(map, value, vcpu);
}

static long bloom_copy_in(const struct rt_map *map, const void *key, const void *value, u64 flags,
			  struct rt_vcpu *vcpu)
{
	return bloom_push(map, value, flags, vcpu);
}

const struct rt_map_ops rt_map_bloom_filter_ops = {
	.memory_size = bloom_memory_size,
	.init = bloom_init,
	.push = bloom_push,
	.peek = bloom_peek,
	.copy_out = bloom_copy_out,
	.copy_in = bloom_copy_in,
	.in_process = true,
};
