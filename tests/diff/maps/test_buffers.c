/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers and perf buffers filled by the running kernel and by the data plane in the same way:
 * equal results, positions and bytes, as a client sees them in its mappings (without what depends
 * on time).
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../unit/rt/map_env.h"
#include "harness/tap.h"
#include "kernel.h"
#include "rt/buffer.h"
#include "rt/helper.h"

#define RING_SIZE 4096
#define STEPS	  3000
#define PERF_SIZE 4096

/* A program whose result is that of one call on a map: (map, 256 bytes of the stack, size, flags).
 */
struct action {
	u32 size;
	u32 flags;
	bool reserve; /* reserve, then submit or discard */
	bool discard;
	int prog;
};

static struct action actions[] = {
	{ .size = 1 },
	{ .size = 8 },
	{ .size = 200 },
	{ .size = 16, .flags = BPF_RB_NO_WAKEUP },
	{ .size = 24, .flags = BPF_RB_FORCE_WAKEUP },
	{ .size = 10, .flags = 4 },
	{ .size = 0 },
	{ .size = 100, .reserve = true },
	{ .size = 33, .reserve = true, .discard = true },
	{ .size = 2000, .reserve = true },
	{ .size = 5000, .reserve = true },
};

static struct bpf_insn *fill_stack(struct bpf_insn *p)
{
	for (u32 i = 0; i < 256; i += 4)
		*p++ = INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -256 + (int)i, 0x01020304 * i);
	return p;
}

static int ring_prog(const struct action *action, int map)
{
	struct bpf_insn insns[128], *p = fill_stack(insns);

	*p++ = LOAD64(1, BPF_PSEUDO_MAP_FD, map);
	*p++ = LOAD64_HIGH(0);
	if (action->reserve) {
		*p++ = MOV_IMM(2, action->size);
		*p++ = MOV_IMM(3, action->flags);
		*p++ = CALL(BPF_FUNC_ringbuf_reserve);
		/* No room: 1. */
		*p++ = INSN(BPF_JMP | BPF_JNE | BPF_K, 0, 0, 2, 0);
		*p++ = MOV_IMM(0, 1);
		*p++ = EXIT();
		*p++ = INSN(BPF_ST | BPF_MEM | BPF_DW, 0, 0, 0, 0x55aa);
		*p++ = MOV_REG(1, 0);
		*p++ = MOV_IMM(2, 0);
		*p++ = CALL(action->discard ? BPF_FUNC_ringbuf_discard : BPF_FUNC_ringbuf_submit);
		*p++ = MOV_IMM(0, 0);
	} else {
		*p++ = MOV_REG(2, 10);
		*p++ = ADD_IMM(2, -256);
		*p++ = MOV_IMM(3, action->size);
		*p++ = MOV_IMM(4, action->flags);
		*p++ = CALL(BPF_FUNC_ringbuf_output);
	}
	*p++ = EXIT();
	return kernel_prog(BPF_PROG_TYPE_SOCKET_FILTER, insns, (u32)(p - insns));
}

static u32 ring_ours(const struct action *action, const struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 stack[64];
	u64 sample;

	for (u32 i = 0; i < 256; i += 4)
		stack[i / 4] = 0x01020304 * i;
	if (!action->reserve)
		return (u32)rt_helpers[BPF_FUNC_ringbuf_output]((u64)map, (u64)stack, action->size,
								action->flags, 0, vcpu);
	sample = rt_helpers[BPF_FUNC_ringbuf_reserve]((u64)map, action->size, action->flags, 0, 0,
						      vcpu);
	if (!sample)
		return 1;
	*(u64 *)sample = 0x55aa;
	rt_helpers[action->discard ? BPF_FUNC_ringbuf_discard : BPF_FUNC_ringbuf_submit](
		sample, 0, 0, 0, 0, vcpu);
	return 0;
}

/* The record at a position: header and bytes, of which reserved ones have 8 that were written. */
static bool same_record(const u8 *kernel, const u8 *ours, const struct action *action)
{
	u64 bytes = action->reserve ? 8 : action->size;

	return !memcmp(kernel, ours, 8 + bytes);
}

