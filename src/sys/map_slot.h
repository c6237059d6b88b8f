/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What map_object.c and map_of_maps.c share: what stands in one place of a map that holds objects.
 */
#ifndef SKEP_SYS_MAP_SLOT_H
#define SKEP_SYS_MAP_SLOT_H

#include "sys/hive.h"

/* Made with the entry, so that leaving never needs memory. */
struct sys_slot {
	struct object *object;
	struct sys_deferred deferred;
};

/* Drops the reference and the slot. */
void sys_slot_free(struct sys_deferred *deferred);

/* The map behind fd, if it is like those that map holds, a new reference: 0, -EBADF, -EINVAL. */
int sys_inner_by_fd(struct sys_call *call, struct sys_map *map, u32 fd, struct sys_map **ret_inner);

/* Hashes of maps: results are those of hashes, and of sys_inner_by_fd(). */
int sys_hash_of_maps_update(struct sys_call *call, struct sys_map *map, const void *key, u32 fd,
			    u64 flags, struct rt_vcpu *vcpu);
int sys_hash_of_maps_delete(struct sys_map *map, const void *key, struct rt_vcpu *vcpu);
int sys_hash_of_maps_lookup(struct sys_map *map, const void *key, u32 *ret_value,
			    struct rt_vcpu *vcpu);
void sys_hash_of_maps_clear(struct sys_map *map);

#endif
