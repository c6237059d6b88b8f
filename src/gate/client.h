/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client in the course of one notification: how its memory, descriptors and paths are reached.
 * Everything read of it is used only if the notification is still valid afterwards; thus a process
 * that died and whose id was given to another is never served the other's secrets.
 */
#ifndef SKEP_GATE_CLIENT_H
#define SKEP_GATE_CLIENT_H

#include <sys/stat.h>
#include "gate/listener.h"
#include "gate/process.h"
#include "gate/window.h"
#include "sys/sys.h"

struct gate;

struct gate_client {
	struct sys_client base; /* first: ops get its address */
	struct gate *gate;
	struct listener *listener;
	struct window *window; /* of its memory, see client_look() */
	/* The descriptor that was asked about last, in this very call: its table entry is looked at
	 * once. */
	int stat_fd;
	struct stat stat;
	/* The same for one that was remembered from an earlier call; -1: none. */
	struct process_fd recalled;
	struct closes *closes; /* what a program has closed in this call (closes.h) */
};

/* Of the notification in service. -ESRCH when the task is gone. */
int client_init(struct gate_client *client, struct gate *gate, struct listener *listener);

/* A call with attributes at this address is about to be served. */
void client_look(struct gate_client *client, u64 address);

/* The same for a call (AGENT_CALL) whose attributes and data lie in a slot of its process. */
void client_look_into(struct gate_client *client, struct agent_slot *slot,
		      const struct seccomp_data *call);

/* The inode behind a client's descriptor: 0, -EBADF. */
int client_stat_fd(struct gate_client *client, int fd, struct stat *ret_stat);

/* The object behind a descriptor whatever its kind, borrowed, NULL if it is none. */
struct object *client_object(struct gate_client *client, int fd, int *ret_access);

/*
 * Makes a client's path (relative to dirfd) absolute, and applies the façade's rules to it.
 * -ENAMETOOLONG, -EBADF. Symbolic links are left to the kernel.
 */
int client_resolve(struct gate_client *client, int dirfd, const char *path, char *ret_path,
		   u64 size);

#endif
