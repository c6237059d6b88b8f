/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks for calls that may take long. While a call waits, its notification stands among the parked
 * ones of its listener's slot, where the keeper finds it should the supervisor die; the place of
 * the one in service is free for the next.
 */
#include "gate/park.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/proc.h"
#include "gate/disguise.h"
#include "gate/state.h"

#define STACK_SIZE (512u << 10)
#define GUARD_SIZE 4096u

struct parked {
	struct parked *next;
	struct park_call call;
	park_fn serve;
	ucontext_t context, loop;
	void *memory; /* guard page, stack */
	/* Once it was left: its own view of the listener. */
	struct listener listener;
	struct listener_slot slot;
	u64 *waiting; /* where the keeper finds the id; NULL: not left yet */
	bool done, ending;
};

static void enter(u32 low, u32 high)
{
	struct parked *parked = (struct parked *)((u64)high << 32 | low);

	parked->serve(&parked->call);
	parked->done = true;
}

/* Goes into the call until it is done or left. */
static void switch_to(struct gate *gate, struct parked *parked)
{
	gate->running = parked;
	swapcontext(&parked->loop, &parked->context);
	gate->running = NULL;
}

static void dispose(struct parked *parked)
{
	struct gate *gate = parked->call.gate;

	if (parked->waiting) {
		*parked->waiting = 0;
		close(parked->listener.fd);
	}
	/* Most calls are short: the next one takes the same stack. */
	if (gate->spare_stack)
		munmap(parked->memory, STACK_SIZE + GUARD_SIZE);
	else
		gate->spare_stack = parked->memory;
	base_free(parked);
}

/* NULL: no memory. */
static void *new_stack(struct gate *gate)
{
	void *memory = gate->spare_stack;

	gate->spare_stack = NULL;
	if (memory)
		return memory;
	memory = mmap(NULL, STACK_SIZE + GUARD_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	mprotect(memory, GUARD_SIZE, PROT_NONE);
	return memory;
}

static struct parked *new_parked(const struct park_call *call, park_fn serve)
{
	struct parked *parked = base_zalloc(1, sizeof(*parked));
	u64 address = (u64)(uintptr_t)parked;

	if (!parked)
		return NULL;
	parked->call = *call;
	parked->serve = serve;
	parked->memory = new_stack(call->gate);
	if (!parked->memory) {
		base_free(parked);
		return NULL;
	}
	getcontext(&parked->context);
	parked->context.uc_stack.ss_sp = (u8 *)parked->memory + GUARD_SIZE;
	parked->context.uc_stack.ss_size = STACK_SIZE;
	parked->context.uc_link = &parked->loop;
	makecontext(&parked->context, (void (*)(void))enter, 2, (u32)address, (u32)(address >> 32));
	return parked;
}

bool park_serve(const struct park_call *call, park_fn serve)
{
	struct parked *parked = new_parked(call, serve), **last = &call->gate->parked;

	if (!parked)
		return false;
	switch_to(call->gate, parked);
	if (parked->done) {
		dispose(parked);
		return true;
	}
	while (*last)
		last = &(*last)->next;
	*last = parked;
	return true;
}

/* The notification makes room for the next one of its listener. */
static int leave_slot(struct parked *parked)
{
	struct listener *listener = parked->call.listener;
	struct listener_slot *slot = listener->slot;
	u32 i = 0;
	int fd;

	while (i < LISTENER_PARKED_MAX && slot->parked[i])
		i++;
	if (i == LISTENER_PARKED_MAX)
		return -EAGAIN;
	fd = fcntl(listener->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -EAGAIN;
	parked->slot = *slot;
	parked->listener = *listener;
	parked->listener.fd = fd;
	parked->listener.slot = &parked->slot;
	parked->waiting = &slot->parked[i];
	slot->parked_disguised[i] = disguise_is_on(&slot->notif.data);
	/* Never in neither of the two: twice does no harm. */
	__atomic_store_n(parked->waiting, slot->notif.id, __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->notif.id, 0, __ATOMIC_SEQ_CST);
	parked->call.listener = &parked->listener;
	return 0;
}

static u64 status_word(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	return line ? strtoull(line + strlen(name), NULL, 16) : 0;
}

/* Has the thread a signal to take as soon as its call ends? */
static bool has_signal(int tid)
{
	char status[4096];
	u64 pending;

	if (!base_read_proc((u32)tid, "status", status, sizeof(status)))
		return true;
	pending = status_word(status, "\nSigPnd:") | status_word(status, "\nShdPnd:");
	return pending & ~status_word(status, "\nSigBlk:") & ~status_word(status, "\nSigIgn:");
}

int park_pause(struct gate_client *client)
{
	struct parked *parked = client->gate->running;
	int error;

	if (!parked)
		return -EAGAIN;
	error = parked->waiting ? 0 : leave_slot(parked);
	if (error)
		return error;
	client->listener = parked->call.listener;
	swapcontext(&parked->context, &parked->loop);
	/* Others have been served: what was remembered in this call may have changed. */
	window_forget(client->window);
	client->stat_fd = -1;
	client->recalled.fd = -1;
	client->listener->valid_ns = 0;
	if (parked->ending || !listener_valid(client->listener) || has_signal(parked->call.tid))
		return -EINTR;
	return 0;
}

bool park_any(const struct gate *gate)
{
	return gate->parked;
}

void park_resume(struct gate *gate)
{
	struct parked **link = &gate->parked, *parked;

	while ((parked = *link)) {
		switch_to(gate, parked);
		if (!parked->done) {
			link = &parked->next;
			continue;
		}
		*link = parked->next;
		dispose(parked);
	}
}

void park_end(struct gate *gate)
{
	while (gate->parked) {
		for (struct parked *parked = gate->parked; parked; parked = parked->next)
			parked->ending = true;
		park_resume(gate);
	}
	if (gate->spare_stack)
		munmap(gate->spare_stack, STACK_SIZE + GUARD_SIZE);
	gate->spare_stack = NULL;
}
