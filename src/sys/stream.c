/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROG_STREAM_READ_BY_FD: what a program wrote with bpf_stream_vprintk(). A text that the client
 * takes a part of stays until it has all of it. Rules: bpf_stream_read() in kernel/bpf/stream.c.
 */
#include "rt/stream.h"
#include "sys/hive.h"

#include <errno.h>
#include <limits.h>

/* Bytes of a text that the client gets at once. */
static u32 part(u32 rest, u32 room)
{
	return rest < room ? rest : room;
}

static long read_texts(struct sys_call *call, struct sys_prog *prog, u32 stream, u32 length)
{
	u64 address = call->attr.prog_stream_read.stream_buf;
	u32 *taken = &prog->streams_read[stream - RT_STREAM_STDOUT], done = 0, size;
	const char *text;

	while (done < length && (text = rt_stream_peek(prog->rt, stream, &size))) {
		/* Whoever scribbles over the ring may have made the text shorter. */
		u32 from = *taken < size ? *taken : size, now = part(size - from, length - done);

		if (sys_write(call, address + done, text + from, now))
			return -EFAULT;
		done += now;
		*taken = from + now;
		if (*taken < size)
			break;
		rt_stream_consume(prog->rt, stream, text, size);
		*taken = 0;
	}
	return done;
}

long sys_stream_read(struct sys_call *call)
{
	const union abi_attr *attr = &call->attr;
	u32 stream = attr->prog_stream_read.stream_id;
	u32 length = attr->prog_stream_read.stream_buf_len;
	struct sys_prog *prog;
	long result;

	result = sys_prog_by_fd(call, attr->prog_stream_read.prog_fd, &prog);
	if (result)
		return result;
	if (stream != RT_STREAM_STDOUT && stream != RT_STREAM_STDERR)
		result = -ENOENT;
	else
		result = read_texts(call, prog, stream, part(length, INT_MAX));
	sys_prog_put(prog);
	return result;
}
