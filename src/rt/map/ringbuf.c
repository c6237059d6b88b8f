/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_MAP_TYPE_RINGBUF: a ring (rt/ring.h) as a map. max_entries is the ring's size in bytes; there
 * are no elements (kernel/bpf/ringbuf.c).
 */
#include "rt/buffer.h"
#include "rt/map/ops.h"
#include "rt/mem.h"
#include "rt/ring.h"
#include "rt/trace.h"

static struct rt_ring ring_of(const struct rt_map *map)
{
	return (struct rt_ring){ .memory = map->data, .mask = map->max_entries - 1 };
}

void *rt_ringbuf_reserve(const struct rt_map *map, u64 size, struct rt_vcpu *vcpu)
{
	struct rt_ring ring = ring_of(map);

	return rt_ring_reserve(&ring, size, vcpu);
}

void rt_ringbuf_commit(void *sample, u64 flags, bool discard)
{
	if (rt_ring_commit(sample, flags, discard))
		rt_wake_signal();
}

long rt_ringbuf_output(const struct rt_map *map, const void *data, u64 size, u64 flags,
		       struct rt_vcpu *vcpu)
{
	struct rt_ring ring = ring_of(map);
	void *sample;

	if (flags & ~(u64)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return -EINVAL;
	sample = rt_ring_reserve(&ring, size, vcpu);
	if (!sample)
		return -EAGAIN;
	memcpy(sample, data, size);
	rt_ringbuf_commit(sample, flags, false);
	return 0;
}

u64 rt_ringbuf_query(const struct rt_map *map, u64 flags)
{
	struct rt_ring ring = ring_of(map);

	switch (flags) {
	case BPF_RB_AVAIL_DATA: return rt_ring_available(&ring);
	case BPF_RB_RING_SIZE: return map->max_entries;
	case BPF_RB_CONS_POS:
		return __atomic_load_n(&rt_ring_consumer(&ring)->position, __ATOMIC_ACQUIRE);
	case BPF_RB_PROD_POS:
		return __atomic_load_n(&rt_ring_producer(&ring)->position, __ATOMIC_ACQUIRE);
	default: return 0;
	}
}

bool rt_ringbuf_readable(const struct rt_map *map)
{
	struct rt_ring ring = ring_of(map);

	return rt_ring_readable(&ring);
}

u32 rt_ringbuf_wakeups(const struct rt_map *map)
{
	struct rt_ring ring = ring_of(map);

	return __atomic_load_n(&rt_ring_producer(&ring)->wakeups, __ATOMIC_ACQUIRE);
}

u32 rt_ringbuf_reap(const struct rt_map *map)
{
	struct rt_ring ring = ring_of(map);
	u32 reaped = rt_ring_reap(&ring);

	if (reaped) {
		__atomic_fetch_add(&rt_ring_producer(&ring)->wakeups, 1, __ATOMIC_RELEASE);
		rt_wake_signal();
	}
	return reaped;
}

u64 rt_ringbuf_mmap_size(const struct rt_map *map)
{
	return RT_RING_POSITION_PAGES * RT_RING_PAGE + 2UL * map->max_entries;
}

static u64 ringbuf_memory_size(const struct rt_map_spec *spec)
{
	return rt_ring_memory_size(spec->max_entries);
}

/* Zeroed memory is an empty ring. */
static void ringbuf_init(struct rt_map *map)
{
}

const struct rt_map_ops rt_map_ringbuf_ops = {
	.memory_size = ringbuf_memory_size,
	.init = ringbuf_init,
	.missing = -RT_ENOTSUPP,
};
