/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A library to preload into skep: before and after each call that writes the state of a hive it
 * counts, and at number DIE_AT it kills the process that makes the call (DIE_WHO=writer), that
 * one's parent (supervisor), or both. Counting goes on in the child that does the writing. With
 * DIE_ERRNO the call fails with that error instead.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/types.h>
#include <unistd.h>

static int points, writing = -1; /* the descriptor of the new file */
static bool split;
static pid_t supervisor;

static int number(const char *name)
{
	const char *text = getenv(name);

	return text ? atoi(text) : -1;
}

/* Returns the errno to fail with, 0: none. */
static int point(void)
{
	const char *who = getenv("DIE_WHO");
	int error = number("DIE_ERRNO");

	if (points++ != number("DIE_AT"))
		return 0;
	close(open(getenv("DIE_MARK"), O_CREAT | O_WRONLY, 0600));
	if (error > 0)
		return error;
	if (supervisor && strcmp(who, "writer"))
		kill(supervisor, SIGKILL);
	if (strcmp(who, "supervisor") || getpid() == supervisor)
		kill(getpid(), SIGKILL);
	return 0;
}

#define NEXT(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

#define CALL(name, ...)                                    \
	({                                                 \
		int error_ = point();                      \
		long result_ = -1;                         \
                                                           \
		if (error_) {                              \
			errno = error_;                    \
		} else {                                   \
			result_ = NEXT(name)(__VA_ARGS__); \
			point();                           \
		}                                          \
		result_;                                   \
	})

__attribute__((visibility("default"))) int openat64(int dir_fd, const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = va_arg(args, int);
	va_end(args);
	if (strcmp(path, "maps.new") || !(flags & O_CREAT))
		return NEXT(openat64)(dir_fd, path, flags, mode);
	supervisor = getpid();
	split = false;
	return writing = (int)CALL(openat64, dir_fd, path, flags, mode);
}

__attribute__((visibility("default"))) int flock(int fd, int operation)
{
	return fd == writing && fd >= 0 ? (int)CALL(flock, fd, operation)
					: NEXT(flock)(fd, operation);
}

__attribute__((visibility("default"))) int ftruncate64(int fd, off_t length)
{
	return fd == writing ? (int)CALL(ftruncate64, fd, length) : NEXT(ftruncate64)(fd, length);
}

__attribute__((visibility("default"))) ssize_t write(int fd, const void *data, size_t size)
{
	if (fd != writing || fd < 0)
		return NEXT(write)(fd, data, size);
	/* In two parts, so that there is a point between them. */
	if (!split)
		size /= 2;
	split = true;
	return CALL(write, fd, data, size);
}

__attribute__((visibility("default"))) int fsync(int fd)
{
	return (int)CALL(fsync, fd);
}

__attribute__((visibility("default"))) int renameat(int old_dir, const char *old_path, int new_dir,
						    const char *new_path)
{
	return (int)CALL(renameat, old_dir, old_path, new_dir, new_path);
}
