/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/kallsyms as a hive's processes see it: the kernel's, with the hive's own symbols in it
 * (sys_symbols()), by which clients name what a program's instructions call.
 */
#ifndef SKEP_GATE_KALLSYMS_H
#define SKEP_GATE_KALLSYMS_H

#include "gate/client.h"

/*
 * The client opens path. True if that is kallsyms: *ret_result is the client's descriptor of a file
 * with the text, or -errno.
 */
bool kallsyms_open(struct gate_client *client, const char *path, int flags, long *ret_result);

#endif
