/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors to be closed by the agent. A thread that dies before it asks leaves its list until
 * the next one is made; that costs memory and, in agents, a look that finds nothing.
 */
#include "gate/closes.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "agent/protocol.h"
#include "base/alloc.h"
#include "gate/state.h"
#include "hook/hook.h"

struct closes {
	struct closes *next;
	u32 tid, tgid;
	u32 nr;
	struct closed {
		int fd;
		dev_t dev;
		ino_t ino;
	} * list;
};

static struct closes *closes_free(struct closes *closes)
{
	if (closes)
		base_free(closes->list);
	base_free(closes);
	return NULL;
}

int closes_add(struct closes **closes, int fd, const struct stat *st)
{
	struct closed *list;

	if (!*closes)
		*closes = base_zalloc(1, sizeof(**closes));
	if (!*closes)
		return -ENOMEM;
	list = base_realloc((*closes)->list, (*closes)->nr + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	(*closes)->list = list;
	list[(*closes)->nr++] = (struct closed){ fd, st->st_dev, st->st_ino };
	return 0;
}

bool closes_contain(const struct closes *closes, int fd)
{
	for (u32 i = 0; closes && i < closes->nr; i++)
		if (closes->list[i].fd == fd)
			return true;
	return false;
}

static void tell_agents(struct gate *gate)
{
	u32 nr = 0;

	for (const struct closes *closes = gate->closes; closes; closes = closes->next)
		nr++;
	hook_set_closing(gate->options.hook, nr);
}

static void forget_dead(struct gate *gate)
{
	for (struct closes **link = &gate->closes, *closes; (closes = *link);) {
		if (syscall(SYS_tgkill, closes->tgid, closes->tid, 0) < 0 && errno == ESRCH) {
			*link = closes->next;
			closes_free(closes);
		} else {
			link = &closes->next;
		}
	}
}

void closes_wait(struct gate_client *client, bool from_agent)
{
	struct closes *closes = client->closes;
	struct gate *gate = client->gate;

	client->closes = NULL;
	if (!closes || !closes->nr || !from_agent) {
		if (closes && closes->nr)
			gate_message(gate,
				     "process %u: a BPF program has closed %u of its descriptors, "
				     "which stay open: skep has not entered the code that ran it",
				     client->base.tgid, closes->nr);
		closes_free(closes);
		return;
	}
	forget_dead(gate);
	closes->tid = client->base.pid;
	closes->tgid = client->base.tgid;
	closes->next = gate->closes;
	gate->closes = closes;
	tell_agents(gate);
}

/* Takes as many as fit out of a list. */
static void take(struct gate_client *client, struct closes *closes, struct agent_closes *answer)
{
	while (closes->nr && answer->nr < AGENT_CLOSES_MAX) {
		const struct closed *closed = &closes->list[--closes->nr];
		struct stat st;

		if (client_stat_fd(client, closed->fd, &st) == 0 && st.st_dev == closed->dev &&
		    st.st_ino == closed->ino)
			answer->fds[answer->nr++] = (u32)closed->fd;
	}
}

long closes_hand_out(struct gate_client *client, u64 attr, u32 size)
{
	struct gate *gate = client->gate;
	struct agent_closes answer = { 0 };

	if (size != sizeof(answer))
		return -EINVAL;
	for (struct closes **link = &gate->closes, *closes; (closes = *link);) {
		if (closes->tid == client->base.pid && closes->tgid == client->base.tgid)
			take(client, closes, &answer);
		if (closes->nr) {
			link = &closes->next;
			continue;
		}
		*link = closes->next;
		closes_free(closes);
	}
	tell_agents(gate);
	return client->base.ops->write(&client->base, attr, &answer, sizeof(answer));
}

void closes_free_all(struct gate *gate)
{
	while (gate->closes) {
		struct closes *next = gate->closes->next;

		closes_free(gate->closes);
		gate->closes = next;
	}
}
