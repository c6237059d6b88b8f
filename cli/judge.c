/* SPDX-License-Identifier: BSD-2-Clause */
/* See judge.h. */
#include "judge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <bpf/libbpf.h>
#include <json-c/json.h>
#include "json_text.h"
#include "libbpf_log.h"
#include "object_file.h"
#include "prepare.h"
#include "say.h"

#define LOG_SIZE      (16U << 20)
#define LOG_STATS     4u /* time, stack depth, counters */
#define LINE_MAX_SIZE 512

struct judge {
	const struct judge_options *options;
	struct object_file file;
	char name[64]; /* libbpf's for the object */
	struct object_file target_file;
	struct bpf_object *target; /* loaded; NULL: there is none */
	struct inner_maps inner;
	char *log;
};

static void put_line(const struct judge *judge, struct json_object *row)
{
	const char *text = json_object_to_json_string_ext(
		row, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	write_all(judge->options->result_fd, text, strlen(text));
	write_all(judge->options->result_fd, "\n", 1);
	json_object_put(row);
}

static void add_text(struct json_object *row, const char *key, const char *text)
{
	json_object_object_add(row, key, json_text(text));
}

static void add_number(struct json_object *row, const char *key, long long number)
{
	json_object_object_add(row, key, json_object_new_int64(number));
}

static struct bpf_object *open_object(struct judge *judge)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = judge->name);
	struct bpf_object *object;

	libbpf_log_clear();
	object = bpf_object__open_mem(judge->file.data, judge->file.size, &options);
	if (object)
		prepare_object(object, &judge->inner);
	return object;
}

/* What the log counts rather than says. */
static bool is_statistics(const char *line)
{
	static const char *const begins[] = { "verification time ", "stack depth ", "processed ",
					      "insns processed " };

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (!strncmp(line, begins[i], strlen(begins[i])))
			return true;
	return false;
}

/* The last line of the log that says something of its own; false: there is none. */
static bool last_line(const char *log, char *line, size_t size)
{
	bool found = false;

	while (*log) {
		size_t length = strcspn(log, "\n");

		if (length && *log != ';' && !is_statistics(log)) {
			snprintf(line, size, "%.*s", (int)(length < size ? length : size - 1), log);
			found = true;
		}
		log += length;
		log += *log == '\n';
	}
	return found;
}

static void add_statistics(struct json_object *row, const char *log)
{
	static const struct {
		const char *before, *key;
	} counters[] = {
		{ "verification time ", "time_us" },
		{ "processed ", "processed" },
		{ "total_states ", "states" },
		{ "peak_states ", "peak_states" },
	};

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		const char *at = NULL, *next = strstr(log, counters[i].before);

		for (; next; next = strstr(next + 1, counters[i].before))
			at = next;
		if (at)
			add_number(row, counters[i].key,
				   strtoll(at + strlen(counters[i].before), NULL, 10));
	}
}

/*
 * A refusal for want of permission comes before the verifier, and so with an empty log: some
 * kernels take no programs of some types from anybody.
 */
static void add_refusal(struct json_object *row, const struct judge *judge,
			const struct bpf_program *program, int err)
{
	bool forbidden = libbpf_log_asked_kernel() && err == EPERM && !*judge->log;
	bool asked = libbpf_log_asked_kernel() && !forbidden;
	char line[LINE_MAX_SIZE];

	add_text(row, "verdict", asked ? "rejected" : "error");
	add_number(row, "errno", err);
	if (asked && last_line(judge->log, line, sizeof(line)))
		add_text(row, "reason", line);
	else if (asked || forbidden)
		add_text(row, "reason", libbpf_log_reason(err));
	else if (bpf_program__type(program) == BPF_PROG_TYPE_EXT)
		add_text(row, "reason",
			 judge->target ? "the target has no such function"
				       : "an extension is judged beside the program "
					 "it is for: name its object by --target");
	else
		add_text(row, "reason", libbpf_log_cause(libbpf_log_reason(err)));
}

/* The index-th program of an object; NULL: there is none. */
static struct bpf_program *program_at(struct bpf_object *object, int index)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
		if (!index--)
			return program;
	return NULL;
}

