/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that send records to clients, through BPF ring buffers and perf buffers.
 */
#include "rt/buffer.h"
#include "rt/helper/families.h"
#include "rt/map.h"

RT_HELPER(ringbuf_output)
{
	return (u64)rt_ringbuf_output((const struct rt_map *)r1, (const void *)r2, r3, r4, vcpu);
}

RT_HELPER(ringbuf_reserve)
{
	if (r3)
		return 0;
	return (u64)rt_ringbuf_reserve((const struct rt_map *)r1, r2, vcpu);
}

RT_HELPER(ringbuf_submit)
{
	rt_ringbuf_commit((void *)r1, r2, false);
	return 0;
}

RT_HELPER(ringbuf_discard)
{
	rt_ringbuf_commit((void *)r1, r2, true);
	return 0;
}

RT_HELPER(ringbuf_query)
{
	return rt_ringbuf_query((const struct rt_map *)r1, r2);
}

/* (ctx, map, flags, data, size), results as in kernel/trace/bpf_trace.c. */
RT_HELPER(perf_event_output)
{
	const struct rt_map *map = (const struct rt_map *)r2;
	u64 index = r3 & BPF_F_INDEX_MASK;
	struct rt_perf_buffer *buffer;

	if (r3 & ~(u64)BPF_F_INDEX_MASK)
		return (u64)-EINVAL;
	if (index == BPF_F_CURRENT_CPU)
		index = vcpu->index;
	if (index >= map->max_entries)
		return (u64)-E2BIG;
	buffer = rt_map_object(map, (u32)index);
	if (!buffer)
		return (u64)-ENOENT;
	if (buffer->cpu >= 0 && (u32)buffer->cpu != vcpu->index)
		return (u64)-EOPNOTSUPP;
	return (u64)rt_perf_output(buffer, (const void *)r4, r5, vcpu);
}
