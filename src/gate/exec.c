/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A successful execve stops at PTRACE_EVENT_EXEC before the thread can do anything else; a failing
 * one gives no stop at all. So a thread that makes another call while its execution is pending, and
 * for which wait(2) has nothing, has failed to execute.
 */
#include "gate/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/proc.h"
#include "gate/state.h"
#include "hook/hook.h"

static bool forget(struct exec_pending *pending, pid_t tid)
{
	for (u32 i = 0; i < pending->nr; i++) {
		if (pending->tids[i] != tid)
			continue;
		pending->tids[i] = pending->tids[--pending->nr];
		return true;
	}
	return false;
}

static bool is_pending(const struct exec_pending *pending, pid_t tid)
{
	for (u32 i = 0; i < pending->nr; i++)
		if (pending->tids[i] == tid)
			return true;
	return false;
}

/* What PTRACE_SEIZE means by EPERM. */
static const char *why_not_permitted(pid_t tid)
{
	char text[1024], *line;

	base_read_proc((u32)tid, "status", text, sizeof(text));
	line = strstr(text, "\nTracerPid:");
	if (line && atoi(line + strlen("\nTracerPid:")) > 0)
		return "another process traces it";
	return "it runs as another user, has made itself undumpable, or the system's rules for "
	       "ptrace(2) forbid it";
}

void exec_begin(struct gate *gate, pid_t tid)
{
	struct exec_pending *pending = &gate->pending;
	int error;

	if (pending->nr == EXEC_PENDING_MAX) {
		gate_message(gate, "process %d is not entered: too many programs start at one time",
			     tid);
		return;
	}
	error = hook_exec_begin(gate->options.hook, tid,
				process_executes_quietly(gate->processes, tid));
	if (error && error != -ESRCH)
		gate_message(gate,
			     "process %d cannot be entered (%s): only its system calls' entries "
			     "are seen",
			     tid, error == -EPERM ? why_not_permitted(tid) : strerror(-error));
	if (!error)
		pending->tids[pending->nr++] = tid;
}

void exec_check(struct gate *gate, pid_t tid)
{
	if (likely(!gate->pending.nr) || !is_pending(&gate->pending, tid))
		return;
	exec_collect(gate);
	if (forget(&gate->pending, tid))
		hook_exec_abandon(gate->options.hook, tid);
}

static void record_end(struct gate *gate, pid_t pid, int status)
{
	forget(&gate->pending, pid);
	saving_ended(gate, pid, status);
	if (pid == gate->keeper.pid)
		gate_replace_keeper(gate);
	for (u32 i = 0; i < LISTENER_MAX; i++) {
		if (gate->children[i].pid == pid && !gate->children[i].ended) {
			gate->children[i].ended = true;
			gate->children[i].status = status;
		}
	}
}

/* A thread other than the leader that executes takes over the leader's id: its old one is in the
 * event. */
static void executed(struct gate *gate, pid_t pid)
{
	unsigned long old_tid = 0;

	forget(&gate->pending, pid);
	if (ptrace(PTRACE_GETEVENTMSG, pid, NULL, &old_tid) == 0)
		forget(&gate->pending, (pid_t)old_tid);
	process_executed(gate->processes, pid);
}

void exec_collect(struct gate *gate)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		if (WIFSTOPPED(status) && status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
			executed(gate, pid);
		hook_wait_status(gate->options.hook, pid, status);
		if (WIFEXITED(status) || WIFSIGNALED(status))
			record_end(gate, pid, status);
	}
}
