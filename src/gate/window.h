/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was copied of a client's memory for its call. Either the piece around the attributes, copied
 * at once by process_vm_readv(2): what the attributes point to mostly lies near them on the same
 * stack, and each further copy from another process costs as much as the first. With it comes what
 * the agent of that process says about its descriptors (agent/protocol.h), if there is an agent.
 * Or what that agent has laid into a call slot (agent/slot.h), into which the answer goes as well.
 *
 * A slot may have been written by another process of the hive. While a call needs nothing but the
 * slot that does not matter: it is what such a process could have called itself. An address that
 * stood there is used only after what holds it was compared with the client's own memory.
 */
#ifndef SKEP_GATE_WINDOW_H
#define SKEP_GATE_WINDOW_H

#include <sys/types.h>
#include "agent/protocol.h"
#include "agent/slot.h"
#include "base/types.h"

#define WINDOW_BEFORE 256
#define WINDOW_BEHIND 1024
#define WINDOW_PIECES (1 + AGENT_SLOT_PIECES)

struct window_piece {
	u64 address;
	u32 size;  /* 0: nothing was copied */
	u32 start; /* in bytes[] */
};

struct window {
	struct window_piece pieces[WINDOW_PIECES];
	bool has_agent;
	struct agent_fds_head agent;
	struct agent_slot *slot; /* NULL: the pieces are the client's memory itself */
	bool confirmed;		 /* the pieces of a slot are, too */
	bool changed;		 /* they are not any more, since an answer was laid there */
	u32 addresses;		 /* so many pieces may hold addresses */
	u64 out, attr;		 /* where the client will put answers, */
	u32 attr_size;
	struct agent_answer answer; /* and which there are */
	u8 bytes[WINDOW_BEFORE + WINDOW_BEHIND];
};

/* Nothing is copied. */
void window_forget(struct window *window);

/* Copies what lies around address, within its page; nothing if that cannot be read. */
void window_take(struct window *window, pid_t tid, u64 address);

/*
 * Copies what lies in a slot, for a call of command cmd with size bytes (AGENT_SLOT_ATTR at most)
 * at attr.
 */
void window_take_slot(struct window *window, struct agent_slot *slot, u32 cmd, u64 attr, u32 size);

/* Bytes that were copied. False: not all of them were. */
bool window_read(const struct window *window, void *dst, u64 address, u64 size);

/* Lays an answer into the slot. False: there is none, or it has no room for that. */
bool window_answer(struct window *window, u64 address, const void *src, u64 size);

/* May addresses be used that were found here? Asks thread tid's memory the first time. */
bool window_confirm(struct window *window, pid_t tid);

/* The client's memory is being written there: what was copied of it counts no more. */
void window_written(struct window *window, u64 address, u64 size);

#endif
