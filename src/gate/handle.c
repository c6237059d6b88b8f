/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors of objects are descriptions of FIFOs, each of an inode of its own that has no name
 * any more. The kernel then does the rest: dup, fork, close-on-exec and passing over sockets work,
 * readlink shows the kernel's word for the object, poll and epoll work (a byte in the pipe means
 * "readable"), mmap gives ENODEV and an ioctl ENOTTY, which is how the agent recognises them
 * without asking. When the last description goes the inode goes, and inotify tells (IN_DELETE_SELF,
 * then IN_IGNORED). A pollable handle's pipe is held open here too, until IN_CLOSE.
 *
 * An inode is watched as long as it lives and thus never reused while the table knows it: device
 * and inode number are the identity of a handle.
 */
#include "gate/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>
#include "base/alloc.h"

#define BUCKETS		256
#define NAME_MAX_LENGTH 32

struct handle {
	struct handle *next_inode, *next_watch; /* in their buckets */
	struct handle *next_pollable,
		**pollable_link; /* in the list of pollable ones; link NULL: not in it */
	struct object *object;
	dev_t dev;
	ino_t ino;
	int watch;
	int access;
	int fd; /* our description of a pollable handle's pipe, or -1 */
	bool pin, readable;
};

struct handle_table {
	struct handle_table_options options;
	char *dir_path;
	int inotify_fd;
	u32 nr;
	u32 pin_changes;
	u64 ended;
	struct handle *by_inode[BUCKETS];
	struct handle *by_watch[BUCKETS];
	struct handle *pollable;
};

static const char *const kind_names[OBJECT_KINDS] = {
	[OBJECT_MAP] = "bpf-map",   [OBJECT_PROG] = "bpf-prog",	    [OBJECT_BTF] = "btf",
	[OBJECT_LINK] = "bpf_link", [OBJECT_PERF] = "[perf_event]", [OBJECT_STATS] = "bpf-stats",
	[OBJECT_ITER] = "bpf_iter",
};

static u32 inode_bucket(dev_t dev, ino_t ino)
{
	u64 hash = (ino ^ (dev << 7)) * 0x9e3779b97f4a7c15ull;

	return (u32)(hash >> 56) % BUCKETS;
}

static u32 watch_bucket(int watch)
{
	return (u32)watch % BUCKETS;
}

int handle_table_new(const struct handle_table_options *options, struct handle_table **ret_table)
{
	struct handle_table *table = base_zalloc(1, sizeof(*table));
	int error;

	if (!table)
		return -ENOMEM;
	table->options = *options;
	table->dir_path = base_memdup(options->dir_path, strlen(options->dir_path) + 1);
	table->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (table->dir_path && table->inotify_fd >= 0) {
		*ret_table = table;
		return 0;
	}
	error = table->inotify_fd < 0 ? -errno : -ENOMEM;
	handle_table_free(table);
	return error;
}

static void unlist_pollable(struct handle *handle)
{
	if (!handle->pollable_link)
		return;
	*handle->pollable_link = handle->next_pollable;
	if (handle->next_pollable)
		handle->next_pollable->pollable_link = handle->pollable_link;
	handle->pollable_link = NULL;
}

static void list_pollable(struct handle_table *table, struct handle *handle)
{
	handle->next_pollable = table->pollable;
	handle->pollable_link = &table->pollable;
	if (table->pollable)
		table->pollable->pollable_link = &handle->next_pollable;
	table->pollable = handle;
}

static void close_pipe(struct handle *handle)
{
	unlist_pollable(handle);
	if (handle->fd >= 0)
		close(handle->fd);
	handle->fd = -1;
}

static void insert(struct handle_table *table, struct handle *handle)
{
	struct handle **inode = &table->by_inode[inode_bucket(handle->dev, handle->ino)];
	struct handle **watch = &table->by_watch[watch_bucket(handle->watch)];

	handle->next_inode = *inode;
	*inode = handle;
	handle->next_watch = *watch;
	*watch = handle;
	table->nr++;
}

