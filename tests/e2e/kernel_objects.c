/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the programs of kernel_objects.bpf.c and prints what they saw, as far as it is the same on
 * every machine, or whether it is what /proc and the file system of cgroups say. With an argument
 * only those programs that may be run on the kernel itself: none that iterates.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel_objects.h"
#include "kernel_objects.skel.h"

static struct kernel_objects *skeleton;

static struct seen run(const char *name, unsigned long long in)
{
	struct seen seen = { .in = in };
	struct bpf_program *prog = bpf_object__find_program_by_name(skeleton->obj, name);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &seen, .ctx_size_in = sizeof(seen));
	int err = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);

	if (err || opts.retval)
		printf("%s: error %d, returned %u\n", name, err, opts.retval);
	return seen;
}

static void show(const char *name, struct seen seen)
{
	printf("%s:", name);
	for (int i = 0; i < 7; i++)
		printf(" %llx", seen.out[i]);
	printf("\n");
}

static void check(const char *what, unsigned long long got, unsigned long long want)
{
	if (got == want)
		printf("%s: good\n", what);
	else
		printf("%s: %llu, not %llu\n", what, got, want);
}

static void *sleep_long(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* A process with three threads that does nothing. */
static pid_t start_idle(void)
{
	int ready[2];
	pthread_t thread;
	pid_t pid;
	char byte;

	if (pipe(ready))
		exit(2);
	pid = fork();
	if (!pid) {
		for (int i = 0; i < 2; i++)
			pthread_create(&thread, NULL, sleep_long, NULL);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		sleep_long(NULL);
	}
	if (read(ready[0], &byte, 1) != 1)
		exit(2);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* Which the kernel has freed by the time that it is waited for. */
static pid_t gone(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	return pid;
}

/* Where the one hierarchy is. */
static const char *root(void)
{
	return access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) ? "/sys/fs/cgroup"
								   : "/sys/fs/cgroup/unified";
}

/* The directory of our cgroup in a hierarchy by the number that it has; and of which one it is. */
static unsigned long long own_group(int wanted, int *ret_found)
{
	char line[4096], directory[64], path[5000] = "";
	FILE *file = fopen("/proc/self/cgroup", "r");
	struct stat st;
	int number;

	while (file && !*path && fgets(line, sizeof(line), file)) {
		char *names = strchr(line, ':'), *at = names ? strchr(names + 1, ':') : NULL;

		number = atoi(line);
		if (!at || (wanted ? !number : number))
			continue;
		*at++ = '\0';
		at[strcspn(at, "\n")] = '\0';
		names += strncmp(names, ":name=", 6) ? 1 : 6;
		snprintf(directory, sizeof(directory), "/sys/fs/cgroup/%s", names);
		snprintf(path, sizeof(path), "%s%s", number ? directory : root(), at);
		*ret_found = number;
	}
	if (file)
		fclose(file);
	return *path && !stat(path, &st) ? st.st_ino : 0;
}

static void look_at_tasks(pid_t idle)
{
	struct seen seen = run("task_by_pid", (unsigned)idle);
	unsigned long long group;
	char name[9] = "";
	int hierarchy = 0;

	check("a task by its id", seen.out[0], (unsigned long long)idle << 32 | (unsigned)idle);
	memcpy(name, &seen.out[1], 8);
	printf("its name: %.6s, has begun: %llu\n", name, seen.out[2]);
	check("its parent", seen.out[3], (unsigned)getpid());
	check("the same again", seen.out[4], (unsigned)idle);
	printf("it may run somewhere: %llu\n", seen.out[5]);
	check("by the namespace's id", seen.out[6], (unsigned)idle);
	printf("none:\n");
	run("task_by_pid", 0);
	run("task_by_pid", ~0ull);
	run("task_by_pid", (unsigned)gone());
	group = own_group(1, &hierarchy);
	seen = run("current_task", (unsigned)hierarchy);
	check("the current one", seen.out[0],
	      (unsigned long long)getpid() << 32 | (unsigned)getpid());
	printf("asked twice: %llu\n", seen.out[3]);
	check("its cgroup of version 1", seen.out[4], group);
	seen = run("current_task", 1000);
	printf("in no hierarchy: %llu\n", seen.out[4]);
}

static void look_at_kept(pid_t idle)
{
	struct seen seen = run("keep", (unsigned)idle);

	printf("kept for the first time: %llu %llu\n", seen.out[0], seen.out[1]);
	run("keep", (unsigned)idle);
	seen = run("look_at_kept", 0);
	check("what was kept", seen.out[0], (unsigned long long)idle << 32 | (unsigned)idle);
	printf("its mask: %llu\n", seen.out[3]);
	seen = run("keep", (unsigned)getpid());
	check("taken out again", seen.out[0], (unsigned)idle);
	printf("with its mask: %llu\n", seen.out[1]);
}

/* Of the root: the client's element is the program's. */
static void look_at_storage(unsigned long long id)
{
	int map = bpf_map__fd(skeleton->maps.stored), fd = open(root(), O_RDONLY | O_CLOEXEC);
	unsigned long long value = 0;

	printf("without storage: %d\n", bpf_map_lookup_elem(map, &fd, &value));
	value = 7;
	printf("given: %d\n", bpf_map_update_elem(map, &fd, &value, BPF_NOEXIST));
	show("stored", run("group_storage", id));
	printf("taken: %d\n", bpf_map_lookup_elem(map, &fd, &value));
	show("stored", run("group_storage", id));
	close(fd);
}

static void look_at_groups(void)
{
	int hierarchy;
	unsigned long long id = own_group(0, &hierarchy);
	struct seen seen;
	struct stat st;

	if (!id || stat(root(), &st)) {
		printf("there are no cgroups\n");
		return;
	}
	seen = run("group_by_id", id);
	check("a cgroup by its id", seen.out[0], id);
	check("the root above it", seen.out[3], st.st_ino);
	check("the same again", seen.out[6], id);
	printf("we are below the root: %llu, nothing is below: %llu\n", seen.out[4], seen.out[5]);
	seen = run("group_by_id", st.st_ino);
	check("the root by its id", seen.out[0], st.st_ino);
	printf("its level: %llu, name: %llu\n", seen.out[1], seen.out[2]);
	printf("none:\n");
	run("group_by_id", ~0ull);
	look_at_storage(st.st_ino);
}

/* Here the lists are: what iterates. */

static void look_at_lists(pid_t idle)
{
	struct seen seen = run("tasks", (unsigned)idle);

	printf("more than two: %d, it is among them: %llu, threads: %llu\n", seen.out[0] > 2,
	       seen.out[1], seen.out[2]);
	printf("its threads among all: %llu\n", seen.out[3]);
	seen = run("threads", (unsigned)idle);
	printf("its threads: %llu, of its group: %llu\n", seen.out[0], seen.out[1]);
}

static void look_at_areas(pid_t idle)
{
	unsigned long long nr = 0, bytes = 0, mix = 0, code = 0, files = 0, from, to, inode;
	char path[64], line[512], rights[8];
	struct seen seen = run("areas", (unsigned)idle);
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", idle);
	maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%llx-%llx %7s %*s %*s %llu", &from, &to, rights, &inode) != 4 ||
		    from >> 63)
			continue;
		nr++;
		bytes += to - from;
		mix ^= from * 31 + to;
		code += rights[2] == 'x';
		files ^= inode;
	}
	if (maps)
		fclose(maps);
	check("areas of memory", seen.out[0], nr);
	check("their size", seen.out[1], bytes);
	check("where they are", seen.out[2], mix);
	check("those with code", seen.out[3], code);
	check("the files in them", seen.out[4], files);
}

