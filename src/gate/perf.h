/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf_event_open(2) and the ioctls of its descriptors, for clients.
 */
#ifndef SKEP_GATE_PERF_H
#define SKEP_GATE_PERF_H

#include "gate/client.h"

/*
 * perf_event_open(attr, pid, cpu, group_fd, flags): a descriptor in the client, -errno, or with
 * *ret_not_ours set the kernel's affair.
 */
long perf_open(struct gate_client *client, const u64 args[6], bool *ret_not_ours);

/* ioctl(fd, request, argument) on a perf event: the result. */
long perf_ioctl(struct gate_client *client, struct object *perf, u32 request, u64 argument);

#endif