/* Takes the handle out and gives its reference back. */
static void drop(struct handle_table *table, struct handle *handle)
{
	struct handle **link = &table->by_inode[inode_bucket(handle->dev, handle->ino)];

	table->pin_changes += handle->pin;
	table->ended++;
	while (*link != handle)
		link = &(*link)->next_inode;
	*link = handle->next_inode;
	link = &table->by_watch[watch_bucket(handle->watch)];
	while (*link != handle)
		link = &(*link)->next_watch;
	*link = handle->next_watch;
	table->nr--;
	close_pipe(handle);
	object_user_unref(handle->object);
	base_free(handle);
}

struct handle_table *handle_table_free(struct handle_table *table)
{
	if (!table)
		return NULL;
	for (u32 i = 0; i < BUCKETS; i++)
		while (table->by_inode[i])
			drop(table, table->by_inode[i]);
	if (table->inotify_fd >= 0)
		close(table->inotify_fd);
	base_free(table->dir_path);
	base_free(table);
	return NULL;
}

int handle_table_fd(const struct handle_table *table)
{
	return table->inotify_fd;
}

u32 handle_table_count(const struct handle_table *table)
{
	return table->nr;
}

static struct handle *find_watch(struct handle_table *table, int watch)
{
	struct handle *handle = table->by_watch[watch_bucket(watch)];

	while (handle && handle->watch != watch)
		handle = handle->next_watch;
	return handle;
}

/*
 * After lost events: the watches that exist are listed in our own fdinfo. Handles of the others
 * have ended. Their pipes, held open by us, may hide the end of pollable ones: that costs memory,
 * never correctness.
 */
static void search_ended(struct handle_table *table)
{
	char path[64], line[256];
	bool *alive;
	int watch, last = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", table->inotify_fd);
	file = fopen(path, "re");
	for (u32 i = 0; i < BUCKETS; i++)
		for (struct handle *handle = table->by_watch[i]; handle;
		     handle = handle->next_watch)
			last = handle->watch > last ? handle->watch : last;
	alive = base_zalloc((size_t)last + 1, sizeof(*alive));
	if (file && alive) {
		while (fgets(line, sizeof(line), file))
			if (sscanf(line, "inotify wd:%x", (unsigned *)&watch) == 1 && watch >= 0 &&
			    watch <= last)
				alive[watch] = true;
		for (u32 i = 0; i < BUCKETS; i++) {
			for (struct handle *handle = table->by_watch[i], *next; handle;
			     handle = next) {
				next = handle->next_watch;
				if (!alive[handle->watch])
					drop(table, handle);
			}
		}
	}
	base_free(alive);
	if (file)
		fclose(file);
}

bool handle_table_collect(struct handle_table *table)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool lost = false;
	ssize_t size;

	while ((size = read(table->inotify_fd, buffer, sizeof(buffer))) > 0) {
		for (ssize_t at = 0; at < size;) {
			const struct inotify_event *event = (const void *)(buffer + at);
			struct handle *handle = find_watch(table, event->wd);

			at += (ssize_t)(sizeof(*event) + event->len);
			if (event->mask & IN_Q_OVERFLOW)
				lost = true;
			else if (handle && (event->mask & IN_IGNORED))
				drop(table, handle);
			else if (handle && (event->mask & IN_CLOSE))
				close_pipe(handle);
		}
	}
	if (lost)
		search_ended(table);
	return !lost;
}

