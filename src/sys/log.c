/* SPDX-License-Identifier: BSD-2-Clause */
/* See log.h. Room grows with the text, so that a client's claim of a gigabyte costs nothing. */
#include "sys/log.h"
#include "base/alloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int sys_log_init(struct sys_log *log, u32 level, u64 address, u32 size)
{
	memset(log, 0, sizeof(*log));
	log->level = level;
	log->address = address;
	log->total = size;
	if (!address != !size || (address && !level) || level & ~ABI_LOG_MASK ||
	    size > UINT32_MAX >> 2)
		return -EINVAL;
	return 0;
}

/* Makes room for text up to position end, as far as the client's buffer goes. */
static bool reserve(struct sys_log *log, u64 end)
{
	u64 room = log->room ? log->room : 4096;
	char *ring;

	while (room < end && room < log->total)
		room *= 2;
	if (room > log->total)
		room = log->total;
	if (room <= log->room)
		return true;
	/* Until the ring is as large as the client's buffer nothing has wrapped around yet. */
	ring = base_realloc(log->ring, room, 1);
	if (!ring) {
		log->failed = true;
		return false;
	}
	log->ring = ring;
	log->room = room;
	return true;
}

void sys_log_write(void *arg, const char *text, u64 size)
{
	struct sys_log *log = arg;
	u64 at, part;

	if (!log->level || !size)
		return;
	if (log->address && !log->failed && reserve(log, log->end + size)) {
		u64 from = 0;

		if (log->level & ABI_LOG_FIXED) {
			part = log->end < log->room ? log->room - log->end : 0;
			memcpy(log->ring + (part ? log->end : 0), text, part < size ? part : size);
		} else {
			if (size > log->room)
				from = size - log->room;
			for (; from < size; from += part) {
				at = (log->end + from) % log->room;
				part = log->room - at < size - from ? log->room - at : size - from;
				memcpy(log->ring + at, text + from, part);
			}
		}
	}
	log->end += size;
	if (log->end + 1 > log->longest)
		log->longest = log->end + 1;
}

void sys_log_printf(struct sys_log *log, const char *format, ...)
{
	char text[1024];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length > 0)
		sys_log_write(log, text,
			      length < (int)sizeof(text) ? (u64)length : sizeof(text) - 1);
}

/* The newest total - 1 bytes and a NUL, beginning at the buffer's start; BPF_LOG_FIXED: the oldest.
 */
static int write_out(struct sys_call *call, const struct sys_log *log)
{
	u64 keep = log->end, start = 0, at, part, done;

	if (keep > log->total - 1) {
		keep = log->total - 1;
		start = log->level & ABI_LOG_FIXED ? 0 : log->end - keep;
	}
	for (done = 0; done < keep; done += part) {
		at = (start + done) % log->room;
		part = log->room - at < keep - done ? log->room - at : keep - done;
		if (sys_write(call, log->address + done, log->ring + at, part))
			return -EFAULT;
	}
	return sys_write(call, log->address + keep, "", 1);
}

int sys_log_finish(struct sys_call *call, struct sys_log *log, u32 *ret_true_size)
{
	int error = 0;

	*ret_true_size = log->longest > UINT32_MAX ? UINT32_MAX : (u32)log->longest;
	if (log->failed)
		error = -ENOMEM;
	else if (log->address && log->end)
		error = write_out(call, log);
	if (!error && log->address && log->longest > log->total)
		error = -ENOSPC;
	log->ring = base_free(log->ring);
	return error;
}
