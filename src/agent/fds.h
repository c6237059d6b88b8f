/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The descriptors of this process as the agent knows them (fds.c), in memory that a forked child
 * does not inherit. A process that writes its own table reaches nothing by it that it could not
 * reach otherwise: the agent runs with that process's own rights to memory.
 */
#ifndef SKEP_AGENT_FDS_H
#define SKEP_AGENT_FDS_H

#include "agent/agent.h"

/* The ticket with which this thread may serve commands on descriptor fd itself; 0: it may not. */
u64 agent_fds_ticket(const struct agent_thread *thread, u32 fd);

/* Is it still what fd stands for? Asked while holding a vCPU. */
bool agent_fds_holds(u32 fd, u64 ticket);

/* Its map has ended. */
void agent_fds_forget(u32 fd, u64 ticket);

/* The call has given descriptor fd, by which a program is attached until it is closed. */
void agent_fds_attached(u32 fd);

/* A program that this thread has just run by hand may have closed descriptors: closes them. */
void agent_fds_close_pending(void);

/* A call that clones with these flags is about to be made. */
void agent_fds_cloning(u64 flags);

#endif
