/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Site tables of files, scanned once for the hive and published in the control segment, where every
 * agent finds them by device, inode, size and change time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "arena/arena.h"
#include "base/alloc.h"
#include "hook/cache.h"
#include "hook/scan.h"
#include "hook/state.h"

#define FILE_SIZE_MAX	(2ul << 30)
/* Smaller files are scanned faster than a cache entry is found. */
#define CACHED_SIZE_MIN (128ul << 10)

/* Index of the known module, or -1. */
static int find_known(const struct hook *hook, const struct agent_module_key *key)
{
	for (u32 i = 0; i < hook->control->nr_modules; i++)
		if (memcmp(&hook->control->modules[i].key, key, sizeof(*key)) == 0)
			return (int)i;
	return -1;
}

/* Scans and publishes; the index or -errno. */
static int publish(struct hook *hook, const struct agent_module_key *key, const u8 *bytes, u64 size)
{
	struct agent_control *control = hook->control;
	struct scan_result result = { 0 };
	struct agent_module *module;
	void *table = NULL;
	int error;

	if (control->nr_modules == AGENT_MODULES_MAX)
		return -ENOSPC;
	if (size < CACHED_SIZE_MIN || !cache_load(key, &result)) {
		error = scan_elf(bytes, size, &result);
		if (error)
			return error;
		if (size >= CACHED_SIZE_MIN)
			cache_store(key, &result);
	}
	if (result.nr_sites) {
		table = arena_alloc(hook->arena, ARENA_CONTROL,
				    result.nr_sites * sizeof(*result.sites), 8);
		if (!table) {
			base_free(result.sites);
			return -ENOSPC;
		}
		memcpy(table, result.sites, result.nr_sites * sizeof(*result.sites));
	}
	module = &control->modules[control->nr_modules];
	*module = (struct agent_module){ .key = *key,
					 .sites = table ? (u64)table : (u64)RT_CONTROL,
					 .nr_sites = result.nr_sites };
	base_free(result.sites);
	__atomic_store_n(&control->nr_modules, control->nr_modules + 1, __ATOMIC_RELEASE);
	return (int)control->nr_modules - 1;
}

static int find_vdso(struct hook *hook)
{
	static const struct agent_module_key key = { .size = 1 };
	const u8 *image = (const u8 *)getauxval(AT_SYSINFO_EHDR);
	int index = find_known(hook, &key);

	if (index >= 0)
		return index;
	/* The kernel maps at least a page; its ELF header's tables lie in the first ones. */
	return image ? publish(hook, &key, image, 4096 * 2) : -ENOENT;
}

/*
 * The file at path, open, if it is of this inode (0: of any); -1 if it is not there or not for us.
 * What else can fail goes to *error.
 */
static int open_inode(const char *path, u64 inode, int *error)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES && errno != EPERM)
			*error = -errno;
		return -1;
	}
	if (fstat(fd, &st) < 0)
		*error = -errno;
	else if (!inode || st.st_ino == inode)
		return fd;
	close(fd);
	return -1;
}

/* The file mapped at address in process pid: an open descriptor, or -errno. */
static int open_mapped(pid_t pid, u64 address)
{
	char path[64], line[4608], name[4096 + 32];
	unsigned long start, end, inode;
	int fd = -1, error = -ENOENT, at;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*s %*s %*s %lu %n", &start, &end, &inode, &at) < 3 ||
		    address < start || address >= end)
			continue;
		line[strcspn(line, "\n")] = '\0';
		/* Its own root: the process may live in another mount namespace. */
		snprintf(name, sizeof(name), "/proc/%d/root%s", pid, line + at);
		if (inode)
			fd = open_inode(name, inode, &error);
		if (inode && fd < 0) {
			snprintf(name, sizeof(name), "/proc/%d/map_files/%lx-%lx", pid, start, end);
			fd = open_inode(name, 0, &error);
		}
		break;
	}
	if (fd < 0 && ferror(maps))
		error = -EIO;
	fclose(maps);
	return fd >= 0 ? fd : error;
}

static int scan_file(struct hook *hook, int fd)
{
	struct agent_module_key key;
	struct stat st;
	void *bytes;
	int index;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || (u64)st.st_size > FILE_SIZE_MAX)
		return -ENOEXEC;
	key = (struct agent_module_key){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = (u64)st.st_size,
		.change_ns = (u64)st.st_ctim.tv_sec * 1000000000ul + (u64)st.st_ctim.tv_nsec,
	};
	index = find_known(hook, &key);
	if (index >= 0)
		return index;
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	index = publish(hook, &key, bytes, (u64)st.st_size);
	munmap(bytes, (size_t)st.st_size);
	return index;
}

int hook_find_sites(struct hook *hook, pid_t pid, struct agent_sites *ask)
{
	const struct agent_module *module;
	int index, fd;

	if (!ask->address && !ask->length) {
		index = find_vdso(hook);
	} else {
		fd = open_mapped(pid, ask->address);
		if (fd < 0)
			return fd;
		index = scan_file(hook, fd);
		close(fd);
	}
	if (index < 0)
		return index;
	module = &hook->control->modules[index];
	ask->sites = module->sites;
	ask->nr_sites = module->nr_sites;
	return 0;
}
