/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's own fdinfo of the FIFO behind an object's descriptor (pos, flags, mnt_id, ino), and
 * after it the lines that the kernel has for such an object. The text is a copy, in a memfd.
 */
#include "gate/fdinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "gate/state.h"

#define TEXT_MAX 4096

/* "/proc/PID/fdinfo/N", PID a number, "self" or "thread-self". */
static bool parse_path(const struct gate_client *client, const char *path, u32 *ret_pid,
		       int *ret_fd)
{
	char who[16], rest;

	if (sscanf(path, "/proc/%15[^/]/fdinfo/%d%c", who, ret_fd, &rest) != 2)
		return false;
	if (!strcmp(who, "self") || !strcmp(who, "thread-self")) {
		*ret_pid = client->base.pid;
		return true;
	}
	return sscanf(who, "%u%c", ret_pid, &rest) == 1;
}

static long kernel_text(u32 pid, int fd, char *text, u64 size)
{
	char path[64];
	ssize_t length;
	int info;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%d", pid, fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return -errno;
	length = read(info, text, size);
	close(info);
	return length < 0 ? -EIO : length;
}

static int text_file(const char *text, u64 size)
{
	int file = memfd_create("fdinfo", MFD_CLOEXEC);

	if (file < 0)
		return -errno;
	if (pwrite(file, text, size, 0) == (ssize_t)size)
		return file;
	close(file);
	return -ENOMEM;
}

bool fdinfo_open(struct gate_client *client, const char *path, int flags, long *ret_result)
{
	char text[TEXT_MAX], link[64];
	struct object *object;
	struct stat st;
	long length, more;
	int fd, file;
	bool pin;
	u32 pid;

	if (!parse_path(client, path, &pid, &fd))
		return false;
	snprintf(link, sizeof(link), "/proc/%u/fd/%d", pid, fd);
	if (stat(link, &st) < 0)
		return false;
	object = handle_find(client->gate->handles, &st, NULL, &pin);
	if (!object || pin)
		return false;
	length = kernel_text(pid, fd, text, sizeof(text));
	if (length < 0)
		return false;
	more = sys_object_fdinfo(client->gate->options.sys, object, text + length,
				 sizeof(text) - (u64)length);
	if (more < 0) {
		*ret_result = more;
		return true;
	}
	file = text_file(text, (u64)(length + more));
	if (file < 0) {
		*ret_result = file;
		return true;
	}
	*ret_result = listener_add_fd(client->listener, file, flags & O_CLOEXEC);
	close(file);
	return true;
}
