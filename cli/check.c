/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep check: makes a hive and starts in it, for each file, this very program as the judge
 * (--judge), with the object and a memory file for its rows as inherited descriptors. So an object
 * that libbpf falls over costs a row and no more. With --real a second judge is outside any hive.
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
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"
#include "command.h"
#include "compile.h"
#include "input.h"
#include "json_text.h"
#include "judge.h"
#include "object_file.h"
#include "say.h"

enum { KEY_REAL = 0x100, KEY_JSON, KEY_LOG, KEY_KERNEL, KEY_TARGET, KEY_JUDGE };

#define LOG_LEVELS 7 /* all bits of bpf(2)'s log_level that ask for text */

/* The worst of what happened is the exit status. */
enum { STATUS_ACCEPTED = 0, STATUS_REJECTED = 1, STATUS_NOT_JUDGED = 3 };

struct check {
	char **files;
	struct compile_options compile;
	const char *kernel; /* whose verdict it is */
	const char *target; /* the file with what extensions are for; NULL: none */
	bool real, json;
	unsigned log_level;
	bool matrix;		    /* the verdicts of all kernels */
	int target_fd;		    /* of that file; -1: none */
	struct judge_options judge; /* in the judge; else its object_fd is -1 */
	int signal;		    /* that asked us to end */
	struct skep_hive *hive;
	struct json_object *rows; /* all */
	struct json_object *told; /* of this file's programs, as they were verified */
	bool titles;
	int status;
};

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
	  "Judge as this Linux does: 5.4, 5.10, 5.15, 6.1, 6.6, 6.12, 6.18 (default), or all of "
	  "them",
	  0 },
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
	       "first, "
	       "without loading it to stay. Of a directory, all objects and *.bpf.c below it."
	       "\vThe exit status is 0 if every program was accepted, 1 if one was rejected (or, "
	       "with "
	       "--real, judged otherwise by the running kernel), 2 for wrong arguments, 3 if a "
	       "file "
	       "or a program could not be judged or the running kernel not be asked.",
};

static void worsen(struct check *check, int status)
{
	if (check->status < status)
		check->status = status;
}

/* Did the running kernel take no such program, whatever is in it? Then it has not disagreed. */
static bool unanswered(struct json_object *real)
{
	return !strcmp(row_text(real, "verdict"), "error") && row_number(real, "errno") == EPERM;
}

static void judge_row(struct check *check, const char *file, struct json_object *row)
{
	struct json_object *real;
	const char *verdict = row_text(row, "verdict");

	json_object_object_add(row, "file", json_text(file));
	json_object_object_add(row, "profile", json_object_new_string(check->kernel));
	if (json_object_object_get_ex(row, "real", &real)) {
		bool differs = !unanswered(real) && strcmp(verdict, row_text(real, "verdict"));

		json_object_object_add(row, "differs", json_object_new_boolean(differs));
		if (differs)
			worsen(check, STATUS_REJECTED);
	}
	if (!strcmp(verdict, "rejected"))
		worsen(check, STATUS_REJECTED);
	else if (strcmp(verdict, "accepted"))
		worsen(check, STATUS_NOT_JUDGED);
	json_object_array_add(check->rows, row);
	if (check->json)
		return;
	if (!check->titles)
		report_titles(check->real);
	check->titles = true;
	report_row(row, check->real);
}

static const char *newest_kernel(void)
{
	const char *const *kernels = skep_kernels();

	while (kernels[1])
		kernels++;
	return *kernels;
}

