/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace queue: a ring (rt/ring.h) at a fixed place of the data segment, whose records are a
 * struct rt_trace_record without the unused end of its text; and the wake word, a futex that all
 * processes of the hive share.
 */
#include <linux/errno.h>
#include "rt/clock.h"
#include "rt/mem.h"
#include "rt/prog.h"
#include "rt/ring.h"
#include "rt/shared.h"
#include "rt/sys.h"
#include "rt/trace.h"
#include "rt/vcpu.h"

#define QUEUE_SIZE  (1UL << 20)
#define TEXT_OFFSET offsetof(struct rt_trace_record, text)
#define TORN_MAX    4096 /* records that one reading passes over */

/* <linux/futex.h>: not the PRIVATE forms, since the waiter is another process. */
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1

_Static_assert(RT_RING_POSITION_PAGES *RT_RING_PAGE + 2 * QUEUE_SIZE + QUEUE_SIZE / 2 <=
		       RT_TRACE_SIZE,
	       "the trace queue fits its place");

static struct rt_ring queue(void)
{
	return (struct rt_ring){ .memory = (u8 *)RT_TRACE_BASE, .mask = QUEUE_SIZE - 1 };
}

long rt_trace_write(struct rt_vcpu *vcpu, const char *text, u32 length)
{
	struct rt_ring ring = queue();
	struct rt_trace_record *record;

	if (length > RT_TRACE_TEXT_MAX)
		length = RT_TRACE_TEXT_MAX;
	record = rt_ring_reserve(&ring, TEXT_OFFSET + length, vcpu);
	if (!record)
		return -ENOSPC;
	record->timestamp_ns = rt_clock_ns(vcpu, RT_CLOCK_MONOTONIC);
	record->pid = vcpu->task.pid;
	record->cpu = vcpu->index;
	record->prog_type = vcpu->prog ? vcpu->prog->type : BPF_PROG_TYPE_UNSPEC;
	rt_task_comm(vcpu, record->comm);
	record->length = length;
	memcpy(record->text, text, length);
	if (rt_ring_commit(record, 0, false))
		rt_wake_signal();
	return 0;
}

int rt_trace_read(struct rt_trace_record *ret_record)
{
	struct rt_ring ring = queue();
	const u8 *bytes;
	u32 size;

	for (u32 i = 0; i < TORN_MAX && (bytes = rt_ring_peek(&ring, &size)) != NULL; i++) {
		bool whole = size >= TEXT_OFFSET && size <= sizeof(*ret_record);

		if (whole)
			memcpy(ret_record, bytes, size);
		rt_ring_consume(&ring, bytes, size);
		if (!whole || ret_record->length > size - TEXT_OFFSET) {
			__atomic_fetch_add(&rt_ring_producer(&ring)->torn, 1, __ATOMIC_RELAXED);
			continue;
		}
		ret_record->comm[sizeof(ret_record->comm) - 1] = '\0';
		return 1;
	}
	return 0;
}

u64 rt_trace_dropped(void)
{
	struct rt_ring ring = queue();
	const struct rt_ring_producer *page = rt_ring_producer(&ring);

	return __atomic_load_n(&page->dropped, __ATOMIC_RELAXED) +
	       __atomic_load_n(&page->torn, __ATOMIC_RELAXED);
}

u32 rt_wake_prepare(void)
{
	/* Announce, then read: a producer changes the word, then looks for waiters. */
	__atomic_store_n(&RT_SHARED->wake.waiters, 1, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&RT_SHARED->wake.word, __ATOMIC_SEQ_CST);
}

void rt_wake_wait(u32 seen, s64 timeout_ns)
{
	struct __kernel_timespec timeout = { .tv_sec = timeout_ns / 1000000000,
					     .tv_nsec = timeout_ns % 1000000000 };

	rt_sys_futex(&RT_SHARED->wake.word, FUTEX_WAIT, seen, timeout_ns < 0 ? NULL : &timeout);
	__atomic_store_n(&RT_SHARED->wake.waiters, 0, __ATOMIC_RELAXED);
}

void rt_wake_signal(void)
{
	__atomic_fetch_add(&RT_SHARED->wake.word, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&RT_SHARED->wake.waiters, __ATOMIC_SEQ_CST))
		rt_sys_futex(&RT_SHARED->wake.word, FUTEX_WAKE, 1, NULL);
}
