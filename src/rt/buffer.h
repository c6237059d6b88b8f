/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buffers that carry records from programs to a reading client: BPF ring buffers (kernel/bpf/ringbuf.c)
 * and perf ring buffers (include/uapi/linux/perf_event.h: struct perf_event_mmap_page). Clients map
 * these very pages, so their layout is the kernel's to the byte.
 *
 * A BPF ring buffer's memory is: consumer page, producer page, then 2 × size bytes. Records are contiguous
 * in the doubled area and may spill into its second half; headers stand in the first half only.
 * A perf buffer's memory is: one header page, then 2^n data pages.
 */
#ifndef SKEP_RT_BUFFER_H
#define SKEP_RT_BUFFER_H

#include "base/types.h"

struct rt_map;
struct rt_vcpu;

void *rt_ringbuf_reserve(const struct rt_map *map, u64 size, struct rt_vcpu *vcpu);
void rt_ringbuf_commit(void *sample, u64 flags, bool discard);
long rt_ringbuf_output(const struct rt_map *map, const void *data, u64 size, u64 flags,
		       struct rt_vcpu *vcpu);
u64 rt_ringbuf_query(const struct rt_map *map, u64 flags);

/* Is there a record that the consumer has not taken? Reads hostile positions. */
bool rt_ringbuf_readable(const struct rt_map *map);

/* A perf event that programs can write to (software event BPF_OUTPUT), in control. */
struct rt_perf_buffer {
	u8 *pages; /* header page + data pages, in data; NULL until the client has mapped it */
	u32 data_pages;
	u32 sample_type; /* PERF_SAMPLE_* */
	u64 id;
	s32 cpu;	   /* the vCPU it was opened for, -1 any */
	u32 wakeup_events; /* or watermark */
	u32 watermark;
	u64 *lost; /* in data */
};

long rt_perf_output(struct rt_perf_buffer *buffer, const void *data, u64 size, struct rt_vcpu *vcpu);
bool rt_perf_readable(const struct rt_perf_buffer *buffer);

#endif
