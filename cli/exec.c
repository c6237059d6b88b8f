/* SPDX-License-Identifier: BSD-2-Clause */
/* skep exec: a command and its descendants in a hive. */
#include <argp.h>
#include <string.h>
#include "command.h"
#include "say.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	char ***command = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		*command = state->argv + state->next - 1;
		state->next = state->argc; /* the rest is the command's own */
		return 0;
	case ARGP_KEY_NO_ARGS: argp_error(state, "a command is missing"); return EINVAL;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	.parser = parse,
	.args_doc = "[--] COMMAND [ARGUMENTS...]",
	.doc = "Runs COMMAND in a hive: in it and all its descendants bpf(2) is served by skep, "
	       "and "
	       "events fire for the programs that clients there attach. Needs no privilege."
	       "\vThe exit status is COMMAND's; 128 + N if signal N ended it; 127 if it was not "
	       "found; "
	       "1 if the hive could not be made.",
};

int command_exec(int argc, char **argv)
{
	char **command = NULL;
	struct skep_hive *hive;
	int status = 0, err;
	pid_t pid;

	argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &command);
	hive = command_hive();
	if (!hive)
		return 1;
	pid = skep_hive_spawn(hive, command, NULL, 0);
	if (pid < 0) {
		skep_hive_free(hive);
		return command_not_run(command[0], -pid);
	}
	err = skep_hive_serve(hive, pid, &status);
	skep_hive_free(hive);
	if (err < 0) {
		say("the hive failed: %s", strerror(-err));
		return 1;
	}
	return command_status(status);
}
