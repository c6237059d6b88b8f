/* SPDX-License-Identifier: BSD-2-Clause */
/* What people name on the command line, C or an object, as a descriptor of a BPF object. */
#ifndef SKEP_CLI_INPUT_H
#define SKEP_CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>

bool ends_with(const char *text, const char *end);

struct compile_options;

/*
 * A descriptor (that a new program inherits) of the object that the file is, or compiles to; the
 * file "-" is standard input. -1 after saying why there is none, which also stands in reason (of
 * size bytes; may be NULL).
 */
int input_open(const char *name, const struct compile_options *compile, char *reason, size_t size);

#endif
