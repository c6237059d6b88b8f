/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF C to a BPF object, with clang, without leaving a file anywhere. */
#ifndef SKEP_CLI_COMPILE_H
#define SKEP_CLI_COMPILE_H

#include <argp.h>

#define COMPILE_FLAGS_MAX 64

/* How to compile. Begins as { .cpu = COMPILE_CPU }. */
struct compile_options {
	const char *cpu; /* clang's -mcpu */
	int nr_flags;
	struct {
		char letter; /* of -I, -D, -U */
		const char *value;
	} flags[COMPILE_FLAGS_MAX]; /* in the order of the command line */
};

#define COMPILE_CPU "v3"

/* The options of the command line that say so: a child parser, whose input is the structure. */
extern const struct argp compile_argp;

/*
 * Compiles file for this machine. On success 0 and *ret_fd is a memory file with the object;
 * otherwise 1, after clang or we said why.
 */
int compile_bpf(const char *file, const struct compile_options *options, int *ret_fd);

/* vmlinux.h as a memory file: from the running kernel's BTF, or the small one of this build. -errno
 * on failure. */
int vmlinux_header(void);

#endif
