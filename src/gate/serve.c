/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serving until a process has ended, and what signals to the supervisor mean meanwhile: they are
 * for the tree.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "gate/state.h"
#include "hook/hook.h"

#define FLUSH_MS 200

/* A signal to the group as well as to us, as timeout(1) sends it, is one request. */
#define REQUEST_NS 500000000ull

static struct gate_child *find_child(struct gate *gate, pid_t pid)
{
	for (u32 i = 0; i < LISTENER_MAX; i++)
		if (gate->children[i].pid == pid)
			return &gate->children[i];
	return NULL;
}

#define FLUSH_PUMPS 64 /* somebody may still print */

/* The last lines, as far as somebody reads them. */
static void flush_trace(struct gate *gate)
{
	struct pollfd pipe = { tracepipe_fd(gate->tracepipe), POLLOUT, 0 };
	u32 pumps = 0;

	do
		gate->lines_lost += tracepipe_pump(gate->tracepipe);
	while (tracepipe_more(gate->tracepipe) && ++pumps < FLUSH_PUMPS);
	while (tracepipe_waiting(gate->tracepipe) && poll(&pipe, 1, FLUSH_MS) == 1)
		gate->lines_lost += tracepipe_pump(gate->tracepipe);
	gate_tell_losses(gate, 0);
}

int gate_serve(struct gate *gate, pid_t pid, int *ret_status)
{
	struct gate_child *child = find_child(gate, pid);
	struct signalfd_siginfo signal;
	u64 asked_ns = 0;

	if (!child)
		return -ECHILD;
	if (gate->early_signal && !child->ended) {
		asked_ns = base_clock_ns(CLOCK_MONOTONIC);
		kill(pid, gate->early_signal);
	}
	gate->early_signal = 0;
	while (!child->ended) {
		gate_step(gate, -1, &signal);
		/* The terminal has told the tree by itself. */
		if (!signal.ssi_signo || signal.ssi_code == SI_KERNEL)
			continue;
		if (asked_ns && base_clock_ns(CLOCK_MONOTONIC) - asked_ns < REQUEST_NS)
			continue;
		if (asked_ns)
			return -EINTR;
		asked_ns = base_clock_ns(CLOCK_MONOTONIC);
		if (!child->ended)
			kill(pid, (int)signal.ssi_signo);
	}
	flush_trace(gate);
	child->pid = 0;
	*ret_status = child->status;
	return 0;
}

/* Does Yama let only ancestors trace, and those that a process names? */
static bool only_ancestors_trace(void)
{
	int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
	char scope = '0';

	if (fd < 0)
		return false;
	(void)!read(fd, &scope, 1);
	close(fd);
	return scope == '1';
}

void gate_stay(struct gate *gate)
{
	struct signalfd_siginfo signal;

	/* Whoever enters is no child of this process. */
	if (only_ancestors_trace())
		hook_set_tracer(gate->options.hook, getpid());
	gate->stays = true;
	while (!gate->down) {
		gate_step(gate, -1, &signal);
		if (signal.ssi_signo)
			gate->down = true;
	}
	flush_trace(gate);
}
