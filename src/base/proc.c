/* SPDX-License-Identifier: BSD-2-Clause */
/* See proc.h. */
#include "base/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool base_start_ticks(u32 pid, u64 *ret_ticks)
{
	char path[32], text[1024], *end;
	unsigned long long start;
	ssize_t size;
	int file;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	size = read(file, text, sizeof(text) - 1);
	close(file);
	text[size < 0 ? 0 : size] = '\0';
	end = strrchr(text, ')'); /* what is before it may be anything */
	if (!end || sscanf(end + 1,
			   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
			   "%*d %*d %*d %*d %llu",
			   &start) != 1)
		return false;
	*ret_ticks = start;
	return true;
}
