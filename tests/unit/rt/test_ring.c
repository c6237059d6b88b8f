/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers, perf buffers and the trace queue: the bytes that clients see, when they are woken,
 * records of dead producers, hostile positions, many producers with one consumer.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/tap.h"
#include "map_env.h"
#include "rt/buffer.h"
#include "rt/ring.h"
#include "rt/shared.h"
#include "rt/trace.h"

/* What a client sees through its mappings. */
static u64 *consumer(const struct rt_map *map)
{
	return (u64 *)(void *)map->data;
}

static u64 *producer(const struct rt_map *map)
{
	return (u64 *)(void *)(map->data + 4096);
}

static u32 *header(const struct rt_map *map, u64 position)
{
	return (u32 *)(void *)(map->data + 8192 + position % map->max_entries);
}

static void test_records(struct arena *arena, struct rt_vcpu *vcpu)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_RINGBUF, 0, 0, 8192, 0);
	u8 *a, *b;

	tap_is(rt_ringbuf_query(map, BPF_RB_RING_SIZE), 8192, "ring: size");
	tap_ok(!rt_ringbuf_readable(map), "ring: nothing to read");
	a = rt_ringbuf_reserve(map, 13, vcpu);
	b = rt_ringbuf_reserve(map, 16, vcpu);
	tap_ok(a == (u8 *)header(map, 0) + 8 && b == a + 16 + 8, "ring: where records lie");
	tap_is(header(map, 0)[0], 13 | BPF_RINGBUF_BUSY_BIT, "ring: reserved is busy");
	tap_is(header(map, 0)[1], 3, "ring: page offset of the first page");
	tap_is(*producer(map), 24 + 24, "ring: producer position");
	rt_ringbuf_commit(b, 0, false);
	tap_is(header(map, 24)[0], 16, "ring: committed");
	tap_ok(!rt_ringbuf_readable(map), "ring: the first record is still busy");
	tap_is(rt_ringbuf_wakeups(map), 0, "ring: no wake-up for the second");
	rt_ringbuf_commit(a, 0, true);
	tap_is(header(map, 0)[0], 13 | BPF_RINGBUF_DISCARD_BIT, "ring: discarded");
	tap_is(rt_ringbuf_wakeups(map), 1, "ring: a wake-up where the consumer is");
	tap_ok(rt_ringbuf_readable(map), "ring: readable");
	tap_is(rt_ringbuf_query(map, BPF_RB_AVAIL_DATA), 48, "ring: available");
	*consumer(map) = 48;
	tap_is(rt_ringbuf_output(map, "x", 1, BPF_RB_NO_WAKEUP, vcpu), 0, "ring: output");
	tap_is(rt_ringbuf_wakeups(map), 1, "ring: NO_WAKEUP");
	tap_is(rt_ringbuf_output(map, "x", 1, BPF_RB_FORCE_WAKEUP, vcpu), 0, "ring: output");
	tap_is(rt_ringbuf_wakeups(map), 2, "ring: FORCE_WAKEUP");
	tap_is(rt_ringbuf_output(map, "x", 1, 0, vcpu), 0, "ring: output");
	tap_is(rt_ringbuf_wakeups(map), 2, "ring: the consumer is not there yet");
	tap_is(rt_ringbuf_output(map, "x", 1, 4, vcpu), -EINVAL, "ring: bad flags");
	tap_is(rt_ringbuf_query(map, BPF_RB_CONS_POS), 48, "ring: consumer position");
	tap_is(rt_ringbuf_query(map, 17), 0, "ring: unknown query");
	tap_ok(!rt_ringbuf_reserve(map, 8192, vcpu), "ring: too long");
	tap_is(rt_map_update_elem(map, &a, &a, 0, vcpu), -524, "ring: no elements");
	env_map_free(arena, map);
}

