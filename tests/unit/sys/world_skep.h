/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the skep world share (world.h). */
#ifndef SKEP_TESTS_WORLD_SKEP_H
#define SKEP_TESTS_WORLD_SKEP_H

#include "world.h"

#define FDS_MAX	 4096
#define PINS_MAX 16

struct fd_entry {
	struct object *object;
	enum sys_place place; /* without an object: what else it is, SYS_PLACE_OTHER if closed */
	int access;
	bool foreign; /* a file of another kind */
	int real;     /* which: one of our own, 0 if it does not matter */
};

struct pin {
	char path[64];
	struct object *object;
};

struct skep_world {
	struct world world;
	struct sys_client client;
	struct sys_hive *hive;
	struct arena *arena;
	struct fd_entry fds[FDS_MAX];
	int first_fd; /* lower ones are files of other kinds */
	int last_fd;  /* from here on they are this process's own */
	struct pin pins[PINS_MAX];
	char message[512];
	u32 attached;
	u32 perf_type;		 /* of the programs that perf events take */
	u64 memory, memory_size; /* all of ours if the size is 0 */
};

static inline struct skep_world *world_of_client(struct sys_client *client)
{
	return container_of(client, struct skep_world, client);
}

extern const struct sys_client_ops world_client_ops;

#endif
