/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file is written beside its place, brought to the disk, renamed, and the directory brought to
 * the disk: whenever this stops, the name leads to a whole file.
 */
#include "gate/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/alloc.h"

#define TEMPORARY "maps.new"
#define FILE_MAX  (8ll << 30)
#define TURNS_MAX 300 /* for a writer that is left over, 100 ms each */

int state_file_begin(int dir_fd)
{
	int fd = openat(dir_fd, TEMPORARY, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int error;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int state_file_put(int dir_fd, int fd, const void *data, u64 size)
{
	int error = ftruncate(fd, 0) < 0 ? -errno : 0;
	const char *at = data;

	while (size && !error) {
		ssize_t done = write(fd, at, size);

		if (done < 0 && errno != EINTR)
			error = -errno;
		if (done > 0) {
			at += done;
			size -= (u64)done;
		}
	}
	if (!error && fsync(fd) < 0)
		error = -errno;
	if (!error && renameat(dir_fd, TEMPORARY, dir_fd, STATE_FILE_NAME) < 0)
		error = -errno;
	/* The room it takes may be what others miss. */
	if (error)
		unlinkat(dir_fd, TEMPORARY, 0);
	else if (fsync(dir_fd) < 0)
		error = -errno;
	close(fd);
	return error;
}

int state_file_read(int dir_fd, char **ret_data, u64 *ret_size)
{
	int fd = openat(dir_fd, STATE_FILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	int error = fd < 0 ? -errno : 0;
	u64 size = 0;
	ssize_t got = 1;
	char *data = NULL;
	struct stat st;

	if (!error && fstat(fd, &st) < 0)
		error = -errno;
	if (!error && (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX))
		error = -EFBIG;
	if (!error && !(data = base_alloc((u64)st.st_size + 1)))
		error = -ENOMEM;
	/* All of it, once: what is checked is what is used, whoever else has the file open. */
	while (!error && size < (u64)st.st_size && got > 0) {
		got = read(fd, data + size, (u64)st.st_size - size);
		if (got < 0)
			error = -errno;
		else
			size += (u64)got;
	}
	if (fd >= 0)
		close(fd);
	if (error) {
		base_free(data);
		return error;
	}
	*ret_data = data;
	*ret_size = size;
	return 0;
}

/* The directory is ours; a writer of its last supervisor may still be at work. */
static int wait_for_writer(int dir_fd)
{
	int fd = openat(dir_fd, TEMPORARY, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	int error = -EBUSY;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	for (u32 turn = 0; error && turn < TURNS_MAX; turn++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			error = 0;
		else
			usleep(100000);
	}
	close(fd);
	return error;
}

int state_file_open(const char *path, int *ret_dir_fd, int *ret_lock_fd, const char **ret_reason)
{
	struct stat st;
	int error;

	*ret_reason = NULL;
	*ret_lock_fd = *ret_dir_fd = -1;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	*ret_dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_dir_fd < 0 || fstat(*ret_dir_fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || st.st_mode & 022) {
		*ret_reason = "can be written to by others: it is no place for a state";
		return -EPERM;
	}
	*ret_lock_fd = openat(*ret_dir_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*ret_lock_fd < 0) {
		error = -errno;
		*ret_reason = "cannot be written to";
		return error;
	}
	if (flock(*ret_lock_fd, LOCK_EX | LOCK_NB) < 0) {
		*ret_reason = "keeps the state of another living hive";
		return -EBUSY;
	}
	error = wait_for_writer(*ret_dir_fd);
	if (error)
		*ret_reason = "is still being written to by what is left of another hive";
	return error;
}
