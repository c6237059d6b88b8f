/* SPDX-License-Identifier: BSD-2-Clause */
/* See kill.h: ring buffers, the trace queue, and perf events' buffers. */
#include <string.h>

#include "kill.h"
#include "rt/buffer.h"
#include "rt/ring.h"
#include "rt/trace.h"

static void output_one(struct rt_map *map, struct rt_vcpu *vcpu)
{
	rt_ringbuf_output(map, "hello, world", 12, 0, vcpu);
}

/* The consumer can pass over whatever was left, and later records arrive. */
static const char *examine_ring(struct rt_map *map, struct rt_vcpu *vcpu)
{
	struct rt_ring ring = { .memory = map->data, .mask = map->max_entries - 1 };
	const char *sample;
	u32 length;

	if (rt_ringbuf_output(map, "second", 6, 0, vcpu))
		return "no second record";
	rt_ringbuf_reap(map);
	sample = rt_ring_peek(&ring, &length);
	if (sample && length == 12) {
		if (memcmp(sample, "hello, world", 12) != 0)
			return "the first record is torn";
		rt_ring_consume(&ring, sample, length);
		sample = rt_ring_peek(&ring, &length);
	}
	return sample && length == 6 && !memcmp(sample, "second", 6) ? NULL
								     : "no second record to read";
}

static void trace_one(struct rt_map *map, struct rt_vcpu *vcpu)
{
	rt_trace_write(vcpu, "first", 5);
}

static const char *examine_trace(struct rt_map *map, struct rt_vcpu *vcpu)
{
	struct rt_trace_record record = { 0 };

	if (rt_trace_write(vcpu, "second", 6))
		return "no second text";
	if (!rt_trace_read(&record))
		return "nothing to read";
	if (record.length == 5) {
		if (memcmp(record.text, "first", 5) != 0 || !rt_trace_read(&record))
			return "the first text is torn";
	}
	if (record.length != 6 || memcmp(record.text, "second", 6) != 0)
		return "no second text to read";
	return rt_trace_read(&record) ? "a third text" : NULL;
}

static void perf_one(struct rt_map *map, struct rt_vcpu *vcpu)
{
	rt_perf_output(kill_perf, "hello, world", 12, vcpu);
}

static const char *examine_perf(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u64 *head = (u64 *)(void *)(kill_perf->pages + 1024), *tail = head + 1, before = *head;
	const char *wrong = NULL;

	if (before != *tail && before != *tail + 8 + 4 + 12)
		wrong = "half a record";
	else if (rt_perf_output(kill_perf, "hello, world", 12, vcpu) ||
		 *head != before + 8 + 4 + 12)
		wrong = "no second record";
	*tail = *head;
	return wrong;
}

static const struct kill_scenario scenarios[] = {
	{ "ring buffer output", BPF_MAP_TYPE_RINGBUF, 4096, NULL, output_one, examine_ring, false },
	{ "trace queue", BPF_MAP_TYPE_ARRAY, 1, NULL, trace_one, examine_trace, false },
	{ "perf buffer", BPF_MAP_TYPE_ARRAY, 1, NULL, perf_one, examine_perf, false },
};

void kill_buffers(void)
{
	kill_run(scenarios, ARRAY_SIZE(scenarios), NULL);
}