static void test_ring(struct arena *arena, struct rt_vcpu *vcpu)
{
	int fd = kernel_map(BPF_MAP_TYPE_RINGBUF, 0, 0, RING_SIZE, 0);
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_RINGBUF, 0, 0, RING_SIZE, 0);
	u64 *kernel_consumer = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	const u8 *kernel = mmap(NULL, 4096 + 2 * RING_SIZE, PROT_READ, MAP_SHARED, fd, 4096);
	u64 *consumer = (u64 *)(void *)map->data, seed = 5;
	const u8 *ours = map->data + 4096;
	u32 differ = 0, refused = 0;

	if (kernel_consumer == MAP_FAILED || kernel == MAP_FAILED)
		tap_bail("the kernel's ring buffer cannot be mapped");
	for (u32 i = 0; i < ARRAY_SIZE(actions); i++) {
		actions[i].prog = ring_prog(&actions[i], fd);
		if (actions[i].prog < 0)
			tap_bail("program %u: %d", i, actions[i].prog);
	}
	for (u32 i = 0; i < STEPS && differ < 5; i++) {
		u64 r = env_random(&seed), at = *(const u64 *)(const void *)kernel;
		const struct action *action = &actions[r % ARRAY_SIZE(actions)];
		u32 theirs, mine;
		bool equal;

		kernel_run(action->prog, &theirs);
		mine = ring_ours(action, map, vcpu);
		equal = theirs == mine &&
			*(const u64 *)(const void *)ours == *(const u64 *)(const void *)kernel;
		if (equal && mine == 0)
			equal = same_record(kernel + 4096 + at % RING_SIZE,
					    ours + 4096 + at % RING_SIZE, action);
		if (!equal)
			tap_note("step %u, size %u: kernel %d, ours %d", i, action->size,
				 (int)theirs, (int)mine);
		refused += mine != 0;
		differ += !equal;
		/* The consumer catches up now and then. */
		if ((r >> 32) % 8 == 0)
			*kernel_consumer = *consumer = *(const u64 *)(const void *)kernel;
	}
	tap_ok(!differ && refused > STEPS / 10 && refused < STEPS / 2,
	       "ring buffer: %u steps as the kernel, %u of them without room", STEPS, refused);
	for (u32 i = 0; i < ARRAY_SIZE(actions); i++)
		close(actions[i].prog);
	close(fd);
	env_map_free(arena, map);
}

