/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same random operations, with a fixed seed, on maps of the running kernel and of the data
 * plane: equal results, errno and values.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../unit/rt/map_env.h"
#include "harness/tap.h"
#include "kernel.h"

#define OPERATIONS 6000
#define VALUE_MAX  1024
#define KEYS	   24

struct config {
	u32 type, key_size, value_size, max_entries, flags;
};

static const struct config configs[] = {
	{ BPF_MAP_TYPE_ARRAY, 4, 1, 7, 0 },
	{ BPF_MAP_TYPE_ARRAY, 4, 20, 10, BPF_F_MMAPABLE },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, 4, 12, 9, 0 },
	{ BPF_MAP_TYPE_HASH, 4, 4, 10, 0 },
	{ BPF_MAP_TYPE_HASH, 3, 17, 10, BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_HASH, 24, 100, 30, BPF_F_ZERO_SEED },
	{ BPF_MAP_TYPE_HASH, 8, 8, 1, 0 },
	{ BPF_MAP_TYPE_PERCPU_HASH, 8, 6, 10, 0 },
	{ BPF_MAP_TYPE_PERCPU_HASH, 5, 16, 11, BPF_F_NO_PREALLOC },
	/* Room for all keys: what is evicted first is not what is compared here. */
	{ BPF_MAP_TYPE_LRU_HASH, 4, 12, 1000, 0 },
	{ BPF_MAP_TYPE_LRU_HASH, 8, 4, 2000, BPF_F_NO_COMMON_LRU },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, 8, 6, 1000, 0 },
	{ BPF_MAP_TYPE_LPM_TRIE, 5, 4, 10, BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_LPM_TRIE, 8, 12, 300, BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_LPM_TRIE, 20, 8, 40, BPF_F_NO_PREALLOC },
	{ BPF_MAP_TYPE_QUEUE, 0, 4, 5, 0 },
	{ BPF_MAP_TYPE_QUEUE, 0, 17, 1, BPF_F_RDONLY_PROG },
	{ BPF_MAP_TYPE_STACK, 0, 4, 5, 0 },
	{ BPF_MAP_TYPE_STACK, 0, 100, 6, 0 },
	{ BPF_MAP_TYPE_BLOOM_FILTER, 0, 24, 100000, 0 },
	{ BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0 },
};

struct pair {
	const struct config *config;
	int kernel;
	struct rt_map *map;
	struct rt_vcpu *vcpu;
	u64 seed;
};

static void random_key(struct pair *pair, u8 *key)
{
	u32 number = (u32)(env_random(&pair->seed) % KEYS);

	/* Prefixes that lie in one another, some longer than a key. */
	if (pair->config->type == BPF_MAP_TYPE_LPM_TRIE) {
		static const u8 bytes[] = { 0, 0x80, 0xc0, 0xff };

		for (u32 i = 0; i < 60; i++)
			key[4 + i] = bytes[env_random(&pair->seed) >> 32 & (i ? 1 : 3)];
		number = (u32)(env_random(&pair->seed) % ((pair->config->key_size - 4) * 8 + 2));
		memcpy(key, &number, 4);
		return;
	}

	memset(key, 'k', 64);
	memcpy(key, &number, pair->config->key_size < 4 ? pair->config->key_size : 4);
}

static void random_value(struct pair *pair, u8 *value)
{
	/* So few that a filter meets them again, and so small a share of its bits that it does
	 * not take one for another. */
	if (pair->config->type == BPF_MAP_TYPE_BLOOM_FILTER) {
		memset(value, (int)(env_random(&pair->seed) % 50), VALUE_MAX);
		return;
	}
	for (u32 i = 0; i < VALUE_MAX; i++)
		value[i] = (u8)env_random(&pair->seed);
}

/* Values of per-CPU maps are compared without their padding. */
static bool same_value(const struct pair *pair, const u8 *a, const u8 *b)
{
	u64 stride = pair->map->value_stride, size = rt_map_user_value_size(pair->map);

	if (size == pair->config->value_size)
		return !memcmp(a, b, size);
	for (u64 at = 0; at < size; at += stride)
		if (memcmp(a + at, b + at, pair->config->value_size) != 0)
			return false;
	return true;
}

static bool compare(const char *what, long kernel, long ours, bool same)
{
	if (kernel != ours)
		tap_note("%s: kernel %ld, ours %ld", what, kernel, ours);
	else if (kernel == 0 && !same)
		tap_note("%s: values differ", what);
	return kernel == ours && (kernel || same);
}

