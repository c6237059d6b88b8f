/* SPDX-License-Identifier: BSD-2-Clause */
/* See world.h: the kernel as a world, and what is the same in both. */
#include "world.h"
#include "../btf/blob.h"
#include "harness/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long kernel_bpf(struct world *world, u32 cmd, const void *attr, u32 size)
{
	long result = syscall(SYS_bpf, cmd, attr, size);

	return result < 0 ? -errno : result;
}

static int kernel_close(struct world *world, int fd)
{
	return close(fd) ? -errno : 0;
}

static int kernel_perf_open(struct world *world)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_BPF_OUTPUT,
					.sample_type = PERF_SAMPLE_RAW };
	long fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

/* Where a file system of this type is mounted, from /proc/mounts. */
static bool find_mount(const char *type, char path[256])
{
	FILE *mounts = fopen("/proc/mounts", "re");
	char line[512], found[64] = "";

	while (mounts && strcmp(found, type) && fgets(line, sizeof(line), mounts))
		if (sscanf(line, "%*s %255s %63s", path, found) != 2)
			found[0] = '\0';
	if (mounts)
		fclose(mounts);
	return !strcmp(found, type);
}

static char own_cgroup[300];

static void remove_cgroup(void)
{
	rmdir(own_cgroup);
}

/* A cgroup of our own, one a process: to others it would show what was attached before. */
static int open_cgroup(void)
{
	char path[256];

	if (!own_cgroup[0]) {
		if (!find_mount("cgroup2", path))
			return -ENOENT;
		snprintf(own_cgroup, sizeof(own_cgroup), "%s/skep-test-%d", path, getpid());
		if (mkdir(own_cgroup, 0700) < 0)
			return -ENOENT;
		atexit(remove_cgroup);
	}
	return open(own_cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int open_bpffs(void)
{
	char path[256];

	return find_mount("bpf", path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -ENOENT;
}

static int kernel_place_open(struct world *world, enum sys_place place)
{
	switch (place) {
	case SYS_PLACE_CGROUP: return open_cgroup();
	case SYS_PLACE_BPFFS: return open_bpffs();
	case SYS_PLACE_NETNS: return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	default: return open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
}

static int kernel_take(struct world *world, int file)
{
	return file;
}

struct world *world_kernel(void)
{
	static struct world world = { "kernel",		true,
				      kernel_bpf,	kernel_close,
				      kernel_perf_open, kernel_place_open,
				      kernel_take };

	return tap_kernel_bpf() ? &world : NULL;
}

long world_call(struct world *world, u32 cmd, union abi_attr *attr)
{
	return world->bpf(world, cmd, attr, sizeof(*attr));
}

int world_map(struct world *world, u32 type, u32 key_size, u32 value_size, u32 max_entries,
	      u32 flags)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = key_size;
	attr.value_size = value_size;
	attr.max_entries = max_entries;
	attr.map_flags = flags;
	return (int)world_call(world, BPF_MAP_CREATE, &attr);
}

union abi_attr world_prog_attr(u32 type, const struct bpf_insn *insns, u32 nr)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.load.prog_type = type;
	attr.load.insns = (u64)(uintptr_t)insns;
	attr.load.insn_cnt = nr;
	attr.load.license = (u64)(uintptr_t) "GPL";
	return attr;
}

int world_prog(struct world *world, u32 type, const struct bpf_insn *insns, u32 nr)
{
	return world_prog_for(world, type, 0, insns, nr);
}

int world_prog_for(struct world *world, u32 type, u32 attach_type, const struct bpf_insn *insns,
		   u32 nr)
{
	union abi_attr attr = world_prog_attr(type, insns, nr);

	attr.load.expected_attach_type = attach_type;
	return (int)world_call(world, BPF_PROG_LOAD, &attr);
}

int world_btf(struct world *world, const struct blob *blob)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.btf.btf = (u64)(uintptr_t)blob->bytes;
	attr.btf.btf_size = blob->size;
	return (int)world_call(world, BPF_BTF_LOAD, &attr);
}

static long elem(struct world *world, u32 cmd, int map, const void *key, const void *value,
		 u64 flags)
{
	union abi_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.elem.map_fd = (u32)map;
	attr.elem.key = (u64)(uintptr_t)key;
	attr.elem.value = (u64)(uintptr_t)value;
	attr.elem.flags = flags;
	return world_call(world, cmd, &attr);
}

long world_update(struct world *world, int map, const void *key, const void *value, u64 flags)
{
	return elem(world, BPF_MAP_UPDATE_ELEM, map, key, value, flags);
}

long world_lookup(struct world *world, int map, const void *key, void *value)
{
	return elem(world, BPF_MAP_LOOKUP_ELEM, map, key, value, 0);
}

long world_delete(struct world *world, int map, const void *key)
{
	return elem(world, BPF_MAP_DELETE_ELEM, map, key, NULL, 0);
}

long world_read(struct world *world, int fd, void *buffer, u64 size)
{
	struct sys_client *client;
	const void *data = NULL;
	long got;

	if (world->kernel) {
		got = read(fd, buffer, size);
		return got < 0 ? -errno : got;
	}
	client = world_client(world);
	do {
		got = sys_iter_read(client, world_object(world, fd), size, &data);
	} while (got == SYS_ITER_AGAIN);
	if (got > 0) {
		memcpy(buffer, data, (size_t)got);
		sys_iter_consume(world_object(world, fd), (u64)got);
	}
	return got;
}
