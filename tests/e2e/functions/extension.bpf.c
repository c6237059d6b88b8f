// SPDX-License-Identifier: BSD-2-Clause
// For functions.py: takes a function's place.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

long out[4];

SEC("freplace/global_add")
int new_add(struct xdp_md *ctx, int a, int b)
{
	out[0]++;
	return a * 100 + b + (ctx->data_end < ctx->data);
}

char LICENSE[] SEC("license") = "GPL";
