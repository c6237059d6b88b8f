/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names are given under the lock of the place (directory.c), and a socket listens before that lock
 * is free: of two hives that want one name at one time the second finds the first.
 */
#include "gate/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "gate/directory.h"

#define BACKLOG	     64
#define WAIT_SECONDS 10

bool registry_name_valid(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] = "0123456789._-";
	u64 length = strlen(name);

	if (!length || length >= REGISTRY_NAME_MAX || !strchr(letters, name[0]))
		return false;
	for (u64 i = 1; i < length; i++)
		if (!strchr(letters, name[i]) && !strchr(others, name[i]))
			return false;
	return true;
}

/* By way of a descriptor of the directory: its own path may be longer than an address. */
static int socket_address(const char *path, struct sockaddr_un *ret_address)
{
	int dir_fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "/proc/self/fd/%d/control",
		 dir_fd);
	return dir_fd < 0 ? -errno : dir_fd;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address;
	int dir_fd = socket_address(path, &address), fd, error = 0;

	if (dir_fd < 0)
		return dir_fd;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fchmodat(dir_fd, "control", 0600, 0) < 0 || listen(fd, BACKLOG) < 0)
		error = -errno;
	close(dir_fd);
	if (error && fd >= 0)
		close(fd);
	return error ? error : fd;
}

int registry_enter(const char *path, const char *name, int *ret_control_fd)
{
	int dir_fd, error = 0, fd;

	if (name) {
		dir_fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir_fd < 0)
			return -errno;
		error = directory_write(dir_fd, "name", name, strlen(name));
		close(dir_fd);
	}
	fd = error ? error : listen_at(path);
	if (fd < 0)
		return fd;
	*ret_control_fd = fd;
	return 0;
}

int registry_connect(const char *path)
{
	struct timeval wait = { .tv_sec = WAIT_SECONDS };
	struct sockaddr_un address;
	int dir_fd = socket_address(path, &address), fd, error = 0;

	if (dir_fd < 0)
		return dir_fd;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	/* A full backlog makes connect(2) wait: no longer than a send. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		error = -errno;
	close(dir_fd);
	if (error && fd >= 0)
		close(fd);
	return error ? error : fd;
}

void registry_name(const char *path, char *ret_name)
{
	char file[DIRECTORY_PATH_MAX + 8], name[REGISTRY_NAME_MAX] = "";
	int fd;

	snprintf(file, sizeof(file), "%s/name", path);
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0) {
		if (read(fd, name, sizeof(name) - 1) < 0)
			name[0] = '\0';
		close(fd);
	}
	strcpy(ret_name, registry_name_valid(name) ? name : "");
}

int registry_each(int (*each)(void *arg, const char *path), void *arg)
{
	char place[96], path[DIRECTORY_PATH_MAX];
	int result = 0;

	for (u32 i = 0; i < DIRECTORY_PLACES && !result; i++) {
		DIR *dir = directory_place(i, place, sizeof(place)) ? opendir(place) : NULL;
		struct dirent *entry;

		while (dir && !result && (entry = readdir(dir))) {
			if (strncmp(entry->d_name, "hive-", 5) || strlen(entry->d_name) > 30)
				continue;
			snprintf(path, sizeof(path), "%s/%.30s", place, entry->d_name);
			result = each(arg, path);
		}
		if (dir)
			closedir(dir);
	}
	return result;
}

struct search {
	const char *name;
	char *ret_path;
};

static int compare(void *arg, const char *path)
{
	const struct search *search = arg;
	char name[REGISTRY_NAME_MAX];
	int fd;

	registry_name(path, name);
	if (strcmp(name, search->name))
		return 0;
	fd = registry_connect(path);
	if (fd == -ECONNREFUSED || fd == -ENOENT)
		return 0;
	if (fd >= 0)
		close(fd);
	if (search->ret_path)
		strcpy(search->ret_path, path);
	return 1;
}

int registry_find(const char *name, char *ret_path)
{
	struct search search = { name, ret_path };

	return registry_each(compare, &search) ? 0 : -ENOENT;
}
