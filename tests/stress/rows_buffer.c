/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buffers with one consumer, the watcher: BPF ring buffers, the trace queue, perf buffers. Records
 * are numbered by their worker. In a ring each committed one arrives, once, in order and whole.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt/ring.h"
#include "rt/shared.h"
#include "rt/sys.h"
#include "rt/trace.h"
#include "stress.h"

#define WORDS_MAX 24
#define DISCARDED 0xdeadu
#define PATIENCE  (1u << 20)

/* A record: worker + 1, number, then words that follow from the number. */
static void fill(u64 *words, u32 nr, u64 worker, u64 number)
{
	words[0] = worker + 1;
	words[1] = number;
	for (u32 i = 2; i < nr; i++)
		words[i] = number * (i + 1);
}

static bool is_whole(const struct stage *stage, const u64 *words, u32 nr)
{
	if (nr < 2 || words[0] - 1 >= stage->nr_workers)
		return false;
	for (u32 i = 2; i < nr; i++)
		if (words[i] != words[1] * (i + 1))
			return false;
	return true;
}

static struct rt_ring ring_of(const struct stage *stage)
{
	return (struct rt_ring){ .memory = stage->map->data, .mask = stage->map->max_entries - 1 };
}

void ring_operate(struct worker *worker)
{
	struct shadow *shadow = worker->shadow;
	const struct rt_map *map = worker->stage->map;
	u32 nr = 2 + (u32)worker_random(worker, WORDS_MAX - 2),
	    what = (u32)worker_random(worker, 4);
	u64 words[WORDS_MAX], number = shadow->version + 1, *sample;
	bool there;

	shadow_begin(shadow, 0, 0);
	if (what == 0) {
		fill(words, nr, worker->index, number);
		SHADOW_STORE(shadow->version, number);
		there = !rt_ringbuf_output(map, words, nr * 8, 0, worker->vcpu);
		if (!there)
			SHADOW_STORE(shadow->version, number - 1);
	} else {
		sample = rt_ringbuf_reserve(map, nr * 8, worker->vcpu);
		there = sample && what != 1;
		if (there) {
			SHADOW_STORE(shadow->version, number);
			fill(sample, nr, worker->index, number);
		} else if (sample) {
			sample[0] = DISCARDED;
		}
		if (sample)
			rt_ringbuf_commit(sample, 0, !there);
	}
	if (there)
		SHADOW_STORE(shadow->last_put, number);
	shadow_end(shadow);
}

void ring_read_all(struct worker *worker)
{
	struct rt_ring ring = ring_of(worker->stage);
	const void *sample;
	u32 length;

	for (u32 i = 0; i < 64; i++) {
		u8 last;

		sample = rt_ring_peek(&ring, &length);
		if (!sample)
			break;
		/* All that it is said to have can be read. */
		last = length ? ((const volatile u8 *)sample)[length - 1] : 0;
		worker->random += last;
		rt_ring_consume(&ring, sample, length);
	}
	rt_ringbuf_reap(worker->stage->map);
	rt_ringbuf_readable(worker->stage->map);
	ring_operate(worker);
}

void ring_attend(struct stage *stage, struct rt_vcpu *vcpu)
{
	struct rt_ring ring = ring_of(stage);
	u64 words[WORDS_MAX], *seen;
	const void *sample;
	u32 length;

	while ((sample = rt_ring_peek(&ring, &length))) {
		memcpy(words, sample, length < sizeof(words) ? length : sizeof(words));
		rt_ring_consume(&ring, sample, length);
		if (length > sizeof(words) || !is_whole(stage, words, length / 8)) {
			shadow_wrong(&stage->watcher, "a record is torn", words[0]);
			continue;
		}
		seen = &stage->watcher.seen[words[0] - 1];
		if (words[1] != *seen + 1)
			shadow_wrong(&stage->watcher, "a record is lost, doubled or out of order",
				     words[1]);
		*seen = words[1];
	}
}

/* Takes all that was there when this began; what the living still write may have to be awaited. */
static void take_all(struct stage *stage, struct rt_vcpu *vcpu)
{
	struct rt_ring ring = ring_of(stage);
	u64 end = __atomic_load_n(&rt_ring_producer(&ring)->position, __ATOMIC_ACQUIRE);

	for (u32 i = 0; i < PATIENCE; i++) {
		ring_attend(stage, vcpu);
		if ((s64)(end - rt_ring_consumer(&ring)->position) <= 0)
			return;
		rt_ringbuf_reap(stage->map);
		rt_sys_yield();
	}
	shadow_wrong(&stage->watcher, "a record stays in the way", end);
}

void ring_settle(struct worker *dead)
{
	struct shadow *shadow = dead->shadow;
	u64 *seen = &dead->stage->watcher.seen[dead->index];

	take_all(dead->stage, dead->vcpu);
	if (*seen != shadow->last_put && !(shadow->changes % 2 && *seen == shadow->version))
		shadow_wrong(shadow, "after a death: a committed record is lost", *seen);
	SHADOW_STORE(shadow->last_put, shadow->version);
	*seen = shadow->version;
	if (shadow->changes % 2)
		shadow_end(shadow);
}

void ring_finish(struct stage *stage, struct rt_vcpu *vcpu)
{
	struct rt_ring ring = ring_of(stage);
	void *sample;

	take_all(stage, vcpu);
	for (u32 i = 0; i < stage->nr_workers; i++)
		if (stage->watcher.seen[i] != stage->shadows[i].last_put)
			shadow_wrong(&stage->watcher, "at the end: records are lost", i);
	sample = rt_ring_reserve(&ring, stage->map->max_entries - 16, vcpu);
	if (!sample)
		shadow_wrong(&stage->watcher, "at the end: the ring has lost room", 0);
	else
		rt_ring_commit(sample, 0, true);
}

