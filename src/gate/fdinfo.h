/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/PID/fdinfo/N of a descriptor that stands for an object.
 */
#ifndef SKEP_GATE_FDINFO_H
#define SKEP_GATE_FDINFO_H

#include "gate/client.h"

/*
 * The client opens path. True if it names the fdinfo of an object: then *ret_result is the client's
 * descriptor of a file with the kernel's text, or -errno.
 */
bool fdinfo_open(struct gate_client *client, const char *path, int flags, long *ret_result);

#endif
