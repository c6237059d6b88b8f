/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Perf ring buffers as BPF programs fill them (include/uapi/linux/perf_event.h says the format,
 * kernel/events/{core,ring_buffer}.c the rules). data_head moves only when a record is
 * complete, so a producer may die at any instruction. The client maps all these pages: what is read
 * from them is bounded before use.
 */
#include <linux/errno.h>
#include <linux/perf_event.h>
#include "rt/buffer.h"
#include "rt/clock.h"
#include "rt/lock.h"
#include "rt/mem.h"
#include "rt/trace.h"

#define PAGE 4096UL

/* Ours, in the part of the header page that the kernel leaves zero. */
struct producer {
	u64 wakeup; /* the head at which the watermark last asked for attention */
	u32 lock;
	u32 events; /* since wakeup_events last asked */
	u32 wakeups;
};

#define PRODUCER_OFFSET 2048u

/* Where a record is being written: at position, in a ring of mask + 1 bytes that begins at data. */
struct cursor {
	u8 *data;
	u64 mask;
	u64 position;
};

static struct producer *producer_of(const struct rt_perf_buffer *buffer)
{
	return (struct producer *)(void *)(buffer->pages + PRODUCER_OFFSET);
}

static struct perf_event_mmap_page *header_of(const struct rt_perf_buffer *buffer)
{
	return (struct perf_event_mmap_page *)(void *)buffer->pages;
}

u64 rt_perf_memory_size(u32 data_pages)
{
	return (data_pages + 1ULL) * PAGE;
}

void rt_perf_init(u8 *pages, u32 data_pages)
{
	struct perf_event_mmap_page *header = (struct perf_event_mmap_page *)(void *)pages;

	header->version = 0;
	header->compat_version = 0;
	header->size = offsetof(struct perf_event_mmap_page, __reserved);
	header->data_offset = PAGE;
	header->data_size = data_pages * PAGE;
}

static void put(struct cursor *cursor, const void *bytes, u64 size)
{
	u64 at = cursor->position & cursor->mask, first = cursor->mask + 1 - at;

	if (first > size)
		first = size;
	memcpy(cursor->data + at, bytes, first);
	memcpy(cursor->data, (const u8 *)bytes + first, size - first);
	cursor->position += size;
}

static void put_u64(struct cursor *cursor, u64 word)
{
	put(cursor, &word, sizeof(word));
}

static void put_u32s(struct cursor *cursor, u32 a, u32 b)
{
	u32 words[2] = { a, b };

	put(cursor, words, sizeof(words));
}

static void put_header(struct cursor *cursor, u32 type, u16 misc, u64 size)
{
	struct perf_event_header header = { .type = type, .misc = misc, .size = (u16)size };

	put(cursor, &header, sizeof(header));
}

/* Bytes of those parts of a sample that are 8 bytes long. */
static u64 words_size(u32 sample_type, u32 parts)
{
	u64 size = 0;

	/* Bit by bit: a population count may become a call to a library that is not here. */
	for (parts &= sample_type; parts; parts &= parts - 1)
		size += 8;
	return size;
}

#define SAMPLE_WORDS (RT_PERF_SAMPLE_TYPES & ~PERF_SAMPLE_RAW)
/* What ends records other than samples when sample_id_all is set. */
#define ID_WORDS                                                                       \
	(PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | \
	 PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER)

static u64 lost_size(const struct rt_perf_buffer *buffer)
{
	u64 size = sizeof(struct perf_event_header) + 2 * sizeof(u64);

	return size + (buffer->sample_id_all ? words_size(buffer->sample_type, ID_WORDS) : 0);
}

static void put_lost(struct cursor *cursor, const struct rt_perf_buffer *buffer, u64 lost,
		     const struct rt_vcpu *vcpu, u64 now)
{
	u32 type = buffer->sample_id_all ? buffer->sample_type : 0;

	put_header(cursor, PERF_RECORD_LOST, 0, lost_size(buffer));
	put_u64(cursor, buffer->id);
	put_u64(cursor, lost);
	if (type & PERF_SAMPLE_TID)
		put_u32s(cursor, vcpu->task.tgid, vcpu->task.pid);
	if (type & PERF_SAMPLE_TIME)
		put_u64(cursor, now);
	if (type & PERF_SAMPLE_ID)
		put_u64(cursor, buffer->id);
	if (type & PERF_SAMPLE_STREAM_ID)
		put_u64(cursor, buffer->id);
	if (type & PERF_SAMPLE_CPU)
		put_u32s(cursor, vcpu->index, 0);
	if (type & PERF_SAMPLE_IDENTIFIER)
		put_u64(cursor, buffer->id);
}

/* The raw part is a u32 length and the bytes, padded together to 8. */
static u64 raw_size(u64 size)
{
	return ALIGN_UP(size + sizeof(u32), 8);
}

static u64 sample_size(const struct rt_perf_buffer *buffer, u64 size)
{
	u64 total =
		sizeof(struct perf_event_header) + words_size(buffer->sample_type, SAMPLE_WORDS);

	return total + (buffer->sample_type & PERF_SAMPLE_RAW ? raw_size(size) : 0);
}

