/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep run: compiles if it has to, makes a hive, and starts the loader in it: this very program
 * with the object as an inherited memory file (--loader). With --real the loader is a child outside
 * any hive.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "command.h"
#include "input.h"
#include "loader.h"
#include "say.h"

enum { KEY_REAL = 0x100, KEY_JSON, KEY_NO_TRACE, KEY_MAP, KEY_KERNEL, KEY_LOADER };

static const struct argp_option options[] = {
	{ "real", KEY_REAL, NULL, 0, "Load into the running kernel instead (needs privilege)", 0 },
	{ "json", KEY_JSON, NULL, 0, "Print one JSON object a line", 0 },
	{ "no-trace", KEY_NO_TRACE, NULL, 0, "Do not print trace_pipe", 0 },
	{ "map", KEY_MAP, "NAME", 0, "Print the entries of this map at the end (may be repeated)",
	  0 },
	{ "kernel", KEY_KERNEL, "VERSION", 0,
	  "Make a hive that stands for this Linux: " COMMAND_KERNELS, 0 },
	{ "verbose", 'v', NULL, 0, "Print the verifier's log of every program", 0 },
	{ "hive", 'H', "NAME", 0, "Load it into the hive that \"skep up NAME\" made", 0 },
	{ "loader", KEY_LOADER, "FD", OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static error_t parse_argument(struct run_options *run, char *arg, struct argp_state *state)
{
	if (state->arg_num == 0) {
		run->file = arg;
		return 0;
	}
	run->command = state->argv + state->next - 1;
	state->next = state->argc; /* the rest is the command's own */
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run_options *run = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &run->compile; return 0;
	case KEY_REAL: run->real = true; return 0;
	case KEY_JSON: run->json = true; return 0;
	case KEY_NO_TRACE: run->no_trace = true; return 0;
	case KEY_KERNEL: run->kernel = command_kernel(arg, state); return 0;
	case 'H': run->hive = arg; return 0;
	case 'v': run->verbose = 2; return 0;
	case KEY_LOADER: run->object_fd = atoi(arg); return 0;
	case KEY_MAP:
		if (run->nr_maps == LOADER_MAPS_MAX)
			argp_error(state, "more than %d maps", LOADER_MAPS_MAX);
		run->maps[run->nr_maps++] = arg;
		return 0;
	case ARGP_KEY_ARG: return parse_argument(run, arg, state);
	case ARGP_KEY_NO_ARGS: argp_error(state, "a file is missing"); return EINVAL;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &compile_argp, 0, NULL, 0 }, { 0 } };

static const struct argp parser = {
	.children = children,
	.options = options,
	.parser = parse,
	.args_doc = "FILE.bpf.c|FILE.o [-- COMMAND [ARGUMENTS...]]",
	.doc = "Loads a BPF program, attaches it as its SEC() names say, runs COMMAND (default: "
	       "$SHELL), prints what the program prints, and ends with COMMAND's exit status. C "
	       "is compiled with clang; \"vmlinux.h\" can be included."
	       "\vThe exit status is COMMAND's; 128 + N if signal N ended it; 127 if it was not "
	       "found; 1 if the program could not be compiled, loaded or attached.",
};

/* A loader that was ended by a fault of its own fell over the object; it never shows the command's
 * death so. */
static int loader_status(const struct run_options *run, int status)
{
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGABRT ||
				    WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGFPE)) {
		say("%s: the object is corrupt: libbpf fell over it (signal %d)", run->file,
		    WTERMSIG(status));
		return 1;
	}
	return command_status(status);
}

static pid_t real_loader;

static void pass_on(int signal_number, siginfo_t *info, void *context)
{
	if (info->si_code != SI_KERNEL)
		kill(real_loader, signal_number);
}

static int run_real(const struct run_options *run)
{
	struct sigaction action = { .sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART };
	int status;

	real_loader = fork();
	if (real_loader < 0) {
		say("no process can be made: %s", strerror(errno));
		return 1;
	}
	if (real_loader == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		exit(loader_run(run));
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	while (waitpid(real_loader, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return loader_status(run, status);
}

/* The loader's command line: ours, with the descriptor. argv[0] is "skep run". */
static int run_in_hive(const struct run_options *run, int argc, char **argv)
{
	char **loader = calloc((size_t)argc + 4, sizeof(*loader));
	struct skep_hive *hive = NULL;
	const struct skep_hive_options options_of_hive = { .kernel = run->kernel };
	char self[4096], fd[32];
	int status = 0, err;
	pid_t pid;

	if (loader && command_self(self, sizeof(self)))
		hive = run->hive ? command_open(run->hive) : command_hive(&options_of_hive);
	if (!hive) {
		free(loader);
		return 1;
	}
	snprintf(fd, sizeof(fd), "--loader=%d", run->object_fd);
	loader[0] = self;
	loader[1] = (char *)"run";
	loader[2] = fd;
	memcpy(loader + 3, argv + 1, (size_t)(argc - 1) * sizeof(*loader));
	pid = skep_hive_spawn(hive, loader, NULL, SKEP_SPAWN_CLIENT);
	free(loader);
	if (pid < 0) {
		say("the loader cannot be started: %s", strerror(-pid));
		skep_hive_free(hive);
		return 1;
	}
	close(run->object_fd);
	err = skep_hive_serve(hive, pid, &status);
	skep_hive_free(hive);
	if (err < 0) {
		say("the hive failed: %s", strerror(-err));
		return 1;
	}
	return loader_status(run, status);
}

int command_run(int argc, char **argv)
{
	struct run_options run = { .compile.cpu = COMPILE_CPU, .object_fd = -1 };

	argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &run);
	if (run.object_fd >= 0) {
		fcntl(run.object_fd, F_SETFD, FD_CLOEXEC);
		return loader_run(&run);
	}
	if (run.kernel && (run.real || run.hive)) {
		say("--kernel is for a new hive: not with --real or --hive");
		return EXIT_USAGE;
	}
	if (run.real && run.hive) {
		say("--real and --hive exclude each other");
		return EXIT_USAGE;
	}
	run.object_fd = input_open(run.file, &run.compile, NULL, 0);
	if (run.object_fd < 0)
		return 1;
	if (run.real) {
		fcntl(run.object_fd, F_SETFD, FD_CLOEXEC);
		return run_real(&run);
	}
	return run_in_hive(&run, argc, argv);
}
