/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's side of bpf(2): sys_client_ops over process_vm_readv(2), /proc and the listener. The
 * rule for everything that is read by thread id: read, then ask whether the notification is still
 * valid, then use.
 */
#include "gate/client.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "agent/facade.h"
#include "arena/arena.h"
#include "base/alloc.h"
#include "gate/closes.h"
#include "gate/join.h"
#include "gate/park.h"
#include "gate/state.h"
#include "hook/hook.h"
#include "rt/map_slot.h"

static struct gate_client *client_of(struct sys_client *client)
{
	return container_of(client, struct gate_client, base);
}

static int client_read(struct sys_client *base, void *dst, u64 address, u64 size)
{
	struct gate_client *client = client_of(base);
	struct iovec local = { dst, size }, remote = { (void *)address, size };

	if (!size || window_read(client->window, dst, address, size))
		return 0;
	if (!window_confirm(client->window, (pid_t)base->pid) ||
	    process_vm_readv((pid_t)base->pid, &local, 1, &remote, 1, 0) != (ssize_t)size)
		return -EFAULT;
	return listener_valid(client->listener) ? 0 : -EFAULT;
}

/*
 * process_vm_writev() may stop half-way, at a page that cannot be written. The kernel's
 * copy_to_user() does the same: what is already written stays.
 */
static int client_write(struct sys_client *base, u64 address, const void *src, u64 size)
{
	struct gate_client *client = client_of(base);
	struct iovec local = { (void *)src, size }, remote = { (void *)address, size };

	if (!size || window_answer(client->window, address, src, size))
		return 0;
	if (!window_confirm(client->window, (pid_t)base->pid) || !listener_valid(client->listener))
		return -EFAULT;
	window_written(client->window, address, size);
	return process_vm_writev((pid_t)base->pid, &local, 1, &remote, 1, 0) == (ssize_t)size
		       ? 0
		       : -EFAULT;
}

/* Reads page by page: the string may end just before memory that is not there. */
static long client_read_string(struct sys_client *base, char *dst, u64 address, u64 size)
{
	u64 done = 0;

	while (done < size) {
		u64 chunk = 4096 - ((address + done) & 4095);
		char *end;

		if (chunk > size - done)
			chunk = size - done;
		if (client_read(base, dst + done, address + done, chunk) < 0)
			return -EFAULT;
		end = memchr(dst + done, '\0', chunk);
		if (end)
			return end - dst;
		done += chunk;
	}
	return -ENAMETOOLONG;
}

void client_look(struct gate_client *client, u64 address)
{
	window_take(client->window, (pid_t)client->base.pid, address);
	if (!listener_valid(client->listener))
		window_forget(client->window);
}

void client_look_into(struct gate_client *client, struct agent_slot *slot,
		      const struct seccomp_data *call)
{
	struct window *window = client->window;

	window_take_slot(window, slot, (u32)call->args[3], call->args[1], (u32)call->args[2]);
	window->has_agent = call->args[4] & AGENT_CALL_COUNTED;
	window->agent = (struct agent_fds_head){ .owner = client->base.tgid,
						 .changes = (u32)call->args[4],
						 .born = call->args[5] };
}

/*
 * What would have to be the same for a descriptor to be still what it is now. False: nobody knows
 * what happens to this process's descriptors. Whether a call is under way that changes them was
 * read before the descriptor is looked at, and is read anew before what was found is used again: no
 * such call can have come between.
 */
static bool state_of_fds(struct gate_client *client, int fd, struct process_fd *ret_state)
{
	const struct agent_fds_head *agent = &client->window->agent;
	const struct rt_map_slots *slots = RT_CONTROL->map_slots;

	if (!client->window->has_agent || agent->owner != client->base.tgid || agent->off ||
	    agent->changing || !slots || slots->epoch >= RT_DESCRIPTOR_EPOCHS ||
	    process_is_untracked(client->gate->processes, (pid_t)client->base.tgid))
		return false;
	*ret_state = (struct process_fd){ .fd = fd,
					  .epoch = slots->epoch,
					  .changes = agent->changes,
					  .born = agent->born,
					  .ended = handle_table_ended(client->gate->handles) };
	return true;
}

/* Agents count what happens to descriptors since the first one of a map, so only those last. */
static void remember(struct gate_client *client, int fd, struct object *object, int access)
{
	struct process_fd state;

	if (object->kind != OBJECT_MAP || !state_of_fds(client, fd, &state))
		return;
	state.object = object;
	state.access = access;
	process_remember_fd(client->gate->processes, (pid_t)client->base.pid, &state);
}

static bool recall(struct gate_client *client, int fd)
{
	struct process_fd state;

	if (fd == client->recalled.fd)
		return true;
	if (!state_of_fds(client, fd, &state) ||
	    !process_recall_fd(client->gate->processes, (pid_t)client->base.pid, &state))
		return false;
	client->recalled = state;
	return true;
}

