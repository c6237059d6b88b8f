/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The piece of a client's memory around the attributes of its call, copied at once: what the
 * attributes point to mostly lies near them on the same stack, and each further copy from another
 * process costs as much as the first. With it comes what the agent of that process says about its
 * descriptors (agent/protocol.h), if there is an agent.
 */
#ifndef SKEP_GATE_WINDOW_H
#define SKEP_GATE_WINDOW_H

#include <sys/types.h>
#include "agent/protocol.h"
#include "base/types.h"

#define WINDOW_BEFORE 256
#define WINDOW_BEHIND 1024

struct window {
	u64 address;
	u32 size; /* 0: nothing was copied */
	bool has_agent;
	struct agent_fds_head agent;
	u8 bytes[WINDOW_BEFORE + WINDOW_BEHIND];
};

/* Copies what lies around address, within its page; nothing if that cannot be read. */
void window_take(struct window *window, pid_t tid, u64 address);

/* Bytes that were copied. False: not all of them were. */
bool window_read(const struct window *window, void *dst, u64 address, u64 size);

/* The client's memory is being written there: what was copied of it counts no more. */
void window_written(struct window *window, u64 address, u64 size);

#endif
