/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Storage that belongs to a socket, a task, an inode or a cgroup (kernel/bpf/bpf_local_storage.c):
 * a hash table by the low half of a number that names its owner (src/sys/map_storage.c). The map
 * says for how many owners there is room; clients see no limit.
 */
#include "rt/map/hash.h"

static long storage_store(const struct rt_map *map, const void *key, const void *value, u64 flags,
			  struct rt_vcpu *vcpu)
{
	struct hash_store store = { .value = value };

	return hash_update(map, key, &store, flags, vcpu);
}

const struct rt_map_ops rt_map_local_storage_ops = {
	.memory_size = hash_memory_size,
	.init = hash_init,
	.lookup = hash_lookup,
	.update = storage_store,
	.delete = hash_delete,
	.copy_out = hash_copy_out,
	.copy_in = storage_store,
	.next_key = hash_next_key,
};
