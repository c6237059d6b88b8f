/* SPDX-License-Identifier: BSD-2-Clause */
/* See proc.h. */
#include "base/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

size_t base_read_proc(u32 pid, const char *name, char *text, size_t room)
{
	char path[32];
	ssize_t size;
	int file;

	text[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return 0;
	size = read(file, text, room - 1);
	close(file);
	if (size <= 0)
		return 0;
	text[size] = '\0';
	return (size_t)size;
}

/* The fields of /proc/PID/stat behind the name, from "state" on: text, or NULL. */
static const char *read_stat(u32 pid, char *text, size_t room)
{
	char *end;

	base_read_proc(pid, "stat", text, room);
	end = strrchr(text, ')'); /* what is before it may be anything */
	return end ? end + 1 : NULL;
}

bool base_start_ticks(u32 pid, u64 *ret_ticks)
{
	char text[1024];
	const char *fields = read_stat(pid, text, sizeof(text));
	unsigned long long start;

	if (!fields || sscanf(fields,
			      " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
			      "%*d %*d %*d %*d %llu",
			      &start) != 1)
		return false;
	*ret_ticks = start;
	return true;
}

#define FIELDS_BEFORE_CPU 36 /* "processor" is the 39th of all */

bool base_last_cpu(u32 tid, u32 *ret_cpu)
{
	char text[1024];
	const char *at = read_stat(tid, text, sizeof(text));

	for (u32 i = 0; at && i <= FIELDS_BEFORE_CPU; i++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at && sscanf(at, "%u", ret_cpu) == 1;
}
