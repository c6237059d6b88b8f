/* SPDX-License-Identifier: BSD-2-Clause */
/* See check.h: rows, from what judges said of an object and what the hive told of its programs. */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "check_report.h"
#include "json_text.h"
#include "say.h"

void check_worsen(struct check *check, int status)
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
			check_worsen(check, STATUS_REJECTED);
	}
	if (!strcmp(verdict, "rejected"))
		check_worsen(check, STATUS_REJECTED);
	else if (strcmp(verdict, "accepted"))
		check_worsen(check, STATUS_NOT_JUDGED);
	json_object_array_add(check->rows, row);
	if (check->json)
		return;
	if (!check->titles)
		report_titles(check->real);
	check->titles = true;
	report_row(row, check->real);
}

const char *check_newest_kernel(void)
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
	json_object_object_get_ex(answers, check_newest_kernel(), &newest);
	json_object_object_foreach(answers, kernel, answer)
	{
		all = all && !strcmp(row_text(answer, "verdict"), "accepted");
		rejected = rejected || !strcmp(row_text(answer, "verdict"), "rejected");
		if (!strcmp(row_text(answer, "verdict"), "error"))
			check_worsen(check, STATUS_NOT_JUDGED);
		(void)kernel;
	}
	if (!all)
		check_worsen(check, STATUS_REJECTED);
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

void check_not_judged(struct check *check, const char *file, const char *reason)
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

void check_verified(void *arg, const struct skep_verification *verification)
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

static void judge_fd(struct check *check, const char *file, int object_fd)
{
	struct json_object *rows, *real = NULL, *row;
	char reason[512];

	json_object_put(check->told);
	check->told = json_object_new_array();
	rows = check_ask(check, file, object_fd, CHECK_HIVE, reason, sizeof(reason));
	if (!rows) {
		check_not_judged(check, file, reason);
		return;
	}
	if (check->real) {
		real = check_ask(check, file, object_fd, CHECK_KERNEL, reason, sizeof(reason));
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
		rows = check_ask(check, file, object_fd, CHECK_OTHER_HIVE, reason, sizeof(reason));
		if (!rows) {
			check_not_judged(check, file, reason);
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

void check_object(struct check *check, const char *file, int object_fd)
{
	if (check->matrix)
		judge_matrix(check, file, object_fd);
	else
		judge_fd(check, file, object_fd);
}
