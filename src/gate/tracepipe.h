/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_pipe: takes records from the trace queue (rt/trace.h), writes lines in the kernel's format
 * into a FIFO, and keeps what the FIFO does not take yet, up to a bound.
 */
#ifndef SKEP_GATE_TRACEPIPE_H
#define SKEP_GATE_TRACEPIPE_H

#include "base/types.h"
#include "rt/trace.h"

struct tracepipe;

#define TRACEPIPE_LINE_MAX (RT_TRACE_TEXT_MAX + 128)

/*
 * The line of a record as kernel/trace/trace_output.c prints it in trace_pipe, with its newline and
 * no NUL. line has TRACEPIPE_LINE_MAX bytes. Returns its length.
 */
u32 tracepipe_format(const struct rt_trace_record *record, char *line);

/* Makes the FIFO at path. backlog_size: bytes of lines that are kept for a reader at most. */
int tracepipe_new(const char *path, u32 backlog_size, struct tracepipe **ret_pipe);
struct tracepipe *tracepipe_free(struct tracepipe *pipe);

/*
 * Moves what there is from the queue to the FIFO. Lines that find no room push out the oldest ones;
 * a line "CPU:N [LOST M EVENTS]" stands in their place. Returns how many lost lines a reader was
 * told of in this call: where nobody reads, nothing is missed, as on the kernel.
 */
u64 tracepipe_pump(struct tracepipe *pipe);

/*
 * Puts a line that was written to trace_marker behind what is in the queue now: the kernel's
 * tracing_mark_write. text has no newline.
 */
void tracepipe_mark(struct tracepipe *pipe, const char *text, u32 length);

/* The last tracepipe_pump() did not reach the end of the queue: call it again soon. */
bool tracepipe_more(const struct tracepipe *pipe);

/* Lines wait for a reader; tracepipe_fd() becomes writable when it has taken some. */
bool tracepipe_waiting(const struct tracepipe *pipe);
int tracepipe_fd(const struct tracepipe *pipe);

#endif
