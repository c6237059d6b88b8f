/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listeners of the filters of this hive, one a spawned process or session, and the memory where the
 * notification that is being served stands. That memory is shared with the keeper: the kernel
 * writes the notification's id there itself, so there is no instruction at which the supervisor can
 * be killed and the id be lost.
 */
#ifndef SKEP_GATE_LISTENER_H
#define SKEP_GATE_LISTENER_H

#include <linux/seccomp.h>
#include "base/types.h"

#define LISTENER_MAX 256

#define LISTENER_PARKED_MAX 16 /* calls of one listener that wait to be taken up again */

/* In shared memory. id 0: nothing is being served. */
struct listener_slot {
	struct seccomp_notif notif;
	u64 parked[LISTENER_PARKED_MAX]; /* ids of calls that are not finished (park.h) */
	bool parked_disguised[LISTENER_PARKED_MAX]; /* is their number another's? */
};

struct listener {
	int fd; /* -1: this place is free */
	struct listener_slot *slot;
	u64 valid_ns; /* CLOCK_MONOTONIC at which the task in service was known to wait for us */
};

/* Is fd, which came from somebody else, a listener? */
bool listener_is_one(int fd);

/*
 * Takes the next notification into the slot. 1, 0 when there is none any more (the caller was
 * interrupted or the task died), -EINTR.
 */
int listener_receive(struct listener *listener);

/*
 * Answers with a result or an error (a negative errno), or lets the call go on to the kernel; one
 * whose number is another's gets ENOSYS, after which the agent makes the real one.
 * False: nobody waits for the answer any more.
 */
bool listener_answer(struct listener *listener, s64 result);
void listener_continue(struct listener *listener);

/* Lets everything go on that is or was in service: the supervisor is gone. */
void listener_release(struct listener *listener);

/* Is the task still waiting for the answer? Then what was read of it was its own. */
bool listener_valid(struct listener *listener);

/*
 * Puts a copy of fd into the waiting task (O_CLOEXEC or 0 in flags): its number there, or -errno.
 */
int listener_add_fd(struct listener *listener, int fd, int flags);
/* The same in the place of its descriptor number. */
int listener_replace_fd(struct listener *listener, int fd, int number, int flags);

/*
 * The same, and its number is the answer, in one step; after an error the call is still to be
 * answered. Should the supervisor die in it, the task may get a 0 that stands for no descriptor.
 */
int listener_answer_fd(struct listener *listener, int fd, int flags);

/* Has the call in service been answered? */
static inline bool listener_is_idle(const struct listener *listener)
{
	return !listener->slot->notif.id;
}

#endif
