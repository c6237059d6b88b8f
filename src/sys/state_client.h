/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of bpf(2) inside the supervisor: its memory is ours, its descriptors are a table. */
#ifndef SKEP_SYS_STATE_CLIENT_H
#define SKEP_SYS_STATE_CLIENT_H

#include "sys/sys.h"

struct state_client {
	struct sys_client base; /* first: ops get its address */
	struct sys_hive *hive;
	struct object **objects; /* by descriptor, from 0 */
	u32 nr, room;
};

void state_client_init(struct state_client *client, struct sys_hive *hive);
/* Closes every descriptor. */
void state_client_done(struct state_client *client);

/* A descriptor of an object that exists, or -ENOMEM. Takes a reference of its own. */
int state_client_open(struct state_client *client, struct object *object);

long state_client_call(struct state_client *client, u32 cmd, union bpf_attr *attr);

#endif
