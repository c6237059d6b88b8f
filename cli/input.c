/* SPDX-License-Identifier: BSD-2-Clause */
/* See input.h. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "compile.h"
#include "object_file.h"
#include "say.h"

#define INPUT_MAX (256U << 20) /* bytes of what is not a file */

bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && !strcmp(text + length - end_length, end);
}

/* A memory file with what fd has to give, which may be a pipe; -errno. Closes fd. */
static int read_whole(int fd)
{
	int copy = memfd_create("skep-input", 0), err = copy < 0 ? -errno : 0;
	static char part[1 << 16];
	size_t total = 0;
	ssize_t size = 0;

	while (!err && (size = read(fd, part, sizeof(part)))) {
		if (size < 0) {
			err = errno == EINTR ? 0 : -errno;
			continue;
		}
		total += (size_t)size;
		err = total > INPUT_MAX ? -EFBIG : write_all(copy, part, (size_t)size);
	}
	close(fd);
	if (err && copy >= 0)
		close(copy);
	return err ? err : copy;
}

/* What is not a file that can be mapped is read. A descriptor, or -errno. */
static int open_input(const char *name)
{
	int fd = strcmp(name, "-") ? open(name, O_RDONLY) : dup(STDIN_FILENO);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? fd : read_whole(fd);
}

/* A descriptor of the object that the file is; or -1, and *ret_problem: NULL, it is C. */
static int open_object(const char *name, const char **ret_problem)
{
	struct object_file object = { 0 };
	int fd = open_input(name), err = fd < 0 ? fd : object_file_map(fd, &object);
	bool is_c;

	if (err) {
		*ret_problem = strerror(-err);
	} else {
		is_c = !object_file_is_elf(&object) && ends_with(name, ".c");
		*ret_problem = is_c ? NULL : object_file_problem(&object);
		object_file_unmap(&object);
		if (!is_c && !*ret_problem)
			return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

int input_open(const char *name, const struct compile_options *compile, char *reason, size_t size)
{
	const char *problem;
	int fd = open_object(name, &problem);

	if (fd >= 0)
		return fd;
	if (problem) {
		say("%s: %s", name, problem);
	} else if (compile_bpf(name, compile, &fd)) {
		problem = "it was not compiled: standard error says why";
	} else {
		fcntl(fd, F_SETFD, 0);
		return fd;
	}
	if (reason)
		snprintf(reason, size, "%s", problem);
	return -1;
}
