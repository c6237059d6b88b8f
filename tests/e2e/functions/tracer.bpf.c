// SPDX-License-Identifier: BSD-2-Clause
// For functions.py: listens to functions of target.bpf.c.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

long out[16];

SEC("fentry/global_add")
int on_entry(unsigned long long *ctx)
{
	__u64 second = 0;

	out[0]++;
	out[1] = (int)ctx[1];
	bpf_get_func_arg(ctx, 2, &second);
	out[2] = (int)second;
	out[3] = bpf_get_func_arg_cnt(ctx);
	out[7] = bpf_get_func_ret(ctx, &second);
	return 0;
}

SEC("fexit/global_add")
int on_exit(unsigned long long *ctx)
{
	__u64 result = 0;

	out[4] = (int)ctx[3];
	bpf_get_func_ret(ctx, &result);
	out[5] = (int)result;
	return 0;
}

SEC("fexit/entry")
int on_main(unsigned long long *ctx)
{
	out[6] = (int)ctx[1];
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
