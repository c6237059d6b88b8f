/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loading half of `skep run`: an ordinary libbpf client in a process of its own. The same code
 * runs inside a hive, where skep answers it, and directly on the kernel (--real).
 */
#ifndef SKEP_CLI_LOADER_H
#define SKEP_CLI_LOADER_H

#include <stdbool.h>
#include "compile.h"

#define LOADER_MAPS_MAX 32

struct run_options {
	const char *file;
	char **command;	  /* NULL: the user's shell */
	const char *hive; /* NULL: a new one */
	bool real, json, no_trace;
	int verbose; /* 0, or the verifier's log level */
	struct compile_options compile;
	const char *kernel; /* NULL: the newest */
	const char *maps[LOADER_MAPS_MAX];
	int nr_maps;
	int object_fd; /* in the loader: the object; else -1 */
};

/* Loads, attaches, runs the command, prints. The exit status. */
int loader_run(const struct run_options *options);

#endif
