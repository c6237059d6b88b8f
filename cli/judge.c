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
#include "libbpf_log.h"
#include "object_file.h"
#include "prepare.h"
#include "say.h"

#define LOG_SIZE      (16U << 20)
#define LOG_LEVEL     1u
#define LOG_STATS     4u /* time, stack depth, counters */
#define LINE_MAX_SIZE 512

struct judge {
	struct object_file file;
	const char *name; /* libbpf's for the object */
	int result_fd;
	bool want_log;
	char *log;
};

static void put_line(const struct judge *judge, struct json_object *row)
{
	const char *text = json_object_to_json_string_ext(
		row, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	write_all(judge->result_fd, text, strlen(text));
	write_all(judge->result_fd, "\n", 1);
	json_object_put(row);
}

static void add_text(struct json_object *row, const char *key, const char *text)
{
	json_object_object_add(row, key, json_object_new_string(text));
}

static void add_number(struct json_object *row, const char *key, long long number)
{
	json_object_object_add(row, key, json_object_new_int64(number));
}

static struct bpf_object *open_object(const struct judge *judge)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = judge->name);
	struct bpf_object *object;

	libbpf_log_clear();
	object = bpf_object__open_mem(judge->file.data, judge->file.size, &options);
	if (object)
		prepare_object(object);
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
static void add_refusal(struct json_object *row, const struct judge *judge, int err)
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
	else
		add_text(row, "reason", libbpf_log_cause(libbpf_log_reason(err)));
}

/* All programs but the index-th stay unloaded; that one, NULL: there is none. */
static struct bpf_program *choose(struct bpf_object *object, int index)
{
	struct bpf_program *program, *chosen = NULL;
	int i = 0;

	bpf_object__for_each_program(program, object) {
		bool it = i++ == index;

		bpf_program__set_autoload(program, it);
		if (it)
			chosen = program;
	}
	return chosen;
}

static void judge_program(const struct judge *judge, struct bpf_object *object,
			  struct bpf_program *program)
{
	struct json_object *row = json_object_new_object();
	const char *type = libbpf_bpf_prog_type_str(bpf_program__type(program));
	int err;

	add_text(row, "program", bpf_program__name(program));
	add_text(row, "section", bpf_program__section_name(program));
	add_text(row, "type", type ? type : "?");
	add_number(row, "insns", (long long)bpf_program__insn_cnt(program));
	judge->log[0] = '\0';
	bpf_program__set_log_level(program, LOG_STATS | (judge->want_log ? LOG_LEVEL : 0));
	bpf_program__set_log_buf(program, judge->log, LOG_SIZE);
	libbpf_log_clear();
	err = bpf_object__load(object);
	if (err)
		add_refusal(row, judge, -err);
	else
		add_text(row, "verdict", "accepted");
	add_statistics(row, judge->log);
	if (judge->want_log)
		add_text(row, "log", judge->log);
	put_line(judge, row);
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
	struct bpf_program *program;
	int index = 0;

	judge->log =
		mmap(NULL, LOG_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (judge->log == MAP_FAILED)
		return whole_object(judge, "out of memory");
	for (;; index++) {
		object = open_object(judge);
		if (!object)
			return whole_object(judge, libbpf_log_last(libbpf_log_reason(errno)));
		program = choose(object, index);
		if (program)
			judge_program(judge, object, program);
		bpf_object__close(object);
		if (!program)
			break;
	}
	munmap(judge->log, LOG_SIZE);
	return index ? 0 : whole_object(judge, "there is no program in it");
}

int judge_object(const char *name, int object_fd, int result_fd, bool want_log)
{
	struct judge judge = { .result_fd = result_fd, .want_log = want_log };
	char short_name[64];
	const char *problem;
	int err, status;

	libbpf_log_start();
	object_file_name(name, short_name, sizeof(short_name));
	judge.name = short_name;
	err = object_file_map(object_fd, &judge.file);
	if (err)
		return whole_object(&judge, strerror(-err));
	problem = object_file_problem(&judge.file);
	if (!problem)
		prepare_file(&judge.file);
	status = problem ? whole_object(&judge, problem) : judge_programs(&judge);
	object_file_unmap(&judge.file);
	return status;
}
