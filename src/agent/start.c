/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's first steps in a process, in place of the program's entry point, on the kernel's
 * initial stack: maps the rest of the arena, takes over signals, rewrites what is mapped. When the
 * arena cannot be mapped (RLIMIT_AS), the program runs on without the agent and the supervisor's
 * notifier serves it.
 */
#include <linux/auxvec.h>
#include "agent/agent.h"

#define PROT_READ	    1
#define PROT_WRITE	    2
#define MAP_SHARED	    1
#define MAP_PRIVATE	    2
#define MAP_ANONYMOUS	    0x20
#define MAP_NORESERVE	    0x4000
#define MAP_FIXED_NOREPLACE 0x100000
#define MADV_DONTDUMP	    16
#define MADV_WIPEONFORK	    18
#define HWCAP2_FSGSBASE	    2

void agent_start_c(u64 entry, u64 descriptors, u64 flags, u64 exec, u64 *stack, u64 control_size);

static u64 auxiliary(const u64 *stack, u64 type)
{
	const u64 *at = stack + 1 + stack[0] + 1; /* argc, argv, NULL */

	while (*at)
		at++;
	for (at++; at[0] != AT_NULL; at += 2)
		if (at[0] == type)
			return at[1];
	return 0;
}

static long map(u64 address, u64 size, u64 rights, u64 flags, u64 fd)
{
	long got = rt_syscall6(__NR_mmap, address, size, rights,
			       flags | MAP_NORESERVE | MAP_FIXED_NOREPLACE, fd,
			       flags & MAP_ANONYMOUS ? 0 : address - RT_ARENA_BASE);

	if (got < 0)
		return got;
	rt_syscall3(__NR_madvise, address, size, MADV_DONTDUMP);
	return 0;
}

static long map_arena(u64 read_only, u64 read_write, u64 control_size)
{
	u64 data_size = 0;
	long error;

	error = map(RT_CONTROL_BASE, control_size, PROT_READ, MAP_SHARED, read_only);
	if (error < 0)
		return error;
	data_size = RT_CONTROL->data_size;
	error = map(RT_DATA_BASE, data_size, PROT_READ | PROT_WRITE, MAP_SHARED, read_write);
	if (error < 0)
		goto out_control;
	error = map(RT_PRIVATE_BASE, RT_PRIVATE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, (u64)-1);
	if (error < 0)
		goto out_data;
	error = rt_syscall3(__NR_madvise, RT_PRIVATE_BASE + AGENT_AREAS_OFFSET,
			    AGENT_STATE_OFFSET - AGENT_AREAS_OFFSET, MADV_WIPEONFORK);
	if (error < 0)
		goto out_private;
	return 0;
out_private:
	rt_syscall3(__NR_munmap, RT_PRIVATE_BASE, RT_PRIVATE_SIZE, 0);
out_data:
	rt_syscall3(__NR_munmap, RT_DATA_BASE, data_size, 0);
out_control:
	rt_syscall3(__NR_munmap, RT_CONTROL_BASE, control_size, 0);
	return error;
}

/* The exit of the execve that brought this program, and sched_process_exec, as the kernel fires
 * them. */
static void first_events(u64 exec, u64 entry, u64 *stack)
{
	struct agent_thread *thread = agent_thread_current();
	u32 nr = (u32)exec, old_pid = (u32)(exec >> 32);
	struct rt_pt_regs regs = {
		.orig_ax = nr, .ip = entry, .sp = (u64)stack, .cs = 0x33, .ss = 0x2b, .flags = 0x202
	};
	const char *filename = (const char *)auxiliary(stack, AT_EXECFN);

	if (filename)
		agent_fire_exec(thread, filename, old_pid ? old_pid : thread->tid);
	if (nr < RT_SYSCALL_MAX && (RT_CONTROL->agent->interest[nr] & AGENT_WANT_EXIT))
		agent_fire_exit(thread, &regs);
}

void agent_start_c(u64 entry, u64 descriptors, u64 flags, u64 exec, u64 *stack, u64 control_size)
{
	u64 read_only = (u32)descriptors, read_write = descriptors >> 32;
	long error = map_arena(read_only, read_write, control_size);

	rt_syscall3(__NR_close, read_only, 0, 0);
	rt_syscall3(__NR_close, read_write, 0, 0);
	if (error < 0) {
		agent_report(AGENT_REPORT_MAP, error);
		return;
	}
	AGENT_THREADS_TABLE->quiet = flags & AGENT_START_QUIET;
	AGENT_STATE->foreign_pid_ns = (flags & AGENT_START_FOREIGN_PIDS) != 0;
	AGENT_STATE->start_boot_ns = (flags >> AGENT_START_TICKS_SHIFT) * AGENT_TICK_NS;
	AGENT_STATE->fsgsbase = (auxiliary(stack, AT_HWCAP2) & HWCAP2_FSGSBASE) != 0;
	agent_name_tracer();
	agent_signal_start();
	agent_module_scan_start();
	first_events(exec, entry, stack);
}
