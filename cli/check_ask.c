/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See check.h. A judge is this very program, as `skep check --judge` in a hive or as a child
 * outside of any, with the object and a memory file for its rows as inherited descriptors. So an
 * object that libbpf falls over costs a row and no more.
 */
#include "check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check_report.h"
#include "command.h"

/* The judge's command line; its process id or -errno. */
static pid_t start_in_hive(const struct check *check, const char *file, int object_fd,
			   int result_fd)
{
	char self[4096], fds[64], log[32];
	char *argv[] = { self, (char *)"check", fds, (char *)"--", (char *)file, NULL, NULL };

	if (!command_self(self, sizeof(self)))
		return -ENOENT;
	snprintf(fds, sizeof(fds), "--judge=%d,%d,%d", object_fd, check->target_fd, result_fd);
	if (check->log_level) {
		snprintf(log, sizeof(log), "--log=%u", check->log_level);
		argv[3] = log;
		argv[4] = (char *)"--";
		argv[5] = (char *)file;
	}
	return skep_hive_spawn(check->hive, argv, NULL, SKEP_SPAWN_CLIENT);
}

/* The wait status of a judge in the hive, or -errno. */
static int ask_skep(struct check *check, const char *file, int object_fd, int result_fd)
{
	int status = 0, err;
	pid_t pid = start_in_hive(check, file, object_fd, result_fd);

	if (pid < 0)
		return pid;
	err = skep_hive_serve(check->hive, pid, &status);
	return err < 0 ? err : status;
}

/* The same of a judge in a hive of its own, which stands for check->kernel: made and served by a
 * child. */
static int ask_other(struct check *check, const char *file, int object_fd, int result_fd)
{
	const struct skep_hive_options other = { .kernel = check->kernel };
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		check->hive = command_hive(&other);
		if (!check->hive)
			_exit(1);
		status = ask_skep(check, file, object_fd, result_fd);
		skep_hive_free(check->hive);
		_exit(status < 0 ? 1 : command_status(status));
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	/* A signal of the judge's, as a shell would show it. */
	return WEXITSTATUS(status) > 128 ? WEXITSTATUS(status) - 128 : status;
}

/* The same of a judge outside the hive. */
static int ask_kernel(struct check *check, const char *file, int object_fd, int result_fd)
{
	const struct judge_options judge = { .name = file,
					     .object_fd = object_fd,
					     .target_fd = check->target_fd,
					     .result_fd = result_fd,
					     .log_level = check->log_level };
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		/* Who asked may be killed while the kernel takes its time. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(judge_object(&judge));
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

/* The rows in a memory file, an array; what follows a line that is not JSON does not count. */
static struct json_object *read_rows(int fd)
{
	struct json_object *rows = json_object_new_array(), *row;
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	lseek(fd, 0, SEEK_SET);
	file = fdopen(dup(fd), "r");
	while (file && getline(&line, &size, file) > 0) {
		row = json_tokener_parse(line);
		if (!row)
			break;
		json_object_array_add(rows, row);
	}
	free(line);
	if (file)
		fclose(file);
	return rows;
}

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static bool asks_to_end(int signal)
{
	bool asks = false;

	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		asks = asks || signal == ending[i];
	return asks;
}

static int start(struct check *check, const char *file, int object_fd, int result_fd,
		 enum check_whom whom)
{
	switch (whom) {
	case CHECK_HIVE: return ask_skep(check, file, object_fd, result_fd);
	case CHECK_OTHER_HIVE: return ask_other(check, file, object_fd, result_fd);
	default: return ask_kernel(check, file, object_fd, result_fd);
	}
}

struct json_object *check_ask(struct check *check, const char *file, int object_fd,
			      enum check_whom whom, char *reason, size_t size)
{
	int fd = memfd_create("skep-rows", 0), status;
	struct json_object *rows, *first;

	if (fd < 0) {
		snprintf(reason, size, "no memory file can be made: %s", strerror(errno));
		return NULL;
	}
	status = start(check, file, object_fd, fd, whom);
	rows = read_rows(fd);
	close(fd);
	first = json_object_array_length(rows) ? json_object_array_get_idx(rows, 0) : NULL;
	if (status == 0 && first)
		return rows;
	if (status < 0)
		snprintf(reason, size, "the judge cannot be started: %s", strerror(-status));
	else if (WIFSIGNALED(status) && asks_to_end(WTERMSIG(status)))
		check->signal = WTERMSIG(status);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		snprintf(reason, size, "the judge was killed");
	else if (WIFSIGNALED(status))
		snprintf(reason, size, "the object is corrupt: libbpf fell over it (signal %d)",
			 WTERMSIG(status));
	else
		snprintf(reason, size, "%s", first ? row_text(first, "reason") : "no answer");
	json_object_put(rows);
	return NULL;
}

/* Signals are kept back while there is a hive: did one come while nobody waited for the judge? */
bool check_told_to_end(struct check *check)
{
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]) && !check->signal; i++)
		if (sigismember(&pending, ending[i]) > 0)
			check->signal = ending[i];
	return check->signal;
}
