/* SPDX-License-Identifier: BSD-2-Clause */
/* See state_client.h. Pins are not made by it: they are the gate's, which knows paths. */
#include "sys/state_client.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "base/alloc.h"

static struct state_client *client_of(struct sys_client *base)
{
	return container_of(base, struct state_client, base);
}

static int copy_in(struct sys_client *base, void *dst, u64 address, u64 size)
{
	if (size)
		memcpy(dst, (const void *)address, size);
	return 0;
}

static int copy_out(struct sys_client *base, u64 address, const void *src, u64 size)
{
	if (size)
		memcpy((void *)address, src, size);
	return 0;
}

static long string_in(struct sys_client *base, char *dst, u64 address, u64 size)
{
	u64 length = strnlen((const char *)address, size);

	if (length == size)
		return -ENAMETOOLONG;
	memcpy(dst, (const void *)address, length + 1);
	return (long)length;
}

static int object_by_fd(struct sys_client *base, int fd, enum object_kind kind,
			struct object **ret_object)
{
	struct state_client *client = client_of(base);

	if (fd < 0 || (u32)fd >= client->nr)
		return -EBADF;
	if (kind != OBJECT_KINDS && client->objects[fd]->kind != kind)
		return -EINVAL;
	*ret_object = object_ref(client->objects[fd]);
	return 0;
}

static int install_fd(struct sys_client *base, struct object *object, int access)
{
	return state_client_open(client_of(base), object);
}

static int fd_access(struct sys_client *base, int fd)
{
	return O_RDWR;
}

static int no_pin(struct sys_client *base, int dirfd, const char *path, struct object *object)
{
	return -EPERM;
}

static int no_pinned(struct sys_client *base, int dirfd, const char *path,
		     struct object **ret_object)
{
	return -EPERM;
}

static const struct sys_client_ops ops = {
	.read = copy_in,
	.write = copy_out,
	.read_string = string_in,
	.object_by_fd = object_by_fd,
	.install_fd = install_fd,
	.fd_access = fd_access,
	.pin = no_pin,
	.pinned = no_pinned,
};

void state_client_init(struct state_client *client, struct sys_hive *hive)
{
	*client = (struct state_client){
		.base = { .ops = &ops,
			  .pid = (u32)getpid(),
			  .tgid = (u32)getpid(),
			  .uid = geteuid(),
			  .gid = getegid(),
			  .privileged = true },
		.hive = hive,
	};
}

void state_client_done(struct state_client *client)
{
	for (u32 i = 0; i < client->nr; i++)
		object_user_unref(client->objects[i]);
	base_free(client->objects);
	client->objects = NULL;
	client->nr = client->room = 0;
}

int state_client_open(struct state_client *client, struct object *object)
{
	if (client->nr == client->room) {
		u32 room = client->room ? client->room * 2 : 16;
		struct object **objects =
			base_realloc(client->objects, room, sizeof(struct object *));

		if (!objects)
			return -ENOMEM;
		client->objects = objects;
		client->room = room;
	}
	object_user_ref(object);
	client->objects[client->nr] = object;
	return (int)client->nr++;
}

long state_client_call(struct state_client *client, u32 cmd, union bpf_attr *attr)
{
	return sys_bpf(client->hive, &client->base, cmd, (u64)attr, sizeof(*attr));
}
