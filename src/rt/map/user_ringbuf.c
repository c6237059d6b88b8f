/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_USER_RINGBUF (kernel/bpf/ringbuf.c): a ring that a client fills and programs drain.
 * Its pages are those of rt/ring.h; the client maps the consumer's page read-only, all others
 * writable. Nothing that it writes there is believed: a sample has to lie between the two positions
 * and in the ring, and is as long as its header said when it was looked at.
 */
#include "rt/buffer.h"
#include "rt/dynptr.h"
#include "rt/lock.h"
#include "rt/map/ops.h"
#include "rt/prog.h"
#include "rt/ring.h"
#include "rt/trace.h"

#define SAMPLES_MAX 131072u /* BPF_MAX_USER_RINGBUF_SAMPLES */
#define FLAGS	    (BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT)

/* On the consumer's page, behind the position: who drains the ring. */
#define BUSY_OFFSET 64u

struct sample {
	u64 data;
	u32 size;
};

static struct rt_ring ring_of(const struct rt_map *map)
{
	return (struct rt_ring){ .memory = map->data, .mask = map->max_entries - 1 };
}

static u32 *busy_word(const struct rt_map *map)
{
	return (u32 *)(void *)(map->data + BUSY_OFFSET);
}

/* False when somebody else drains the ring, who lives. */
static bool begin(const struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 *word = busy_word(map), holder = 0, token = rt_lock_token(vcpu);

	for (u32 i = 0; i < 2; i++) {
		if (__atomic_compare_exchange_n(word, &holder, token, false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return true;
		if (holder == token || !rt_lock_gone(holder))
			return false;
	}
	return false;
}

static u64 record_size(u32 length)
{
	return ALIGN_UP((u64)length + sizeof(struct rt_ring_header), 8);
}

/*
 * The sample at the consumer's position: 0, -ENODATA, -EAGAIN (it was passed over, being discarded)
 * or what is wrong with it.
 */
static long peek(const struct rt_ring *ring, struct sample *ret_sample)
{
	u64 end = __atomic_load_n(&rt_ring_producer(ring)->position, __ATOMIC_ACQUIRE);
	u64 at = __atomic_load_n(&rt_ring_consumer(ring)->position, __ATOMIC_ACQUIRE) & ~7ull;
	u8 *data = ring->memory + RT_RING_POSITION_PAGES * RT_RING_PAGE;
	u32 word, length;

	if (end % 8)
		return -EINVAL;
	if (at >= end)
		return -ENODATA;
	word = __atomic_load_n((u32 *)(void *)(data + (at & ring->mask)), __ATOMIC_ACQUIRE);
	length = word & ~FLAGS;
	if (record_size(length) > end - at)
		return -EINVAL;
	if (record_size(length) > ring->mask + 1 || length > RT_DYNPTR_SIZE_MAX)
		return -E2BIG;
	if (word & BPF_RINGBUF_DISCARD_BIT) {
		__atomic_store_n(&rt_ring_consumer(ring)->position, at + record_size(length),
				 __ATOMIC_RELEASE);
		return -EAGAIN;
	}
	if (word & BPF_RINGBUF_BUSY_BIT)
		return -ENODATA;
	/* One that begins at the end of the ring runs on into the second half of its memory. */
	ret_sample->data = (u64)data + ((at + sizeof(struct rt_ring_header)) & ring->mask);
	ret_sample->size = length;
	return 0;
}

static void release(const struct rt_ring *ring, const struct sample *sample)
{
	struct rt_ring_consumer *consumer = rt_ring_consumer(ring);
	u64 at = __atomic_load_n(&consumer->position, __ATOMIC_RELAXED) & ~7ull;

	__atomic_store_n(&consumer->position, at + record_size(sample->size), __ATOMIC_RELEASE);
}

/* The samples that the callback got, or an error; *ret_seen counts those passed over, too. */
static long drain(const struct rt_ring *ring, u64 callback, u64 ctx, struct rt_vcpu *vcpu,
		  u32 *ret_seen)
{
	struct rt_dynptr dynptr;
	struct sample sample;
	u32 discarded = 0, seen;
	bool more = true;

	for (seen = 0; seen < SAMPLES_MAX && more; seen++) {
		long error = peek(ring, &sample);

		*ret_seen = seen;
		if (error == -ENODATA)
			break;
		if (error == -EAGAIN) {
			discarded++;
			continue;
		}
		if (error)
			return error;
		rt_dynptr_set(&dynptr, sample.data, RT_DYNPTR_LOCAL, sample.size, false);
		more = rt_call_bpf(vcpu, callback, (u64)&dynptr, ctx, 0, 0, 0) == 0;
		release(ring, &sample);
	}
	*ret_seen = seen;
	return (long)(seen - discarded);
}

long rt_user_ringbuf_drain(const struct rt_map *map, u64 callback, u64 ctx, u64 flags,
			   struct rt_vcpu *vcpu)
{
	struct rt_ring ring = ring_of(map);
	u32 seen = 0;
	long result;

	if (flags & ~(u64)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return -EINVAL;
	if (!begin(map, vcpu))
		return -EBUSY;
	result = drain(&ring, callback, ctx, vcpu, &seen);
	rt_lock_release(busy_word(map));
	if (flags & BPF_RB_FORCE_WAKEUP || (!(flags & BPF_RB_NO_WAKEUP) && seen))
		rt_wake_signal();
	return result;
}

bool rt_user_ringbuf_full(const struct rt_map *map)
{
	struct rt_ring ring = ring_of(map);

	return rt_ring_available(&ring) >= map->max_entries;
}

static u64 user_ringbuf_memory_size(const struct rt_map_spec *spec)
{
	return rt_ring_memory_size(spec->max_entries);
}

/* Zeroed memory is an empty ring. */
static void user_ringbuf_init(struct rt_map *map)
{
}

const struct rt_map_ops rt_map_user_ringbuf_ops = {
	.memory_size = user_ringbuf_memory_size,
	.init = user_ringbuf_init,
	.missing = -RT_ENOTSUPP,
};
