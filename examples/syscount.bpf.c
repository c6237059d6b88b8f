/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts the system calls of each process in a hash map, and remembers the last one. The structures
 * come from vmlinux.h, and their fields are found by name when the program is loaded (CO-RE).
 *
 *   skep run --no-trace --map calls examples/syscount.bpf.c -- sh -c 'ls | wc -l'
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct count {
	__u64 calls;
	__u32 last_nr;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct count);
} calls SEC(".maps");

SEC("tracepoint/raw_syscalls/sys_enter")
int count_call(struct trace_event_raw_sys_enter *ctx)
{
	__u32 process = bpf_get_current_pid_tgid() >> 32;
	struct count *count = bpf_map_lookup_elem(&calls, &process);

	if (!count) {
		struct count first = {};

		bpf_map_update_elem(&calls, &process, &first, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&calls, &process);
		if (!count)
			return 0; /* the map is full */
	}
	__sync_fetch_and_add(&count->calls, 1);
	count->last_nr = ctx->id;
	bpf_get_current_comm(count->comm, sizeof(count->comm));
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
