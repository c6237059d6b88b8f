// SPDX-License-Identifier: BSD-2-Clause
// For struct_ops.py: a congestion control, as little of it as the kernel takes.
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct sock;

struct tcp_sock {
	__u32 snd_cwnd, snd_ssthresh;
} __attribute__((preserve_access_index));

struct tcp_congestion_ops {
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	__u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
} __attribute__((preserve_access_index));

SEC("struct_ops/skep_ssthresh")
__u32 BPF_PROG(skep_ssthresh, struct tcp_sock *tp)
{
	return tp->snd_ssthresh / 2;
}

SEC("struct_ops/skep_cong_avoid")
void BPF_PROG(skep_cong_avoid, struct tcp_sock *tp, __u32 ack, __u32 acked)
{
	tp->snd_cwnd = tp->snd_cwnd + 1;
}

SEC("struct_ops/skep_undo_cwnd")
__u32 BPF_PROG(skep_undo_cwnd, struct tcp_sock *tp)
{
	return tp->snd_cwnd;
}

SEC(".struct_ops")
struct tcp_congestion_ops skep_control = {
	.ssthresh = (void *)skep_ssthresh,
	.cong_avoid = (void *)skep_cong_avoid,
	.undo_cwnd = (void *)skep_undo_cwnd,
	.name = "skep_e2e",
};

char LICENSE[] SEC("license") = "GPL";
