/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of tasks that the agent has not reached: the supervisor runs the programs on their behalf,
 * with the task's memory at arm's length.
 */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/proc.h"
#include "hook/state.h"

/* Reads /proc/TID/status into task; false when the task is gone. */
static bool describe(pid_t tid, struct rt_task *task)
{
	char text[4096], *line, *next;

	if (!base_read_proc((u32)tid, "status", text, sizeof(text)))
		return false;
	*task = (struct rt_task){ .pid = (u32)tid, .remote_pid = (u32)tid };
	for (line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (strncmp(line, "Name:\t", 6) == 0) {
			strncpy(task->comm, line + 6, sizeof(task->comm) - 1);
			task->flags |= RT_TASK_HAS_COMM;
		}
		sscanf(line, "Tgid:\t%u", &task->tgid);
		if (sscanf(line, "Uid:\t%u", &task->uid) == 1)
			task->flags |= RT_TASK_HAS_IDS;
		sscanf(line, "Gid:\t%u", &task->gid);
	}
	return task->tgid != 0;
}

void hook_remote_sys_enter(struct hook *hook, pid_t tid, const struct rt_pt_regs *regs)
{
	struct rt_vcpu *vcpu;
	struct rt_task task;

	/* The bootstrap's calls are not the program's. */
	if (hook_is_booting(hook, tid))
		return;
	if (regs->orig_ax >= RT_SYSCALL_MAX ||
	    !(hook->control->interest[regs->orig_ax] & AGENT_WANT_ENTER) || !describe(tid, &task))
		return;
	vcpu = rt_vcpu_acquire((u32)syscall(SYS_gettid));
	if (!vcpu)
		return;
	vcpu->task = task;
	rt_event_sys_enter(vcpu, regs);
	rt_vcpu_release(vcpu);
}
