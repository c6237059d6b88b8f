/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep up: a hive without a command. Its supervisor is a process of its own session without a
 * terminal; what it has to say stands in the file "log" of the hive's directory.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "command.h"
#include "say.h"

#define LOG_BYTES_MAX (1 << 20) /* of each of the two files */

struct up_options {
	const char *name;
	const char *state; /* NULL: nothing is kept */
	const char *kernel;
	unsigned save_every_s;
};

enum { KEY_STATE = 0x100, KEY_EVERY, KEY_KERNEL };

static const struct argp_option options[] = {
	{ "state", KEY_STATE, "DIR", 0, "Keep pinned maps in this directory", 0 },
	{ "save-every", KEY_EVERY, "SECONDS", 0,
	  "Write them that often, 0: only when pins change and at the end (default 30)", 0 },
	{ "kernel", KEY_KERNEL, "VERSION", 0, "Stand for this Linux: " COMMAND_KERNELS, 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct up_options *up = state->input;
	unsigned long seconds;
	char *end;

	switch (key) {
	case KEY_STATE: up->state = arg; return 0;
	case KEY_KERNEL: up->kernel = command_kernel(arg, state); return 0;
	case KEY_EVERY:
		seconds = strtoul(arg, &end, 10);
		if (*end || end == arg || *arg == '-' || seconds > 1000000)
			argp_error(state, "--save-every: \"%s\" is no number of seconds", arg);
		up->save_every_s = (unsigned)seconds;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_error(state, "one name is enough");
		up->name = arg;
		return 0;
	case ARGP_KEY_NO_ARGS: argp_error(state, "a name is missing"); return EINVAL;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	.options = options,
	.parser = parse,
	.args_doc = "NAME",
	.doc = "Makes a hive that stays until \"skep down NAME\". \"skep exec -H NAME\" and "
	       "\"skep run -H NAME\" run commands there, which see each other's objects and "
	       "events."
	       "\vReturns when the hive serves. The exit status is 1 if it could not be made.",
};

/* Where the hive's sentences go. */
struct log {
	int fd; /* -1: standard error */
	char path[4096];
};

/* What repeats without end fills two files, not the disk. */
static void rotate(struct log *log)
{
	char old[sizeof(log->path) + 8];
	struct stat st;
	int fd;

	if (fstat(log->fd, &st) || st.st_size < LOG_BYTES_MAX)
		return;
	snprintf(old, sizeof(old), "%s.old", log->path);
	if (rename(log->path, old))
		return;
	fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	close(log->fd);
	log->fd = fd;
}

static void message(void *arg, const char *text)
{
	struct log *log = arg;
	char line[1024], stamp[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	int length;

	if (log->fd < 0) {
		say("%s", text);
		return;
	}
	rotate(log);
	if (localtime_r(&now, &tm))
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S%z", &tm);
	length = snprintf(line, sizeof(line), "%s %s\n", stamp, text);
	if (length >= (int)sizeof(line)) {
		length = sizeof(line) - 1;
		line[length - 1] = '\n';
	}
	/* A full disk is no reason to end. */
	if (length > 0 && write(log->fd, line, (size_t)length) < 0)
		return;
}

static void leave_terminal(int ready)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	umask(077);
	if (chdir("/") < 0 || null < 0)
		_exit(1);
	dup2(null, 0);
	dup2(null, 1);
	/* A pipe or a lock that whoever called us waits for is none of our business. */
	if (ready > 3)
		close_range(3, (unsigned)ready - 1, 0);
	close_range((unsigned)ready + 1, ~0u, 0);
}

static int supervise(const struct up_options *up, int ready)
{
	static struct log log = { .fd = -1 };
	struct skep_hive_options hive_options = { .sz = sizeof(hive_options),
						  .message = message,
						  .message_arg = &log,
						  .name = up->name,
						  .state = up->state,
						  .kernel = up->kernel,
						  .save_every_s = up->save_every_s };
	struct skep_hive *hive = NULL;
	int err;

	leave_terminal(ready);
	err = skep_hive_new(&hive_options, &hive);
	if (err == -EEXIST)
		say("hive \"%s\" is up already", up->name);
	else if (err == -EBUSY)
		say("a hive cannot be made from inside another one");
	else if (err)
		say("hive \"%s\" cannot be made: %s", up->name, strerror(-err));
	if (err)
		return 1;
	snprintf(log.path, sizeof(log.path), "%s/log", skep_hive_facade(hive));
	log.fd = open(log.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log.fd < 0) {
		say("%s: %s", log.path, strerror(errno));
		skep_hive_free(hive);
		return 1;
	}
	dup2(0, 2);
	if (write(ready, "", 1) == 1)
		skep_hive_stay(hive);
	close(ready);
	skep_hive_free(hive);
	return 0;
}

int command_up(int argc, char **argv)
{
	struct up_options up = { .save_every_s = 30 };
	char state[4096];
	int ready[2];
	char byte;
	pid_t pid;
	ssize_t size;

	argp_parse(&parser, argc, argv, 0, NULL, &up);
	if (!skep_hive_name_valid(up.name)) {
		say("\"%s\" is no name for a hive: a letter, then letters, digits and \"._-\", 31 "
		    "characters at most",
		    up.name);
		return EXIT_USAGE;
	}
	if (up.state) {
		if (mkdir(up.state, 0700) < 0 && errno != EEXIST) {
			say("%s: %s", up.state, strerror(errno));
			return 1;
		}
		if (!realpath(up.state, state)) {
			say("%s: %s", up.state, strerror(errno));
			return 1;
		}
		up.state = state;
	}
	signal(SIGPIPE, SIG_IGN);
	if (pipe2(ready, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		say("no process can be made: %s", strerror(errno));
		return 1;
	}
	if (pid == 0) {
		close(ready[0]);
		exit(supervise(&up, ready[1]));
	}
	close(ready[1]);
	do
		size = read(ready[0], &byte, 1);
	while (size < 0 && errno == EINTR);
	return size == 1 ? 0 : 1;
}