/* By a copy of the descriptor, which costs half of what a walk through /proc does, or by that. One
 * of a mere path (O_PATH) is none for system calls like bpf(2). */
static int look_at_fd(struct gate_client *client, int fd, struct stat *ret_stat)
{
	int copy = process_copy_fd(client->gate->processes, (pid_t)client->base.pid, fd), error;
	char path[48];

	if (copy == -EBADF)
		return -EBADF;
	if (copy >= 0) {
		error = fcntl(copy, F_GETFL) & O_PATH || fstat(copy, ret_stat) < 0 ? -EBADF : 0;
		close(copy);
		return error;
	}
	snprintf(path, sizeof(path), "/proc/%u/fd/%d", client->base.pid, fd);
	return stat(path, ret_stat) < 0 ? -EBADF : 0;
}

int client_stat_fd(struct gate_client *client, int fd, struct stat *ret_stat)
{
	if (fd < 0 || closes_contain(client->closes, fd))
		return -EBADF;
	if (fd != client->stat_fd) {
		client->stat_fd = -1;
		if (look_at_fd(client, fd, &client->stat) < 0 || !listener_valid(client->listener))
			return -EBADF;
		client->stat_fd = fd;
	}
	*ret_stat = client->stat;
	return 0;
}

/* -EBADF: it is closed; -EINVAL: it is no object. */
static int find_object(struct gate_client *client, int fd, struct object **ret_object,
		       int *ret_access)
{
	struct object *object;
	struct stat st;
	int access;
	bool pin;

	if (closes_contain(client->closes, fd))
		return -EBADF;
	if (fd >= 0 && recall(client, fd)) {
		object = client->recalled.object;
		access = client->recalled.access;
	} else {
		if (client_stat_fd(client, fd, &st) < 0)
			return -EBADF;
		object = handle_find(client->gate->handles, &st, &access, &pin);
		if (!object || pin)
			return -EINVAL;
		remember(client, fd, object, access);
	}
	*ret_object = object;
	if (ret_access)
		*ret_access = access;
	return 0;
}

struct object *client_object(struct gate_client *client, int fd, int *ret_access)
{
	struct object *object;
	int error = find_object(client, fd, &object, ret_access);

	return error ? NULL : object;
}

static int client_object_by_fd(struct sys_client *base, int fd, enum object_kind kind,
			       struct object **ret_object)
{
	struct gate_client *client = client_of(base);
	struct object *object;
	int error = find_object(client, fd, &object, NULL);

	if (error)
		return error;
	if (kind != OBJECT_KINDS && object->kind != kind)
		return -EINVAL;
	*ret_object = object_ref(object);
	return 0;
}

static int client_object_of_task(struct sys_client *base, u32 pid, int fd,
				 struct object **ret_object)
{
	struct gate_client *client = client_of(base);
	struct object *object;
	char path[48];
	struct stat st;
	bool pin;

