/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FIFO is held open for reading and writing, so that it exists without a reader and no write
 * can raise SIGPIPE. Each line is written whole: it is shorter than PIPE_BUF. What does not fit
 * waits in a ring of lines, each with its length before it; when that is full, the oldest line goes
 * and is counted.
 */
#include "gate/tracepipe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/clock.h"

/* Nobody prints a line in less; and on how many CPUs at most. */
#define LINE_NS_MIN 10
#define CPUS_MAX    1024

#define PUMP_MAX 16384u /* texts in a full queue, most of them short */

struct tracepipe {
	int fd;
	u32 size;	   /* of the ring */
	u32 head, used;	   /* the oldest byte; bytes in use */
	u64 pushed_out;	   /* lines that left the ring unread and are not reported yet */
	u64 queue_dropped; /* rt_trace_dropped() when it was last asked */
	u64 asked_ns;	   /* and when that was; CLOCK_MONOTONIC */
	u32 cpu;	   /* of the last line: the kernel reports losses by CPU */
	bool more;	   /* texts may have been left in the queue */
	char ring[];
};

/*
 * The flags of a line: interrupts on, no reschedule, process context, how deep preemption and
 * migration are disabled. On 6.18 that depends on what the program hangs on, and else is always the
 * same.
 */
static const char *trace_flags(u32 prog_type)
{
	bool raw = prog_type == BPF_PROG_TYPE_RAW_TRACEPOINT || prog_type == BPF_PROG_TYPE_TRACING;

	return raw ? "...2." : "...21";
}

static u32 format_line(const struct rt_trace_record *record, const char *flags,
		       const char *function, char *line)
{
	u64 microseconds = (record->timestamp_ns + 500) / 1000;
	u32 length = record->length < RT_TRACE_TEXT_MAX ? record->length : RT_TRACE_TEXT_MAX;
	int prefix =
		snprintf(line, TRACEPIPE_LINE_MAX - RT_TRACE_TEXT_MAX,
			 "%16.16s-%-7u [%03u] %s %5llu.%06llu: %s: ", record->comm, record->pid,
			 record->cpu, flags, (unsigned long long)(microseconds / 1000000),
			 (unsigned long long)(microseconds % 1000000), function);

	memcpy(line + prefix, record->text, length);
	line[(u32)prefix + length] = '\n';
	return (u32)prefix + length + 1;
}

u32 tracepipe_format(const struct rt_trace_record *record, char *line)
{
	return format_line(record, trace_flags(record->prog_type), "bpf_trace_printk", line);
}

