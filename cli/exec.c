/* SPDX-License-Identifier: BSD-2-Clause */
/* skep exec: a command and its descendants in a hive. */
#include <argp.h>
#include <errno.h>
#include <string.h>
#include "command.h"
#include "say.h"

struct exec_options {
	const char *hive;
	const char *kernel; /* NULL: the newest */
	char **command;
};

enum { KEY_KERNEL = 0x100 };

static const struct argp_option options[] = {
	{ "hive", 'H', "NAME", 0, "Run it in the hive that \"skep up NAME\" made", 0 },
	{ "kernel", KEY_KERNEL, "VERSION", 0,
	  "Make a hive that stands for this Linux: " COMMAND_KERNELS, 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct exec_options *exec = state->input;

	switch (key) {
	case 'H': exec->hive = arg; return 0;
	case KEY_KERNEL: exec->kernel = command_kernel(arg, state); return 0;
	case ARGP_KEY_ARG:
		exec->command = state->argv + state->next - 1;
		state->next = state->argc; /* the rest is the command's own */
		return 0;
	case ARGP_KEY_NO_ARGS: argp_error(state, "a command is missing"); return EINVAL;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	.options = options,
	.parser = parse,
	.args_doc = "[--] COMMAND [ARGUMENTS...]",
	.doc = "Runs COMMAND in a hive: in it and all its descendants bpf(2) is served by skep, "
	       "and events fire for the programs that clients there attach. Needs no privilege."
	       "\vThe exit status is COMMAND's; 128 + N if signal N ended it; 127 if it was not "
	       "found; 1 if the hive could not be made.",
};

/* This process becomes the command: terminal, job control and all. */
static int exec_in(const char *name, char **command)
{
	struct skep_hive *hive = command_open(name);
	int err;

	if (!hive)
		return 1;
	err = skep_hive_exec(hive, command, NULL);
	skep_hive_free(hive);
	switch (err) {
	case -ENOENT:
	case -EACCES:
	case -ENOEXEC: return command_not_run(command[0], -err);
	case -EBUSY:
		say("another program already supervises this process through seccomp, and Linux "
		    "allows one such supervisor: start skep outside of it");
		return 1;
	case -ECONNREFUSED: say("hive \"%s\" has ended", name); return 1;
	default: say("\"%s\" cannot be run in hive \"%s\": %s", command[0], name, strerror(-err));
	}
	return 1;
}

int command_exec(int argc, char **argv)
{
	struct exec_options exec = { 0 };
	struct skep_hive_options hive_options = { 0 };
	struct skep_hive *hive;
	int status = 0, err;
	char **command;
	pid_t pid;

	argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &exec);
	command = exec.command;
	if (exec.hive && exec.kernel) {
		say("--kernel is for a new hive: \"skep up --kernel %s NAME\" makes one that stays",
		    exec.kernel);
		return EXIT_USAGE;
	}
	if (exec.hive)
		return exec_in(exec.hive, command);
	hive_options.kernel = exec.kernel;
	hive = command_hive(&hive_options);
	if (!hive)
		return 1;
	pid = skep_hive_spawn(hive, command, NULL, 0);
	if (pid < 0) {
		skep_hive_free(hive);
		return command_not_run(command[0], -pid);
	}
	err = skep_hive_serve(hive, pid, &status);
	skep_hive_free(hive);
	if (err == -EINTR) {
		say("asked twice to end: the command goes on without its hive");
		return 1;
	}
	if (err < 0) {
		say("the hive failed: %s", strerror(-err));
		return 1;
	}
	return command_status(status);
}
