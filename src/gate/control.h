/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a hive's control socket speaks: one request, one answer, both whole messages of fixed size.
 * Nobody but the hive's own user is answered. The supervisor never waits for the other side: an
 * answer that does not fit is lost, and a connection too many ends the oldest.
 */
#ifndef SKEP_GATE_CONTROL_H
#define SKEP_GATE_CONTROL_H

#include "gate/directory.h"
#include "gate/registry.h"

#define CONTROL_VERSION	    0x736b0002u /* of both structures */
#define CONTROL_CONNECTIONS 64

enum control_word {
	CONTROL_INFO,
	/*
	 * Comes with the listener of a process that has just installed this hive's filter. From the
	 * answer on, somebody answers its calls for as long as it lives.
	 */
	CONTROL_LISTENER,
	/*
	 * The connection ends when the hive has. An error says that it stays, because its state
	 * cannot be written.
	 */
	CONTROL_DOWN,
};

#define CONTROL_QUIET	1u /* CONTROL_LISTENER: a client, as GATE_SPAWN_CLIENT */
#define CONTROL_DISCARD 2u /* CONTROL_DOWN: also if the state cannot be written */

struct control_request {
	u32 version, word, flags;
	s32 pid; /* CONTROL_LISTENER: of the process, as the supervisor sees it */
};

struct control_answer {
	u32 version;
	s32 error; /* 0 or -errno */
	s32 pid, keeper_pid;
	u64 age_ns;
	u32 maps, progs, links;
	/* What a process needs to install the filter (filter.h). */
	u32 handover;
	u64 notify_ip, restorer_ip;
	/* The arena's file, by which processes of the hive are known. */
	u64 arena_device, arena_inode;
	char path[DIRECTORY_PATH_MAX];
	char name[REGISTRY_NAME_MAX];
	char state[256]; /* directory; empty: none */
};

struct gate;

/* Opens the descriptor that the loop waits for; control_close() takes a gate that was never opened.
 */
int control_open(struct gate *gate);
void control_close(struct gate *gate);
void control_collect(struct gate *gate);

#endif