static bool step(struct pair *pair)
{
	static const u64 flags_of[] = { 0, 0, 0, BPF_NOEXIST, BPF_EXIST, 3, 8, BPF_F_LOCK, 5 };
	u64 r = env_random(&pair->seed), flags = flags_of[(r >> 8) % ARRAY_SIZE(flags_of)];
	u8 key_bytes[64], *key = pair->config->key_size ? key_bytes : NULL;
	u8 value[VALUE_MAX], a[VALUE_MAX], b[VALUE_MAX];
	u8 next_a[64] = { 0 }, next_b[64] = { 0 };
	long kernel, ours;

	random_key(pair, key_bytes);
	random_value(pair, value);
	switch (r % 7) {
	case 0:
	case 1:
	case 2:
		kernel = kernel_update(pair->kernel, key, value, flags);
		ours = rt_map_copy_in(pair->map, key, value, flags, pair->vcpu);
		return compare("update", kernel, ours, true);
	case 3:
		kernel = kernel_delete(pair->kernel, key);
		ours = rt_map_delete_elem(pair->map, key, pair->vcpu);
		return compare("delete", kernel, ours, true);
	case 4:
		kernel = kernel_lookup_and_delete(pair->kernel, key, a, 0);
		ours = rt_map_lookup_and_delete(pair->map, key, b, 0, pair->vcpu);
		return compare("lookup and delete", kernel, ours, same_value(pair, a, b));
	case 5:
		memcpy(a, value, sizeof(a));
		memcpy(b, value, sizeof(b));
		kernel = kernel_lookup(pair->kernel, key, a, 0);
		ours = rt_map_copy_out(pair->map, key, b, 0, pair->vcpu);
		return compare("lookup", kernel, ours, same_value(pair, a, b));
	default:
		if (pair->config->type != BPF_MAP_TYPE_LPM_TRIE &&
		    pair->config->type != BPF_MAP_TYPE_ARRAY &&
		    pair->config->type != BPF_MAP_TYPE_PERCPU_ARRAY)
			return true;
		kernel = kernel_next_key(pair->kernel, r & 64 ? NULL : key, next_a);
		ours = rt_map_get_next_key(pair->map, r & 64 ? NULL : key, next_b, pair->vcpu);
		return compare("next key", kernel, ours, !memcmp(next_a, next_b, sizeof(next_a)));
	}
}

/* Each key of the kernel's map is in ours with the same value, and there are as many. */
static bool same_contents(struct pair *pair)
{
	u8 key[64], a[VALUE_MAX], b[VALUE_MAX];
	long nr_kernel = 0, nr_ours = 0;

	for (bool first = true; nr_kernel < 1000; nr_kernel++, first = false) {
		if (kernel_next_key(pair->kernel, first ? NULL : key, key))
			break;
		if (kernel_lookup(pair->kernel, key, a, 0) ||
		    rt_map_copy_out(pair->map, key, b, 0, pair->vcpu) || !same_value(pair, a, b))
			return false;
	}
	for (bool first = true; nr_ours < 1000; nr_ours++, first = false)
		if (rt_map_get_next_key(pair->map, first ? NULL : key, key, pair->vcpu))
			break;
	return nr_kernel == nr_ours;
}

static void run(struct arena *arena, struct rt_vcpu *vcpu, const struct config *config)
{
	struct pair pair = { .config = config, .vcpu = vcpu, .seed = config->value_size };
	u32 differ = 0;

	pair.kernel = kernel_map(config->type, config->key_size, config->value_size,
				 config->max_entries, config->flags);
	if (pair.kernel < 0)
		tap_bail("the kernel makes no map of type %u: %d", config->type, pair.kernel);
	pair.map = env_map(arena, config->type, config->key_size, config->value_size,
			   config->max_entries, config->flags);
	for (u32 i = 0; i < OPERATIONS && differ < 10; i++)
		differ += !step(&pair);
	tap_ok(!differ, "type %u, key %u, value %u, max %u, flags %x: %u operations as the kernel",
	       config->type, config->key_size, config->value_size, config->max_entries,
	       config->flags, OPERATIONS);
	if (config->key_size)
		tap_ok(same_contents(&pair), "… and the same contents");
	close(pair.kernel);
	env_map_free(arena, pair.map);
}

int main(void)
{
	struct arena *arena;
	struct rt_vcpu *vcpu;

	if (!tap_kernel_bpf()) {
		tap_skip(1, "the kernel's bpf(2) is not to be had");
		return tap_done();
	}
	arena = env_new(kernel_possible_cpus());
	vcpu = env_vcpu();
	for (u32 i = 0; i < ARRAY_SIZE(configs); i++)
		run(arena, vcpu, &configs[i]);
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return tap_done();
}