/* A program's answers by kernel. */
static void matrix_row(struct check *check, const char *file, struct json_object *row)
{
	struct json_object *answers, *newest;
	bool all = true, rejected = false;

	json_object_object_get_ex(row, "kernels", &answers);
	json_object_object_get_ex(answers, newest_kernel(), &newest);
	json_object_object_foreach(answers, kernel, answer)
	{
		all = all && !strcmp(row_text(answer, "verdict"), "accepted");
		rejected = rejected || !strcmp(row_text(answer, "verdict"), "rejected");
		if (!strcmp(row_text(answer, "verdict"), "error"))
			worsen(check, STATUS_NOT_JUDGED);
		(void)kernel;
	}
	if (!all)
		worsen(check, STATUS_REJECTED);
	json_object_object_add(row, "file", json_text(file));
	json_object_object_add(row, "program", json_object_new_string(row_text(newest, "program")));
	json_object_object_add(row, "type", json_object_new_string(row_text(newest, "type")));
	json_object_object_add(row, "verdict",
			       json_object_new_string(all	 ? "accepted"
						      : rejected ? "rejected"
								 : "error"));
	json_object_array_add(check->rows, json_object_get(row));
	if (check->json)
		return;
	if (!check->titles)
		report_kernels();
	check->titles = true;
	report_matrix(row);
}

static void not_judged(struct check *check, const char *file, const char *reason)
{
	struct json_object *row;

	if (check->signal)
		return;
	row = json_object_new_object();
	json_object_object_add(row, "verdict", json_object_new_string("error"));
	json_object_object_add(row, "reason", json_text(reason));
	judge_row(check, file, row);
}

static struct json_object *causes_of(const struct skep_verification *verification)
{
	struct json_object *causes = json_object_new_array();

	for (unsigned i = 0; i < verification->nr_causes; i++) {
		const struct skep_cause *from = &verification->causes[i];
		struct json_object *to = json_object_new_object();

		json_object_object_add(to, "insn", json_object_new_int((int)from->insn));
		json_object_object_add(to, "text", json_text(from->text));
		json_object_object_add(to, "value", json_text(from->value));
		json_object_object_add(to, "source", json_text(from->source));
		json_object_object_add(to, "file", json_text(from->file));
		json_object_object_add(to, "line", json_object_new_int((int)from->line));
		json_object_array_add(causes, to);
	}
	return causes;
}

static void verified(void *arg, const struct skep_verification *verification)
{
	struct check *check = arg;
	struct json_object *told = json_object_new_object();

	json_object_object_add(told, "program", json_object_new_string(verification->name));
	json_object_object_add(told, "processed", json_object_new_int64(verification->insns));
	json_object_object_add(told, "states", json_object_new_int64(verification->states));
	json_object_object_add(told, "memory",
			       json_object_new_int64((int64_t)verification->memory));
	if (verification->nr_causes)
		json_object_object_add(told, "causes", causes_of(verification));
	json_object_array_add(check->told, told);
}

/*
 * What the hive told of a row's program: the first that is not another row's of what it verified
 * under this name, of which bpf(2) knows the first bytes, and with these counters.
 */
static void add_told(const struct check *check, struct json_object *row)
{
	char name[16];

	snprintf(name, sizeof(name), "%s", row_text(row, "program"));
	for (size_t i = 0; i < json_object_array_length(check->told); i++) {
		struct json_object *told = json_object_array_get_idx(check->told, i), *value;

		if (strcmp(name, row_text(told, "program")) ||
		    row_number(told, "processed") != row_number(row, "processed") ||
		    row_number(told, "states") != row_number(row, "states"))
			continue;
		if (json_object_object_get_ex(told, "memory", &value))
			json_object_object_add(row, "memory", json_object_get(value));
		if (json_object_object_get_ex(told, "causes", &value))
			json_object_object_add(row, "causes", json_object_get(value));
		json_object_array_del_idx(check->told, i, 1);
		return;
	}
}

/* The judge's command line; its process id or -errno. */
static pid_t start_in_hive(const struct check *check, const char *file, int object_fd,
			   int result_fd)
{
	char self[4096], fds[64], log[32];
	char *argv[] = { self, (char *)"check", fds, (char *)"--", (char *)file, NULL, NULL };
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length <= 0)
		return -ENOENT;
	self[length] = '\0';
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

typedef int (*ask_fn)(struct check *check, const char *file, int object_fd, int result_fd);

