// SPDX-License-Identifier: BSD-2-Clause
// For functions.py: has not the prototype of the function that it would replace.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("freplace/global_add")
int new_add(struct xdp_md *ctx, int a)
{
	return a + (ctx->data_end < ctx->data);
}

char LICENSE[] SEC("license") = "GPL";
