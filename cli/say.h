/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command tells people: sentences on standard error, each a line that begins with "skep:
 * ". */
#ifndef SKEP_CLI_SAY_H
#define SKEP_CLI_SAY_H

#include <stddef.h>

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes all of data, also to a pipe that is slow or not blocking. 0 or -errno. */
int write_all(int fd, const void *data, size_t size);

#endif
