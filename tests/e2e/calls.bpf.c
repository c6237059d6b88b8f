/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts each process's system calls by number, for fidelity.py. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct call {
	__u32 process, nr;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct call);
	__type(value, __u64);
} calls SEC(".maps");

SEC("tracepoint/raw_syscalls/sys_enter")
int count(struct trace_event_raw_sys_enter *ctx)
{
	struct call call = { .process = bpf_get_current_pid_tgid() >> 32, .nr = ctx->id };
	__u64 zero = 0, *times;

	bpf_map_update_elem(&calls, &call, &zero, BPF_NOEXIST);
	times = bpf_map_lookup_elem(&calls, &call);
	if (times)
		__sync_fetch_and_add(times, 1);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
