/* SPDX-License-Identifier: BSD-2-Clause */
/* See death.h. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "death.h"
#include "harness/tap.h"
#include "map_env.h"

#define STEPS_MAX 200000
#define AREAS_MAX 9

static struct {
	u8 *at;
	u64 size;
} areas[AREAS_MAX];
static u32 nr_areas;

void death_no_areas(void)
{
	nr_areas = 0;
}

void death_add_area(void *at, u64 size)
{
	if (nr_areas == AREAS_MAX)
		tap_bail("too many areas");
	areas[nr_areas].at = at;
	areas[nr_areas++].size = size;
}

static u64 areas_size(void)
{
	u64 size = 0;

	for (u32 i = 0; i < nr_areas; i++)
		size += areas[i].size;
	return size;
}

u8 *death_save(void)
{
	u8 *state = malloc(areas_size()), *at = state;

	if (!state)
		tap_bail("no memory");
	for (u32 i = 0; i < nr_areas; at += areas[i++].size)
		memcpy(at, areas[i].at, areas[i].size);
	return state;
}

void death_restore(const u8 *state)
{
	for (u32 i = 0; i < nr_areas; state += areas[i++].size)
		memcpy(areas[i].at, state, areas[i].size);
}

struct rt_vcpu *death_take_slot(u32 index)
{
	struct rt_vcpu *held[RT_VCPU_MAX], *found = NULL;
	u32 nr = 0;

	while (!found) {
		struct rt_vcpu *vcpu = env_vcpu();

		if (vcpu->index == index)
			found = vcpu;
		else
			held[nr++] = vcpu;
	}
	while (nr)
		rt_vcpu_release(held[--nr]);
	return found;
}

static void keep_state(struct death_history *history)
{
	u8 *state = death_save();

	if (history->nr && !memcmp(state, history->states[history->nr - 1], areas_size()))
		free(state);
	else if (history->nr == DEATH_STATES_MAX)
		tap_bail("too many states");
	else
		history->states[history->nr++] = state;
}

void death_forget(struct death_history *history)
{
	while (history->nr)
		free(history->states[--history->nr]);
}

static void child(u32 slot, void (*operate)(const void *arg, struct rt_vcpu *vcpu), const void *arg,
		  u32 *done)
{
	struct rt_vcpu *vcpu;

	rt_process_begin(false, 0);
	vcpu = death_take_slot(slot);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	operate(arg, vcpu);
	__atomic_store_n(done, 1, __ATOMIC_SEQ_CST);
	_exit(0);
}

void death_record(struct death_history *history, const char *name, u32 slot,
		  void (*operate)(const void *arg, struct rt_vcpu *vcpu), const void *arg)
{
	static u32 *done; /* shared: the operation has ended */
	int status;
	pid_t pid;

	if (!done)
		done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (done == MAP_FAILED)
		tap_bail("no memory");
	*done = 0;
	history->nr = 0;
	pid = fork();
	if (pid < 0)
		tap_bail("no child");
	if (pid == 0)
		child(slot, operate, arg, done);
	waitpid(pid, &status, 0);
	for (history->steps = 0; !*done && history->steps < STEPS_MAX; history->steps++) {
		keep_state(history);
		ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			tap_bail("%s: the child ended: %x", name, (unsigned)status);
	}
	history->ended = *done;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}
