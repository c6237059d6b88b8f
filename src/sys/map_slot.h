/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What map_object.c and its neighbours share: what stands in one place of a map that holds objects.
 */
#ifndef SKEP_SYS_MAP_SLOT_H
#define SKEP_SYS_MAP_SLOT_H

#include "rt/elem.h"
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
/* Maps of devices, CPUs and AF_XDP sockets. */
int sys_redirect_update(struct sys_call *call, struct sys_map *map, const void *key,
			const void *client_value, u64 flags, struct rt_vcpu *vcpu);
int sys_redirect_delete(struct sys_map *map, const void *key, struct rt_vcpu *vcpu);
int sys_redirect_lookup(struct sys_map *map, const void *key, void *value, struct rt_vcpu *vcpu);

/* Arrays of sockets that share a port. */
int sys_reuseport_new(struct sys_map *map);
void sys_reuseport_clear(struct sys_map *map);
int sys_reuseport_update(struct sys_call *call, struct sys_map *map, const void *key,
			 const void *value, u64 flags);
int sys_reuseport_delete(struct sys_map *map, const void *key);
int sys_reuseport_lookup(struct sys_map *map, const void *key, void *value);

/* Maps of sockets that programs look up. */
int sys_sock_new_map(struct sys_map *map);
void sys_sock_clear_map(struct sys_map *map);
int sys_sock_update(struct sys_call *call, struct sys_map *map, const void *key, const void *value,
		    u64 flags, struct rt_vcpu *vcpu);
int sys_sock_delete(struct sys_map *map, const void *key, struct rt_vcpu *vcpu);
int sys_sock_lookup(struct sys_map *map, const void *key, void *value, struct rt_vcpu *vcpu);

/* Arenas. Where a client maps one, which the first mapping decides: 0 and *ret_place, or -errno. */
int sys_arena_check(const union abi_attr *attr);
int sys_arena_mmap(struct sys_map *map, u64 hint, u32 flags, u64 offset, u64 length,
		   u64 *ret_place);
/* Before the grace period after which its memory is freed. */
void sys_arena_retire(struct sys_map *map);

/* Storage of sockets, tasks, inodes and cgroups. */
bool sys_map_is_storage(const struct sys_map *map);
/* For how many owners a map is made. */
u32 sys_storage_owners(u32 value_size, u64 data_size);
int sys_storage_new(struct sys_map *map);
/* Before the grace period after which its memory is freed. */
void sys_storage_retire(struct sys_map *map);
/* The socket of a test run, with this cookie, is gone. */
void sys_storage_end_test(struct sys_call *call, u64 cookie);
/* The commands on one element; the key is the owner's descriptor. */
long sys_storage_operate(struct sys_call *call, struct sys_map *map, struct rt_elem *elem,
			 struct rt_vcpu *vcpu);

#endif
