/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors that a program run by hand has closed (bpf_sys_close()). Only their process can close
 * them: its agent asks for them when the call is over. Until then they are remembered by thread,
 * with the inode that they stood for: what another thread has put there meanwhile is not touched.
 */
#ifndef SKEP_GATE_CLOSES_H
#define SKEP_GATE_CLOSES_H

#include <sys/stat.h>
#include "gate/client.h"

struct closes;

/* A call's list: adds descriptor fd, which stands for st. 0 or -ENOMEM. */
int closes_add(struct closes **closes, int fd, const struct stat *st);
bool closes_contain(const struct closes *closes, int fd);

/*
 * The call of client is over: what it has closed waits for the agent, if there is one; else it
 * stays open, and a sentence says so.
 */
void closes_wait(struct gate_client *client, bool from_agent);

/* AGENT_CLOSES: 0 or -errno. */
long closes_hand_out(struct gate_client *client, u64 attr, u32 size);

void closes_free_all(struct gate *gate);

#endif
