/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2)'s commands on one element of a map: what is checked, in which order, what is copied and
 * what is done. The supervisor runs it for a client in another process, with buffers of the size
 * that the map needs; the agent runs it for its own process. Both thus give the same errno in the
 * same order (kernel/bpf/syscall.c: map_lookup_elem() and its neighbours).
 *
 * A call is: rt_elem_check(), then the map is found, rt_elem_permits(), rt_elem_measure(),
 * rt_elem_read(), rt_elem_operate() under a vCPU, rt_elem_write(). Each gives 0 or -errno.
 */
#ifndef SKEP_RT_ELEM_H
#define SKEP_RT_ELEM_H

#include "rt/map.h"

/* What a descriptor allows. */
#define RT_ELEM_MAY_READ  1u
#define RT_ELEM_MAY_WRITE 2u

#define RT_KEY_SIZE_MAX 512u /* of types that the agent serves */

struct rt_elem {
	u32 cmd;	/* BPF_MAP_LOOKUP_ELEM, … */
	u32 access;	/* RT_ELEM_MAY_* of the descriptor */
	u64 key, value; /* addresses of the client's; value is also where the next key goes */
	u64 flags;
	const struct rt_map *map;
	bool has_key;		   /* set by rt_elem_read() */
	u64 key_size, value_size;  /* set by rt_elem_measure() */
	u8 *key_room, *value_room; /* so many bytes each, the caller's */
};

/* Copies from and to the client: 0 or -EFAULT. */
struct rt_elem_io {
	long (*read)(void *arg, void *dst, u64 address, u64 size);
	long (*write)(void *arg, u64 address, const void *src, u64 size);
	void *arg;
};

/* Is it one of the commands on one element? */
bool rt_elem_is_command(u32 cmd);

/* Before the descriptor is looked at. */
long rt_elem_check(u32 cmd, u64 flags);

/* What descriptor, map and flags allow of each other. */
long rt_elem_permits(const struct rt_elem *elem);

/* How much room the key and the value take; each is read once, so that the caller can bound it. */
void rt_elem_measure(struct rt_elem *elem);

/* Copies in what the command needs. */
long rt_elem_read(struct rt_elem *elem, const struct rt_elem_io *io);

/* The operation, on a map that does not hold objects (elsewhere src/sys does it). */
long rt_elem_operate(struct rt_elem *elem, struct rt_vcpu *vcpu);

/* Copies out what the command gives. */
long rt_elem_write(const struct rt_elem *elem, const struct rt_elem_io *io);

#endif
