// SPDX-License-Identifier: BSD-2-Clause
// For light.py: maps, global data and programs that a light skeleton's loader makes.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, int);
	__type(value, long);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, int);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(max_entries, 1);
			__type(key, int);
			__type(value, int);
		});
} outer SEC(".maps");

long seen;
const volatile int step = 3;
int start = 40;

SEC("xdp")
int count(struct xdp_md *ctx)
{
	long value = seen;
	int key = 1;

	__sync_fetch_and_add(&seen, step);
	bpf_map_update_elem(&totals, &key, &value, 0);
	return start + step;
}

SEC("raw_tp/sys_enter")
int on_enter(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
