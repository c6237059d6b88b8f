/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program's two streams, stdout and stderr (kernel/bpf/stream.c): text that it wrote, or that was
 * said about it, until a client reads it with PROG_STREAM_READ_BY_FD. Each is a ring of texts in
 * the data segment, written by whoever runs the program and read by the supervisor; nothing in it
 * is trusted. What fits is counted in bytes of text, as in the kernel; very short texts can fill
 * the ring before that, which then is the kernel's lack of memory.
 */
#ifndef SKEP_RT_STREAM_H
#define SKEP_RT_STREAM_H

#include "base/types.h"

struct rt_prog;
struct rt_vcpu;

#define RT_STREAM_STDOUT   1u /* enum bpf_stream_id */
#define RT_STREAM_STDERR   2u
#define RT_STREAM_CAPACITY 100000u /* BPF_STREAM_MAX_CAPACITY: fewer bytes are in a stream */
#define RT_STREAM_TEXT_MAX 1024u   /* MAX_BPRINTF_BUF */

/* Bytes of data for both streams of a program, zeroed: rt_prog.streams. */
u64 rt_stream_memory_size(void);

/*
 * Appends a text: 0, -ENOENT no such stream, -ENOSPC it is full, -ENOMEM the text is too long, the
 * ring is full, or this program has no streams.
 */
long rt_stream_write(const struct rt_prog *prog, u32 stream, const char *text, u64 length,
		     struct rt_vcpu *vcpu);

/*
 * What the kernel says on stderr of a program whose loop it ended, and where: text is the first
 * line, with its end.
 */
void rt_stream_report(const struct rt_prog *prog, const char *text, struct rt_vcpu *vcpu);

/* Supervisor: the oldest text and its length, or NULL; and that it has been read. */
const char *rt_stream_peek(const struct rt_prog *prog, u32 stream, u32 *ret_length);
void rt_stream_consume(const struct rt_prog *prog, u32 stream, const char *text, u32 length);

#endif