/* The order is that of the enum's comment in <linux/perf_event.h>, PERF_RECORD_SAMPLE. */
static void put_sample(struct cursor *cursor, const struct rt_perf_buffer *buffer,
		       const struct rt_perf_piece *pieces, u64 size, const struct rt_vcpu *vcpu,
		       u64 now)
{
	static const u8 padding[8];
	u32 type = buffer->sample_type, raw = (u32)(raw_size(size) - sizeof(u32));

	put_header(cursor, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_KERNEL, sample_size(buffer, size));
	if (type & PERF_SAMPLE_IDENTIFIER)
		put_u64(cursor, buffer->id);
	if (type & PERF_SAMPLE_IP)
		put_u64(cursor, 0);
	if (type & PERF_SAMPLE_TID)
		put_u32s(cursor, vcpu->task.tgid, vcpu->task.pid);
	if (type & PERF_SAMPLE_TIME)
		put_u64(cursor, now);
	if (type & PERF_SAMPLE_ADDR)
		put_u64(cursor, 0);
	if (type & PERF_SAMPLE_ID)
		put_u64(cursor, buffer->id);
	if (type & PERF_SAMPLE_STREAM_ID)
		put_u64(cursor, buffer->id);
	if (type & PERF_SAMPLE_CPU)
		put_u32s(cursor, vcpu->index, 0);
	if (type & PERF_SAMPLE_PERIOD)
		put_u64(cursor, 0);
	if (type & PERF_SAMPLE_RAW) {
		put(cursor, &raw, sizeof(raw));
		for (u32 i = 0; i < RT_PERF_PIECES; i++)
			if (pieces[i].size)
				put(cursor, pieces[i].data, pieces[i].size);
		put(cursor, padding, raw - size);
	}
}

/* Counts a record that stands in the buffer; true if the client is to be woken for it. */
static bool attention(const struct rt_perf_buffer *buffer, struct producer *producer, u64 head,
		      u64 ring_size)
{
	u64 watermark = buffer->watermark ? buffer->wakeup_events : 0;
	bool wake = false;

	if (!watermark || watermark > ring_size)
		watermark = ring_size / 2;
	if (head - producer->wakeup > watermark) {
		producer->wakeup = head;
		wake = true;
	}
	if (!buffer->watermark && buffer->wakeup_events &&
	    ++producer->events >= buffer->wakeup_events) {
		producer->events = 0;
		wake = true;
	}
	return wake;
}

/* With the lock held: 0 or -ENOSPC; *ret_wake as attention(). */
static long output_locked(struct rt_perf_buffer *buffer, const struct rt_perf_piece *pieces,
			  u64 size, const struct rt_vcpu *vcpu, bool *ret_wake)
{
	struct perf_event_mmap_page *header = header_of(buffer);
	struct producer *producer = producer_of(buffer);
	struct cursor cursor = { .data = buffer->pages + PAGE,
				 .mask = buffer->data_pages * PAGE - 1,
				 .position = header->data_head & ~7UL };
	u64 tail = __atomic_load_n(&header->data_tail, __ATOMIC_ACQUIRE);
	u64 lost = __atomic_load_n(buffer->lost, __ATOMIC_RELAXED);
	u64 needed = sample_size(buffer, size) + (lost ? lost_size(buffer) : 0);
	u64 now = rt_clock_ns(vcpu, RT_CLOCK_MONOTONIC);

	/* As the kernel's CIRC_SPACE: the ring is never filled to the last byte. */
	if (needed > ((tail - cursor.position - 1) & cursor.mask)) {
		__atomic_fetch_add(buffer->lost, 1, __ATOMIC_RELAXED);
		return -ENOSPC;
	}
	if (lost)
		put_lost(&cursor, buffer, lost, vcpu, now);
	put_sample(&cursor, buffer, pieces, size, vcpu, now);
	*ret_wake = attention(buffer, producer, cursor.position, cursor.mask + 1);
	__atomic_store_n(&header->data_head, cursor.position, __ATOMIC_RELEASE);
	/* Last: who dies just before tells of these records twice, which is better than never. */
	if (lost)
		__atomic_fetch_sub(buffer->lost, lost, __ATOMIC_RELAXED);
	return 0;
}

long rt_perf_output(struct rt_perf_buffer *buffer, const void *data, u64 size, struct rt_vcpu *vcpu)
{
	return rt_perf_output_pieces(
		buffer, (struct rt_perf_piece[RT_PERF_PIECES]){ { data, size } }, vcpu);
}

long rt_perf_output_pieces(struct rt_perf_buffer *buffer, const struct rt_perf_piece *pieces,
			   struct rt_vcpu *vcpu)
{
	u64 size = pieces[0].size + pieces[1].size + pieces[2].size;
	u8 *pages = __atomic_load_n(&buffer->pages, __ATOMIC_ACQUIRE);
	struct producer *producer;
	bool wake = false;
	long error;
	u32 dead;

	if (!pages)
		return -ENOENT;
	/* A record's length is 16 bits in its header. */
	if (sample_size(buffer, size) > 0xffff)
		return -E2BIG;
	producer = producer_of(buffer);
	error = rt_lock_acquire(&producer->lock, vcpu, &dead);
	if (error)
		return error;
	error = output_locked(buffer, pieces, size, vcpu, &wake);
	rt_lock_release(&producer->lock);
	if (wake) {
		__atomic_fetch_add(&producer->wakeups, 1, __ATOMIC_RELEASE);
		rt_wake_signal();
	}
	return error;
}

bool rt_perf_readable(const struct rt_perf_buffer *buffer)
{
	const struct perf_event_mmap_page *header;

	if (!__atomic_load_n(&buffer->pages, __ATOMIC_ACQUIRE))
		return false;
	header = header_of(buffer);
	return __atomic_load_n(&header->data_head, __ATOMIC_ACQUIRE) !=
	       __atomic_load_n(&header->data_tail, __ATOMIC_ACQUIRE);
}

u32 rt_perf_wakeups(const struct rt_perf_buffer *buffer)
{
	if (!__atomic_load_n(&buffer->pages, __ATOMIC_ACQUIRE))
		return 0;
	return __atomic_load_n(&producer_of(buffer)->wakeups, __ATOMIC_ACQUIRE);
}
