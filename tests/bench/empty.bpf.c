/* SPDX-License-Identifier: BSD-2-Clause */
/* An empty program on the entry of one system call: what remains is the cost of getting there. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tracepoint/syscalls/sys_enter_getppid")
int empty(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
