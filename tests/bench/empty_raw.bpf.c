/* SPDX-License-Identifier: BSD-2-Clause */
/* An empty program on the entry of every system call. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("raw_tracepoint/sys_enter")
int empty(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
