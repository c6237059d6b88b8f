/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handles live exactly as long as a description of theirs does: through dup, fork, and the death of
 * the holder. What poll says follows the object. Pins live until they are unlinked.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "gate/directory.h"
#include "gate/handle.h"
#include "harness/tap.h"

static bool has_data;

static bool pollable(struct object *object)
{
	return object->kind == OBJECT_MAP;
}

static bool readable(struct object *object)
{
	return has_data;
}

static void released(struct object *object)
{
}

/* Waits for inotify to say something, then collects. */
static void collect(struct handle_table *table)
{
	struct pollfd events = { handle_table_fd(table), POLLIN, 0 };

	while (poll(&events, 1, 100) == 1)
		handle_table_collect(table);
}

static bool is_ready(int fd)
{
	struct pollfd poll_fd = { fd, POLLIN, 0 };

	return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLIN);
}

static void test_life(struct handle_table *table, struct object *object, const char *name)
{
	char link[64], target[256] = "";
	int fd = handle_open(table, object, O_RDWR), copy, access = 0, epoll_fd;
	struct epoll_event event = { .events = EPOLLIN };
	struct stat st;
	bool pin;
	pid_t child;

	tap_ok(fd >= 0, "%s: a descriptor", name);
	tap_is(object->references, 2, "it holds a reference");
	fstat(fd, &st);
	tap_ok(handle_find(table, &st, &access, &pin) == object && access == O_RDWR && !pin,
	       "found by its inode");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	(void)!readlink(link, target, sizeof(target) - 1);
	tap_ok(strstr(target, name), "readlink says %s", name);
	tap_ok(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == ENODEV,
	       "mmap fails with ENODEV");
	tap_ok(ioctl(fd, _IO('$', 0), 0) < 0 && errno == ENOTTY,
	       "an ioctl of perf events fails with ENOTTY");
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	tap_is(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event), 0, "epoll takes it");
	close(epoll_fd);

	copy = dup(fd);
	close(fd);
	collect(table);
	tap_is(object->references, 2, "a dup keeps it");
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	close(copy);
	collect(table);
	tap_is(object->references, 2, "a child keeps it");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	collect(table);
	tap_is(object->references, 1, "it ends with the child that was killed");
	tap_is(handle_table_count(table), 0, "nothing is left in the table");
	tap_ok(!handle_find(table, &st, NULL, NULL), "and it is not found any more");
}

static void test_polling(struct handle_table *table, struct object *object)
{
	int fd = handle_open(table, object, O_RDONLY),
	    second = handle_open(table, object, O_WRONLY);

	has_data = false;
	tap_ok(!handle_table_refresh(table) && !is_ready(fd), "nothing to read at first");
	has_data = true;
	tap_ok(handle_table_refresh(table) && is_ready(fd), "readable when the object is");
	handle_table_refresh(table);
	has_data = false;
	tap_ok(!handle_table_refresh(table) && !is_ready(fd),
	       "not readable any more when it was emptied");
	close(fd);
	close(second);
	collect(table);
	tap_is(object->references, 1, "both descriptions gone");
}

static void test_many(struct handle_table *table, struct object *object)
{
	static int fds[300];

	for (u32 i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = handle_open(table, object, O_RDONLY);
	tap_is(handle_table_count(table), ARRAY_SIZE(fds), "many handles of one object");
	/* Closed in a row, unread: events of the same kind must not merge. */
	for (u32 i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	collect(table);
	tap_is(object->references, 1, "each close is seen");
}

static void test_pin(struct handle_table *table, struct object *object, const char *dir)
{
	char path[128], renamed[128];
	struct stat st;
	bool pin = false;

	snprintf(path, sizeof(path), "%s/pinned", dir);
	snprintf(renamed, sizeof(renamed), "%s/renamed", dir);
	tap_is(handle_pin(table, object, path), 0, "a pin");
	tap_is(handle_pin(table, object, path), -EEXIST, "the same name twice");
	rename(path, renamed);
	collect(table);
	tap_ok(stat(renamed, &st) == 0 && handle_find(table, &st, NULL, &pin) == object && pin,
	       "renaming keeps it");
	unlink(renamed);
	collect(table);
	tap_is(object->references, 1, "unlinking ends it");
}

int main(void)
{
	char dir[] = "/tmp/skep-test-XXXXXX";
	struct handle_table_options options = { dir, pollable, readable, NULL };
	struct object_table *objects = object_table_new();
	struct handle_table *table;
	struct object map = { 0 }, prog = { 0 };

	if (!mkdtemp(dir) || handle_table_new(&options, &table) < 0)
		tap_bail("no table");
	object_init(objects, &map, OBJECT_MAP, released);
	object_init(objects, &prog, OBJECT_PROG, released);
	test_life(table, &map, "bpf-map");
	test_life(table, &prog, "bpf-prog");
	test_polling(table, &map);
	test_many(table, &map);
	test_many(table, &prog);
	test_pin(table, &prog, dir);
	tap_ok(rmdir(dir) == 0, "no file is left behind");
	handle_table_free(table);
	object_unref(&map);
	object_unref(&prog);
	object_table_free(objects);
	return tap_done();
}