static int perf_open(u64 sample_type)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_BPF_OUTPUT,
					.sample_type = sample_type,
					.sample_period = 1,
					.wakeup_events = 1 };

	return (int)syscall(__NR_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Runs a raw tracepoint's program on CPU 0. */
static long run_on_cpu_0(int prog, u32 *ret_value)
{
	union bpf_attr attr;
	u64 args[2] = { 0 };
	long error;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (u32)prog;
	attr.test.ctx_in = (u64)args;
	attr.test.ctx_size_in = sizeof(args);
	attr.test.flags = BPF_F_TEST_RUN_ON_CPU;
	error = kernel_bpf(BPF_PROG_TEST_RUN, &attr);
	*ret_value = attr.test.retval;
	return error;
}

static int perf_prog(int map, u32 size, u32 flags_low, u32 flags_high)
{
	struct bpf_insn insns[128], *p = insns;

	*p++ = MOV_REG(6, 1);
	p = fill_stack(p);
	*p++ = MOV_REG(1, 6);
	*p++ = LOAD64(2, BPF_PSEUDO_MAP_FD, map);
	*p++ = LOAD64_HIGH(0);
	*p++ = LOAD64(3, 0, flags_low);
	*p++ = LOAD64_HIGH(flags_high);
	*p++ = MOV_REG(4, 10);
	*p++ = ADD_IMM(4, -256);
	*p++ = MOV_IMM(5, size);
	*p++ = CALL(BPF_FUNC_perf_event_output);
	*p++ = EXIT();
	return kernel_prog(BPF_PROG_TYPE_RAW_TRACEPOINT, insns, (u32)(p - insns));
}

/* What differs by nature: time and thread of a sample, and padding, which the kernel leaves as it
 * was. */
static void blank(u8 *record, u32 sample_type, u32 size)
{
	const struct perf_event_header *header = (void *)record;
	u8 *at = record + 8;
	u64 padding = ALIGN_UP(size + 4UL, 8) - 4 - size;

	if (header->type != PERF_RECORD_SAMPLE)
		return;
	memset(record + header->size - padding, 0, padding);
	if (sample_type & PERF_SAMPLE_IP)
		memset(at, 0, 8), at += 8;
	if (sample_type & PERF_SAMPLE_TID)
		memset(at, 0, 8), at += 8;
	if (sample_type & PERF_SAMPLE_TIME)
		memset(at, 0, 8);
}

/* Copies size bytes at a position out of a perf ring. */
static void copy_ring(u8 *to, const u8 *pages, u64 at, u64 size)
{
	for (u64 i = 0; i < size; i++)
		to[i] = pages[4096 + (at + i) % PERF_SIZE];
}

static bool same_records(u8 *kernel, u8 *ours, u64 from, u64 to, u32 sample_type, u32 size)
{
	while (from < to) {
		static u8 a[PERF_SIZE], b[PERF_SIZE];
		struct perf_event_header header;

		copy_ring((u8 *)&header, kernel, from, sizeof(header));
		if (header.size < 8 || header.size > PERF_SIZE)
			return false;
		copy_ring(a, kernel, from, header.size);
		copy_ring(b, ours, from, header.size);
		blank(a, sample_type, size);
		blank(b, sample_type, size);
		if (header.type == PERF_RECORD_LOST) /* the event's id is another */
			memcpy(b + 8, a + 8, 8);
		if (memcmp(a, b, header.size) != 0) {
			tap_note("record at %llu: type %u misc %u size %u differs (ours %u %u %u)",
				 (unsigned long long)from, header.type, header.misc, header.size,
				 ((struct perf_event_header *)(void *)b)->type,
				 ((struct perf_event_header *)(void *)b)->misc,
				 ((struct perf_event_header *)(void *)b)->size);
			for (u32 i = 0; i < header.size; i += 8)
				tap_note("  %3u: %016llx %016llx", i,
					 *(unsigned long long *)(void *)(a + i),
					 *(unsigned long long *)(void *)(b + i));
			return false;
		}
		from += header.size;
	}
	return true;
}

struct perf_case {
	u32 size, low, high;
	int prog;
};

static void test_perf(struct arena *arena, struct rt_vcpu *vcpu, u32 sample_type)
{
	static struct perf_case cases[] = {
		{ .size = 1, .low = 0xffffffff },   { .size = 12, .low = 0xffffffff },
		{ .size = 200, .low = 0xffffffff }, { .size = 4, .low = 0 },
		{ .size = 0, .low = 0xffffffff },   { .size = 8, .low = 1 },
		{ .size = 8, .low = 77 },	    { .size = 8, .low = 0, .high = 1 },
	};
	int fd = kernel_map(BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 2, 0),
	    event = perf_open(sample_type);
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 2, 0);
	struct rt_perf_buffer *buffer = arena_alloc(arena, ARENA_CONTROL, sizeof(*buffer), 64);
	u8 *kernel = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
	struct perf_event_mmap_page *theirs = (void *)kernel, *mine;
	u32 key = 0, differ = 0, full = 0;
	u64 seed = sample_type;

	if (event < 0 || kernel == MAP_FAILED || kernel_update(fd, &key, &event, 0)) {
		tap_skip(1, "no perf events here");
		return;
	}
	*buffer = (struct rt_perf_buffer){ .data_pages = 1,
					   .sample_type = sample_type,
					   .cpu = 0,
					   .wakeup_events = 1,
					   .lost = arena_alloc(arena, ARENA_DATA, 8, 8),
					   .pages = arena_alloc(arena, ARENA_DATA, 8192, 4096) };
	rt_perf_init(buffer->pages, 1);
	mine = (void *)buffer->pages;
	rt_map_set_object(map, 0, buffer);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		cases[i].prog = perf_prog(fd, cases[i].size, cases[i].low, cases[i].high);
		if (cases[i].prog < 0)
			tap_bail("program %u: %d", i, cases[i].prog);
	}
	for (u32 i = 0; i < STEPS && differ < 5; i++) {
		u64 r = env_random(&seed), from = theirs->data_head;
		const struct perf_case *c = &cases[r % ARRAY_SIZE(cases)];
		u32 stack[64], kernel_result, ours;

		for (u32 j = 0; j < 256; j += 4)
			stack[j / 4] = 0x01020304 * j;
		if (run_on_cpu_0(c->prog, &kernel_result))
			tap_bail("the kernel does not run a raw tracepoint's program");
		ours = (u32)rt_helpers[BPF_FUNC_perf_event_output](
			0, (u64)map, (u64)c->high << 32 | c->low, (u64)stack, c->size, vcpu);
		if (kernel_result != ours || theirs->data_head != mine->data_head ||
		    !same_records(kernel, buffer->pages, from, theirs->data_head, sample_type,
				  c->size)) {
			tap_note("step %u, size %u: kernel %d, ours %d; head %llu, %llu", i,
				 c->size, (int)kernel_result, (int)ours,
				 (unsigned long long)theirs->data_head,
				 (unsigned long long)mine->data_head);
			differ++;
		}
		full += (s32)ours == -ENOSPC;
		if ((r >> 32) % 64 == 0)
			theirs->data_tail = mine->data_tail = theirs->data_head;
	}
	tap_ok(!differ && full > 0, "perf buffer, sample type %x: %u steps as the kernel, %u lost",
	       sample_type, STEPS, full);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		close(cases[i].prog);
	munmap(kernel, 8192);
	close(event);
	close(fd);
	env_map_free(arena, map);
}

int main(void)
{
	struct arena *arena;
	struct rt_vcpu *vcpu;

	if (!tap_kernel_bpf()) {
		tap_skip(1, "the kernel's bpf(2) is not to be had");
		return tap_done();
	}
	arena = env_new(1);
	vcpu = env_vcpu();
	test_ring(arena, vcpu);
	test_perf(arena, vcpu, PERF_SAMPLE_RAW);
	test_perf(arena, vcpu, PERF_SAMPLE_RAW | PERF_SAMPLE_TIME);
	test_perf(arena, vcpu,
		  PERF_SAMPLE_RAW | PERF_SAMPLE_TIME | PERF_SAMPLE_TID | PERF_SAMPLE_IP |
			  PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD | PERF_SAMPLE_ADDR);
	rt_vcpu_release(vcpu);
	arena_free(arena);
	return tap_done();
}
