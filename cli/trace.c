/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See trace.h. The marks are lines written to trace_marker, which come back through trace_pipe in
 * their place; where that file cannot be written, "empty for a moment" has to do.
 */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "say.h"

#define TRACE_DIR "/sys/kernel/tracing/"

#define MARK "skep mark " /* then numbers that make it unique */

#define MARK_TIMEOUT_MS	 5000	    /* without a line, before a mark is given up */
#define QUIET_TIMEOUT_MS 100	    /* the same where there are no marks */
#define CATCH_UP_MS	 60000	    /* at most, whatever comes */
#define LINE_MAX_BYTES	 (64 << 10) /* longer ones are passed on in pieces */

struct trace {
	int fd;
	bool json, skipping, finishing, ended;
	unsigned marks;
	char mark[64]; /* awaited; "" if none */
	char *line;    /* a line that is not whole yet */
	size_t length;
};

/* One line as the kernel prints it: "%16s-%-7d [%03d] %s %5lu.%06lu: EVENT: TEXT". */
struct trace_line {
	char comm[17];
	int pid, cpu;
	char flags[8];
	double time;
	char event[32];
	const char *text;
};

static bool parse_line(const char *line, struct trace_line *ret)
{
	int at = 0;

	if (strlen(line) < 17)
		return false;
	/* The name may hold any character; its column ends where it always does. */
	memcpy(ret->comm, line, 16);
	ret->comm[16] = '\0';
	memmove(ret->comm, ret->comm + strspn(ret->comm, " "),
		strlen(ret->comm) - strspn(ret->comm, " ") + 1);
	if (sscanf(line + 16, "-%d [%d] %7s %lf: %31[^:]:%n", &ret->pid, &ret->cpu, ret->flags,
		   &ret->time, ret->event, &at) < 5 ||
	    !at)
		return false;
	ret->text = line + 16 + at;
	if (*ret->text == ' ')
		ret->text++;
	return true;
}

static void print_json(const char *line)
{
	struct json_object *object = json_object_new_object();
	struct trace_line parsed = { 0 };
	const char *text;
	unsigned long lost;
	int cpu;

	if (parse_line(line, &parsed)) {
		char time[32];

		snprintf(time, sizeof(time), "%.6f", parsed.time);
		json_object_object_add(object, "comm", json_object_new_string(parsed.comm));
		json_object_object_add(object, "pid", json_object_new_int(parsed.pid));
		json_object_object_add(object, "cpu", json_object_new_int(parsed.cpu));
		json_object_object_add(object, "flags", json_object_new_string(parsed.flags));
		json_object_object_add(object, "time", json_object_new_double_s(parsed.time, time));
		json_object_object_add(object, "event", json_object_new_string(parsed.event));
		json_object_object_add(object, "text", json_object_new_string(parsed.text));
	} else if (sscanf(line, "CPU:%d [LOST %lu EVENTS]", &cpu, &lost) == 2) {
		json_object_object_add(object, "cpu", json_object_new_int(cpu));
		json_object_object_add(object, "lost", json_object_new_int64((int64_t)lost));
	} else {
		json_object_object_add(object, "line", json_object_new_string(line));
	}
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	dprintf(STDOUT_FILENO, "%s\n", text);
	json_object_put(object);
}

/* A whole line, with its newline at the end; it is overwritten by JSON's NUL. */
static void take_line(struct trace *trace, char *line, size_t length)
{
	static const char foreign_mark[] = ": tracing_mark_write: " MARK;

	if (*trace->mark && memmem(line, length, trace->mark, strlen(trace->mark))) {
		*trace->mark = '\0';
		trace->skipping = trace->finishing;
		return;
	}
	if (trace->skipping || memmem(line, length, foreign_mark, strlen(foreign_mark)))
		return;
	if (trace->json) {
		line[length - 1] = '\0';
		print_json(line);
	} else if (write_all(STDOUT_FILENO, line, length)) {
		trace->ended = true; /* nobody reads standard output any more */
	}
}

