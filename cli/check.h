/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of `skep check`: check.c finds the files, check_ask.c has judges judge them, and
 * check_rows.c makes rows of what they and the hive say, which check_report.c prints.
 */
#ifndef SKEP_CLI_CHECK_H
#define SKEP_CLI_CHECK_H

#include <stdbool.h>
#include <json-c/json.h>
#include <skep/skep.h>
#include "compile.h"
#include "judge.h"

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

/* From a judge in check->hive, one in a hive that stands for check->kernel, or outside of any. */
enum check_whom { CHECK_HIVE, CHECK_OTHER_HIVE, CHECK_KERNEL };

/*
 * A judge's rows, an array; NULL, and the reason (of size bytes), when there is none for the
 * object.
 */
struct json_object *check_ask(struct check *check, const char *file, int object_fd,
			      enum check_whom whom, char *reason, size_t size);

/* Has a signal asked us to end? It is check->signal then. */
bool check_told_to_end(struct check *check);

/* Judges the programs of an object: rows of check, which are printed. */
void check_object(struct check *check, const char *file, int object_fd);
/* A row that says why there is no verdict. */
void check_not_judged(struct check *check, const char *file, const char *reason);
/* The hive's account of a verification (struct skep_hive_options). */
void check_verified(void *arg, const struct skep_verification *verification);

/* The exit status is this, unless it is worse. */
void check_worsen(struct check *check, int status);

const char *check_newest_kernel(void);

#endif
