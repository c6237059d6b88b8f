/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that may take long (BPF_PROG_TEST_RUN): each has a stack of its own, so that it can be left
 * in the middle while the loop serves others, and be taken up again. Still one thread does
 * everything: nothing runs at the same time as anything else, and a call is left only where it says
 * so (park_pause()).
 */
#ifndef SKEP_GATE_PARK_H
#define SKEP_GATE_PARK_H

#include "gate/client.h"

struct parked;

struct park_call {
	struct gate *gate;
	struct listener *listener; /* changes when the call is left: read it anew */
	struct seccomp_data data;
	int tid;
	bool from_agent;
};

/* Serves the call to its end; it answers call->listener. */
typedef void (*park_fn)(struct park_call *call);

/*
 * Starts serving a call, and returns when it is done or left. False: there is no memory for it, and
 * nothing has been done.
 */
bool park_serve(const struct park_call *call, park_fn serve);

/*
 * For a client whose call was started so: leaves it and comes back when the loop has looked after
 * the others. 0, -EINTR when the client has a signal to take or is gone, -EAGAIN when too many
 * calls wait already.
 */
int park_pause(struct gate_client *client);

/* Does a call wait to be taken up? */
bool park_any(const struct gate *gate);
/* Takes up each of them once. */
void park_resume(struct gate *gate);
/* Ends all of them: they are answered with EINTR. */
void park_end(struct gate *gate);

#endif
