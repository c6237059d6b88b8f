/* SPDX-License-Identifier: BSD-2-Clause */
/* Tracepoints with arguments typed by BTF, for typed.py: the name in openat, the pointers of an
 * exec. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("tp_btf/sys_enter")
int BPF_PROG(enter, struct pt_regs *regs, long nr)
{
	char name[32];

	if (nr != 257 /* openat */)
		return 0;
	bpf_probe_read_user_str(name, sizeof(name), (void *)regs->si);
	bpf_printk("opens %s of %ld", name, regs->orig_ax);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(execs, struct task_struct *task)
{
	bpf_printk("parent %p %d", task->real_parent, task->real_parent->mm->owner->pid);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
