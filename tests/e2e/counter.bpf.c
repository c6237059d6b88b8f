/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program of the bpftool walk-through: counts packets in a global variable, prints a line, and
 * keeps a hash map with BTF busy.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

int counter = 0;

struct total {
	__u64 packets;
	__u32 last_size;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct total);
} totals SEC(".maps");

SEC("xdp")
int count_packet(struct xdp_md *ctx)
{
	struct total total = { 5, 64 };
	__u32 key = 7;

	bpf_printk("packet %d", counter);
	counter++;
	bpf_map_update_elem(&totals, &key, &total, BPF_ANY);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
