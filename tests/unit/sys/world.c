/* SPDX-License-Identifier: BSD-2-Clause */
/* See world.h. The skep world's client reads memory with process_vm_readv(2) of itself: bad
 * addresses fail. */
#include "world.h"
#include "../btf/blob.h"
#include "arena/arena.h"
#include "harness/tap.h"
#include "rt/prog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX	 4096
#define PINS_MAX 16

struct fd_entry {
	struct object *object;
	enum sys_place place; /* without an object: what else it is, SYS_PLACE_OTHER if closed */
	int access;
	bool foreign; /* a file of another kind */
	int real;     /* which: one of our own, 0 if it does not matter */
};

struct pin {
	char path[64];
	struct object *object;
};

struct skep_world {
	struct world world;
	struct sys_client client;
	struct sys_hive *hive;
	struct arena *arena;
	struct fd_entry fds[FDS_MAX];
	int first_fd; /* lower ones are files of other kinds */
	int last_fd;  /* from here on they are this process's own */
	struct pin pins[PINS_MAX];
	char message[512];
	u32 attached;
	u32 perf_type;		 /* of the programs that perf events take */
	u64 memory, memory_size; /* all of ours if the size is 0 */
};

static struct skep_world *of_client(struct sys_client *client)
{
	return container_of(client, struct skep_world, client);
}

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
	if (!has_memory(of_client(client), address, size))
		return -EFAULT;
	return copy_self(dst, (const void *)(uintptr_t)address, size, false);
}