static unsigned long long nr_groups, all_groups;

static int count_group(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	/* Those that cannot be looked into count, too. */
	if (type != FTW_D && type != FTW_DNR)
		return 0;
	nr_groups++;
	all_groups ^= st->st_ino;
	return 0;
}

static void look_at_tree(void)
{
	struct stat st;
	struct seen seen;
	int hierarchy;

	if (!own_group(0, &hierarchy) || stat(root(), &st)) {
		printf("there are no cgroups\n");
		return;
	}
	/* Others may be making cgroups just now. */
	for (int tries = 0; tries < 20 && (!tries || seen.out[1] != all_groups); tries++) {
		nr_groups = all_groups = 0;
		nftw(root(), count_group, 16, FTW_PHYS);
		seen = run("groups", st.st_ino);
	}
	check("cgroups", seen.out[0], nr_groups);
	check("all of them", seen.out[1], all_groups);
	check("the root first", seen.out[2], st.st_ino);
	check("from below", seen.out[3], nr_groups);
	check("the root last", seen.out[4], st.st_ino);
	seen = run("groups", own_group(0, &hierarchy));
	printf("up to level %llu, with tasks: %d\n", seen.out[5], seen.out[6] > 0);
}

static void look_inside(void)
{
	unsigned long long here = (unsigned long long)&look_inside;
	struct bpf_link *link = bpf_program__attach(skeleton->progs.in_process);
	struct kernel_objects__bss *bss = skeleton->bss;

	if (!link) {
		printf("cannot attach: %s\n", strerror(errno));
		return;
	}
	bss->wanted_address = here;
	bss->wanted_pid = getpid();
	errno = 0;
	getpriority(PRIO_PROCESS, 0);
	printf("an area with this function: %lld, %d\n", (long long)bss->inside.out[3],
	       bss->inside.out[0] <= here && here < bss->inside.out[1]);
	check("of this process", bss->inside.out[2], (unsigned)getpid());
	printf("others behind it: %d, it may run somewhere: %d\n", bss->inside.out[4] > 1,
	       bss->inside.out[5] > 0);
	check("the parent", bss->inside.out[6], (unsigned)getppid());
	printf("called kernel: %llu\n", bss->inside.in);
	bss->wanted_address = 0;
	getpriority(PRIO_PROCESS, 0);
	printf("at address 0: %lld\n", (long long)bss->inside.out[3]);
	bpf_link__destroy(link);
}

/* The event's pointers lead nowhere. */
static void look_at_fork(void)
{
	struct bpf_link *link = bpf_program__attach(skeleton->progs.named);

	if (!link) {
		printf("cannot attach: %s\n", strerror(errno));
		return;
	}
	gone();
	printf("forked, without a name: %d\n", skeleton->bss->forked);
	bpf_link__destroy(link);
}

int main(int argc, char **argv)
{
	static const char *const iterating[] = { "tasks",  "threads",	 "areas",
						 "groups", "in_process", "named" };
	pid_t idle;

	skeleton = kernel_objects__open();
	for (int i = 0; skeleton && argc > 1 && i < 6; i++)
		bpf_program__set_autoload(
			bpf_object__find_program_by_name(skeleton->obj, iterating[i]), false);
	if (!skeleton || kernel_objects__load(skeleton)) {
		printf("cannot load: %s\n", strerror(errno));
		return 1;
	}
	idle = start_idle();
	show("masks", run("masks", 0));
	show("plain masks", run("plain_masks", 0));
	look_at_tasks(idle);
	look_at_kept(idle);
	look_at_groups();
	if (argc == 1) {
		look_at_lists(idle);
		look_at_areas(idle);
		look_at_tree();
		look_inside();
		look_at_fork();
	}
	kill(idle, SIGKILL);
	waitpid(idle, NULL, 0);
	kernel_objects__destroy(skeleton);
	return 0;
}