static void test_room(struct arena *arena, struct rt_vcpu *vcpu)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	u8 data[1016];
	u32 nr = 0;
	u8 *held;

	memset(data, 'd', sizeof(data));
	while (rt_ringbuf_output(map, data, sizeof(data), 0, vcpu) == 0)
		nr++;
	tap_is(nr, 3, "room: never filled to the last byte");
	tap_is(rt_ringbuf_output(map, data, 8, 0, vcpu), 0, "room: a smaller one fits");
	*consumer(map) = *producer(map);
	held = rt_ringbuf_reserve(map, 1016, vcpu);
	tap_ok(held && held + 1016 > map->data + 8192 + 4096, "room: runs on behind the end");
	memset(held, 'h', 1016);
	*consumer(map) = *producer(map) + 2048; /* A lie: the held record must stay safe. */
	nr = 0;
	while (nr < 100 && rt_ringbuf_output(map, data, 1016, 0, vcpu) == 0)
		nr++;
	tap_ok(nr < 4 && held[0] == 'h' && held[1015] == 'h',
	       "room: a lying consumer does not overwrite what is reserved");
	rt_ringbuf_commit(held, 0, false);
	for (u64 seed = 1; seed < 3000; seed++) {
		u64 state = seed;

		*producer(map) = env_random(&state);
		producer(map)[1] = env_random(&state);
		*consumer(map) = env_random(&state);
		header(map, seed * 8)[0] = (u32)env_random(&state);
		header(map, seed * 16)[1] = (u32)env_random(&state);
		held = rt_ringbuf_reserve(map, seed % 600, vcpu);
		if (held && (held < map->data + 8192 || held + 600 > map->data + 8192 + 8192))
			tap_bail("a record outside the ring");
		if (held) {
			((u32 *)(void *)held)[-1] = (u32)env_random(&state);
			rt_ringbuf_commit(held, 0, false);
		}
		rt_ringbuf_readable(map);
		rt_ringbuf_reap(map);
	}
	tap_ok(true, "room: hostile positions end in records inside the ring or in none");
	env_map_free(arena, map);
}

static void test_dead(struct arena *arena, struct rt_vcpu *vcpu)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	u32 fits = 0;
	pid_t pid = fork();

	if (pid == 0) {
		rt_process_begin(false, 0);
		rt_ringbuf_reserve(map, 100, env_vcpu());
		kill(getpid(), SIGKILL);
	}
	waitpid(pid, NULL, 0);
	tap_is(rt_ringbuf_output(map, "after", 5, 0, vcpu), 0, "dead: another record");
	tap_ok(!rt_ringbuf_readable(map), "dead: the dead producer's record is in the way");
	tap_is(rt_ringbuf_reap(map), 1, "dead: reaped");
	tap_ok(rt_ringbuf_readable(map), "dead: readable");
	tap_is(header(map, 0)[0], 100 | BPF_RINGBUF_DISCARD_BIT, "dead: discarded");
	tap_is(rt_ringbuf_reap(map), 0, "dead: only once");
	*consumer(map) = *producer(map);
	pid = fork();
	if (pid == 0) {
		rt_process_begin(false, 0);
		rt_ringbuf_reserve(map, 100, env_vcpu());
		kill(getpid(), SIGKILL);
	}
	waitpid(pid, NULL, 0);
	/* Producers do not wait for the supervisor's sweep when room is short. */
	for (u32 i = 0; i < 100; i++) {
		fits += rt_ringbuf_output(map, "0123456789", 10, 0, vcpu) == 0;
		*consumer(map) = *producer(map);
	}
	tap_is(fits, 100, "dead: producers pass over it");
	env_map_free(arena, map);
}

#define PRODUCERS 3
#define RECORDS	  (UNDER_SANITIZER ? 5000u : 30000u)

struct producer_arg {
	pthread_t thread;
	struct rt_map *map;
	u32 number, sent;
};

static void *produce(void *arg)
{
	struct producer_arg *self = arg;

	while (self->sent < RECORDS) {
		struct rt_vcpu *vcpu = rt_vcpu_acquire((u32)gettid());
		u32 *sample;

		if (!vcpu)
			continue;
		sample = rt_ringbuf_reserve(self->map, 8 + self->sent % 64, vcpu);
		if (sample) {
			__atomic_store_n(&sample[0], self->number, __ATOMIC_RELAXED);
			__atomic_store_n(&sample[1], self->sent++, __ATOMIC_RELAXED);
			rt_ringbuf_commit(sample, 0, false);
		}
		rt_vcpu_release(vcpu);
	}
	return NULL;
}

