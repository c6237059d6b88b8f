/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OBJ_PIN and OBJ_GET: names for maps, programs and links. The file system that they stand in
 * belongs to the gate, which resolves the client's path; here are the checks of attributes and
 * kinds.
 */
#include "sys/hive.h"
#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

static int read_path(struct sys_call *call, char **ret_path)
{
	char *path = base_alloc(PATH_MAX);
	long length;

	if (!path)
		return -ENOMEM;
	length = call->client->ops->read_string(call->client, path, call->attr.pin.pathname,
						PATH_MAX);
	if (length < 0) {
		base_free(path);
		return (int)length;
	}
	*ret_path = path;
	return 0;
}

/* The directory that path_fd names; a path_fd without its flag is an error. */
static int directory_of(const struct sys_call *call, int *ret_dirfd)
{
	const union abi_attr *attr = &call->attr;

	if (!(attr->pin.file_flags & ABI_F_PATH_FD) && attr->pin.path_fd)
		return -EINVAL;
	*ret_dirfd = attr->pin.file_flags & ABI_F_PATH_FD ? attr->pin.path_fd : AT_FDCWD;
	return 0;
}

long sys_object_pin(struct sys_call *call)
{
	struct object *object;
	int dirfd, error;
	char *path;

	if (call->attr.pin.file_flags & ~ABI_F_PATH_FD || directory_of(call, &dirfd))
		return -EINVAL;
	if (sys_object_by_fd(call, call->attr.pin.bpf_fd, OBJECT_KINDS, &object))
		return -EINVAL;
	if (object->kind != OBJECT_MAP && object->kind != OBJECT_PROG &&
	    object->kind != OBJECT_LINK)
		error = -EINVAL;
	else
		error = read_path(call, &path);
	if (!error) {
		error = call->client->ops->pin(call->client, dirfd, path, object);
		base_free(path);
	}
	object_unref(object);
	return error;
}

long sys_object_get(struct sys_call *call)
{
	u32 flags = call->attr.pin.file_flags;
	struct object *object;
	int dirfd, access, error;
	char *path;

	if (call->attr.pin.bpf_fd || flags & ~(u32)(BPF_F_RDONLY | BPF_F_WRONLY | ABI_F_PATH_FD) ||
	    directory_of(call, &dirfd))
		return -EINVAL;
	access = sys_access_of_flags(flags);
	if (access < 0)
		return access;
	error = read_path(call, &path);
	if (error)
		return error;
	error = call->client->ops->pinned(call->client, dirfd, path, &object);
	base_free(path);
	if (error)
		return error;
	if (object->kind == OBJECT_LINK && access != O_RDWR)
		error = -EINVAL;
	else
		error = call->client->ops->install_fd(call->client, object,
						      object->kind == OBJECT_MAP ? access : O_RDWR);
	object_unref(object);
	return error;
}
