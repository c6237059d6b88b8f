/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reserving, committing and reaping records of a ring (rt/ring.h). Under the producers' lock there
 * is nothing to repair when its owner dies: each store leaves a valid ring.
 */
#include "rt/lock.h"
#include "rt/ring.h"

#define HEADER_SIZE	((u64)sizeof(struct rt_ring_header))
#define RECORD_SIZE_MAX (~0u / 4)
#define LENGTH_MASK	(~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT))
#define SIZE_MAX_BYTES	(1UL << 31)
/* Committed records that one reservation passes over at most, so that its time is bounded. */
#define PENDING_STEPS	65536u

#define LOAD(word)	   __atomic_load_n(&(word), __ATOMIC_ACQUIRE)
#define STORE(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELEASE)

static u8 *data_of(const struct rt_ring *ring)
{
	return ring->memory + RT_RING_POSITION_PAGES * RT_RING_PAGE;
}

/* The header at a position; hostile positions give some place in the first half. */
static struct rt_ring_header *header_at(const struct rt_ring *ring, u64 position)
{
	return (struct rt_ring_header *)(void *)(data_of(ring) + (position & ring->mask & ~7UL));
}

static u32 *owner_at(const struct rt_ring *ring, u64 position)
{
	return (u32 *)(void *)(data_of(ring) + 2 * (ring->mask + 1)) + (position & ring->mask) / 8;
}

static u64 record_size(u32 length)
{
	return ALIGN_UP((u64)(length & LENGTH_MASK) + HEADER_SIZE, 8);
}

u64 rt_ring_memory_size(u64 size)
{
	if (size < RT_RING_PAGE || size > SIZE_MAX_BYTES || (size & (size - 1)))
		return 0;
	return RT_RING_POSITION_PAGES * RT_RING_PAGE + 2 * size +
	       ALIGN_UP(size / 8 * sizeof(u32), (u64)RT_RING_PAGE);
}