/* A judge's rows; NULL, and the reason, when there is none for the object. */
static struct json_object *ask(struct check *check, const char *file, int object_fd, ask_fn whom,
			       char *reason, size_t size)
{
	int fd = memfd_create("skep-rows", 0), status;
	struct json_object *rows, *first;

	if (fd < 0) {
		snprintf(reason, size, "no memory file can be made: %s", strerror(errno));
		return NULL;
	}
	status = whom(check, file, object_fd, fd);
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

static void judge_fd(struct check *check, const char *file, int object_fd)
{
	struct json_object *rows, *real = NULL, *row;
	char reason[512];

	json_object_put(check->told);
	check->told = json_object_new_array();
	rows = ask(check, file, object_fd, ask_skep, reason, sizeof(reason));
	if (!rows) {
		not_judged(check, file, reason);
		return;
	}
	if (check->real) {
		real = ask(check, file, object_fd, ask_kernel, reason, sizeof(reason));
		if (!real && !check->signal)
			say("%s: the running kernel cannot be asked: %s", file, reason);
	}
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		row = json_object_get(json_object_array_get_idx(rows, i));
		if (real && i < json_object_array_length(real))
			json_object_object_add(row, "real",
					       json_object_get(json_object_array_get_idx(real, i)));
		add_told(check, row);
		judge_row(check, file, row);
	}
	json_object_put(rows);
	json_object_put(real);
}

/* One row for each program, with the answers of all kernels. */
static void judge_matrix(struct check *check, const char *file, int object_fd)
{
	struct json_object *table = json_object_new_array(), *rows, *row, *answers, *newest;
	char reason[512];

	for (const char *const *kernel = skep_kernels(); *kernel && !check->signal; kernel++) {
		check->kernel = *kernel;
		rows = ask(check, file, object_fd, ask_other, reason, sizeof(reason));
		if (!rows) {
			not_judged(check, file, reason);
			break;
		}
		for (size_t i = 0; i < json_object_array_length(rows); i++) {
			newest = json_object_array_get_idx(rows, i);
			row = json_object_array_get_idx(table, i);
			if (!row) {
				row = json_object_new_object();
				json_object_object_add(row, "kernels", json_object_new_object());
				json_object_array_put_idx(table, i, row);
			}
			json_object_object_get_ex(row, "kernels", &answers);
			json_object_object_add(answers, *kernel, json_object_get(newest));
		}
		json_object_put(rows);
	}
	for (size_t i = 0; i < json_object_array_length(table) && !check->signal; i++)
		matrix_row(check, file, json_object_array_get_idx(table, i));
	json_object_put(table);
}

/* Signals are kept back while there is a hive: did one come while nobody waited for the judge? */
static bool told_to_end(struct check *check)
{
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]) && !check->signal; i++)
		if (sigismember(&pending, ending[i]) > 0)
			check->signal = ending[i];
	return check->signal;
}

static void judge_file(struct check *check, const char *file)
{
	char reason[256];
	int fd;

	if (told_to_end(check))
		return;
	fd = input_open(file, &check->compile, reason, sizeof(reason));
	if (told_to_end(check)) {
		close(fd);
		return;
	}
	if (fd < 0) {
		not_judged(check, file, reason);
		return;
	}
	if (check->matrix)
		judge_matrix(check, file, fd);
	else
		judge_fd(check, file, fd);
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
			not_judged(check, entry->fts_path, strerror(entry->fts_errno));
		else if (is_for_us(entry->fts_path)) {
			judge_file(check, entry->fts_path);
			nr++;
		}
	}
	if (tree)
		fts_close(tree);
	if (!tree)
		not_judged(check, path, strerror(errno));
	else if (directory && !nr)
		not_judged(check, path, "there is neither a BPF object nor a *.bpf.c in it");
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
	worsen(check, STATUS_NOT_JUDGED);
}

int command_check(int argc, char **argv)
{
	struct check check = { .compile.cpu = COMPILE_CPU,
			       .target_fd = -1,
			       .judge.object_fd = -1,
			       .kernel = newest_kernel() };
	struct skep_hive_options hive = { .verified = verified, .verified_arg = &check };

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
		worsen(&check, STATUS_NOT_JUDGED);
	}
	json_object_put(check.told);
	json_object_put(check.rows);
	return check.status;
}