/* As libbpf consumes: headers from the first half, records contiguous. */
static u32 consume(struct rt_map *map, u32 *next, u32 *wrong)
{
	u64 at = *consumer(map), end = __atomic_load_n(producer(map), __ATOMIC_ACQUIRE);
	u32 nr = 0;

	while (at < end) {
		u32 *head = header(map, at), length = __atomic_load_n(head, __ATOMIC_ACQUIRE);

		if (length & BPF_RINGBUF_BUSY_BIT)
			break;
		u32 who = __atomic_load_n(&head[2], __ATOMIC_RELAXED),
		    which = __atomic_load_n(&head[3], __ATOMIC_RELAXED);

		*wrong += who >= PRODUCERS || next[who % PRODUCERS] != which ||
			  length != 8 + which % 64;
		next[who % PRODUCERS] = which + 1;
		at += ALIGN_UP(length + 8, 8u);
		__atomic_store_n(consumer(map), at, __ATOMIC_RELEASE);
		nr++;
	}
	return nr;
}

static void test_many(struct arena *arena)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	struct producer_arg producers[PRODUCERS];
	u32 next[PRODUCERS] = { 0 }, wrong = 0, got = 0;

	for (u32 i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer_arg){ .map = map, .number = i };
		pthread_create(&producers[i].thread, NULL, produce, &producers[i]);
	}
	while (got < PRODUCERS * RECORDS)
		got += consume(map, next, &wrong);
	for (u32 i = 0; i < PRODUCERS; i++)
		pthread_join(producers[i].thread, NULL);
	tap_is(wrong, 0, "many: each producer's records are whole and in order");
	tap_is(got, PRODUCERS * RECORDS, "many: all of them");
	env_map_free(arena, map);
}

static void test_trace(struct rt_vcpu *vcpu)
{
	struct rt_trace_record record;
	char text[RT_TRACE_TEXT_MAX + 100];
	u32 word = RT_SHARED->wake.word;
	u64 dropped;

	tap_is(rt_trace_read(&record), 0, "trace: empty");
	vcpu->task.flags = RT_TASK_HAS_COMM;
	memcpy(vcpu->task.comm, "abc", 4);
	tap_is(rt_trace_write(vcpu, "hello", 5), 0, "trace: write");
	tap_ok(RT_SHARED->wake.word != word, "trace: wakes");
	tap_is(rt_trace_read(&record), 1, "trace: read");
	tap_ok(record.length == 5 && !memcmp(record.text, "hello", 5), "trace: text");
	tap_ok(!strcmp(record.comm, "abc") && record.pid == vcpu->task.pid &&
		       record.cpu == vcpu->index && record.timestamp_ns,
	       "trace: who and when");
	memset(text, 't', sizeof(text));
	tap_is(rt_trace_write(vcpu, text, sizeof(text)), 0, "trace: a long text");
	rt_trace_read(&record);
	tap_is(record.length, RT_TRACE_TEXT_MAX, "trace: is cut");
	dropped = rt_trace_dropped();
	for (u32 i = 0; i < 2000; i++)
		rt_trace_write(vcpu, text, 1000);
	tap_ok(rt_trace_dropped() > dropped, "trace: what finds no room is counted");
	dropped = rt_trace_dropped() - dropped;
	while (rt_trace_read(&record))
		dropped++;
	tap_is(dropped, 2000, "trace: read and dropped are all");
	/* Garbage in the queue. */
	for (u64 i = 0; i < 300; i++) {
		u64 state = i, *memory = (u64 *)RT_TRACE_BASE;

		rt_trace_write(vcpu, "x", 1);
		memory[i % 3 == 0   ? 0
		       : i % 3 == 1 ? 512
				    : 1024 + env_random(&state) % 1000] = env_random(&state);
		for (u32 j = 0; j < 100000 && rt_trace_read(&record); j++)
			if (record.length > RT_TRACE_TEXT_MAX)
				tap_bail("a text that is too long");
	}
	tap_ok(true, "trace: garbage is survived");
}

static void test_wake(void)
{
	u32 seen = rt_wake_prepare();

	rt_wake_signal();
	rt_wake_wait(seen, -1);
	tap_ok(true, "wake: a signal before the wait ends it at once");
	seen = rt_wake_prepare();
	rt_wake_wait(seen, 1000000);
	tap_ok(true, "wake: a wait without signal ends by its timeout");
}

static struct rt_perf_buffer *perf_new(struct arena *arena, u32 pages, u32 sample_type)
{
	struct rt_perf_buffer *buffer = arena_alloc(arena, ARENA_CONTROL, sizeof(*buffer), 64);

