/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracing/events: GROUP/NAME/{id,format} for every row of the catalogue, some thousands of small
 * files. They are written to a temporary directory of the cache and renamed when complete, under a
 * name that has a hash of all they contain: a cache made by another version is simply not found.
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
#include "hook/hook.h"

#define FORMAT_MAX  8192
#define PATH_LENGTH 512

static u64 hash_text(u64 hash, const char *text, u64 size)
{
	for (u64 i = 0; i < size; i++)
		hash = (hash ^ (u8)text[i]) * 0x100000001b3ull;
	return hash;
}

static u64 hash_catalogue(void)
{
	u64 hash = 0xcbf29ce484222325ull;
	const struct hook_event *event;
	char text[FORMAT_MAX];

	for (u32 i = 0; (event = hook_event_at(i)); i++) {
		long length = hook_event_format(event, text, sizeof(text));

		hash = hash_text(hash, event->group, strlen(event->group) + 1);
		hash = hash_text(hash, event->name, strlen(event->name) + 1);
		hash = hash_text(hash, (const char *)&event->id, sizeof(event->id));
		hash = hash_text(hash, text, length > 0 ? (u64)length : 0);
	}
	return hash;
}

static int write_event(int dir_fd, const struct hook_event *event)
{
	char path[256], text[FORMAT_MAX];
	long length = hook_event_format(event, text, sizeof(text));
	int error;

	if (length < 0)
		return (int)length;
	snprintf(path, sizeof(path), "events/%s/%s/format", event->group, event->name);
	error = directory_write(dir_fd, path, text, (u64)length);
	if (error)
		return error;
	snprintf(path, sizeof(path), "events/%s/%s/id", event->group, event->name);
	length = snprintf(text, sizeof(text), "%u\n", event->id);
	return directory_write(dir_fd, path, text, (u64)length);
}

static int write_list(int dir_fd)
{
	const struct hook_event *event;
	char *text = NULL;
	size_t size = 0;
	FILE *list = open_memstream(&text, &size);
	int error;

	if (!list)
		return -ENOMEM;
	for (u32 i = 0; (event = hook_event_at(i)); i++)
		fprintf(list, "%s:%s\n", event->group, event->name);
	error = fclose(list) == 0 ? directory_write(dir_fd, "available_events", text, size)
				  : -ENOMEM;
	free(text);
	return error;
}

static int write_all(int dir_fd)
{
	const struct hook_event *event;
	int error = write_list(dir_fd);

	for (u32 i = 0; !error && (event = hook_event_at(i)); i++)
		error = write_event(dir_fd, event);
	return error;
}

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
	error = fd < 0 ? -errno : write_all(fd);
	if (fd >= 0)
		close(fd);
	/* Another hive may have been faster: its copy is as good. */
	if (!error && rename(temporary, path) < 0 && errno != EEXIST && errno != ENOTEMPTY)
		error = -errno;
	directory_remove(temporary);
	return error;
}

static int link_cache(int tracing_fd)
{
	static const char *const names[] = { "events", "available_events" };
	char path[PATH_LENGTH], target[PATH_LENGTH + 32];
	int error;

	if (!cache_path(path, sizeof(path)))
		return -ENOENT;
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/events-%016llx",
		 (unsigned long long)hash_catalogue());
	if (access(path, R_OK | X_OK) < 0) {
		error = fill_cache(path);
		if (error)
			return error;
	}
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(target, sizeof(target), "%s/%s", path, names[i]);
		if (symlinkat(target, tracing_fd, names[i]) < 0)
			return -errno;
	}
	return 0;
}

int facade_make_events(int tracing_fd)
{
	if (link_cache(tracing_fd) == 0)
		return 0;
	unlinkat(tracing_fd, "events", 0);
	unlinkat(tracing_fd, "available_events", 0);
	return write_all(tracing_fd);
}
