/* SPDX-License-Identifier: BSD-2-Clause */
/* How `skep check` shows its rows, JSON objects with the members of judge.h and of skep-check(1).
 */
#ifndef SKEP_CLI_CHECK_REPORT_H
#define SKEP_CLI_CHECK_REPORT_H

#include <stdbool.h>
#include <json-c/json.h>

/* A member that is a string or a number; "" and -1 if it is not there. */
const char *row_text(struct json_object *row, const char *key);
long long row_number(struct json_object *row, const char *key);

/* Prints the line of titles, then the lines of each row as it becomes known. */
void report_titles(bool real);
void report_row(struct json_object *row, bool real);
/* The same for rows with the answers of all kernels (member "kernels"). */
void report_kernels(void);
void report_matrix(struct json_object *row);
/* How many of the array's rows ended how; with real, where the running kernel differs, and in how
 * much of its time. */
void report_summary(struct json_object *rows, bool real);

#endif
