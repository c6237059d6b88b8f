// SPDX-License-Identifier: BSD-2-Clause
// For functions.py: on the kernel's functions that test runs call.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

long out[4];

SEC("fentry/bpf_fentry_test1")
int first(unsigned long long *ctx)
{
	/* Of the kernel is what lies that high. */
	out[0] = bpf_get_func_ip(ctx) >> 32 == 0xffffffff ? (int)ctx[0] : -1;
	return 0;
}

SEC("fexit/bpf_fentry_test6")
int sixth(unsigned long long *ctx)
{
	out[1] = (int)ctx[5];
	out[2] = (int)ctx[6];
	return 0;
}

SEC("fmod_ret/bpf_modify_return_test")
int modify(unsigned long long *ctx)
{
	out[3]++;
	return 9;
}

SEC("lsm/task_prctl")
int hook(unsigned long long *ctx)
{
	return (int)ctx[0] == 15 && ctx[4] == 7 ? -1 : 0;
}

char LICENSE[] SEC("license") = "GPL";
