/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages with a descriptor over a Unix socket that keeps their boundaries, and what else
 * there is to do about descriptors after fork(): system calls only.
 */
#ifndef SKEP_GATE_PASS_H
#define SKEP_GATE_PASS_H

#include "base/types.h"

/*
 * Sends size bytes and a copy of descriptor fd (-1: none). mark goes into the upper half of the
 * call's flags, which the kernel ignores and by which a filter may know the call (filter.h). Never
 * raises SIGPIPE. 0 or -errno.
 */
int pass_send(int socket_fd, const void *data, u32 size, int fd, u32 mark);

/*
 * Receives one message into data: its size, which is at most size, 0 at the end, or -errno
 * (-EMSGSIZE: it was longer). *ret_fd is the descriptor that came with it (close-on-exec), -1 if
 * none did; no other is taken. flags are those of recvmsg(2).
 */
long pass_receive(int socket_fd, void *data, u32 size, int *ret_fd, int flags);

/* Closes every descriptor of the process but these (open, nr of them; the list gets sorted). */
void pass_close_others(int *fds, u32 nr);

#endif
