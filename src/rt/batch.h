/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2)'s four batch commands: what is checked, in which order, what is copied and where the next
 * batch goes on (kernel/bpf/syscall.c: generic_map_lookup_batch() and its neighbours;
 * kernel/bpf/hashtab.c: __htab_map_lookup_and_delete_batch()). As with rt/elem.h the supervisor
 * runs it for clients elsewhere and the agent for its own process.
 *
 * Arrays and tries go on behind the key that the client hands back. Hashes are handed out bucket by
 * bucket, and go on at the bucket whose number the client hands back: what is in the map all the
 * time is seen exactly once, whatever comes and goes meanwhile. A bucket that is more than the
 * client asked for gives -ENOSPC, as in the kernel.
 *
 * A call is: rt_batch_permits(), rt_batch_check(), then room, then rt_batch_run().
 */
#ifndef SKEP_RT_BATCH_H
#define SKEP_RT_BATCH_H

#include "rt/elem.h"

#define RT_BATCH_KEYS_MAX 8192u /* more are in no bucket: rt/map/hash.h */

struct rt_batch {
	u32 cmd;    /* BPF_MAP_LOOKUP_BATCH, … */
	u32 access; /* RT_ELEM_MAY_* of the descriptor */
	const struct rt_map *map;
	/* Addresses of the client's; count_address is where its count lies. */
	u64 in_batch, out_batch, keys, values, count_address;
	u64 elem_flags, flags;
	u32 count; /* asked for */
	u32 done;  /* elements that the client has, also on failure */
	/* The caller's: keys_room bytes, at least rt_batch_keys_room(), and one value. */
	u8 *key_room, *value_room;
	u64 keys_room;
	u64 key_size, value_size; /* set by rt_batch_check() */
};

struct rt_batch_io {
	struct rt_elem_io copy;
	/* These hold a vCPU meanwhile. Arguments are copy.arg and what to do. */
	long (*operate)(void *arg, struct rt_elem *elem);
	long (*bucket)(void *arg, const struct rt_map *map, struct rt_map_bucket *bucket);
};

/* A bucket's keys do not fit into the caller's room; nothing was done. */
#define RT_BATCH_NO_ROOM 1

bool rt_batch_is_command(u32 cmd);

/* What descriptor and map allow of each other: 0 or -EPERM. */
long rt_batch_permits(const struct rt_batch *batch);

/*
 * What the map's type and the flags allow; measures. 0 or -errno. With count 0 that was all, and
 * the result is 0.
 */
long rt_batch_check(struct rt_batch *batch);

/* The least room for keys that there must be. */
u64 rt_batch_keys_room(const struct rt_batch *batch);

/* 0, -errno or RT_BATCH_NO_ROOM. */
long rt_batch_run(struct rt_batch *batch, const struct rt_batch_io *io);

#endif
