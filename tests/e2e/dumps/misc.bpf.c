/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers, divisions, functions, dead code and contexts: how a kernel shows them. */
#include <linux/bpf.h>
#include <linux/bpf_perf_event.h>
#include <bpf/bpf_helpers.h>
char _license[] SEC("license") = "GPL";
SEC("xdp") int cpu(void *ctx)
{
	return bpf_get_smp_processor_id();
}
SEC("xdp") int jif(void *ctx)
{
	return bpf_jiffies64();
}
SEC("tp/syscalls/sys_enter_write") int cur(void *ctx)
{
	return bpf_get_current_task() >> 3;
}
SEC("raw_tp/sys_enter") int curb(void *ctx)
{
	return !!bpf_get_current_task_btf();
}
SEC("raw_tp/sys_enter") int pid(void *ctx)
{
	return bpf_get_current_pid_tgid();
}
SEC("xdp") int rnd(void *ctx)
{
	return bpf_get_prandom_u32() + bpf_ktime_get_ns() + bpf_ktime_get_boot_ns() +
	       bpf_get_numa_node_id();
}
SEC("xdp") int divi(struct xdp_md *ctx)
{
	__u64 a = bpf_ktime_get_ns(), b = ctx->rx_queue_index;
	__u32 c = a, d = b;
	return a / b + a % b + c / d + c % d + a / 7 + a % 9;
}
SEC("xdp") int fields(volatile struct xdp_md *ctx)
{
	long d = ctx->data, m = ctx->data_meta, e = ctx->data_end;
	return ctx->rx_queue_index + ctx->ingress_ifindex + (e > d) + (m < d);
}
SEC("xdp/devmap") int fieldse(struct xdp_md *ctx)
{
	return ctx->egress_ifindex;
}
static long cb(__u32 i, void *c)
{
	return 0;
}
SEC("xdp") int loop(struct xdp_md *ctx)
{
	bpf_loop(10, cb, 0, 0);
	return bpf_loop(ctx->rx_queue_index, cb, 0, 0);
}
__attribute__((noinline)) int sub(int a)
{
	return a * 3 + bpf_get_prandom_u32();
}
__attribute__((noinline)) static int sub2(int a)
{
	return a * 3 + bpf_get_prandom_u32() + sub(a);
}
SEC("xdp") int subs(struct xdp_md *ctx)
{
	return sub(ctx->rx_queue_index) + sub2(3);
}
const volatile int zero = 0;
SEC("xdp") int dead(struct xdp_md *ctx)
{
	int r = ctx->rx_queue_index;
	if (zero)
		r += bpf_get_prandom_u32();
	r++;
	if (zero == 0)
		r += 5;
	else {
		r += 7;
		r += sub(r);
	}
	return r;
}
SEC("raw_tp/sys_enter") int probe(void *ctx)
{
	char b[16];
	bpf_probe_read(b, 16, (void *)8);
	bpf_probe_read_str(b, 16, (void *)8);
	bpf_probe_read_user(b, 16, (void *)8);
	bpf_probe_read_user_str(b, 16, (void *)8);
	bpf_probe_read_kernel_str(b, 16, (void *)8);
	bpf_get_current_comm(b, 16);
	bpf_trace_printk(b, 5);
	bpf_printk("%d %d %d %d", 1, 2, 3, 4);
	bpf_get_current_uid_gid();
	return 0;
}
SEC("perf_event") int pev(struct bpf_perf_event_data *ctx)
{
	return ctx->sample_period + ctx->addr + ctx->regs.rip;
}
SEC("tp/syscalls/sys_enter_write") int tpc(void *ctx)
{
	return bpf_get_attach_cookie(ctx);
}
