/* SPDX-License-Identifier: BSD-2-Clause */
/* See say.h. A sentence goes out in one write, so that it is not mixed with what the workload
 * prints. */
#include "say.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

int write_all(int fd, const void *data, size_t size)
{
	const char *next = data;

	while (size) {
		ssize_t written = write(fd, next, size);
		struct pollfd room = { .fd = fd, .events = POLLOUT };

		if (written >= 0) {
			next += written;
			size -= (size_t)written;
		} else if (errno == EAGAIN) {
			poll(&room, 1, -1);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

void say(const char *format, ...)
{
	char line[4096] = "skep: ";
	const size_t start = 6;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line + start, sizeof(line) - start - 1, format, args);
	va_end(args);
	if (length < 0)
		return;
	if ((size_t)length > sizeof(line) - start - 2)
		length = (int)(sizeof(line) - start - 2);
	line[start + (size_t)length] = '\n';
	write_all(STDERR_FILENO, line, start + (size_t)length + 1);
}