/* Makes the FIFO and opens it twice: *ret_own stays here if the handle is pollable. */
static int make_fifo(const char *path, int access, int *ret_own, int *ret_fd)
{
	int error;

	if (mkfifo(path, 0600) < 0)
		return -errno;
	/* Read-write first: it never blocks and lets any other mode open too. */
	*ret_own = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (*ret_own < 0)
		return -errno;
	*ret_fd = open(path, access | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (*ret_fd >= 0)
		return 0;
	error = -errno;
	close(*ret_own);
	return error;
}

/* The descriptor that made a link has another name than later ones, and bpftool looks at it. */
static const char *name_of(const struct object *object)
{
	return object->kind == OBJECT_LINK && object->users ? "bpf-link" : kind_names[object->kind];
}

int handle_open(struct handle_table *table, struct object *object, int access)
{
	struct handle *handle = base_zalloc(1, sizeof(*handle));
	bool pollable = table->options.pollable(object);
	char path[256];
	struct stat st;
	int own = -1, fd = -1, error;

	if (!handle)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/%s", table->dir_path, name_of(object));
	error = make_fifo(path, access, &own, &fd);
	if (error)
		goto fail;
	if (!pollable) {
		close(own);
		own = -1;
	}
	handle->watch = inotify_add_watch(table->inotify_fd, path,
					  IN_DELETE_SELF | (pollable ? IN_CLOSE : 0));
	if (handle->watch < 0 || fstat(fd, &st) < 0) {
		error = -errno;
		close(fd);
		if (own >= 0)
			close(own);
		goto fail;
	}
	unlink(path);
	object_user_ref(object);
	handle->object = object;
	handle->dev = st.st_dev;
	handle->ino = st.st_ino;
	handle->access = access;
	handle->fd = own;
	insert(table, handle);
	if (pollable)
		list_pollable(table, handle);
	return fd;
fail:
	unlink(path);
	base_free(handle);
	return error;
}

int handle_pin(struct handle_table *table, struct object *object, const char *path)
{
	struct handle *handle = base_zalloc(1, sizeof(*handle));
	struct stat st;
	int fd, error;

	if (!handle)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		error = -errno;
		base_free(handle);
		return error;
	}
	error = fstat(fd, &st) < 0 ? -errno : 0;
	close(fd);
	handle->watch = inotify_add_watch(table->inotify_fd, path, IN_DELETE_SELF);
	if (error || handle->watch < 0) {
		error = error ? error : -errno;
		unlink(path);
		base_free(handle);
		return error;
	}
	object_user_ref(object);
	handle->object = object;
	handle->dev = st.st_dev;
	handle->ino = st.st_ino;
	handle->access = O_RDWR;
	handle->fd = -1;
	handle->pin = true;
	table->pin_changes++;
	insert(table, handle);
	return 0;
}

struct object *handle_find(struct handle_table *table, const struct stat *st, int *ret_access,
			   bool *ret_pin)
{
	struct handle *handle = table->by_inode[inode_bucket(st->st_dev, st->st_ino)];

	while (handle && (handle->dev != st->st_dev || handle->ino != st->st_ino))
		handle = handle->next_inode;
	if (!handle)
		return NULL;
	if (ret_access)
		*ret_access = handle->access;
	if (ret_pin)
		*ret_pin = handle->pin;
	return handle->object;
}

u64 handle_table_ended(const struct handle_table *table)
{
	return table->ended;
}

u32 handle_table_pins(const struct handle_table *table)
{
	return table->pin_changes;
}

/* Makes the FIFO readable, or with all that it takes one that cannot be written to. */
static bool fill_pipe(const struct handle *handle, bool whole)
{
	static const char bytes[4096];

	if (!whole)
		return write(handle->fd, bytes, 1) == 1;
	while (write(handle->fd, bytes, sizeof(bytes)) > 0)
		;
	return true;
}

bool handle_table_refresh(struct handle_table *table)
{
	bool any = false;
	char bytes[4096];

	for (struct handle *handle = table->pollable; handle; handle = handle->next_pollable) {
		/* Emptied first: a record that comes in between is then not forgotten. */
		if (handle->readable && !table->options.readable(handle->object)) {
			while (read(handle->fd, bytes, sizeof(bytes)) > 0)
				;
			handle->readable = false;
		}
		if (!handle->readable && table->options.readable(handle->object))
			handle->readable =
				fill_pipe(handle, table->options.written &&
							  table->options.written(handle->object));
		any |= handle->readable;
	}
	return any;
}