/* Adds bytes to the line in progress, and takes every line that they complete. */
static void take_bytes(struct trace *trace, const char *bytes, size_t size)
{
	while (size) {
		const char *end = memchr(bytes, '\n', size);
		size_t part = end ? (size_t)(end - bytes) + 1 : size;

		if (part > LINE_MAX_BYTES - trace->length - 1)
			part = LINE_MAX_BYTES - trace->length - 1;
		memcpy(trace->line + trace->length, bytes, part);
		trace->length += part;
		bytes += part;
		size -= part;
		if (trace->line[trace->length - 1] != '\n' && trace->length < LINE_MAX_BYTES - 1)
			continue;
		if (trace->line[trace->length - 1] != '\n')
			trace->line[trace->length++] = '\n';
		take_line(trace, trace->line, trace->length);
		trace->length = 0;
	}
}

bool trace_forward(struct trace *trace)
{
	char bytes[16 << 10];
	ssize_t size = trace->ended ? 0 : read(trace->fd, bytes, sizeof(bytes));

	/*
	 * One read, not "until it is empty": on the kernel, a program that prints at each system
	 * call prints at this one too, and there would be no end.
	 */
	if (size > 0)
		take_bytes(trace, bytes, (size_t)size);
	else if (size == 0 || (errno != EINTR && errno != EAGAIN))
		trace->ended = true;
	return !trace->ended;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Puts a mark into the stream. False where there is no way to. */
static bool put_mark(struct trace *trace)
{
	int fd = open(TRACE_DIR "trace_marker", O_WRONLY | O_CLOEXEC);
	int length = snprintf(trace->mark, sizeof(trace->mark), MARK "%d-%u-%lld", getpid(),
			      trace->marks++, now_ms());
	bool done = fd >= 0 && write(fd, trace->mark, (size_t)length) == length;

	if (fd >= 0)
		close(fd);
	if (!done)
		*trace->mark = '\0';
	return done;
}

/* Takes everything up to here. */
static void catch_up(struct trace *trace)
{
	struct pollfd ready = { .fd = trace->fd, .events = POLLIN };
	bool marked = put_mark(trace);
	int patience = marked ? MARK_TIMEOUT_MS : QUIET_TIMEOUT_MS;
	long long end = now_ms() + CATCH_UP_MS;

	while ((!marked || *trace->mark) && now_ms() < end && poll(&ready, 1, patience) != 0)
		if (!trace_forward(trace))
			break;
	if (marked && *trace->mark && !trace->ended)
		say("trace_pipe did not give back a mark; lines may be missing");
	*trace->mark = '\0';
}

/* Somebody has stopped the kernel's tracing: trace_pipe gives nothing, and no error. */
static bool is_stopped(void)
{
	int fd = open(TRACE_DIR "tracing_on", O_RDONLY | O_CLOEXEC);
	char state = '1';
	bool known = fd >= 0 && read(fd, &state, 1) == 1;

	if (fd >= 0)
		close(fd);
	return known && state == '0';
}

struct trace *trace_open(bool json)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	if (trace)
		trace->line = malloc(LINE_MAX_BYTES);
	if (!trace || !trace->line) {
		free(trace);
		say("out of memory");
		return NULL;
	}
	trace->json = json;
	trace->fd = open(TRACE_DIR "trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (trace->fd < 0) {
		say(TRACE_DIR "trace_pipe cannot be read: %s", strerror(errno));
		free(trace->line);
		free(trace);
		return NULL;
	}
	if (is_stopped())
		say(TRACE_DIR
		    "tracing_on is 0: what programs print is lost until somebody writes 1 "
		    "there");
	trace->skipping = true;
	catch_up(trace);
	trace->skipping = false;
	return trace;
}

int trace_fd(const struct trace *trace)
{
	return trace->fd;
}

void trace_finish(struct trace *trace)
{
	trace->finishing = true;
	catch_up(trace);
}

void trace_close(struct trace *trace)
{
	if (!trace)
		return;
	close(trace->fd);
	free(trace->line);
	free(trace);
}
