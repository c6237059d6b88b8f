/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buffers that carry records from programs to a reading client: BPF ring buffers
 * (kernel/bpf/ringbuf.c) and perf ring buffers (include/uapi/linux/perf_event.h: struct
 * perf_event_mmap_page). Clients map these very pages, so their layout is the kernel's to the byte.
 *
 * A BPF ring buffer's memory is: consumer page, producer page, then 2 × size bytes. Records are
 * contiguous in the doubled area and may spill into its second half; headers stand in the first
 * half only. A perf buffer's memory is: one header page, then 2^n data pages.
 */
#ifndef SKEP_RT_BUFFER_H
#define SKEP_RT_BUFFER_H

#include "base/types.h"

struct rt_map;
struct rt_vcpu;

/*
 * The helpers of the same names. Commit takes a pointer that reserve gave; it wakes the supervisor
 * when the consumer has caught up, as BPF_RB_NO_WAKEUP and BPF_RB_FORCE_WAKEUP say.
 */
void *rt_ringbuf_reserve(const struct rt_map *map, u64 size, struct rt_vcpu *vcpu);
void rt_ringbuf_commit(void *sample, u64 flags, bool discard);
long rt_ringbuf_output(const struct rt_map *map, const void *data, u64 size, u64 flags,
		       struct rt_vcpu *vcpu);
u64 rt_ringbuf_query(const struct rt_map *map, u64 flags);

/* Is there a complete record that the consumer has not taken? Reads hostile positions. */
bool rt_ringbuf_readable(const struct rt_map *map);

/*
 * How often commits asked for the consumer's attention so far: what would have ended a sleep in
 * epoll_wait(2). A record that was committed with BPF_RB_NO_WAKEUP is readable and changes this
 * not.
 */
u32 rt_ringbuf_wakeups(const struct rt_map *map);

/*
 * Supervisor, when a process of the hive has died and at times: records that were reserved by a
 * thread that is gone become discarded ones, so that the consumer can pass over them. How many
 * there were.
 */
u32 rt_ringbuf_reap(const struct rt_map *map);

/* Pages that clients may map: positions and twice the size. What follows them is skep's own. */
u64 rt_ringbuf_mmap_size(const struct rt_map *map);

/*
 * A ring that a client fills. drain() is the helper of that name: callback is a subprogram of the
 * running program. full(): a client that waits for room has to wait.
 */
long rt_user_ringbuf_drain(const struct rt_map *map, u64 callback, u64 ctx, u64 flags,
			   struct rt_vcpu *vcpu);
bool rt_user_ringbuf_full(const struct rt_map *map);

/*
 * A perf event that programs can write to (software event BPF_OUTPUT), in control. Records are
 * PERF_RECORD_SAMPLE with the parts of sample_type that RT_PERF_SAMPLE_TYPES lists.
 */
struct rt_perf_buffer {
	u8 *pages; /* header page + data pages, in data; NULL until the client has mapped it */
	u32 data_pages;
	u32 sample_type; /* PERF_SAMPLE_* */
	u64 id;
	s32 cpu;	   /* the vCPU it was opened for, -1 any */
	u32 wakeup_events; /* perf_event_attr.wakeup_events, or with watermark wakeup_watermark */
	u32 watermark;	   /* perf_event_attr.watermark */
	u32 sample_id_all; /* perf_event_attr.sample_id_all: lost records end with the sample's ids
			    */
	u64 *lost;	   /* in data: records lost and not yet told to the client */
	/* What bpf_perf_event_read() and its kin tell: since when it counts (monotonic), 0: it does
	 * not; for how long it did before. */
	u64 counting_since, counted_ns;
	u32 inherit, pinned; /* perf_event_attr.inherit, .pinned */
	u32 task;	     /* the thread that it belongs to, 0: all */
};

#define RT_PERF_SAMPLE_TYPES                                                            \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | \
	 PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |  \
	 PERF_SAMPLE_PERIOD | PERF_SAMPLE_RAW)

/* Bytes of memory for a buffer of data_pages (a power of two). */
u64 rt_perf_memory_size(u32 data_pages);

/* Supervisor: writes the header page of zeroed memory, before pages is published. */
void rt_perf_init(u8 *pages, u32 data_pages);

/* Bytes of a record, which lie in several places. */
struct rt_perf_piece {
	const void *data;
	u64 size;
};
#define RT_PERF_PIECES 3

/* 0, -ENOENT (not mapped yet), -ENOSPC (counted in lost), or what rt_lock_acquire() gives. */
long rt_perf_output(struct rt_perf_buffer *buffer, const void *data, u64 size,
		    struct rt_vcpu *vcpu);
/* The same for a record of RT_PERF_PIECES pieces, of which some may be empty. */
long rt_perf_output_pieces(struct rt_perf_buffer *buffer, const struct rt_perf_piece *pieces,
			   struct rt_vcpu *vcpu);
bool rt_perf_readable(const struct rt_perf_buffer *buffer);

/* How often the client was to be woken so far, by wakeup_events and watermark as the kernel counts.
 */
u32 rt_perf_wakeups(const struct rt_perf_buffer *buffer);

#endif
