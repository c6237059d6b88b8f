/* SPDX-License-Identifier: BSD-2-Clause */
/* See world.h. The skep world's client: its memory is ours, read and written by the system calls
 * for that, so that bad addresses fail; its descriptors and pins are tables. */
#include "world_skep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int copy_self(void *dst, const void *src, u64 size, bool write)
{
	struct iovec local = { write ? (void *)(uintptr_t)src : dst, size };
	struct iovec remote = { write ? dst : (void *)(uintptr_t)src, size };
	ssize_t done = write ? process_vm_writev(getpid(), &local, 1, &remote, 1, 0)
			     : process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

	return done == (ssize_t)size ? 0 : -EFAULT;
}

static bool has_memory(const struct skep_world *world, u64 address, u64 size)
{
	if (!world->memory_size)
		return true;
	return address >= world->memory && size <= world->memory_size &&
	       address - world->memory <= world->memory_size - size;
}

static int client_read(struct sys_client *client, void *dst, u64 address, u64 size)
{
	if (!has_memory(world_of_client(client), address, size))
		return -EFAULT;
	return copy_self(dst, (const void *)(uintptr_t)address, size, false);
}

static int client_write(struct sys_client *client, u64 address, const void *src, u64 size)
{
	if (!has_memory(world_of_client(client), address, size))
		return -EFAULT;
	return copy_self((void *)(uintptr_t)address, src, size, true);
}

static long client_read_string(struct sys_client *client, char *dst, u64 address, u64 size)
{
	u64 i;

	for (i = 0; i < size; i++) {
		if (client_read(client, dst + i, address + i, 1))
			return -EFAULT;
		if (!dst[i])
			return (long)i;
	}
	return -ENAMETOOLONG;
}

static int client_object_by_fd(struct sys_client *client, int fd, enum object_kind kind,
			       struct object **ret_object)
{
	struct skep_world *world = world_of_client(client);

	if (fd >= world->last_fd)
		return fcntl(fd, F_GETFD) < 0 ? -EBADF : -EINVAL;
	if (fd >= 0 && fd < FDS_MAX &&
	    (fd < world->first_fd || world->fds[fd].foreign || world->fds[fd].place))
		return -EINVAL;
	if (fd < 0 || fd >= FDS_MAX || !world->fds[fd].object)
		return -EBADF;
	if (kind != OBJECT_KINDS && world->fds[fd].object->kind != kind)
		return -EINVAL;
	*ret_object = object_ref(world->fds[fd].object);
	return 0;
}

static int client_install_fd(struct sys_client *client, struct object *object, int access)
{
	struct skep_world *world = world_of_client(client);
	int fd;

	for (fd = world->first_fd; fd < FDS_MAX; fd++)
		if (!world->fds[fd].object && !world->fds[fd].foreign && !world->fds[fd].place) {
			object_user_ref(object);
			world->fds[fd].object = object;
			world->fds[fd].access = access;
			return fd;
		}
	return -EMFILE;
}

static int client_close_fd(struct sys_client *client, int fd)
{
	return world_of_client(client)->world.close(&world_of_client(client)->world, fd);
}

static int client_fd_access(struct sys_client *client, int fd)
{
	return world_of_client(client)->fds[fd].access;
}

static int client_place_of_fd(struct sys_client *client, int fd)
{
	struct skep_world *world = world_of_client(client);

	if (fd >= world->last_fd)
		return fcntl(fd, F_GETFD) < 0 ? -EBADF : SYS_PLACE_OTHER;
	if (fd < 0 || fd >= FDS_MAX)
		return -EBADF;
	if (fd >= world->first_fd && !world->fds[fd].object && !world->fds[fd].place &&
	    !world->fds[fd].foreign)
		return -EBADF;
	return (int)world->fds[fd].place;
}

static int client_copy_fd(struct sys_client *client, int fd)
{
	struct skep_world *world = world_of_client(client);
	struct fd_entry *entry = fd >= 0 && fd < FDS_MAX ? &world->fds[fd] : NULL;
	int copy;

	if (!entry || (fd >= world->first_fd && !entry->object && !entry->foreign && !entry->place))
		return -EBADF;
	copy = entry->real ? dup(entry->real) : open("/dev/null", O_RDONLY | O_CLOEXEC);
	return copy < 0 ? -errno : copy;
}

static long client_pid_of_fd(struct sys_client *client, int fd)
{
	int copy = client_copy_fd(client, fd);
	char path[48], line[128];
	long pid = -EBADF;
	FILE *file;

	if (copy < 0)
		return -EBADF;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", copy);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Pid: %ld", &pid) == 1)
			pid = pid < 0 ? -ESRCH : pid;
	if (file)
		fclose(file);
	close(copy);
	return pid;
}

static struct pin *find_pin(struct skep_world *world, const char *path)
{
	u32 i;

	for (i = 0; i < PINS_MAX; i++)
		if (!strcmp(world->pins[i].path, path))
			return &world->pins[i];
	return NULL;
}

static int client_pin(struct sys_client *client, int dirfd, const char *path, struct object *object)
{
	struct skep_world *world = world_of_client(client);
	struct pin *pin;

	if (!*path || strlen(path) >= sizeof(pin->path))
		return -ENOENT;
	if (find_pin(world, path))
		return -EEXIST;
	pin = find_pin(world, "");
	if (!pin)
		return -ENOSPC;
	strcpy(pin->path, path);
	pin->object = object;
	object_user_ref(object);
	return 0;
}

static int client_pinned(struct sys_client *client, int dirfd, const char *path,
			 struct object **ret_object)
{
	struct pin *pin = *path ? find_pin(world_of_client(client), path) : NULL;

	if (!pin)
		return -ENOENT;
	*ret_object = object_ref(pin->object);
	return 0;
}

const struct sys_client_ops world_client_ops = {
	.read = client_read,
	.write = client_write,
	.read_string = client_read_string,
	.object_by_fd = client_object_by_fd,
	.install_fd = client_install_fd,
	.close_fd = client_close_fd,
	.fd_access = client_fd_access,
	.place_of_fd = client_place_of_fd,
	.copy_fd = client_copy_fd,
	.pid_of_fd = client_pid_of_fd,
	.pin = client_pin,
	.pinned = client_pinned,
};