int tracepipe_new(const char *path, u32 backlog_size, struct tracepipe **ret_pipe)
{
	struct tracepipe *pipe = base_zalloc(1, sizeof(*pipe) + backlog_size);
	int error;

	if (!pipe)
		return -ENOMEM;
	pipe->size = backlog_size;
	pipe->asked_ns = base_clock_ns(CLOCK_MONOTONIC);
	if (mkfifo(path, 0600) < 0 ||
	    (pipe->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0) {
		error = -errno;
		base_free(pipe);
		return error;
	}
	*ret_pipe = pipe;
	return 0;
}

struct tracepipe *tracepipe_free(struct tracepipe *pipe)
{
	if (pipe) {
		close(pipe->fd);
		base_free(pipe);
	}
	return NULL;
}

static void ring_get(const struct tracepipe *pipe, u32 at, void *to, u32 size)
{
	u32 first = pipe->size - at < size ? pipe->size - at : size;

	memcpy(to, pipe->ring + at, first);
	memcpy((char *)to + first, pipe->ring, size - first);
}

static void ring_put(struct tracepipe *pipe, const void *from, u32 size)
{
	u32 at = (pipe->head + pipe->used) % pipe->size;
	u32 first = pipe->size - at < size ? pipe->size - at : size;

	memcpy(pipe->ring + at, from, first);
	memcpy(pipe->ring, (const char *)from + first, size - first);
	pipe->used += size;
}

static u16 oldest_length(const struct tracepipe *pipe)
{
	u16 length;

	ring_get(pipe, pipe->head, &length, sizeof(length));
	return length;
}

static void drop_oldest(struct tracepipe *pipe)
{
	u32 size = (u32)sizeof(u16) + oldest_length(pipe);

	pipe->head = (pipe->head + size) % pipe->size;
	pipe->used -= size;
}

static void push(struct tracepipe *pipe, const char *line, u32 length)
{
	u32 size = (u32)sizeof(u16) + length;
	u16 prefix = (u16)length;

	while (pipe->size - pipe->used < size) {
		drop_oldest(pipe);
		pipe->pushed_out++;
	}
	ring_put(pipe, &prefix, sizeof(prefix));
	ring_put(pipe, line, length);
}

/* Writes waiting lines until the FIFO is full. Returns the number of lost ones that it reported. */
static u64 flush(struct tracepipe *pipe)
{
	struct pollfd room = { pipe->fd, POLLOUT, 0 };
	char line[TRACEPIPE_LINE_MAX];
	u64 reported = 0;

	while (pipe->used || pipe->pushed_out) {
		u32 length;

		if (pipe->pushed_out) {
			/* It is short: it would find room where nobody has read yet. */
			if (poll(&room, 1, 0) != 1)
				break;
			length = (u32)snprintf(line, sizeof(line), "CPU:%u [LOST %llu EVENTS]\n",
					       pipe->cpu, (unsigned long long)pipe->pushed_out);
		} else {
			length = oldest_length(pipe);
			ring_get(pipe, (pipe->head + (u32)sizeof(u16)) % pipe->size, line, length);
		}
		if (write(pipe->fd, line, length) != (ssize_t)length)
			break;
		if (pipe->pushed_out) {
			reported += pipe->pushed_out;
			pipe->pushed_out = 0;
		} else {
			drop_oldest(pipe);
		}
	}
	return reported;
}

/*
 * What the queue itself has lost since the last time. Its counter lies where any process can write
 * to it: more than could have been printed since then is no count, and nothing is told of it.
 */
static u64 lost_in_queue(struct tracepipe *pipe)
{
	u64 dropped = rt_trace_dropped(), now = base_clock_ns(CLOCK_MONOTONIC);
	u64 lost = dropped - pipe->queue_dropped;
	u64 most = (now - pipe->asked_ns) / LINE_NS_MIN * CPUS_MAX;

	pipe->queue_dropped = dropped;
	pipe->asked_ns = now;
	return lost <= most ? lost : 0;
}

u64 tracepipe_pump(struct tracepipe *pipe)
{
	struct rt_trace_record record;
	char line[TRACEPIPE_LINE_MAX];
	u64 reported;

	pipe->pushed_out += lost_in_queue(pipe);
	reported = flush(pipe);
	/* As many as were in the queue when this began: whoever fills it faster does not keep us.
	 */
	for (u32 i = 0; i < PUMP_MAX; i++) {
		pipe->more = rt_trace_read(&record) > 0;
		if (!pipe->more)
			break;
		pipe->cpu = record.cpu;
		push(pipe, line, tracepipe_format(&record, line));
		reported += flush(pipe);
	}
	return reported;
}

void tracepipe_mark(struct tracepipe *pipe, const char *text, u32 length)
{
	struct rt_trace_record record = { .comm = "<...>" };
	char line[TRACEPIPE_LINE_MAX];

	record.timestamp_ns = base_clock_ns(CLOCK_MONOTONIC);
	record.length = length < RT_TRACE_TEXT_MAX ? length : RT_TRACE_TEXT_MAX;
	memcpy(record.text, text, record.length);
	tracepipe_pump(pipe);
	push(pipe, line, format_line(&record, ".....", "tracing_mark_write", line));
	flush(pipe);
}

bool tracepipe_more(const struct tracepipe *pipe)
{
	return pipe->more;
}

bool tracepipe_waiting(const struct tracepipe *pipe)
{
	return pipe->used || pipe->pushed_out;
}

int tracepipe_fd(const struct tracepipe *pipe)
{
	return pipe->fd;
}