	*buffer = (struct rt_perf_buffer){ .data_pages = pages,
					   .sample_type = sample_type,
					   .id = 0x1234,
					   .cpu = -1,
					   .lost = arena_alloc(arena, ARENA_DATA, 8, 8) };
	buffer->pages = arena_alloc(arena, ARENA_DATA, rt_perf_memory_size(pages), 4096);
	rt_perf_init(buffer->pages, pages);
	return buffer;
}

static void test_perf(struct arena *arena, struct rt_vcpu *vcpu)
{
	struct rt_perf_buffer *buffer =
		perf_new(arena, 1, PERF_SAMPLE_RAW | PERF_SAMPLE_TIME | PERF_SAMPLE_TID);
	struct perf_event_mmap_page *page = (void *)buffer->pages;
	u8 *data = buffer->pages + 4096;
	struct perf_event_header *record = (void *)data;
	u64 lost_at, nr = 0;
	u8 *long_data = calloc(1, 1 << 16);

	tap_is(page->data_offset, 4096, "perf: data offset");
	tap_is(page->data_size, 4096, "perf: data size");
	tap_is(rt_perf_output(buffer, "hello", 5, vcpu), 0, "perf: output");
	tap_is(record->type, PERF_RECORD_SAMPLE, "perf: a sample");
	tap_is(record->size, 8 + 8 + 8 + 16, "perf: its size");
	tap_is(page->data_head, 40, "perf: head");
	tap_is(*(u32 *)(void *)(data + 8), vcpu->task.tgid, "perf: process");
	tap_is(*(u32 *)(void *)(data + 12), vcpu->task.pid, "perf: thread");
	tap_ok(*(u64 *)(void *)(data + 16) != 0, "perf: time");
	tap_is(*(u32 *)(void *)(data + 24), 12, "perf: raw size is padded");
	tap_ok(!memcmp(data + 28, "hello\0\0\0\0\0\0\0", 12), "perf: raw bytes and padding");
	tap_ok(rt_perf_readable(buffer), "perf: readable");
	while (rt_perf_output(buffer, "hello", 5, vcpu) == 0)
		nr++;
	tap_is(nr, (4096 - 1) / 40 - 1, "perf: until it is full");
	tap_is(rt_perf_output(buffer, "hello", 5, vcpu), -ENOSPC, "perf: then no space");
	tap_is(*buffer->lost, 2, "perf: lost ones are counted");
	tap_is(rt_perf_wakeups(buffer), 1, "perf: one wake-up past half of the buffer");
	page->data_tail = page->data_head;
	lost_at = page->data_head;
	tap_is(rt_perf_output(buffer, "hello", 5, vcpu), 0, "perf: room again");
	record = (void *)(data + lost_at % 4096);
	tap_is(record->type, PERF_RECORD_LOST, "perf: first the lost ones are told");
	tap_is(record->size, 24, "perf: size of that");
	tap_is(((u64 *)(void *)record)[1], 0x1234, "perf: its id");
	tap_is(((u64 *)(void *)(data + (lost_at + 16) % 4096))[0], 2, "perf: how many");
	tap_is(page->data_head, lost_at + 24 + 40, "perf: then the sample");
	tap_is(*buffer->lost, 0, "perf: told once");
	for (u64 i = 0; i < 1000; i++) {
		u64 state = i;

		page->data_tail = env_random(&state);
		page->data_head = env_random(&state);
		rt_perf_output(buffer, long_data, i % 700, vcpu);
	}
	tap_is(rt_perf_output(buffer, long_data, 1 << 16, vcpu), -E2BIG, "perf: too long a record");
	buffer->pages = NULL;
	tap_is(rt_perf_output(buffer, "hello", 5, vcpu), -ENOENT, "perf: not mapped");
	tap_ok(!rt_perf_readable(buffer), "perf: not readable");
	buffer = perf_new(arena, 2, PERF_SAMPLE_RAW);
	buffer->wakeup_events = 3;
	for (u32 i = 0; i < 7; i++)
		rt_perf_output(buffer, "hello", 5, vcpu);
	tap_is(rt_perf_wakeups(buffer), 2, "perf: a wake-up every third event");
	free(long_data);
}

int main(void)
{
	struct arena *arena = env_new(4);
	struct rt_vcpu *vcpu = env_vcpu();

	test_records(arena, vcpu);
	test_room(arena, vcpu);
	test_dead(arena, vcpu);
	test_perf(arena, vcpu);
	test_trace(vcpu);
	test_wake();
	rt_vcpu_release(vcpu);
	test_many(arena);
	arena_free(arena);
	return tap_done();
}