/* If the record at position is BUSY and nobody will ever commit it: marks it, and says so. */
static bool discard_dead(const struct rt_ring *ring, u64 position)
{
	struct rt_ring_header *header = header_at(ring, position);
	u32 length = LOAD(header->length);

	if (!(length & BPF_RINGBUF_BUSY_BIT) || !rt_lock_gone(LOAD(*owner_at(ring, position))))
		return false;
	if (!__atomic_compare_exchange_n(&header->length, &length,
					 (length & LENGTH_MASK) | BPF_RINGBUF_DISCARD_BIT, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	__atomic_fetch_add(&rt_ring_producer(ring)->torn, 1, __ATOMIC_RELAXED);
	return true;
}

/* Moves the pending position over records that are not BUSY any more; true if `needed` is reached.
 */
static bool advance_pending(const struct rt_ring *ring, u64 producer, u64 needed)
{
	struct rt_ring_producer *page = rt_ring_producer(ring);
	u64 pending = LOAD(page->pending);

	for (u32 i = 0; i < PENDING_STEPS && pending < producer; i++) {
		u32 length = LOAD(header_at(ring, pending)->length);

		if (length & BPF_RINGBUF_BUSY_BIT) {
			/* Asking whether an owner lives can cost a system call: only when room is
			 * short. */
			if (needed - pending <= ring->mask || !discard_dead(ring, pending))
				break;
		}
		pending += record_size(length);
	}
	STORE(page->pending, pending);
	return needed - pending <= ring->mask;
}

void *rt_ring_reserve(const struct rt_ring *ring, u64 size, struct rt_vcpu *vcpu)
{
	struct rt_ring_producer *page = rt_ring_producer(ring);
	u64 total = ALIGN_UP(size + HEADER_SIZE, 8), position, end;
	struct rt_ring_header *header;
	void *sample = NULL;
	u32 dead;

	if (size > RECORD_SIZE_MAX || total > ring->mask + 1)
		return NULL;
	if (rt_lock_acquire(&page->lock, vcpu, &dead)) {
		__atomic_fetch_add(&page->dropped, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	position = LOAD(page->position) & ~7UL;
	end = position + total;
	if (advance_pending(ring, position, end) &&
	    end - LOAD(rt_ring_consumer(ring)->position) <= ring->mask) {
		header = header_at(ring, position);
		STORE(*owner_at(ring, position), rt_lock_token(vcpu));
		STORE(header->pg_off,
		      (u32)(((u8 *)header - data_of(ring)) / RT_RING_PAGE) + RT_RING_FIRST_PG_OFF);
		STORE(header->length, (u32)size | BPF_RINGBUF_BUSY_BIT);
		STORE(page->position, end);
		sample = header + 1;
	}
	STORE(page->mask_copy, (u32)ring->mask);
	rt_lock_release(&page->lock);
	if (unlikely(!sample))
		__atomic_fetch_add(&page->dropped, 1, __ATOMIC_RELAXED);
	return sample;
}

/* The ring that a header says it belongs to, if that lies in the data segment; for reading only. */
static bool ring_of(const struct rt_ring_header *header, struct rt_ring *ret_ring)
{
	u64 page = (u64)header & ~(u64)(RT_RING_PAGE - 1);
	u64 back = ((u64)LOAD(header->pg_off) + RT_RING_POSITION_PAGES - RT_RING_FIRST_PG_OFF) *
		   RT_RING_PAGE;

	if (back < RT_RING_POSITION_PAGES * RT_RING_PAGE || page < RT_DATA_BASE + back ||
	    page >= RT_DATA_BASE + RT_CONTROL->data_size)
		return false;
	ret_ring->memory = (u8 *)(page - back);
	ret_ring->mask = LOAD(rt_ring_producer(ret_ring)->mask_copy);
	return true;
}

bool rt_ring_commit(void *sample, u64 flags, bool discard)
{
	struct rt_ring_header *header = (struct rt_ring_header *)sample - 1;
	u32 length = LOAD(header->length) & LENGTH_MASK;
	struct rt_ring ring;
	u64 consumed, at;

	if (discard)
		length |= BPF_RINGBUF_DISCARD_BIT;
	/* An exchange, not a store: it is ordered before the read of the consumer's position. */
	__atomic_exchange_n(&header->length, length, __ATOMIC_SEQ_CST);
	if (!ring_of(header, &ring))
		return true;
	if (!(flags & BPF_RB_FORCE_WAKEUP)) {
		at = (u64)((u8 *)header - data_of(&ring));
		consumed = LOAD(rt_ring_consumer(&ring)->position) & ring.mask;
		if ((flags & BPF_RB_NO_WAKEUP) || consumed != at)
			return false;
	}
	__atomic_fetch_add(&rt_ring_producer(&ring)->wakeups, 1, __ATOMIC_RELEASE);
	return true;
}

u64 rt_ring_available(const struct rt_ring *ring)
{
	u64 consumed = LOAD(rt_ring_consumer(ring)->position);

	return LOAD(rt_ring_producer(ring)->position) - consumed;
}

bool rt_ring_readable(const struct rt_ring *ring)
{
	u64 consumed = LOAD(rt_ring_consumer(ring)->position);

	return consumed != LOAD(rt_ring_producer(ring)->position) &&
	       !(LOAD(header_at(ring, consumed)->length) & BPF_RINGBUF_BUSY_BIT);
}

u32 rt_ring_reap(const struct rt_ring *ring)
{
	u64 at = LOAD(rt_ring_consumer(ring)->position);
	u64 left = LOAD(rt_ring_producer(ring)->position) - at;
	u32 reaped = 0;

	/* Positions that cannot be a ring's: somebody scribbled. */
	if (left > ring->mask + 1)
		return 0;
	/* What is left grows smaller with each record; positions may wrap around. */
	while (left) {
		u64 size;

		reaped += discard_dead(ring, at);
		size = record_size(LOAD(header_at(ring, at)->length));
		at += size;
		left -= size < left ? size : left;
	}
	return reaped;
}

const void *rt_ring_peek(const struct rt_ring *ring, u32 *ret_length)
{
	struct rt_ring_consumer *consumer = rt_ring_consumer(ring);

	/* More records are in no ring: somebody moves the positions while we look. */
	for (u64 hops = 0; hops <= ring->mask / HEADER_SIZE; hops++) {
		u64 at = LOAD(consumer->position), end = LOAD(rt_ring_producer(ring)->position);
		struct rt_ring_header *header = header_at(ring, at);
		u32 length;

		if (at == end)
			return NULL;
		if (end - at > ring->mask + 1 || (at & 7)) {
			STORE(consumer->position, end & ~7UL);
			__atomic_fetch_add(&rt_ring_producer(ring)->torn, 1, __ATOMIC_RELAXED);
			return NULL;
		}
		length = LOAD(header->length);
		if ((length & BPF_RINGBUF_BUSY_BIT) && !discard_dead(ring, at))
			return NULL;
		length = LOAD(header->length);
		if (!(length & (BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT)) &&
		    record_size(length) <= end - at) {
			*ret_length = length;
			return header + 1;
		}
		STORE(consumer->position,
		      at + (record_size(length) <= end - at ? record_size(length) : end - at));
	}
	return NULL;
}

void rt_ring_consume(const struct rt_ring *ring, const void *sample, u32 length)
{
	struct rt_ring_consumer *consumer = rt_ring_consumer(ring);

	STORE(consumer->position, LOAD(consumer->position) + record_size(length));
}
