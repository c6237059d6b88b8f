/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring of records behind BPF ring buffers and the trace queue: many producers in many
 * processes, one consumer, the page layout of the kernel's BPF ring buffer (kernel/bpf/ringbuf.c):
 *
 *   consumer page | producer page | size bytes | size bytes more | owners (ours)
 *
 * A record is an 8-byte header and its bytes, contiguous: what begins before the end of the first
 * size bytes may run on into the second. Headers stand in the first half only. Clients map all but
 * owners.
 *
 * A producer may die at any instruction. Before producer_pos moves, its record does not exist;
 * after that it is BUSY until committed, and `owners` names the vCPU acquisition it belongs to:
 * whoever meets a BUSY record whose owner is gone marks it DISCARD. All positions and lengths are
 * hostile: they are masked and bounded before use.
 */
#ifndef SKEP_RT_RING_H
#define SKEP_RT_RING_H

#include <linux/bpf.h>
#include "base/types.h"

struct rt_vcpu;

#define RT_RING_PAGE	       4096u
/* Pages before the data, and the number that the kernel's headers give to the first data page. */
#define RT_RING_POSITION_PAGES 2u
#define RT_RING_FIRST_PG_OFF   3u

struct rt_ring_header {
	u32 length; /* BPF_RINGBUF_BUSY_BIT, BPF_RINGBUF_DISCARD_BIT */
	u32 pg_off; /* pages from the kernel's struct bpf_ringbuf to this header */
};

struct rt_ring_consumer {
	u64 position;
};

struct rt_ring_producer {
	u64 position;
	u64 pending; /* the oldest record that may still be BUSY, at or after this */
	/* Ours; clients map this page read-only and do not look here. */
	u32 lock __attribute__((aligned(64)));
	u32 mask_copy; /* for commits, which know the ring by its pages only */
	u32 wakeups;   /* commits that ask for the consumer's attention */
	u32 reserved;
	u64 dropped; /* reservations that got no room, or no lock */
	u64 torn;    /* records whose producer died */
};

/* A ring as this process sees it; built on the stack from trusted values. */
struct rt_ring {
	u8 *memory;
	u64 mask; /* size - 1; size is a power of two and at least a page */
};

static inline struct rt_ring_consumer *rt_ring_consumer(const struct rt_ring *ring)
{
	return (struct rt_ring_consumer *)(void *)ring->memory;
}

static inline struct rt_ring_producer *rt_ring_producer(const struct rt_ring *ring)
{
	return (struct rt_ring_producer *)(void *)(ring->memory + RT_RING_PAGE);
}

/* Bytes of memory for a ring of size bytes; 0 if size is unfit. */
u64 rt_ring_memory_size(u64 size);

/* The bytes of a new BUSY record, or NULL: too long, no room, or the lock cannot be had. */
void *rt_ring_reserve(const struct rt_ring *ring, u64 size, struct rt_vcpu *vcpu);

/*
 * Publishes (or discards) a record that this vCPU reserved. flags are BPF_RB_*. Returns true if the
 * consumer is to be woken: it has taken all that was before, or flags force it.
 */
bool rt_ring_commit(void *sample, u64 flags, bool discard);

/* Records between the two positions, in bytes, as the kernel counts them. */
u64 rt_ring_available(const struct rt_ring *ring);

/* Is the record at the consumer's position complete? */
bool rt_ring_readable(const struct rt_ring *ring);

/* Marks BUSY records of gone owners DISCARD: how many. Walks the unconsumed part of the ring once.
 */
u32 rt_ring_reap(const struct rt_ring *ring);

/*
 * For a consumer in skep itself: the oldest record, or NULL. It may be BUSY no more; discarded ones
 * are passed over. *ret_length is bounded by the ring. rt_ring_consume() gives its room back.
 */
const void *rt_ring_peek(const struct rt_ring *ring, u32 *ret_length);
void rt_ring_consume(const struct rt_ring *ring, const void *sample, u32 length);

#endif
