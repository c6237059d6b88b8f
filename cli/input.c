/* SPDX-License-Identifier: BSD-2-Clause */
/* See input.h. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "compile.h"
#include "object_file.h"
#include "say.h"

bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && !strcmp(text + length - end_length, end);
}

int input_open(const char *name, const struct compile_options *compile)
{
	int fd = open(name, O_RDONLY), err;
	struct object_file object = { 0 };
	const char *problem = NULL;

	if (fd < 0) {
		say("%s: %s", name, strerror(errno));
		return -1;
	}
	err = object_file_map(fd, &object);
	if (err) {
		say("%s: %s", name, strerror(-err));
		close(fd);
		return -1;
	}
	if (!object_file_is_elf(&object) && ends_with(name, ".c")) {
		object_file_unmap(&object);
		close(fd);
		if (compile_bpf(name, compile, &fd))
			return -1;
		fcntl(fd, F_SETFD, 0);
		return fd;
	}
	problem = object_file_problem(&object);
	object_file_unmap(&object);
	if (!problem)
		return fd;
	say("%s: %s", name, problem);
	close(fd);
	return -1;
}
