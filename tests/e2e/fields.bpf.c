/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an event carries, printed: the task's name and ids as programs see them, the arguments and
 * results of some system calls, and strings of user memory. Run on the kernel and on skep, the
 * lines have to be the same.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* The current task as the kernel's structure: as far as it says what helpers say, too. */
static void task(__u64 ids, __u64 users)
{
	struct task_struct *current = (void *)bpf_get_current_task();
	char comm[16];

	bpf_probe_read_kernel_str(comm, sizeof(comm), &current->comm);
	bpf_printk("task %s pid %d tgid %d", comm, BPF_CORE_READ(current, pid) == (__u32)ids,
		   BPF_CORE_READ(current, tgid) == ids >> 32);
	bpf_printk("leader %d parent %d uid %d",
		   BPF_CORE_READ(current, group_leader, pid) == ids >> 32,
		   BPF_CORE_READ(current, real_parent, tgid) > 0,
		   BPF_CORE_READ(current, cred, uid.val) == (__u32)users);
}

static void who(const char *event)
{
	__u64 ids = bpf_get_current_pid_tgid(), users = bpf_get_current_uid_gid();
	char comm[16];

	bpf_get_current_comm(comm, sizeof(comm));
	bpf_printk("%s by %s leader %d", event, comm, (__u32)ids == ids >> 32);
	bpf_printk("uid %u gid %u", (__u32)users, users >> 32);
	task(ids, users);
}

SEC("tracepoint/syscalls/sys_enter_execve")
int enter_execve(struct trace_event_raw_sys_enter *ctx)
{
	const char *first = 0;
	char name[64], argument[32];
	long length;

	who("execve");
	length = bpf_probe_read_user_str(name, sizeof(name), (void *)ctx->args[0]);
	bpf_printk("execve nr %d length %ld of %s", (int)ctx->id, length, name);
	bpf_probe_read_user(&first, sizeof(first), (void *)ctx->args[1]);
	length = bpf_probe_read_user_str(argument, sizeof(argument), first);
	bpf_printk("argv length %ld of %s", length, argument);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_execve")
int exit_execve(struct trace_event_raw_sys_exit *ctx)
{
	char comm[16];

	bpf_get_current_comm(comm, sizeof(comm));
	bpf_printk("execve nr %d gives %d in %s", (int)ctx->id, (int)ctx->ret, comm);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_openat")
int exit_openat(struct trace_event_raw_sys_exit *ctx)
{
	bpf_printk("openat gives %ld", ctx->ret);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_openat")
int enter_openat(struct trace_event_raw_sys_enter *ctx)
{
	char name[64];
	long length = bpf_probe_read_user_str(name, sizeof(name), (void *)ctx->args[1]);

	bpf_printk("openat %d flags %x", (int)ctx->args[0], (int)ctx->args[2]);
	bpf_printk("openat length %ld of %s", length, name);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int raw_enter(struct bpf_raw_tracepoint_args *ctx)
{
	if (ctx->args[1] == 231)
		bpf_printk("raw exit_group");
	return 0;
}

SEC("tracepoint/sched/sched_process_exec")
int on_exec(struct trace_event_raw_sched_process_exec *ctx)
{
	char name[64];

	bpf_probe_read_kernel_str(name, sizeof(name),
				  (void *)ctx + (ctx->__data_loc_filename & 0xffff));
	bpf_printk("exec %s same pid %d", name, ctx->pid == ctx->old_pid);
	who("sched_process_exec");
	return 0;
}

SEC("tracepoint/sched/sched_process_exit")
int on_exit(void *ctx)
{
	who("sched_process_exit");
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
