/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters of perf events, and the processor's branch records. All that a hive has of the first is
 * the software event BPF_OUTPUT, whose counter stays 0, here as in the kernel, while its times run;
 * the second are there on no machine without privilege. Results: kernel/trace/bpf_trace.c.
 */
#include "abi/bpf_new.h"
#include "rt/buffer.h"
#include "rt/clock.h"
#include "rt/helper/families.h"
#include "rt/map.h"
#include "rt/mem.h"

/* May it be read here and now? As perf_event_read_local(). */
static long read_local(const struct rt_perf_buffer *event, struct bpf_perf_event_value *ret_value,
		       struct rt_vcpu *vcpu)
{
	u64 since = __atomic_load_n(&event->counting_since, __ATOMIC_ACQUIRE);
	u64 now = rt_clock_ns(vcpu, RT_CLOCK_MONOTONIC);

	if (event->inherit)
		return -EOPNOTSUPP;
	if (event->task ? event->task != vcpu->task.pid : (u32)event->cpu != vcpu->index)
		return -EINVAL;
	if (event->pinned && event->cpu >= 0 && (u32)event->cpu != vcpu->index)
		return -EBUSY;
	ret_value->counter = 0;
	ret_value->enabled = event->counted_ns + (since && now > since ? now - since : 0);
	ret_value->running = ret_value->enabled;
	return 0;
}

static long read_event(const struct rt_map *map, u64 flags, struct bpf_perf_event_value *ret_value,
		       struct rt_vcpu *vcpu)
{
	const struct rt_perf_buffer *event;
	u64 index = flags;

	if (flags & ~(u64)BPF_F_INDEX_MASK)
		return -EINVAL;
	if (index == BPF_F_CURRENT_CPU)
		index = vcpu->index;
	if (index >= map->max_entries)
		return -E2BIG;
	event = rt_map_object(map, (u32)index);
	return event ? read_local(event, ret_value, vcpu) : -ENOENT;
}

/* (map, flags) */
RT_HELPER(perf_event_read)
{
	struct bpf_perf_event_value value = { 0 };
	long error = read_event((const struct rt_map *)r1, r2, &value, vcpu);

	return error ? (u64)error : value.counter;
}

/* (map, flags, value, size) */
RT_HELPER(perf_event_read_value)
{
	struct bpf_perf_event_value value = { 0 };
	long error = (u32)r4 == sizeof(value)
			     ? read_event((const struct rt_map *)r1, r2, &value, vcpu)
			     : -EINVAL;

	if (error)
		memset((void *)r3, 0, (u32)r4);
	else
		memcpy((void *)r3, &value, sizeof(value));
	return (u64)error;
}

/* (ctx, value, size): what a program runs for here is a run by hand, which has no event. */
RT_HELPER(perf_prog_read_value)
{
	memset((void *)r2, 0, (u32)r3);
	return (u64)-EINVAL;
}

/* (ctx, buffer, size, flags) */
RT_HELPER(read_branch_records)
{
	return r4 & ~(u64)BPF_F_GET_BRANCH_RECORDS_SIZE ? (u64)-EINVAL : (u64)-ENOENT;
}

/* (buffer, size, flags) */
RT_HELPER(get_branch_snapshot)
{
	return r3 ? (u64)-EINVAL : (u64)-ENOENT;
}
