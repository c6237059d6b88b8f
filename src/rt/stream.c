/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See stream.h. In memory: for each stream a page with the count of its bytes, then a ring
 * (rt/ring.h). Whoever dies between counting and writing leaves a count too high; it is set right
 * when a reader finds the ring empty.
 */
#include "rt/stream.h"

#include <linux/errno.h>

#include "rt/helper.h"
#include "rt/helper/families.h"
#include "rt/clock.h"
#include "rt/mem.h"
#include "rt/prog.h"
#include "rt/ring.h"
#include "rt/vcpu.h"

#define RING_SIZE  (512UL << 10)
#define REPORT_MAX 512u
#define COMM_SIZE  16u

static u64 one_size(void)
{
	return RT_RING_PAGE + rt_ring_memory_size(RING_SIZE);
}

u64 rt_stream_memory_size(void)
{
	return 2 * one_size();
}

/* Where a stream lies; NULL: the program has none. */
static u8 *memory_of(const struct rt_prog *prog, u32 stream)
{
	return prog && prog->streams ? prog->streams + (stream - RT_STREAM_STDOUT) * one_size()
				     : NULL;
}

static struct rt_ring ring_of(u8 *memory)
{
	return (struct rt_ring){ .memory = memory + RT_RING_PAGE, .mask = RING_SIZE - 1 };
}

static u32 *count_of(u8 *memory)
{
	return (u32 *)(void *)memory;
}

/* Takes room of a stream: false if it is full. */
static bool count(u8 *memory, u32 length)
{
	u32 *bytes = count_of(memory), before = __atomic_load_n(bytes, __ATOMIC_RELAXED);

	do {
		if (before >= RT_STREAM_CAPACITY || before + length >= RT_STREAM_CAPACITY)
			return false;
	} while (!__atomic_compare_exchange_n(bytes, &before, before + length, true,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

static void uncount(u8 *memory, u32 length)
{
	u32 *bytes = count_of(memory), before = __atomic_load_n(bytes, __ATOMIC_RELAXED);

	while (!__atomic_compare_exchange_n(bytes, &before, before < length ? 0 : before - length,
					    true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		continue;
}

long rt_stream_write(const struct rt_prog *prog, u32 stream, const char *text, u64 length,
		     struct rt_vcpu *vcpu)
{
	struct rt_ring ring;
	u8 *memory;
	char *record;

	if (stream != RT_STREAM_STDOUT && stream != RT_STREAM_STDERR)
		return -ENOENT;
	memory = memory_of(prog, stream);
	if (!memory || length > RT_STREAM_TEXT_MAX)
		return -ENOMEM;
	if (!count(memory, (u32)length))
		return -ENOSPC;
	if (!length)
		return 0;
	ring = ring_of(memory);
	record = rt_ring_reserve(&ring, length, vcpu);
	if (!record) {
		uncount(memory, (u32)length);
		return -ENOMEM;
	}
	memcpy(record, text, length);
	rt_ring_commit(record, BPF_RB_NO_WAKEUP, false);
	return 0;
}

const char *rt_stream_peek(const struct rt_prog *prog, u32 stream, u32 *ret_length)
{
	u8 *memory = memory_of(prog, stream);
	struct rt_ring ring;
	const char *text;
	u32 counted;

	if (!memory)
		return NULL;
	ring = ring_of(memory);
	counted = __atomic_load_n(count_of(memory), __ATOMIC_RELAXED);
	text = rt_ring_peek(&ring, ret_length);
	if (!text && counted && !rt_ring_available(&ring))
		__atomic_compare_exchange_n(count_of(memory), &counted, 0, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
	return text;
}

void rt_stream_consume(const struct rt_prog *prog, u32 stream, const char *text, u32 length)
{
	u8 *memory = memory_of(prog, stream);
	struct rt_ring ring = ring_of(memory);

	rt_ring_consume(&ring, text, length);
	uncount(memory, length);
}

struct report {
	char text[REPORT_MAX];
	u32 used;
};

static void put(struct report *report, const char *text)
{
	while (*text && report->used < REPORT_MAX)
		report->text[report->used++] = *text++;
}

static void put_number(struct report *report, u64 number, u32 base)
{
	char digits[24];
	u32 at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	put(report, &digits[at]);
}

void rt_stream_report(const struct rt_prog *prog, const char *text, struct rt_vcpu *vcpu)
{
	struct report report = { .used = 0 };
	char name[BPF_OBJ_NAME_LEN + 1] = { 0 }, comm[COMM_SIZE];

	if (!prog->streams)
		return;
	rt_task_comm(vcpu, comm);
	memcpy(name, prog->name, BPF_OBJ_NAME_LEN);
	put(&report, text);
	put(&report, "CPU: ");
	put_number(&report, vcpu->index, 10);
	put(&report, " UID: ");
	put_number(&report, (u32)rt_helper_get_current_uid_gid(0, 0, 0, 0, 0, vcpu), 10);
	put(&report, " PID: ");
	put_number(&report, vcpu->task.pid, 10);
	put(&report, " Comm: ");
	put(&report, comm);
	put(&report, "\nCall trace:\nbpf_prog_");
	put(&report, name);
	put(&report, "\n\n");
	rt_stream_write(prog, RT_STREAM_STDERR, report.text, report.used, vcpu);
}
