/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_pipe against a trace queue that the test fills: the kernel's line format, what happens when
 * nobody reads, and the place of a line from trace_marker.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "gate/tracepipe.h"
#include "harness/tap.h"

/* The queue: nr_left records, all alike but for their number. */
static u32 nr_left, next_number;
static u64 dropped;

int rt_trace_read(struct rt_trace_record *ret_record)
{
	if (!nr_left)
		return 0;
	nr_left--;
	*ret_record = (struct rt_trace_record){
		.timestamp_ns = 852791599400ull, .pid = 10007, .cpu = 1, .comm = "env"
	};
	ret_record->length = (u32)sprintf(ret_record->text, "number %u", next_number++);
	return 1;
}

u64 rt_trace_dropped(void)
{
	return dropped;
}

static void test_format(void)
{
	/* As a 6.18 kernel printed it (CONTRACT: reference output). */
	static const char want[] = "             env-10007   [001] ...21   852.791599: "
				   "bpf_trace_printk: Hello World!\n";
	struct rt_trace_record record = { .timestamp_ns = 852791599400ull,
					  .pid = 10007,
					  .cpu = 1,
					  .comm = "env",
					  .length = 12,
					  .text = "Hello World!" };
	char line[TRACEPIPE_LINE_MAX + 1];
	u32 length = tracepipe_format(&record, line);

	line[length] = '\0';
	if (!tap_ok(!strcmp(line, want), "a line as the kernel prints it"))
		tap_note("got %s", line);
	record.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	length = tracepipe_format(&record, line);
	line[length] = '\0';
	tap_ok(strstr(line, " [001] ...2.   852.791599: "),
	       "the flags of a raw tracepoint's program");
	record.timestamp_ns = 999999500;
	length = tracepipe_format(&record, line);
	line[length] = '\0';
	tap_ok(strstr(line, "     1.000000: "),
	       "microseconds are rounded, and carry into the seconds");
	memset(record.comm, 'x', sizeof(record.comm));
	record.pid = 4194304;
	record.length = 1u << 31;
	length = tracepipe_format(&record, line);
	tap_ok(length <= TRACEPIPE_LINE_MAX,
	       "a name without NUL and an absurd length stay in bounds");
	tap_ok(!memcmp(line, "xxxxxxxxxxxxxxxx-4194304 [", 26), "all 16 bytes of the name");
}

static u64 drain(int fd, char *text, u64 size)
{
	u64 total = 0;
	ssize_t got;

	while (total < size - 1 && (got = read(fd, text + total, size - 1 - total)) > 0)
		total += (u64)got;
	text[total] = '\0';
	return total;
}

static void test_backlog(const char *path)
{
	static char text[4 << 20];
	struct tracepipe *pipe;
	unsigned long lost = 0, cpu;
	u64 reported = 0;
	char *at;
	int fd;

	if (tracepipe_new(path, 64 << 10, &pipe) < 0)
		tap_bail("no FIFO");
	fd = open(path, O_RDONLY | O_NONBLOCK);
	nr_left = 3;
	tracepipe_pump(pipe);
	tap_ok(!tracepipe_waiting(pipe), "a few lines go straight into the FIFO");
	drain(fd, text, sizeof(text));
	tap_ok(strstr(text, "number 0\n") && strstr(text, "number 2\n"), "the reader gets them");

	nr_left = 20000;
	tap_is(tracepipe_pump(pipe), 0, "nobody misses what has not been taken from the queue");
	tap_ok(tracepipe_more(pipe), "a writer who does not end is left after a full queue");
	tap_is(tracepipe_pump(pipe), 0,
	       "without a reader lines are dropped, and nobody misses them");
	tap_ok(tracepipe_waiting(pipe) && !tracepipe_more(pipe), "the newest wait");
	next_number = 0;
	for (u32 i = 0; i < 100 && tracepipe_waiting(pipe); i++) {
		drain(fd, text + strlen(text), sizeof(text) - strlen(text));
		reported += tracepipe_pump(pipe);
	}
	drain(fd, text + strlen(text), sizeof(text) - strlen(text));
	at = strstr(text, "[LOST ");
	tap_ok(at && sscanf(at, "[LOST %lu EVENTS]\n", &lost) == 1 && lost == reported,
	       "the reader is told how many (%lu)", lost);
	tap_ok(at && sscanf(strstr(text, "CPU:"), "CPU:%lu ", &cpu) == 1, "in the kernel's words");
	tap_ok(strstr(text, "number 20002\n"), "the newest line is there");

	dropped = 7;
	tap_is(tracepipe_pump(pipe), 7, "losses of the queue itself are counted");
	drain(fd, text, sizeof(text));
	tap_ok(strstr(text, "[LOST 7 EVENTS]\n"), "and shown");
	/* Some process has written to the counter. */
	dropped = 1ull << 63;
	tap_is(tracepipe_pump(pipe), 0, "more than can have been printed is not counted");
	dropped = 5;
	tap_is(tracepipe_pump(pipe), 0, "nor is a count that goes back");
	dropped = 8;
	tap_is(tracepipe_pump(pipe), 3, "losses after that are");
	drain(fd, text, sizeof(text));

	nr_left = 1;
	tracepipe_mark(pipe, "done", 4);
	drain(fd, text, sizeof(text));
	at = strstr(text, "bpf_trace_printk: number");
	tap_ok(at && strstr(at, ": tracing_mark_write: done\n"),
	       "a marker comes after what was in the queue");
	tap_ok(read(fd, text, 1) < 0, "an empty pipe would block");
	close(fd);
	tracepipe_free(pipe);
}

int main(void)
{
	char dir[] = "/tmp/skep-test-XXXXXX", path[64];

	if (!mkdtemp(dir))
		tap_bail("no temporary directory");
	snprintf(path, sizeof(path), "%s/trace_pipe", dir);
	test_format();
	test_backlog(path);
	unlink(path);
	rmdir(dir);
	return tap_done();
}