void trace_operate(struct worker *worker)
{
	struct shadow *shadow = worker->shadow;
	u64 number = ++shadow->version;
	char text[64];
	int length = snprintf(text, sizeof(text), "%u %llx %llx", worker->index,
			      (unsigned long long)number, (unsigned long long)~number);

	shadow_begin(shadow, 0, 0);
	if (!rt_trace_write(worker->vcpu, text, (u32)length))
		SHADOW_STORE(shadow->last_put, number);
	shadow_end(shadow);
}

void trace_attend(struct stage *stage, struct rt_vcpu *vcpu)
{
	static struct rt_trace_record record;
	unsigned worker;
	unsigned long long number, inverse;

	while (rt_trace_read(&record)) {
		char text[RT_TRACE_TEXT_MAX + 1];

		memcpy(text, record.text, record.length);
		text[record.length] = 0;
		if (sscanf(text, "%u %llx %llx", &worker, &number, &inverse) != 3 ||
		    inverse != ~number || worker >= stage->nr_workers) {
			shadow_wrong(&stage->watcher, "a text is torn", number);
			continue;
		}
		if (number <= stage->watcher.seen[worker])
			shadow_wrong(&stage->watcher, "a text comes twice or out of order", number);
		stage->watcher.seen[worker] = number;
	}
}

void trace_settle(struct worker *dead)
{
	struct shadow *shadow = dead->shadow;
	u64 *seen = &dead->stage->watcher.seen[dead->index];

	for (u32 i = 0; i < PATIENCE && *seen < shadow->last_put; i++) {
		trace_attend(dead->stage, dead->vcpu);
		rt_sys_yield();
	}
	if (*seen < shadow->last_put)
		shadow_wrong(shadow, "after a death: a text is lost", *seen);
	if (shadow->changes % 2)
		shadow_end(shadow);
}

void trace_read_all(struct worker *worker)
{
	static struct rt_trace_record record;

	for (u32 i = 0; i < 64 && rt_trace_read(&record); i++)
		worker->random += record.text[record.length ? record.length - 1 : 0];
	trace_operate(worker);
}

void trace_open(struct stage *stage)
{
	stage->memory = (u8 *)RT_TRACE_BASE;
	stage->memory_size = 16384;
}

void perf_open(struct stage *stage)
{
	struct rt_perf_buffer *perf = arena_alloc(stage->arena, ARENA_CONTROL, sizeof(*perf), 64);

	memset(perf, 0, sizeof(*perf));
	perf->data_pages = 1;
	perf->sample_type = 1u << 10; /* PERF_SAMPLE_RAW */
	perf->cpu = -1;
	perf->lost = arena_alloc(stage->arena, ARENA_DATA, 64, 64);
	perf->pages = arena_alloc(stage->arena, ARENA_DATA, rt_perf_memory_size(1), 4096);
	rt_perf_init(perf->pages, 1);
	stage->perf = perf;
	stage->memory = perf->pages;
	stage->memory_size = rt_perf_memory_size(1);
}

void perf_close(struct stage *stage)
{
	arena_release(stage->arena, ARENA_DATA, stage->perf->pages, rt_perf_memory_size(1));
	arena_release(stage->arena, ARENA_DATA, stage->perf->lost, 64);
	arena_release(stage->arena, ARENA_CONTROL, stage->perf, sizeof(*stage->perf));
}

void perf_operate(struct worker *worker)
{
	u32 nr = 2 + (u32)worker_random(worker, WORDS_MAX - 2);
	u64 words[WORDS_MAX];

	fill(words, nr, worker->index, ++worker->shadow->version);
	rt_perf_output(worker->stage->perf, words, nr * 8 + 4, worker->vcpu);
}

/* As a client reads it. */
void perf_attend(struct stage *stage, struct rt_vcpu *vcpu)
{
	struct perf_event_mmap_page *page = (void *)stage->perf->pages;
	const u8 *data = stage->perf->pages + 4096;
	u64 head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE), tail = page->data_tail;

	while (tail != head) {
		u8 record[1024];
		struct perf_event_header header;
		u64 words[WORDS_MAX];
		u32 size;

		for (u32 i = 0; i < sizeof(header); i++)
			((u8 *)&header)[i] = data[(tail + i) % 4096];
		if (header.size < sizeof(header) || header.size > sizeof(record) ||
		    header.size > head - tail) {
			shadow_wrong(&stage->watcher, "a record's size is torn", header.size);
			tail = head;
			break;
		}
		for (u32 i = 0; i < header.size; i++)
			record[i] = data[(tail + i) % 4096];
		tail += header.size;
		if (header.type != PERF_RECORD_SAMPLE)
			continue;
		memcpy(&size, record + sizeof(header), 4);
		memcpy(words, record + sizeof(header) + 4, header.size - sizeof(header) - 4);
		if (size % 8 != 4 || !is_whole(stage, words, size / 8))
			shadow_wrong(&stage->watcher, "a record is torn", size);
		else if (words[1] <= stage->watcher.seen[words[0] - 1])
			shadow_wrong(&stage->watcher, "a record comes twice or out of order",
				     words[1]);
		else
			stage->watcher.seen[words[0] - 1] = words[1];
	}
	__atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
}

void perf_read_all(struct worker *worker)
{
	rt_perf_readable(worker->stage->perf);
	rt_perf_wakeups(worker->stage->perf);
	perf_operate(worker);
}
