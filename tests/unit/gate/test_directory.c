/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hive directories: private, swept when their owner is dead and only then, removed without
 * following links.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include "gate/directory.h"
#include "harness/tap.h"

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void make(struct directory *directory)
{
	const char *message;

	if (directory_make(directory, NULL, &message) < 0)
		tap_bail("%s", message);
}

/* A hive that died with its directory full. */
static void leave_one_behind(char *path)
{
	struct directory directory;
	int pipes[2], dir_fd;

	if (pipe(pipes) < 0)
		tap_bail("no pipe");
	if (fork() == 0) {
		make(&directory);
		dir_fd = open(directory.path, O_RDONLY | O_DIRECTORY);
		directory_write(dir_fd, "tracing/events/a/id", "1\n", 2);
		(void)!write(pipes[1], directory.path, sizeof(directory.path));
		raise(SIGKILL);
	}
	if (read(pipes[0], path, DIRECTORY_PATH_MAX) != DIRECTORY_PATH_MAX)
		tap_bail("the child said nothing");
	wait(NULL);
}

static bool is_tmpfs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

/* Without XDG_RUNTIME_DIR: in /tmp/skep-UID, or in memory if /tmp is not. */
static void expect_fallback(const char *made)
{
	bool disk = !is_tmpfs("/tmp") && is_tmpfs("/dev/shm");
	char path[64];

	snprintf(path, sizeof(path), "%s/skep-%u/", disk ? "/dev/shm" : "/tmp",
		 (unsigned)geteuid());
	tap_ok(!strncmp(made, path, strlen(path)), "without XDG_RUNTIME_DIR it is below %s", path);
}

int main(void)
{
	char top[] = "/tmp/skep-test-XXXXXX", dead[DIRECTORY_PATH_MAX], path[256], victim[128];
	struct directory first, second;
	struct stat st;
	int dir_fd;

	if (!mkdtemp(top))
		tap_bail("no temporary directory");
	setenv("XDG_RUNTIME_DIR", top, 1);
	leave_one_behind(dead);
	tap_ok(exists(dead), "a hive that was killed leaves its directory");
	make(&first);
	tap_ok(!exists(dead), "the next one removes it");
	make(&second);
	tap_ok(exists(first.path) && exists(second.path), "a living hive's directory stays");
	tap_ok(stat(first.path, &st) == 0 && (st.st_mode & 0777) == 0700, "private to the user");
	tap_ok(strncmp(first.path, top, strlen(top)) == 0, "in XDG_RUNTIME_DIR");

	snprintf(victim, sizeof(victim), "%s/victim", top);
	mkdir(victim, 0700);
	snprintf(path, sizeof(path), "%s/keep", victim);
	close(creat(path, 0600));
	dir_fd = open(first.path, O_RDONLY | O_DIRECTORY);
	(void)!symlinkat(victim, dir_fd, "link");
	directory_write(dir_fd, "a/b/c/d", "text", 4);
	close(dir_fd);
	directory_remove(first.path);
	tap_ok(!exists(first.path), "removed with all that is in it");
	tap_ok(exists(path), "what a link points to is left alone");

	close(first.lock_fd);
	close(second.lock_fd);
	directory_remove(second.path);
	make(&first);
	make(&second);
	directory_dispose(first.path);
	tap_ok(!exists(first.path) && exists(second.path), "disposing leaves the other hive alone");
	directory_dispose(second.path);
	snprintf(path, sizeof(path), "%s/skep", top);
	tap_ok(!exists(path), "with the last one the parent goes too");
	close(first.lock_fd);
	close(second.lock_fd);
	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	make(&first);
	expect_fallback(first.path);
	directory_dispose(first.path);
	close(first.lock_fd);
	directory_remove(top);
	return tap_done();
}
