/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The constant part of the façade is some thousands of small files. They are written once for a
 * user, to a temporary directory of the cache that is renamed when complete, under a name that has
 * a hash of all they contain: a cache made by another version is simply not found. Hives link to
 * it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "gate/directory.h"
#include "gate/facade.h"

#define PATH_LENGTH 512

/* Where the names that stand at the top of the constants go in a hive. */
static const struct {
	const char *name, *place;
} links[] = {
	{ "events", "tracing/events" },
	{ "available_events", "tracing/available_events" },
	{ "README", "tracing/README" },
	{ "available_tracers", "tracing/available_tracers" },
	{ "trace_clock", "tracing/trace_clock" },
	{ "pmu", "pmu" },
};

/* The user's cache directory for us, made if need be; false: there is none that can be trusted. */
static bool cache_path(char *path, u64 size)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	struct stat st;
	int length;

	if (cache && cache[0] == '/') {
		length = snprintf(path, size, "%s", cache);
	} else if (home && home[0] == '/') {
		length = snprintf(path, size, "%s/.cache", home);
	} else {
		return false;
	}
	if (length < 0 || (u64)length + 64 > size)
		return false;
	mkdir(path, 0700);
	strcat(path, "/skep");
	mkdir(path, 0700);
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & 022);
}

/* Fills the cache entry at path. */
static int fill_cache(const char *path)
{
	char temporary[PATH_LENGTH + 16];
	int fd, error;

	snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	if (!mkdtemp(temporary))
		return -errno;
	fd = open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	error = fd < 0 ? -errno : facade_write_constants(fd);
	if (fd >= 0)
		close(fd);
	/* Another hive may have been faster: its copy is as good. */
	if (!error && rename(temporary, path) < 0 && errno != EEXIST && errno != ENOTEMPTY)
		error = -errno;
	directory_remove(temporary);
	return error;
}

/* The place of the constants: in the cache, or below the hive's own directory. */
static int find_constants(int dir_fd, char *path, u64 size)
{
	int fd, error;

	if (cache_path(path, size)) {
		snprintf(path + strlen(path), size - strlen(path), "/facade-%016llx",
			 (unsigned long long)facade_hash_constants());
		if (access(path, R_OK | X_OK) == 0 || fill_cache(path) == 0)
			return 0;
	}
	if (mkdirat(dir_fd, "constants", 0700) < 0)
		return -errno;
	fd = openat(dir_fd, "constants", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = facade_write_constants(fd);
	close(fd);
	path[0] = '\0';
	return error;
}

int facade_link_constants(const char *directory)
{
	int dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;
	char path[PATH_LENGTH], target[PATH_LENGTH + 32];

	if (dir_fd < 0)
		return -errno;
	error = find_constants(dir_fd, path, sizeof(path));
	for (u32 i = 0; i < ARRAY_SIZE(links) && !error; i++) {
		const char *up = strchr(links[i].place, '/') ? "../" : "";

		if (path[0])
			snprintf(target, sizeof(target), "%s/%s", path, links[i].name);
		else
			snprintf(target, sizeof(target), "%sconstants/%s", up, links[i].name);
		error = symlinkat(target, dir_fd, links[i].place) < 0 ? -errno : 0;
	}
	close(dir_fd);
	return error;
}
