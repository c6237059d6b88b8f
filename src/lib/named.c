/* SPDX-License-Identifier: BSD-2-Clause */
/* Hives that last, seen from outside: finding, entering, listing and ending them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/alloc.h"
#include "gate/gate.h"
#include "gate/join.h"
#include "gate/program.h"
#include "lib/hive.h"

#define PIDS_MAX   1024
#define KILL_TURNS 100

EXPORT int skep_hive_name_valid(const char *name)
{
	return name && registry_name_valid(name);
}

EXPORT int skep_hive_open(const char *name, const struct skep_hive_options *opts,
			  struct skep_hive **ret_hive)
{
	struct skep_hive_options known;
	char path[DIRECTORY_PATH_MAX];
	struct skep_hive *hive;
	int error = hive_options(opts, &known);

	if (error)
		return error;
	if (!name || !registry_name_valid(name))
		return -EINVAL;
	hive = base_zalloc(1, sizeof(*hive));
	if (!hive)
		return -ENOMEM;
	error = registry_find(name, path);
	/* A filter chain has one listener: from one hive there is no way into another. */
	if (!error && hive_is_around(&hive->joined))
		error = strcmp(hive->joined.facade_dir, path) ? -EBUSY : 0;
	else if (!error && !(error = join_ask(path, &hive->remote)))
		hive->is_remote = true;
	if (error) {
		base_free(hive);
		return error;
	}
	*ret_hive = hive;
	return 0;
}

EXPORT int skep_hive_exec(struct skep_hive *hive, char *const argv[], char *const envp[])
{
	struct program program;
	bool entered = false;
	int error;

	if (hive->gate)
		return -EINVAL;
	error = program_find(&program, argv, envp);
	if (error)
		return error;
	error = hive->is_remote ? join_execute(&hive->remote, &program, 0, &entered)
				: program_execute(&program);
	program_done(&program);
	return error;
}

pid_t hive_spawn_remote(struct skep_hive *hive, char *const argv[], char *const envp[],
			unsigned flags)
{
	struct program program;
	int status[2], error, got;
	bool entered;
	pid_t pid;

	error = program_find(&program, argv, envp);
	if (error)
		return error;
	if (pipe2(status, O_CLOEXEC) < 0) {
		error = -errno;
		program_done(&program);
		return error;
	}
	pid = fork();
	if (pid == 0) {
		error = join_execute(&hive->remote, &program, flags, &entered);
		(void)!write(status[1], &error, sizeof(error));
		_exit(127);
	}
	error = pid < 0 ? -errno : 0;
	close(status[1]);
	program_done(&program);
	if (!error) {
		do {
			got = (int)read(status[0], &error, sizeof(error));
		} while (got < 0 && errno == EINTR);
		if (got != (int)sizeof(error))
			error = 0; /* closed by execve(2) */
		else
			while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
				;
	}
	close(status[0]);
	return error ? error : pid;
}

EXPORT int skep_hive_stay(struct skep_hive *hive)
{
	if (!hive->gate)
		return -EINVAL;
	gate_stay(hive->gate);
	return 0;
}

struct listing {
	int (*each)(void *arg, const struct skep_hive_info *info);
	void *arg;
};

static int list_one(void *arg, const char *path)
{
	const struct listing *listing = arg;
	struct skep_hive_info info = { .sz = sizeof(info), .directory = path, .state = "" };
	char name[REGISTRY_NAME_MAX];
	struct control_answer answer;
	int error = join_ask(path, &answer);

	if (error == -ECONNREFUSED || error == -ENOENT)
		return 0; /* dead, and its directory goes with the last of its processes */
	registry_name(path, name);
	info.name = name;
	info.error = error;
	if (!error) {
		info.pid = answer.pid;
		info.age_ns = answer.age_ns;
		info.maps = answer.maps;
		info.progs = answer.progs;
		info.links = answer.links;
		info.state = answer.state;
		info.processes = join_processes(&answer, NULL, 0);
	}
	return listing->each(listing->arg, &info);
}

EXPORT int skep_hive_list(int (*each)(void *arg, const struct skep_hive_info *info), void *arg)
{
	struct listing listing = { each, arg };

	return registry_each(list_one, &listing);
}

/* Until there is none: those that live may fork meanwhile. */
static int kill_processes(const struct control_answer *answer)
{
	pid_t *pids = base_zalloc(PIDS_MAX, sizeof(*pids));
	u32 nr = 1;

	if (!pids)
		return -ENOMEM;
	for (u32 turn = 0; nr && turn < KILL_TURNS; turn++) {
		nr = join_processes(answer, pids, PIDS_MAX);
		for (u32 i = 0; i < nr && i < PIDS_MAX; i++)
			kill(pids[i], SIGKILL);
		if (nr)
			usleep(10000);
	}
	base_free(pids);
	return nr ? -EBUSY : 0;
}

EXPORT int skep_hive_down(const char *name, unsigned flags)
{
	struct control_answer answer;
	char path[DIRECTORY_PATH_MAX];
	int error;

	if (!name || !registry_name_valid(name) || flags & ~(SKEP_DOWN_KILL | SKEP_DOWN_DISCARD))
		return -EINVAL;
	error = registry_find(name, path);
	if (!error)
		error = join_ask(path, &answer);
	if (!error && flags & SKEP_DOWN_KILL)
		error = kill_processes(&answer);
	return error ? error : join_down(path, flags & SKEP_DOWN_DISCARD ? CONTROL_DISCARD : 0);
}
