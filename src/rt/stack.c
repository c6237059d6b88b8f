/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks the frame pointers of a task's user stack, as the kernel's perf_callchain_user() does: each
 * frame is two words, the next frame's address and a return address. What is read is the task's own
 * and may be anything: the walk ends after max frames, or where memory ends.
 */
#include <linux/errno.h>

#include "rt/helper.h"
#include "rt/stack.h"

long rt_stack_of_user(struct rt_vcpu *vcpu, u64 *ips, u32 max)
{
	const struct rt_task *task = &vcpu->task;
	u64 frame[2] = { task->bp };
	u32 nr = 0;

	if (!(task->flags & RT_TASK_HAS_REGS))
		return -EFAULT;
	if (max)
		ips[nr++] = task->ip;
	while (nr < max && !rt_read_user(vcpu, frame, sizeof(frame), frame[0]))
		ips[nr++] = frame[1];
	return nr;
}
