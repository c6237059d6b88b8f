// SPDX-License-Identifier: BSD-2-Clause
// For functions.py: listens to a function that runs inside other processes.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

long out[4];

SEC("fexit/note")
int on_note(unsigned long long *ctx)
{
	__sync_fetch_and_add(&out[0], (int)ctx[0]);
	__sync_fetch_and_add(&out[1], (int)ctx[1]);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
