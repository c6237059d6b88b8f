/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One small file for each scanned file, named by a hash of what fstat(2) says about it, written
 * beside its final name and renamed. A reader believes it only if owner, key, size and checksum are
 * right.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/alloc.h"
#include "hook/cache.h"

/* To be raised whenever the scanner or struct agent_site changes. */
#define CACHE_VERSION 2u
#define CACHE_MAGIC   0x65746973u /* "site" */
#define SITES_MAX     (1u << 20)
#define ENTRIES_MAX   512

struct entry {
	u32 magic, version;
	struct agent_module_key key;
	u32 nr_sites, skipped;
	u64 checksum; /* of the sites */
};

static u64 hash(const void *bytes, u64 size, u64 value)
{
	const u8 *at = bytes;

	for (u64 i = 0; i < size; i++)
		value = (value ^ at[i]) * 0x100000001b3ul;
	return value;
}

/* The directory, made if need be: a descriptor, or -1. */
static int open_directory(void)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char path[4096];
	struct stat st;
	int length, fd;

	if (cache && cache[0] == '/')
		length = snprintf(path, sizeof(path), "%s", cache);
	else if (home && home[0] == '/')
		length = snprintf(path, sizeof(path), "%s/.cache", home);
	else
		return -1;
	if (length < 0 || (u64)length + 32 > sizeof(path))
		return -1;
	mkdir(path, 0700);
	strcat(path, "/skep");
	mkdir(path, 0700);
	strcat(path, "/sites");
	mkdir(path, 0700);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_uid != geteuid() || st.st_mode & 022)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void entry_name(const struct agent_module_key *key, char name[32])
{
	snprintf(name, 32, "%016lx", hash(key, sizeof(*key), 0xcbf29ce484222325ul + CACHE_VERSION));
}

static bool read_entry(int fd, const struct agent_module_key *key, struct scan_result *ret_result)
{
	struct agent_site *sites;
	struct entry entry;
	struct stat st;
	u64 size;

	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || st.st_mode & 022 ||
	    read(fd, &entry, sizeof(entry)) != sizeof(entry) || entry.magic != CACHE_MAGIC ||
	    entry.version != CACHE_VERSION || memcmp(&entry.key, key, sizeof(*key)) != 0 ||
	    entry.nr_sites > SITES_MAX)
		return false;
	size = entry.nr_sites * sizeof(*sites);
	if ((u64)st.st_size != sizeof(entry) + size)
		return false;
	sites = base_alloc(size ? size : 1);
	if (!sites)
		return false;
	if (read(fd, sites, size) != (ssize_t)size || hash(sites, size, 0) != entry.checksum) {
		base_free(sites);
		return false;
	}
	*ret_result = (struct scan_result){ .sites = sites,
					    .nr_sites = entry.nr_sites,
					    .skipped = entry.skipped };
	return true;
}

bool cache_load(const struct agent_module_key *key, struct scan_result *ret_result)
{
	int dir_fd = open_directory(), fd;
	bool known = false;
	char name[32];

	if (dir_fd < 0)
		return false;
	entry_name(key, name);
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		known = read_entry(fd, key, ret_result);
		close(fd);
	}
	close(dir_fd);
	return known;
}

/* Files change and their entries stay behind: when there are many, all go and come back as needed.
 */
static void bound_entries(int dir_fd)
{
	int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;
	u32 nr = 0;

	if (!dir) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while (readdir(dir))
		nr++;
	rewinddir(dir);
	while (nr > ENTRIES_MAX && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			unlinkat(dir_fd, entry->d_name, 0);
	closedir(dir);
}

void cache_store(const struct agent_module_key *key, const struct scan_result *result)
{
	u64 size = result->nr_sites * sizeof(*result->sites);
	struct entry entry = { .magic = CACHE_MAGIC,
			       .version = CACHE_VERSION,
			       .key = *key,
			       .nr_sites = result->nr_sites,
			       .skipped = result->skipped,
			       .checksum = hash(result->sites, size, 0) };
	int dir_fd = open_directory(), fd;
	char name[32], temporary[64];
	bool written;

	if (dir_fd < 0)
		return;
	bound_entries(dir_fd);
	entry_name(key, name);
	snprintf(temporary, sizeof(temporary), "%s.%d", name, (int)getpid());
	fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0) {
		written = write(fd, &entry, sizeof(entry)) == sizeof(entry) &&
			  (!size || write(fd, result->sites, size) == (ssize_t)size);
		close(fd);
		if (!written || renameat(dir_fd, temporary, dir_fd, name) < 0)
			unlinkat(dir_fd, temporary, 0);
	}
	close(dir_fd);
}
