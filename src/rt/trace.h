/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace queue: what bpf_trace_printk() and bpf_trace_vprintk() print goes as records into one
 * many-producer ring in the data segment; the supervisor takes them out, formats lines as the
 * kernel's trace_pipe does, and counts what was dropped. Producers may die at any instruction: a
 * record that was reserved and never committed is skipped once its producer is gone.
 */
#ifndef SKEP_RT_TRACE_H
#define SKEP_RT_TRACE_H

#include "base/types.h"

struct rt_vcpu;

#define RT_TRACE_TEXT_MAX 1024

struct rt_trace_record {
	u64 timestamp_ns; /* CLOCK_MONOTONIC, as trace_clock "local" shows it */
	u32 pid;
	u32 cpu;
	u32 prog_type; /* enum bpf_prog_type of the program that prints: decides a column of the
			  line */
	char comm[16];
	u32 length; /* bytes of text; text is not NUL-terminated */
	char text[RT_TRACE_TEXT_MAX];
};

/* Puts one text into the queue. 0, or -ENOSPC (counted in the queue's drop counter). */
long rt_trace_write(struct rt_vcpu *vcpu, const char *text, u32 length);

/*
 * Supervisor: takes the oldest record. 1 and *ret_record written, 0 when the queue is empty.
 * Everything in the queue is hostile; what is returned is checked.
 */
int rt_trace_read(struct rt_trace_record *ret_record);

/* Records lost so far for lack of room, or torn by a producer's death. */
u64 rt_trace_dropped(void);

/*
 * Wake-ups: producers (trace queue, ring buffers, perf buffers) bump a shared word and wake a
 * waiter only if there is one. Supervisor: rt_wake_prepare() announces a waiter and returns the
 * word; after checking that there is nothing to do, rt_wake_wait() sleeps until the word changes or
 * timeout_ns passed (-1: none).
 */
u32 rt_wake_prepare(void);
void rt_wake_wait(u32 seen, s64 timeout_ns);
void rt_wake_signal(void);

#endif
