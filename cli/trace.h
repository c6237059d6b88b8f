/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_pipe as a stream of whole lines on standard output, in the kernel's format or as JSON, and
 * nothing of before trace_open() or after trace_finish(): both put a mark of their own into the
 * stream.
 */
#ifndef SKEP_CLI_TRACE_H
#define SKEP_CLI_TRACE_H

#include <stdbool.h>

struct trace;

/* Opens trace_pipe; what is in it already is skipped. NULL after saying why not. */
struct trace *trace_open(bool json);

/* To poll for reading. */
int trace_fd(const struct trace *trace);

/* Prints what is there now. False when the stream has ended. */
bool trace_forward(struct trace *trace);

/* Prints everything that was written before this call. */
void trace_finish(struct trace *trace);

/* Takes NULL. */
void trace_close(struct trace *trace);

#endif
