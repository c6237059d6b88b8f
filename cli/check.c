/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep check: makes a hive, has the programs of each file judged there, and prints their rows. With
 * --real a second judge is outside any hive.
 */
#include <argp.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "check_report.h"
#include "command.h"
#include "input.h"
#include "object_file.h"
#include "say.h"

enum { KEY_REAL = 0x100, KEY_JSON, KEY_LOG, KEY_KERNEL, KEY_TARGET, KEY_JUDGE };

#define LOG_LEVELS 7 /* all bits of bpf(2)'s log_level that ask for text */

static const struct argp_option options[] = {
	{ "real", KEY_REAL, NULL, 0,
	  "Ask the running kernel, too, and mark what differs (needs privilege)", 0 },
	{ "json", KEY_JSON, NULL, 0, "Print an array of JSON objects", 0 },
	{ "log", KEY_LOG, "LEVEL", OPTION_ARG_OPTIONAL,
	  "Print the verifier's log of each program: 1 (default): of paths, 2: of each "
	  "instruction, with registers",
	  0 },
	{ "target", KEY_TARGET, "FILE", 0,
	  "The program whose functions are replaced (freplace) or traced (fentry, fexit) by what "
	  "is judged",
	  0 },
	{ "kernel", KEY_KERNEL, "VERSION", 0,
	  "Judge as this Linux does: " COMMAND_KERNELS ", or all of them", 0 },
	{ "judge", KEY_JUDGE, "FDS", OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static unsigned log_level(const char *arg, struct argp_state *state)
{
	char *end;
	long level = arg ? strtol(arg, &end, 10) : 1;

	if (level < 1 || level > LOG_LEVELS || (arg && *end))
		argp_error(
			state,
			"--log: \"%s\" is no level; there are 1 (paths), 2 (each instruction), 4 "
			"(counters, which are always there) and their sums",
			arg);
	return (unsigned)level;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct check *check = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &check->compile; return 0;
	case KEY_REAL: check->real = true; return 0;
	case KEY_JSON: check->json = true; return 0;
	case KEY_LOG: check->log_level = log_level(arg, state); return 0;
	case KEY_TARGET: check->target = arg; return 0;
	case KEY_KERNEL:
		check->matrix = !strcmp(arg, "all");
		if (!check->matrix)
			check->kernel = command_kernel(arg, state);
		return 0;
	case KEY_JUDGE:
		if (sscanf(arg, "%d,%d,%d", &check->judge.object_fd, &check->judge.target_fd,
			   &check->judge.result_fd) != 3)
			argp_error(state, "three descriptors are needed");
		return 0;
	case ARGP_KEY_ARGS: check->files = state->argv + state->next; return 0;
	case ARGP_KEY_NO_ARGS: argp_error(state, "a file is missing"); return EINVAL;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &compile_argp, 0, NULL, 0 }, { 0 } };

static const struct argp parser = {
	.children = children,
	.options = options,
	.parser = parse,
	.args_doc = "FILE|DIRECTORY...",
	.doc = "Lets the verifier judge each program of BPF objects, or of C that is compiled "
	       "first, without loading it to stay. Of a directory, all objects and *.bpf.c below "
	       "it.\vThe exit status is 0 if every program was accepted, 1 if one was rejected "
	       "(or, with --real, judged otherwise by the running kernel), 2 for wrong arguments, "
	       "3 if a file or a program could not be judged or the running kernel not be asked.",
};

static void judge_file(struct check *check, const char *file)
{
	char reason[256];
	int fd;

	if (check_told_to_end(check))
		return;
	fd = input_open(file, &check->compile, reason, sizeof(reason));
	if (check_told_to_end(check)) {
		close(fd);
		return;
	}
	if (fd < 0) {
		check_not_judged(check, file, reason);
		return;
	}
	check_object(check, file, fd);
	close(fd);
}

/* In a directory only what is meant to be BPF counts. */
static bool is_for_us(const char *path)
{
	struct object_file file;
	bool good;
	int fd;

	if (ends_with(path, ".bpf.c"))
		return true;
	if (!ends_with(path, ".o"))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	good = !object_file_map(fd, &file);
	if (good) {
		good = !object_file_problem(&file);
		object_file_unmap(&file);
	}
	close(fd);
	return good;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void judge_path(struct check *check, char *path)
{
	char *const paths[] = { path, NULL };
	FTS *tree = fts_open(paths, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	unsigned nr = 0;
	FTSENT *entry;
	bool directory = false;

	while (tree && !check->signal && (entry = fts_read(tree))) {
		if (entry->fts_info == FTS_D || entry->fts_info == FTS_DP)
			directory = true;
		else if (entry->fts_level == FTS_ROOTLEVEL)
			judge_file(check, path);
		else if (entry->fts_info == FTS_DNR)
			check_not_judged(check, entry->fts_path, strerror(entry->fts_errno));
		else if (is_for_us(entry->fts_path)) {
			judge_file(check, entry->fts_path);
			nr++;
		}
	}
	if (tree)
		fts_close(tree);
	if (!tree)
		check_not_judged(check, path, strerror(errno));
	else if (directory && !nr)
		check_not_judged(check, path, "there is neither a BPF object nor a *.bpf.c in it");
}

static bool open_target(struct check *check)
{
	check->target_fd = input_open(check->target, &check->compile, NULL, 0);
	return check->target_fd >= 0;
}

/* Does the running kernel take programs of none of these types from us? */
static bool kernel_refuses(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static const enum bpf_prog_type types[] = { BPF_PROG_TYPE_SCHED_CLS,
						    BPF_PROG_TYPE_TRACEPOINT };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int fd = bpf_prog_load(types[i], NULL, "GPL", insns, 2, NULL);

		if (fd >= 0)
			close(fd);
		if (fd != -EPERM)
			return false;
	}
	return true;
}

static void ask_nobody(struct check *check)
{
	say("--real: the running kernel takes programs from root only (CAP_BPF, CAP_PERFMON and "
	    "CAP_NET_ADMIN); the verdicts are skep's alone");
	check->real = false;
	check_worsen(check, STATUS_NOT_JUDGED);
}

int command_check(int argc, char **argv)
{
	struct check check = { .compile.cpu = COMPILE_CPU,
			       .target_fd = -1,
			       .judge.object_fd = -1,
			       .kernel = check_newest_kernel() };
	struct skep_hive_options hive = { .verified = check_verified, .verified_arg = &check };

	argp_parse(&parser, argc, argv, 0, NULL, &check);
	if (check.judge.object_fd >= 0) {
		check.judge.name = check.files[0];
		check.judge.log_level = check.log_level;
		return judge_object(&check.judge);
	}
	if (check.matrix && check.real) {
		say("--real compares one kernel's verdicts: not with --kernel all");
		return EXIT_USAGE;
	}
	if (check.target && !open_target(&check))
		return STATUS_NOT_JUDGED;
	if (check.real && kernel_refuses())
		ask_nobody(&check);
	hive.kernel = check.kernel;
	if (!check.matrix)
		check.hive = command_hive(&hive);
	if (!check.matrix && !check.hive)
		return STATUS_NOT_JUDGED;
	check.rows = json_object_new_array();
	for (char **file = check.files; *file && !check.signal; file++) {
		if (strcmp(*file, "-"))
			judge_path(&check, *file);
		else
			judge_file(&check, *file); /* standard input */
	}
	skep_hive_free(check.hive);
	if (check.signal) {
		signal(check.signal, SIG_DFL);
		raise(check.signal);
	}
	if (check.json)
		puts(json_object_to_json_string_ext(
			check.rows, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		report_summary(check.rows, check.real);
	if (fflush(stdout) || ferror(stdout)) {
		say("standard output cannot be written: the verdicts are lost");
		check_worsen(&check, STATUS_NOT_JUDGED);
	}
	json_object_put(check.told);
	json_object_put(check.rows);
	return check.status;
}
