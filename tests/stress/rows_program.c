/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only programs do: they drain rings that a client fills, and take pages of an arena.
 */
#include <errno.h>
#include <string.h>

#include "rt/buffer.h"
#include "rt/page_arena.h"
#include "rt/prog.h"
#include "rt/ring.h"
#include "stress.h"

#define INSN(c, d, s, o, i)                                                              \
	{                                                                                \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (s16)(o), .imm = (i) \
	}

struct sample {
	u64 number, inverse, thrice, spare;
};

#define RECORD (sizeof(struct rt_ring_header) + sizeof(struct sample))

static struct rt_ring ring_of(const struct stage *stage)
{
	return (struct rt_ring){ .memory = stage->map->data, .mask = stage->map->max_entries - 1 };
}

/* What the client does, which alone fills the ring: the first worker. */
static void produce(struct stage *stage)
{
	struct rt_ring ring = ring_of(stage);
	u64 at = rt_ring_producer(&ring)->position & ~7ull, number = at / RECORD + 1;
	u64 taken = __atomic_load_n(&rt_ring_consumer(&ring)->position, __ATOMIC_ACQUIRE);
	u8 *data = ring.memory + RT_RING_POSITION_PAGES * RT_RING_PAGE;
	const struct sample sample = { number, ~number, 3 * number, 0 };

	if (at - taken > stage->map->max_entries - RECORD)
		return;
	/* As libbpf has it: behind a header at the ring's end the sample is at its beginning. */
	memcpy(data + ((at + sizeof(struct rt_ring_header)) & ring.mask), &sample, sizeof(sample));
	__atomic_store_n((u32 *)(void *)(data + (at & ring.mask)), sizeof(sample),
			 __ATOMIC_RELEASE);
	__atomic_store_n(&rt_ring_producer(&ring)->position, at + RECORD, __ATOMIC_RELEASE);
}

/* The next sample, by a program whose callback copies it to its context and wants no more. */
static long drain_one(struct stage *stage, struct sample *ret_sample, struct rt_vcpu *vcpu)
{
	static const struct bpf_insn insns[] = {
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 3, 1, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 2, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, sizeof(struct sample)),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 5, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_dynptr_read),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	static const struct rt_subprog subprogs[] = { { 0, 0 }, { 1, 0 } };
	static const struct rt_prog prog = {
		.nr_insns = ARRAY_SIZE(insns),
		.nr_subprogs = ARRAY_SIZE(subprogs),
		.insns = insns,
		.subprogs = subprogs,
	};

	memset(ret_sample, 0, sizeof(*ret_sample));
	vcpu->prog = &prog;
	vcpu->frame = 0;
	vcpu->aborted = false;
	return rt_user_ringbuf_drain(stage->map, 1, (u64)ret_sample, BPF_RB_NO_WAKEUP, vcpu);
}

void user_ring_operate(struct worker *worker)
{
	struct shadow *shadow = worker->shadow;
	struct sample sample;
	long nr;

	if (worker->index == 0 && worker_random(worker, 2)) {
		produce(worker->stage);
		return;
	}
	shadow_begin(shadow, 0, 0);
	nr = drain_one(worker->stage, &sample, worker->vcpu);
	if (nr < 0 && nr != -EBUSY)
		worker_error(worker, "a drain gives an error", nr);
	if (nr > 0) {
		if (nr != 1 || sample.inverse != ~sample.number ||
		    sample.thrice != 3 * sample.number)
			worker_wrong(worker, "a sample is torn");
		else if (sample.number <= shadow->last_put)
			worker_wrong(worker, "a sample comes twice or out of order");
		shadow->last_put = sample.number;
		SHADOW_STORE(shadow->takes, shadow->takes + 1);
	}
	shadow_end(shadow);
}

void user_ring_read_all(struct worker *worker)
{
	struct sample sample;

	produce(worker->stage);
	drain_one(worker->stage, &sample, worker->vcpu);
	rt_user_ringbuf_full(worker->stage->map);
}

/* The dead one's sample may be gone uncounted, or come again. */
void user_ring_settle(struct worker *dead)
{
	struct shadow *shadow = dead->shadow;

	if (shadow->changes % 2 == 0)
		return;
	dead->stage->watcher.takes++;
	shadow_end(shadow);
}

void user_ring_finish(struct stage *stage, struct rt_vcpu *vcpu)
{
	struct rt_ring ring = ring_of(stage);
	u64 taken, takes = 0;
	struct sample sample;

	while (drain_one(stage, &sample, vcpu) > 0)
		takes++;
	for (u32 i = 0; i < stage->nr_workers; i++)
		takes += stage->shadows[i].takes;
	taken = rt_ring_consumer(&ring)->position;
	if (taken != rt_ring_producer(&ring)->position || taken % RECORD)
		shadow_wrong(&stage->watcher, "at the end: the ring is not empty", taken);
	taken /= RECORD;
	if (takes > taken || takes + stage->watcher.takes < taken)
		shadow_wrong(&stage->watcher, "samples came twice or are lost", taken - takes);
}

