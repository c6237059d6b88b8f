// SPDX-License-Identifier: BSD-2-Clause
// For functions.py: programs whose functions others listen to, or replace.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

long calls;

__attribute__((noinline)) int global_add(struct xdp_md *ctx, int a, int b)
{
	volatile int sum = a + b;

	return sum + (ctx->data_end < ctx->data);
}

__attribute__((noinline)) int note(int nr)
{
	__sync_fetch_and_add(&calls, nr);
	return nr * 2;
}

SEC("xdp")
int entry(struct xdp_md *ctx)
{
	return global_add(ctx, 1, 2) + 20;
}

SEC("tracepoint/syscalls/sys_enter_getppid")
int on_getppid(void *ctx)
{
	return note(3);
}

char LICENSE[] SEC("license") = "GPL";
