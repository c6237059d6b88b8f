/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hive's directory holds a file `lock`, and the lock on it lives in a file description that
 * supervisor and keeper share: it is free exactly when both are gone. Directories whose lock is
 * free are leftovers. Making and sweeping exclude each other by a second lock on the parent.
 */
#include "gate/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "gate/registry.h"

#define DEPTH_MAX 16

static void remove_entries(int dir_fd, u32 depth)
{
	DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;

	if (!dir) {
		close(dir_fd);
		return;
	}
	while ((entry = readdir(dir))) {
		int child;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0 || depth == 0)
			continue;
		child = openat(dirfd(dir), entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0)
			continue;
		remove_entries(child, depth - 1);
		unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
}

void directory_remove(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	remove_entries(fd, DEPTH_MAX);
	rmdir(path);
}

int directory_write(int dir_fd, const char *name, const char *text, u64 size)
{
	char path[256];
	int fd, error = 0;

	if (strlen(name) >= sizeof(path))
		return -ENAMETOOLONG;
	strcpy(path, name);
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(dir_fd, path, 0700) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	while (size) {
		ssize_t done = write(fd, text, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			error = -errno;
			break;
		}
		text += done;
		size -= (u64)done;
	}
	close(fd);
	return error;
}

/* Nobody but this user may have made it or may write to it. */
static bool is_private(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & 077);
}

static bool in_memory(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == TMPFS_MAGIC && access(path, W_OK | X_OK) == 0;
}

/* False: there can be none here. */
static bool place_path(u32 index, char *path, u64 size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	switch (index) {
	case 0:
		if (!runtime || runtime[0] != '/' || strlen(runtime) >= 64 ||
		    stat(runtime, &st) < 0 || st.st_uid != geteuid() || !S_ISDIR(st.st_mode))
			return false;
		snprintf(path, size, "%s/skep", runtime);
		return true;
	case 1: snprintf(path, size, "/dev/shm/skep-%u", (unsigned)geteuid()); return true;
	default: snprintf(path, size, "/tmp/skep-%u", (unsigned)geteuid()); return true;
	}
}

bool directory_place(u32 index, char *ret_path, u64 size)
{
	return place_path(index, ret_path, size) && is_private(ret_path);
}

/*
 * The directory that holds all hives of this user. In memory where there is such a place: a hive
 * makes and removes some twenty files and one for each descriptor, and on a disk's file system each
 * of them costs more than the rest of entering a program, and may wait for the disk.
 */
static int parent_path(char *path, u64 size)
{
	for (u32 i = 0; i < DIRECTORY_PLACES; i++) {
		if (!place_path(i, path, size) ||
		    (i == 1 && (in_memory("/tmp") || !in_memory("/dev/shm"))))
			continue;
		if (mkdir(path, 0700) < 0 && errno != EEXIST && i == DIRECTORY_PLACES - 1)
			return -errno;
		if (is_private(path))
			return 0;
	}
	return -EPERM;
}

/* Removes what dead hives left. The parent is locked. */
static void sweep(const char *parent)
{
	char path[DIRECTORY_PATH_MAX + 8];
	DIR *dir = opendir(parent);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		int fd;

		if (strncmp(entry->d_name, "hive-", 5) || strlen(entry->d_name) > 32)
			continue;
		snprintf(path, sizeof(path), "%s/%.32s/lock", parent, entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
			close(fd);
			continue;
		}
		*strrchr(path, '/') = '\0';
		directory_remove(path);
		if (fd >= 0)
			close(fd);
	}
	closedir(dir);
}

static int make_locked(struct directory *directory, const char *parent, const char *name)
{
	int error = 0;
	char lock[DIRECTORY_PATH_MAX + 8];
	u64 random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	snprintf(directory->path, sizeof(directory->path), "%.90s/hive-%016llx", parent,
		 (unsigned long long)random);
	if (mkdir(directory->path, 0700) < 0)
		return -errno;
	snprintf(lock, sizeof(lock), "%s/lock", directory->path);
	directory->lock_fd = open(lock, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (directory->lock_fd < 0 || flock(directory->lock_fd, LOCK_EX | LOCK_NB) < 0)
		error = -errno;
	if (!error)
		error = registry_enter(directory->path, name, &directory->control_fd);
	if (error) {
		directory_remove(directory->path);
		directory->path[0] = '\0';
	}
	return error;
}

/*
 * Opens and locks the parent's lock file. Whoever removes the parent does so under this lock, and
 * what was locked then is no longer what has the name.
 */
static int lock_parent(const char *parent)
{
	char path[DIRECTORY_PATH_MAX];
	struct stat locked, named;

	snprintf(path, sizeof(path), "%s/.lock", parent);
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return -errno;
		while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
			;
		if (fstat(fd, &locked) == 0 && stat(path, &named) == 0 &&
		    locked.st_dev == named.st_dev && locked.st_ino == named.st_ino)
			return fd;
		close(fd);
	}
}

static bool has_hives(const char *parent)
{
	DIR *dir = opendir(parent);
	struct dirent *entry;
	bool found = false;

	while (dir && (entry = readdir(dir)))
		found |= !strncmp(entry->d_name, "hive-", 5);
	if (dir)
		closedir(dir);
	return found;
}

void directory_dispose(const char *path)
{
	char parent[DIRECTORY_PATH_MAX], lock[DIRECTORY_PATH_MAX + 8];
	int lock_fd;

	directory_remove(path);
	snprintf(parent, sizeof(parent), "%s", path);
	*strrchr(parent, '/') = '\0';
	lock_fd = lock_parent(parent);
	if (lock_fd < 0)
		return;
	if (!has_hives(parent)) {
		snprintf(lock, sizeof(lock), "%s/.lock", parent);
		unlink(lock);
		rmdir(parent);
	}
	close(lock_fd);
}

int directory_make(struct directory *directory, const char *name, const char **ret_message)
{
	int lock_fd = -ENOENT, error;
	char parent[96];

	*directory = (struct directory){ .lock_fd = -1, .control_fd = -1 };
	*ret_message = "cannot make a private directory below $XDG_RUNTIME_DIR, /dev/shm or /tmp: "
		       "set XDG_RUNTIME_DIR to a directory that only you can write to";
	/* Again when the last hive of before removes the parent at this moment. */
	while (lock_fd == -ENOENT) {
		error = parent_path(parent, sizeof(parent));
		if (error)
			return error;
		lock_fd = lock_parent(parent);
	}
	if (lock_fd < 0)
		return lock_fd;
	sweep(parent);
	error = name && registry_find(name, NULL) == 0 ? -EEXIST
						       : make_locked(directory, parent, name);
	close(lock_fd);
	return error;
}
