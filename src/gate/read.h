/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read(2) and readv(2) of the hive's descriptors: iterators give what their programs write, opened
 * pins of iterators' links become iterators, all other objects cannot be read.
 */
#ifndef SKEP_GATE_READ_H
#define SKEP_GATE_READ_H

#include "gate/client.h"

struct gate_read {
	long result;
	/* Bytes of this object are read once the client has the answer (sys_iter_consume()). */
	struct object *object;
	u64 taken;
};

/* A client has opened a file of the hive's: a pinned iterator's link becomes a walk. 0 or -errno.
 */
long read_opened(struct gate_client *client, int fd);

/* True: the call is answered with *ret_read. False: it is none of ours and goes on. */
bool read_object(struct gate_client *client, u32 nr, const u64 *args, bool from_agent,
		 struct gate_read *ret_read);

#endif