#define START	   0x4000100000ull
#define PAGE	   4096u
#define PAGES_ONCE 3u
#define LAST_WORD  (PAGE - sizeof(u64))

void pages_open(struct stage *stage)
{
	stage->map->user_start = START;
	stage->map->user_size = (u64)stage->map->max_entries * PAGE;
}

static u64 *word_at(const struct stage *stage, u64 address, s32 offset)
{
	return rt_page_arena_at(stage->map, address, offset, sizeof(u64));
}

/* A page's first and last word: `from` becomes `to`. */
static bool exchange_page(struct stage *stage, u64 address, u64 from, u64 to)
{
	u64 *first = word_at(stage, address, 0), *last = word_at(stage, address, LAST_WORD);

	return first && last && __atomic_exchange_n(first, to, __ATOMIC_ACQ_REL) == from &&
	       __atomic_exchange_n(last, to, __ATOMIC_ACQ_REL) == from;
}

static u64 stamp_of(const struct worker *worker, u32 key)
{
	return (u64)(worker->index + 1) << 32 | (key + 1);
}

/* A run of pages that the worker has, as its record notes it: the address, and how many. */
static void take_pages(struct worker *worker, u32 key)
{
	struct stage *stage = worker->stage;
	u32 nr = 1 + (u32)worker_random(worker, PAGES_ONCE);
	u64 where = START + worker_random(worker, stage->map->max_entries) * PAGE;
	u64 address = rt_page_arena_alloc(stage->map, worker_random(worker, 2) ? where : 0, nr, -1,
					  worker->vcpu);

	for (u32 i = 0; address && i < nr; i++)
		if (!exchange_page(stage, address + (u64)i * PAGE, 0, stamp_of(worker, key)))
			worker_wrong(worker, "a new page is not there or not empty");
	SHADOW_STORE(worker->shadow->now[key], address ? address | nr : 0);
}

static bool has_pages(struct worker *worker, u32 key)
{
	u64 noted = worker->shadow->now[key], stamp = stamp_of(worker, key);
	bool has = true;

	for (u32 i = 0; i < noted % PAGE; i++)
		has &= exchange_page(worker->stage, noted - noted % PAGE + (u64)i * PAGE, stamp,
				     stamp);
	return has;
}

void pages_operate(struct worker *worker)
{
	struct shadow *shadow = worker->shadow;
	u32 key = (u32)worker_random(worker, STRESS_KEYS);
	u64 noted = shadow->now[key];

	if (noted && !has_pages(worker, key))
		worker_wrong(worker, "a page is another's");
	if (noted && worker_random(worker, 2))
		return;
	shadow_begin(shadow, key, key + 1);
	if (noted) {
		SHADOW_STORE(shadow->now[key], 0);
		rt_page_arena_free(worker->stage->map, noted - noted % PAGE, (u32)(noted % PAGE),
				   worker->vcpu);
	} else {
		take_pages(worker, key);
	}
	shadow_end(shadow);
}

void pages_read_all(struct worker *worker)
{
	struct stage *stage = worker->stage;
	u64 address = START + worker_random(worker, (u64)stage->map->max_entries * PAGE + PAGE);
	u64 *found = word_at(stage, address, (s32)worker_random(worker, 4096) - 2048);

	if (found)
		worker->random += *(const volatile u8 *)found;
	rt_page_arena_reserve(stage->map, address & ~(u64)(PAGE - 1), 2, worker->vcpu);
	rt_page_arena_free(stage->map, address, 5, worker->vcpu);
}

/* What the dead one was about to get or to give back may be lost to all. */
void pages_settle(struct worker *dead)
{
	struct shadow *shadow = dead->shadow;
	bool in_doubt = shadow->changes % 2;

	if (in_doubt) {
		SHADOW_STORE(shadow->now[shadow->from], 0);
		dead->stage->watcher.takes += PAGES_ONCE;
		shadow_end(shadow);
	}
	for (u32 key = 0; key < STRESS_KEYS; key++)
		if (!has_pages(dead, key))
			shadow_wrong(shadow, "after a death: a page is another's", key);
}

void pages_finish(struct stage *stage, struct rt_vcpu *vcpu)
{
	u64 noted = 0, there = 0;
	u32 nr = stage->map->max_entries;

	for (u32 i = 0; i < stage->nr_workers; i++)
		for (u32 key = 0; key < STRESS_KEYS; key++)
			noted += stage->shadows[i].now[key] % PAGE;
	for (u32 i = 0; i < nr; i++)
		there += word_at(stage, START + (u64)i * PAGE, 0) != NULL;
	if (there < noted || there > noted + stage->watcher.takes)
		shadow_wrong(&stage->watcher, "at the end: pages are lost", there - noted);
	rt_page_arena_free(stage->map, START, nr, vcpu);
	if (rt_page_arena_alloc(stage->map, 0, nr, -1, vcpu) != START)
		shadow_wrong(&stage->watcher, "at the end: not all pages can be had", 0);
	for (u32 i = 0; i < nr; i += 97)
		if (!exchange_page(stage, START + (u64)i * PAGE, 0, 0))
			shadow_wrong(&stage->watcher, "at the end: a page is not empty", i);
}
