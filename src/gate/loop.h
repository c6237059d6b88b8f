/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supervisor's loop: one thread, one epoll descriptor over everything that can happen.
 */
#ifndef SKEP_GATE_LOOP_H
#define SKEP_GATE_LOOP_H

struct gate;

/*
 * Opens the loop's descriptors, blocks the signals it takes and makes this process a child
 * subreaper; loop_close() undoes it. 0 or -errno.
 */
int loop_open(struct gate *gate);
void loop_close(struct gate *gate);

#endif