	snprintf(path, sizeof(path), "/proc/%u", pid);
	if (access(path, F_OK) < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/%u/fd/%d", pid, fd);
	if (stat(path, &st) < 0)
		return errno == EACCES ? -EPERM : -EBADF;
	object = handle_find(client->gate->handles, &st, NULL, &pin);
	if (!object || pin)
		return -EINVAL;
	*ret_object = object_ref(object);
	return 0;
}

static int client_install_fd(struct sys_client *base, struct object *object, int access)
{
	struct gate_client *client = client_of(base);
	int fd = handle_open(client->gate->handles, object, access), number;

	if (object->kind == OBJECT_MAP)
		hook_track_descriptors(client->gate->options.hook);
	if (object->kind == OBJECT_ITER || sys_object_is_iter_link(object))
		hook_read_objects(client->gate->options.hook);
	if (fd < 0)
		return fd == -ENOMEM || fd == -EMFILE || fd == -ENFILE ? fd : -ENOMEM;
	number = listener_add_fd(client->listener, fd, O_CLOEXEC);
	client->stat_fd = -1; /* the number may have meant something else */
	/* The client's copy is now the only one; without it the handle ends by itself. */
	close(fd);
	return number;
}

static int client_close_fd(struct sys_client *base, int fd)
{
	struct gate_client *client = client_of(base);
	struct stat st;

	return client_stat_fd(client, fd, &st) ? -EBADF : closes_add(&client->closes, fd, &st);
}

static int client_fd_access(struct sys_client *base, int fd)
{
	int access;

	return client_object(client_of(base), fd, &access) ? access : -EBADF;
}

/* The absolute path of what a descriptor (or AT_FDCWD) refers to. */
static long directory_of(struct gate_client *client, int dirfd, char *ret_path, u64 size)
{
	char link[48];
	ssize_t length;

	if (dirfd == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%u/cwd", client->base.pid);
	else
		snprintf(link, sizeof(link), "/proc/%u/fd/%d", client->base.pid, dirfd);
	length = readlink(link, ret_path, size);
	if (length < 0 || !listener_valid(client->listener))
		return -EBADF;
	return (u64)length >= size ? -ENAMETOOLONG : length;
}

int client_resolve(struct gate_client *client, int dirfd, const char *path, char *ret_path,
		   u64 size)
{
	char absolute[4096];
	int length;

	if (!path[0])
		return -ENOENT;
	if (path[0] == '/') {
		if (strlen(path) >= sizeof(absolute))
			return -ENAMETOOLONG;
		strcpy(absolute, path);
	} else {
		long start = directory_of(client, dirfd, absolute, sizeof(absolute));

		if (start < 0)
			return (int)start;
		if ((u64)start + strlen(path) + 2 > sizeof(absolute))
			return -ENAMETOOLONG;
		absolute[start] = '/';
		strcpy(absolute + start + 1, path);
	}
	length = facade_rewrite(absolute, client->gate->directory.path, ret_path, (u32)size);
	if (length < 0 || (!length && strlen(absolute) >= size))
		return -ENAMETOOLONG;
	if (!length)
		strcpy(ret_path, absolute);
	return 0;
}

/* Pins are files below the hive's bpf/ and nowhere else, as the kernel wants a bpf file system. */
static int resolve_pin(struct gate_client *client, int dirfd, const char *path, char *ret_path,
		       u64 size)
{
	char top[DIRECTORY_PATH_MAX + 8], parent[4096];
	struct stat st;
	char *slash;
	int error = client_resolve(client, dirfd, path, ret_path, size);

	if (error)
		return error;
	slash = strrchr(ret_path, '/');
	*slash = '\0';
	if (!realpath(ret_path, parent))
		return -errno;
	*slash = '/';
	/* What is there, or cannot be, is said before whose file system it is. */
	if (stat(parent, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (!lstat(ret_path, &st))
		return -EEXIST;
	snprintf(top, sizeof(top), "%s/bpf", client->gate->directory.path);
	if (strncmp(parent, top, strlen(top)) ||
	    (parent[strlen(top)] && parent[strlen(top)] != '/'))
		return -EPERM;
	return 0;
}

static int client_pin(struct sys_client *base, int dirfd, const char *path, struct object *object)
{
	struct gate_client *client = client_of(base);
	char file[4096];
	int error = resolve_pin(client, dirfd, path, file, sizeof(file));

	return error ? error : handle_pin(client->gate->handles, object, file);
}

static int client_pinned(struct sys_client *base, int dirfd, const char *path,
			 struct object **ret_object)
{
	struct gate_client *client = client_of(base);
	struct object *object;
	char file[4096];
	struct stat st;
	bool pin;
	int error = client_resolve(client, dirfd, path, file, sizeof(file));

	if (error)
		return error;
	if (stat(file, &st) < 0)
		return -errno;
	object = handle_find(client->gate->handles, &st, NULL, &pin);
	if (!object || !pin)
		return -EACCES;
	*ret_object = object_ref(object);
	return 0;
}

static int client_place_of_fd(struct sys_client *base, int fd)
{
	struct gate_client *client = client_of(base);
	char path[DIRECTORY_PATH_MAX + 8], target[8];
	enum sys_place place = SYS_PLACE_OTHER;
	struct stat st, top;
	struct statfs fs;

	if (client_stat_fd(client, fd, &st) < 0)
		return -EBADF;
	snprintf(path, sizeof(path), "%s/bpf", client->gate->directory.path);
	if (S_ISDIR(st.st_mode) && stat(path, &top) == 0 && top.st_dev == st.st_dev &&
	    top.st_ino == st.st_ino)
		return SYS_PLACE_BPFFS;
	snprintf(path, sizeof(path), "/proc/%u/fd/%d", base->pid, fd);
	if (statfs(path, &fs) < 0)
		return -EBADF;
	if (fs.f_type == CGROUP2_SUPER_MAGIC && S_ISDIR(st.st_mode))
		place = SYS_PLACE_CGROUP;
	else if (fs.f_type == NSFS_MAGIC && readlink(path, target, sizeof(target)) > 4 &&
		 !strncmp(target, "net:", 4))
		place = SYS_PLACE_NETNS;
	return listener_valid(client->listener) ? (int)place : -EBADF;
}

/* Where pidfd_getfd(2) is denied, as in containers: enough to look at a file, not at a socket. */
static int path_of_fd(struct gate_client *client, int fd)
{
	struct gate *gate = client->gate;
	struct stat status;
	char path[48];
	int copy;

	snprintf(path, sizeof(path), "/proc/%u/fd/%d", client->base.pid, fd);
	copy = open(path, O_PATH | O_CLOEXEC);
	if (copy < 0)
		return -EBADF;
	if (fstat(copy, &status) == 0 && !S_ISSOCK(status.st_mode))
		return copy;
	close(copy);
	if (!gate->sockets_hidden)
		gate_message(gate, "a seccomp filter around this hive denies pidfd_getfd(2), so no "
				   "socket can be put into a map or be a key here: EPERM");
	gate->sockets_hidden = true;
	return -EPERM;
}

static int client_copy_fd(struct sys_client *base, int fd)
{
	struct gate_client *client = client_of(base);
	int copy;

	if (fd < 0 || closes_contain(client->closes, fd))
		return -EBADF;
	copy = process_copy_fd(client->gate->processes, (pid_t)base->pid, fd);
	if (copy == -EPERM)
		copy = path_of_fd(client, fd);
	if (copy >= 0 && !listener_valid(client->listener)) {
		close(copy);
		return -EBADF;
	}
	return copy;
}

/* The name of a device, seen from this thread's network name space. */
static bool has_device(u32 ifindex)
{
	char name[IF_NAMESIZE];

	return if_indextoname(ifindex, name) != NULL;
}

/*
 * Looks where the client is. This thread goes there and comes back, if it may: it first goes to
 * where it is, which takes the same rights as the way back.
 */
static bool client_device(struct sys_client *base, u32 ifindex)
{
	char path[48];
	struct stat here, there;
	int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), theirs;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%u/ns/net", base->pid);
	theirs = open(path, O_RDONLY | O_CLOEXEC);
	if (own >= 0 && theirs >= 0 && !fstat(own, &here) && !fstat(theirs, &there)) {
		if (here.st_ino == there.st_ino) {
			found = has_device(ifindex);
		} else if (!setns(own, CLONE_NEWNET) && !setns(theirs, CLONE_NEWNET)) {
			found = has_device(ifindex);
			if (setns(own, CLONE_NEWNET))
				found = false;
		}
	}
	if (own >= 0)
		close(own);
	if (theirs >= 0)
		close(theirs);
	return found;
}

static long client_pid_of_fd(struct sys_client *base, int fd)
{
	struct gate_client *client = client_of(base);
	char path[64], line[64];
	bool is_pidfd = false;
	int pid = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%d", base->pid, fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		is_pidfd |= sscanf(line, "Pid: %d", &pid) == 1;
	if (file)
		fclose(file);
	if (!is_pidfd || !pid || !listener_valid(client->listener))
		return -EBADF;
	return pid > 0 ? pid : -ESRCH;
}

static u32 client_processes(struct sys_client *base, u32 **ret_pids)
{
	struct gate_client *client = client_of(base);
	struct control_answer hive = { .pid = getpid() };
	struct stat st;
	u32 room = 64, nr;
	pid_t *pids = NULL, *grown;

	*ret_pids = NULL;
	if (fstat(arena_fd(client->gate->options.arena), &st) < 0)
		return 0;
	hive.arena_device = st.st_dev;
	hive.arena_inode = st.st_ino;
	hive.keeper_pid = client->gate->keeper.pid;
	for (;;) {
		grown = base_realloc(pids, room, sizeof(*pids));
		if (!grown) {
			base_free(pids);
			return 0;
		}
		pids = grown;
		nr = join_processes(&hive, pids, room);
		if (nr <= room)
			break;
		room = nr + 64;
	}
	*ret_pids = (u32 *)pids;
	return nr;
}

static int client_pause(struct sys_client *base)
{
	return park_pause(client_of(base));
}

static const struct sys_client_ops client_ops = {
	.pause = client_pause,
	.read = client_read,
	.write = client_write,
	.read_string = client_read_string,
	.object_by_fd = client_object_by_fd,
	.install_fd = client_install_fd,
	.close_fd = client_close_fd,
	.object_of_task = client_object_of_task,
	.fd_access = client_fd_access,
	.place_of_fd = client_place_of_fd,
	.copy_fd = client_copy_fd,
	.device = client_device,
	.pid_of_fd = client_pid_of_fd,
	.processes = client_processes,
	.pin = client_pin,
	.pinned = client_pinned,
};

int client_init(struct gate_client *client, struct gate *gate, struct listener *listener)
{
	struct process_identity identity;
	int error = process_identify(gate->processes, (pid_t)listener->slot->notif.pid, &identity);

	if (error)
		return error;
	*client = (struct gate_client){
		.base = { .ops = &client_ops,
			  .pid = identity.tid,
			  .tgid = identity.tgid,
			  .uid = identity.uid,
			  .gid = identity.gid,
			  .privileged = true },
		.gate = gate,
		.listener = listener,
		.window = &gate->window,
		.stat_fd = -1,
		.recalled.fd = -1,
	};
	window_forget(client->window);
	return 0;
}
