/* SPDX-License-Identifier: BSD-2-Clause */
/* What has to be known of a program before the process that is to execute it may only make system
 * calls. */
#ifndef SKEP_GATE_PROGRAM_H
#define SKEP_GATE_PROGRAM_H

#include "base/types.h"

struct program {
	char path[4096];
	char *const *argv;
	char **shell_argv; /* for a script without an interpreter line */
	char *const *envp;
};

/* Finds argv[0] as execvp() does: 0, or the most telling error. envp NULL: the caller's. */
int program_find(struct program *program, char *const argv[], char *const envp[]);
void program_done(struct program *program);

/* Executes it; returns the reason for a failure, -errno. Makes system calls only. */
int program_execute(const struct program *program);

#endif
