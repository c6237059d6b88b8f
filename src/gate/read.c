/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See read.h. The supervisor runs an iterator's program while the reader waits for its answer, a
 * slice at a time; a reader that is killed meanwhile takes nothing with it.
 *
 * A pin is a file, and open(2) of it is the kernel's: what the client holds is a description of
 * that file. At the first read the descriptor is replaced, in place, by one of a new iterator.
 */
#include "gate/read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "gate/state.h"
#include "hook/hook.h"

#define SEGMENTS_MAX 64u

struct target {
	struct iovec segments[SEGMENTS_MAX];
	u32 nr;
	u64 size;
};

/* Where the bytes go: 0 or -errno. */
static int read_target(struct gate_client *client, u32 nr, const u64 *args, struct target *target)
{
	u32 i;

	target->nr = 1;
	target->segments[0] = (struct iovec){ (void *)args[1], args[2] };
	target->size = args[2];
	if (nr != SYS_readv)
		return 0;
	target->nr = args[2] < SEGMENTS_MAX ? (u32)args[2] : SEGMENTS_MAX;
	if (client->base.ops->read(&client->base, target->segments, args[1],
				   target->nr * sizeof(struct iovec)))
		return -EFAULT;
	for (target->size = 0, i = 0; i < target->nr; i++) {
		if ((s64)target->segments[i].iov_len < 0 ||
		    target->size + target->segments[i].iov_len < target->size)
			return -EINVAL;
		target->size += target->segments[i].iov_len;
	}
	return 0;
}

static int write_target(struct gate_client *client, const struct target *target, const u8 *data,
			u64 size)
{
	for (u32 i = 0; i < target->nr && size; i++) {
		u64 part = target->segments[i].iov_len < size ? target->segments[i].iov_len : size;

		if (client->base.ops->write(&client->base, (u64)target->segments[i].iov_base, data,
					    part))
			return -EFAULT;
		data += part;
		size -= part;
	}
	return 0;
}

/* How the client has opened fd: O_* bits. */
static unsigned flags_of(const struct gate_client *client, int fd)
{
	char path[64], line[64];
	unsigned flags = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%d", client->base.pid, fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "flags: %o", &flags);
	if (file)
		fclose(file);
	return flags;
}

/* Puts an iterator of the link in the place of descriptor fd: the object, or NULL and an errno. */
static struct object *become_iterator(struct gate_client *client, int fd, struct object *link,
				      int *ret_error)
{
	struct object *session = NULL;
	int own;

	hook_read_objects(client->gate->options.hook);
	*ret_error = sys_iter_open(&client->base, link, &session);
	if (*ret_error)
		return NULL;
	own = handle_open(client->gate->handles, session, O_RDONLY);
	if (own < 0) {
		*ret_error = -ENOMEM;
		object_unref(session);
		return NULL;
	}
	*ret_error = listener_replace_fd(client->listener, own, fd,
					 (int)flags_of(client, fd) & O_CLOEXEC);
	close(own);
	/* The handle holds the session as long as the client has the descriptor. */
	object_unref(session);
	return *ret_error < 0 ? NULL : session;
}

long read_opened(struct gate_client *client, int fd)
{
	struct object *object;
	struct stat st;
	bool pin;
	int error = 0;

	if (client_stat_fd(client, fd, &st) < 0)
		return -EBADF;
	object = handle_find(client->gate->handles, &st, NULL, &pin);
	if (object && pin && sys_object_is_iter_link(object) &&
	    (flags_of(client, fd) & O_ACCMODE) != O_WRONLY)
		become_iterator(client, fd, object, &error);
	return error < 0 ? error : 0;
}

bool read_object(struct gate_client *client, u32 nr, const u64 *args, bool from_agent,
		 struct gate_read *ret_read)
{
	struct target target;
	struct object *object;
	const void *data = NULL;
	struct stat st;
	int access, error = 0;
	bool pin;
	long got;

	*ret_read = (struct gate_read){ 0 };
	if (client_stat_fd(client, (int)args[0], &st) < 0)
		return false;
	object = handle_find(client->gate->handles, &st, &access, &pin);
	if (!object || object->kind == OBJECT_PERF || (!pin && access == O_WRONLY) ||
	    (pin && !sys_object_is_iter_link(object)))
		return false;
	if (pin)
		object = become_iterator(client, (int)args[0], object, &error);
	else if (object->kind != OBJECT_ITER)
		error = -EINVAL;
	if (error >= 0)
		error = read_target(client, nr, args, &target);
	if (error < 0) {
		ret_read->result = error;
		return true;
	}
	got = sys_iter_read(&client->base, object, target.size, &data);
	if (got > 0 && write_target(client, &target, data, (u64)got))
		got = -EFAULT;
	/* The agent asks again after EINTR. */
	if (got == SYS_ITER_AGAIN)
		got = from_agent ? -EINTR : -EAGAIN;
	ret_read->result = got;
	ret_read->object = object;
	ret_read->taken = got > 0 ? (u64)got : 0;
	return true;
}
