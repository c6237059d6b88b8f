/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Storage of sockets, tasks, inodes and cgroups (kernel/bpf/bpf_local_storage.c): hash tables by a
 * number that names the owner. A task's number is its thread id, which others had before it; so
 * each element keeps when it was made, and one that is older than its owner belongs to nobody.
 * Programs (rt/helper/storage.c) and clients (src/sys/map_storage.c) meet here.
 */
#ifndef SKEP_RT_STORAGE_H
#define SKEP_RT_STORAGE_H

#include "abi/bpf_new.h"
#include "rt/map.h"

/* Map types whose values belong to a socket, a task, an inode or a cgroup. */
static inline bool rt_type_is_storage(u32 type)
{
	return type == BPF_MAP_TYPE_SK_STORAGE || type == BPF_MAP_TYPE_TASK_STORAGE ||
	       type == BPF_MAP_TYPE_INODE_STORAGE || type == ABI_MAP_TYPE_CGRP_STORAGE;
}

/* Whose an element is. */
struct rt_owner {
	u64 number; /* never 0 */
	u64 born;   /* CLOCK_BOOTTIME; 0: its number is nobody else's */
};

/* The number of a file or cgroup: of its file system, its inode and when that was made. */
static inline u64 rt_owner_of_inode(u32 dev_major, u32 dev_minor, u64 inode, u64 born_ns)
{
	u64 words[] = { inode, born_ns }, number = (u64)dev_major << 32 | dev_minor;

	for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
		number = (number ^ words[i] * 0x9e3779b97f4a7c15ull) * 0xbf58476d1ce4e5b9ull;
		number ^= number >> 31;
	}
	return number & ~(1ull << 63) ?: 1;
}

/*
 * An owner of a test run: nobody else has its number, and rt_storage_delete() takes its elements
 * away when the run is over.
 */
#define RT_OWNER_OF_TEST (1ull << 63)

/* The owner's value, NULL: it has none. */
void *rt_storage_find(const struct rt_map *map, const struct rt_owner *owner, struct rt_vcpu *vcpu);

/* The same; makes one, of value or of zeros (NULL), if there is none and room for it. */
void *rt_storage_make(const struct rt_map *map, const struct rt_owner *owner, const void *value,
		      struct rt_vcpu *vcpu);

/* 0, -ENOENT, or a lock's error. */
long rt_storage_delete(const struct rt_map *map, const struct rt_owner *owner,
		       struct rt_vcpu *vcpu);

/* Takes an element away that the number's last owner has left. */
void rt_storage_drop_stale(const struct rt_map *map, const struct rt_owner *owner,
			   struct rt_vcpu *vcpu);

/*
 * Task storages, in control, so that a task that exits finds what it leaves. Tasks that die
 * otherwise, and those in maps that did not fit in here, leave it to whoever needs the room.
 */
#define RT_STORAGES_MAX 64
struct rt_storages {
	const struct rt_map *maps[RT_STORAGES_MAX];
};

/* Is there any? */
bool rt_storages_any(void);

/* The task with this id in the supervisor's pid namespace exits. */
void rt_storages_leave(u32 tid, struct rt_vcpu *vcpu);

#endif
