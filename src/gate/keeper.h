/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper: a process that outlives the supervisor. While the supervisor lives it sleeps. When
 * the supervisor is gone, in order or not, and processes of the hive still run, it lets every
 * notified call go on to the kernel, until the last of them has ended; then it removes the hive's
 * directory.
 */
#ifndef SKEP_GATE_KEEPER_H
#define SKEP_GATE_KEEPER_H

#include "gate/listener.h"

struct keeper {
	int pid;		     /* 0: none */
	int socket;		     /* to the keeper */
	struct listener_slot *slots; /* LISTENER_MAX of them, shared with the keeper */
};

/*
 * Starts the keeper. directory is removed in the end; lock_fd (of the directory's lock) is kept
 * open, so that nobody takes the directory for abandoned before. 0 or -errno.
 */
int keeper_start(struct keeper *keeper, const char *directory, int lock_fd);

/* Starts another one after the keeper has ended; it has no listeners yet. 0 or -errno. */
int keeper_replace(struct keeper *keeper, const char *directory, int lock_fd);

/* Gives it a listener, whose notifications stand in slots[index]. 0 or -errno. */
int keeper_add_listener(struct keeper *keeper, int listener_fd, u32 index);

/*
 * Ends the supervision: with dismiss the keeper goes away at once and leaves the directory to the
 * caller, otherwise it takes over. Also undoes a failed keeper_start().
 */
void keeper_stop(struct keeper *keeper, bool dismiss);

#endif
