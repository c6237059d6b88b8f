/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep, the command: finds the subcommand and leaves everything else to it. It is a client of
 * libskep and libbpf like any other program; nothing below include/skep/ is used here.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "command.h"
#include "say.h"

static const struct {
	const char *name, *summary;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "run", "compile or load a BPF program, attach it, run a command, print its events",
	  command_run },
	{ "exec", "run a command in a hive: bpf(2) works there and events fire", command_exec },
	{ "check", "let the verifier judge objects, C files or directories of them",
	  command_check },
	{ "up", "make a hive that stays", command_up },
	{ "list", "show the hives there are", command_list },
	{ "down", "end a hive that stays", command_down },
	{ "version", "print the version", command_version },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	fputs("Usage: skep COMMAND [ARGUMENTS...]\n"
	      "eBPF, whole, in user space: no root, no kernel eBPF.\n\nCommands:\n",
	      out);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fputs("\n\"skep COMMAND --help\" and the manual page skep-COMMAND(1) say more.\n", out);
}

static void message(void *arg, const char *text)
{
	say("%s", text);
}

struct skep_hive *command_hive(const struct skep_hive_options *more)
{
	struct skep_hive_options options = { 0 };
	struct skep_hive *hive = NULL;
	int err;

	if (more)
		options = *more;
	options.sz = sizeof(options);
	options.message = message;
	err = skep_hive_new(&options, &hive);
	if (!err)
		return hive;
	say("a hive cannot be made here: %s", strerror(-err));
	return NULL;
}

const char *command_kernel(const char *arg, struct argp_state *state)
{
	char known[128] = "";

	for (const char *const *kernel = skep_kernels(); *kernel; kernel++) {
		if (!strcmp(*kernel, arg))
			return arg;
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s",
			 *known ? ", " : "", *kernel);
	}
	argp_error(state, "--kernel: \"%s\" is not known; known are %s", arg, known);
	return NULL;
}

bool command_self(char *path, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", path, size - 1);

	path[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* Names of hives, with commas between them. */
struct names {
	char text[512];
	size_t length;
};

static int add_name(void *arg, const struct skep_hive_info *info)
{
	struct names *names = arg;
	size_t room = sizeof(names->text) - names->length;
	int written;

	if (!*info->name)
		return 0;
	written = snprintf(names->text + names->length, room, "%s%s", names->length ? ", " : "",
			   info->name);
	if (written < 0 || (size_t)written >= room)
		return 1;
	names->length += (size_t)written;
	return 0;
}

void command_no_hive(const char *name)
{
	struct names names = { .length = 0 };

	skep_hive_list(add_name, &names);
	if (names.length)
		say("there is no hive \"%s\"; those that are up: %s", name, names.text);
	else
		say("there is no hive \"%s\"; none is up (\"skep up NAME\" makes one)", name);
}

struct skep_hive *command_open(const char *name)
{
	struct skep_hive_options options = { .sz = sizeof(options), .message = message };
	struct skep_hive *hive = NULL;
	int err = skep_hive_open(name, &options, &hive);

	switch (err) {
	case 0: return hive;
	case -ENOENT: command_no_hive(name); break;
	case -EINVAL: say("\"%s\" is no name for a hive", name); break;
	case -EBUSY:
		say("this process lives in another hive already, and Linux allows one supervisor a "
		    "process: start \"skep exec -H %s\" from outside",
		    name);
		break;
	case -ETIMEDOUT: say("the supervisor of hive \"%s\" does not answer", name); break;
	case -EPROTO: say("hive \"%s\" was made by another version of skep", name); break;
	default: say("hive \"%s\" cannot be entered: %s", name, strerror(-err));
	}
	return NULL;
}

int command_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int command_not_run(const char *name, int err)
{
	if (err == ENOENT)
		say("%s: command not found", name);
	else
		say("%s: %s", name, strerror(err));
	return err == ENOENT ? 127 : 126;
}

int command_version(int argc, char **argv)
{
	static const struct argp parser = { .doc = "Prints the version of skep." };

	argp_parse(&parser, argc, argv, 0, NULL, NULL);
	printf("skep %s\n", skep_version());
	return 0;
}

/*
 * A closed standard descriptor would be given to the next thing that is opened, and what is printed
 * would be written there. Something stands in its place that fails as it did, and is gone at an
 * exec.
 */
static void keep_places(void)
{
	struct stat st;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fstat(fd, &st) && errno == EBADF &&
		    open("/dev/null", O_CLOEXEC | (fd ? O_RDONLY : O_WRONLY)) != fd)
			_exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	char name[32];

	keep_places();
	argp_err_exit_status = EXIT_USAGE;
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("skep %s\n", skep_version());
		return 0;
	}
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		snprintf(name, sizeof(name), "skep %s", commands[i].name);
		argv[1] = name;
		program_invocation_short_name = program_invocation_name = name;
		return commands[i].run(argc - 1, argv + 1);
	}
	say("there is no command \"%s\"; \"skep --help\" lists them", argv[1]);
	return EXIT_USAGE;
}