/* What it replaces or traces is a function of the target's, if there is one of this name. */
static void choose_target(const struct judge *judge, struct bpf_program *program)
{
	const char *function = strchr(bpf_program__section_name(program), '/');
	enum bpf_prog_type type = bpf_program__type(program);
	struct bpf_program *target;

	if (!function || !judge->target ||
	    (type != BPF_PROG_TYPE_EXT && type != BPF_PROG_TYPE_TRACING))
		return;
	bpf_object__for_each_program(target, judge->target)
		if (bpf_program__fd(target) >= 0 &&
		    !bpf_program__set_attach_target(program, bpf_program__fd(target), function + 1))
			break;
}

/* Loads the index-th program alone, with a log of this level: 0 or -errno. */
static int load_alone(const struct judge *judge, struct bpf_object *object, int index,
		      unsigned level)
{
	struct bpf_program *chosen = program_at(object, index), *program;

	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, program == chosen);
	judge->log[0] = '\0';
	bpf_program__set_log_level(chosen, level);
	bpf_program__set_log_buf(chosen, judge->log, LOG_SIZE);
	choose_target(judge, chosen);
	libbpf_log_clear();
	return bpf_object__load(object);
}

static void judge_program(struct judge *judge, struct bpf_object *object, int index)
{
	struct json_object *row = json_object_new_object();
	struct bpf_program *program = program_at(object, index);
	const char *type = libbpf_bpf_prog_type_str(bpf_program__type(program));
	struct bpf_object *again = NULL;
	int err;

	add_text(row, "program", bpf_program__name(program));
	add_text(row, "section", bpf_program__section_name(program));
	add_text(row, "type", type ? type : "?");
	add_number(row, "insns", (long long)bpf_program__insn_cnt(program));
	err = load_alone(judge, object, index, LOG_STATS | judge->options->log_level);
	if (judge->options->log_level)
		add_text(row, "log", judge->log);
	/* A log without end is no verdict. */
	if (err == -ENOSPC && judge->options->log_level)
		again = open_object(judge);
	if (again)
		err = load_alone(judge, again, index, LOG_STATS);
	if (err)
		add_refusal(row, judge, program, -err);
	else
		add_text(row, "verdict", "accepted");
	add_statistics(row, judge->log);
	put_line(judge, row);
	bpf_object__close(again);
}

static int whole_object(const struct judge *judge, const char *reason)
{
	struct json_object *row = json_object_new_object();

	add_text(row, "reason", reason);
	put_line(judge, row);
	return 1;
}

static int judge_programs(struct judge *judge)
{
	struct bpf_object *object;
	bool another = true;
	int index = 0;

	judge->log =
		mmap(NULL, LOG_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (judge->log == MAP_FAILED)
		return whole_object(judge, "out of memory");
	for (; another; index += another) {
		object = open_object(judge);
		if (!object)
			return whole_object(judge, libbpf_log_last(libbpf_log_reason(errno)));
		another = program_at(object, index);
		if (another)
			judge_program(judge, object, index);
		bpf_object__close(object);
		prepare_end(&judge->inner);
	}
	munmap(judge->log, LOG_SIZE);
	return index ? 0 : whole_object(judge, "there is no program in it");
}

/* The sentence that says why not; NULL: it is loaded. */
static const char *load_target(struct judge *judge)
{
	static char reason[256];
	const char *why;

	if (judge->options->target_fd < 0)
		return NULL;
	if (object_file_map(judge->options->target_fd, &judge->target_file))
		return "the target cannot be read";
	prepare_file(&judge->target_file);
	judge->target =
		bpf_object__open_mem(judge->target_file.data, judge->target_file.size, NULL);
	if (judge->target)
		prepare_object(judge->target, &judge->inner);
	if (judge->target && !bpf_object__load(judge->target))
		return NULL;
	why = libbpf_log_cause(libbpf_log_reason(errno));
	snprintf(reason, sizeof(reason), "the target cannot be loaded: %s", why);
	return reason;
}

int judge_object(const struct judge_options *options)
{
	struct judge judge = { .options = options };
	const char *problem;
	int err, status;

	libbpf_log_start();
	object_file_name(options->name, judge.name, sizeof(judge.name));
	err = object_file_map(options->object_fd, &judge.file);
	if (err)
		return whole_object(&judge, strerror(-err));
	problem = object_file_problem(&judge.file);
	if (!problem)
		problem = load_target(&judge);
	if (!problem)
		prepare_file(&judge.file);
	status = problem ? whole_object(&judge, problem) : judge_programs(&judge);
	bpf_object__close(judge.target);
	object_file_unmap(&judge.target_file);
	object_file_unmap(&judge.file);
	return status;
}