static int client_write(struct sys_client *client, u64 address, const void *src, u64 size)
{
	if (!has_memory(of_client(client), address, size))
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
	struct skep_world *world = of_client(client);

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
	struct skep_world *world = of_client(client);
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

static int skep_close(struct world *world, int fd);

static int client_close_fd(struct sys_client *client, int fd)
{
	return skep_close(&of_client(client)->world, fd);
}

static int client_fd_access(struct sys_client *client, int fd)
{
	return of_client(client)->fds[fd].access;
}

static int client_place_of_fd(struct sys_client *client, int fd)
{
	struct skep_world *world = of_client(client);

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
	struct skep_world *world = of_client(client);
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
	struct skep_world *world = of_client(client);
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
	struct pin *pin = *path ? find_pin(of_client(client), path) : NULL;

	if (!pin)
		return -ENOENT;
	*ret_object = object_ref(pin->object);
	return 0;
}

static const struct sys_client_ops client_ops = {
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

/* A perf event, and the program on it. */
struct perf {
	struct object object;
	u32 prog_id;
};

static u32 prog_id(struct sys_prog *prog)
{
	return sys_prog_rt(prog)->id;
}

/* A hook of the test's own: one raw tracepoint exists, perf events are all one tracepoint. */
static int attach_raw(void *arg, struct sys_prog *prog, const char *name, u64 cookie,
		      void **ret_token, const char **ret_reason)
{
	struct skep_world *world = arg;

	if (!strcmp(name, "block_rq_issue")) {
		*ret_reason = "block devices cannot be seen from user space";
		return -EOPNOTSUPP;
	}
	if (strcmp(name, "sys_enter"))
		return -ENOENT;
	world->attached++;
	*ret_token = world;
	return 0;
}

static int attach_perf(void *arg, struct sys_prog *prog, struct object *perf, u64 cookie,
		       void **ret_token, const char **ret_reason)
{
	struct skep_world *world = arg;

	if (sys_prog_type(prog) != world->perf_type)
		return -EINVAL;
	if (container_of(perf, struct perf, object)->prog_id)
		return -EEXIST;
	world->attached++;
	container_of(perf, struct perf, object)->prog_id = prog_id(prog);
	*ret_token = object_ref(perf);
	return 0;
}

static void detach(void *arg, void *token)
{
	((struct skep_world *)arg)->attached--;
	if (token == arg)
		return;
	container_of(token, struct perf, object)->prog_id = 0;
	object_unref(token);
}

static int perf_target(void *arg, struct object *perf, void **ret_target)
{
	*ret_target = RT_CONTROL; /* any address in control */
	return 0;
}

static int perf_info(void *arg, struct object *perf, struct sys_perf_info *ret_info)
{
	struct skep_world *world = arg;
	bool tracepoint = world->perf_type == BPF_PROG_TYPE_TRACEPOINT;

	*ret_info = (struct sys_perf_info){ 0 };
	ret_info->type = tracepoint ? PERF_TYPE_TRACEPOINT : PERF_TYPE_SOFTWARE;
	ret_info->config = tracepoint ? 77 : PERF_COUNT_SW_BPF_OUTPUT;
	ret_info->tracepoint = tracepoint ? "sys_enter_execve" : NULL;
	ret_info->prog_id = container_of(perf, struct perf, object)->prog_id;
	return 0;
}

static const struct sys_attach_ops attach_ops = {
	.raw_tracepoint = attach_raw,
	.perf_event = attach_perf,
	.detach = detach,
	.perf_target = perf_target,
	.perf_info = perf_info,
};

static void message(void *arg, const char *text)
{
	struct skep_world *world = arg;

	strncpy(world->message, text, sizeof(world->message) - 1);
}

static long skep_bpf(struct world *world, u32 cmd, const void *attr, u32 size)
{
	struct skep_world *skep = container_of(world, struct skep_world, world);

	return sys_bpf(skep->hive, &skep->client, cmd, (u64)(uintptr_t)attr, size);
}

static int skep_close(struct world *world, int fd)
{
	struct skep_world *skep = container_of(world, struct skep_world, world);

	if (fd < skep->first_fd || fd >= FDS_MAX)
		return -EBADF;
	if (skep->fds[fd].real)
		close(skep->fds[fd].real);
	skep->fds[fd].real = 0;
	if (skep->fds[fd].foreign || skep->fds[fd].place) {
		skep->fds[fd].foreign = false;
		skep->fds[fd].place = SYS_PLACE_OTHER;
		return 0;
	}
	if (!skep->fds[fd].object)
		return -EBADF;
	object_user_unref(skep->fds[fd].object);
	skep->fds[fd].object = NULL;
	sys_hive_reap(skep->hive);
	return 0;
}

static void free_object(struct object *object)
{
	free(container_of(object, struct perf, object));
}

static int skep_perf_open(struct world *world)
{
	struct skep_world *skep = container_of(world, struct skep_world, world);
	struct perf *perf = calloc(1, sizeof(*perf));
	int fd;

	if (!perf)
		return -ENOMEM;
	object_init(sys_hive_objects(skep->hive), &perf->object, OBJECT_PERF, free_object);
	fd = client_install_fd(&skep->client, &perf->object, O_RDWR);
	object_unref(&perf->object);
	return fd;
}

static int skep_place_open(struct world *world, enum sys_place place)
{
	struct skep_world *skep = container_of(world, struct skep_world, world);
	int fd;

	for (fd = 3; fd < FDS_MAX; fd++)
		if (!skep->fds[fd].object && !skep->fds[fd].place && !skep->fds[fd].foreign) {
			skep->fds[fd].place = place;
			return fd;
		}
	return -EMFILE;
}

static int skep_take(struct world *world, int file)
{
	int fd = world_foreign(world);

	if (fd >= 0)
		container_of(world, struct skep_world, world)->fds[fd].real = file;
	return fd;
}

struct world *world_skep(void)
{
	struct skep_world *skep = calloc(1, sizeof(*skep));
	struct sys_hive_options options = { .attach_ops = &attach_ops, .message = message };
	const char *text = NULL;
	int error;

	if (!skep)
		tap_bail("no memory");
	error = arena_new(NULL, &skep->arena, &text);
	if (error)
		tap_bail("no arena: %s (%d)", text ? text : "", error);
	skep->first_fd = 3;
	skep->last_fd = INT32_MAX;
	skep->perf_type = BPF_PROG_TYPE_TRACEPOINT;
	options.arena = skep->arena;
	options.attach_arg = skep;
	options.message_arg = skep;
	skep->hive = sys_hive_new(&options);
	if (!skep->hive)
		tap_bail("no hive");
	skep->world = (struct world){ "skep",	      false,	       skep_bpf, skep_close,
				      skep_perf_open, skep_place_open, skep_take };
	skep->client = (struct sys_client){ .ops = &client_ops,
					    .pid = (u32)getpid(),
					    .tgid = (u32)getpid(),
					    .uid = getuid(),
					    .gid = getgid(),
					    .privileged = true };
	return &skep->world;
}

void world_limit(struct world *world, const void *memory, u64 size)
{
	struct skep_world *skep = container_of(world, struct skep_world, world);

	skep->memory = (u64)(uintptr_t)memory;
	skep->memory_size = size;
}

void world_last_fd(struct world *world, int fd)
{
	container_of(world, struct skep_world, world)->last_fd = fd;
}

void world_perf_type(struct world *world, u32 type)
{
	container_of(world, struct skep_world, world)->perf_type = type;
}

void world_first_fd(struct world *world, int fd)
{
	container_of(world, struct skep_world, world)->first_fd = fd;
}

int world_foreign(struct world *world)
{
	struct skep_world *skep;
	int fd;

	if (world->kernel)
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	skep = container_of(world, struct skep_world, world);
	for (fd = skep->first_fd; fd < FDS_MAX; fd++)
		if (!skep->fds[fd].object && !skep->fds[fd].foreign && !skep->fds[fd].place) {
			skep->fds[fd].foreign = true;
			return fd;
		}
	return -EMFILE;
}

int world_take(struct world *world, int file)
{
	return file < 0 ? file : world->take(world, file);
}

void world_unpin(struct world *world)
{
	struct skep_world *skep = container_of(world, struct skep_world, world);
	u32 i;

	for (i = 0; i < PINS_MAX; i++) {
		object_user_unref(skep->pins[i].object);
		memset(&skep->pins[i], 0, sizeof(skep->pins[i]));
	}
}

u32 world_skep_free(struct world *world)
{
	struct skep_world *skep = container_of(world, struct skep_world, world);
	struct object_table *table = sys_hive_objects(skep->hive);
	u32 left = 0, kind, id;
	int fd;

	for (fd = 3; fd < FDS_MAX; fd++)
		if (skep->fds[fd].object || skep->fds[fd].real)
			skep_close(world, fd);
	world_unpin(world);
	for (u32 round = 0; round < 10; round++)
		sys_hive_reap(skep->hive);
	for (kind = 0; kind < OBJECT_PERF; kind++)
		for (id = 0; (id = object_next_id(table, kind, id));)
			left += kind != OBJECT_BTF || id != 1; /* the kernel's is the hive's own */
	left += skep->attached;
	sys_hive_free(skep->hive);
	arena_free(skep->arena);
	free(skep);
	return left;
}

struct sys_hive *world_hive(struct world *world)
{
	return container_of(world, struct skep_world, world)->hive;
}

struct sys_client *world_client(struct world *world)
{
	return &container_of(world, struct skep_world, world)->client;
}

struct object *world_object(struct world *world, int fd)
{
	return container_of(world, struct skep_world, world)->fds[fd].object;
}

const char *world_last_message(struct world *world)
{
	static char text[512];
	struct skep_world *skep = container_of(world, struct skep_world, world);

	memcpy(text, skep->message, sizeof(text));
	skep->message[0] = 0;
	return text;
}

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
