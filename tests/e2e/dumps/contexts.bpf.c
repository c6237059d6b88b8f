/* SPDX-License-Identifier: BSD-2-Clause */
/* Every field of contexts that are the kernel's own structures: messages, sysctls, socket options,
 * reuseport groups. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define READ(field) (sum += ctx->field)
#define HAS(bytes)  ((void *)(long)ctx->data + (bytes) <= (void *)(long)ctx->data_end)

SEC("sk_msg") int message(struct sk_msg_md *ctx)
{
	unsigned long sum = HAS(4);

	READ(family), READ(remote_ip4), READ(local_ip4);
	READ(remote_ip6[0]), READ(remote_ip6[3]), READ(local_ip6[1]), READ(local_ip6[2]);
	READ(remote_port), READ(local_port), READ(size);
	return sum != 0;
}

SEC("sk_msg") int message_socket(struct sk_msg_md *ctx)
{
	return ctx->sk != 0;
}

SEC("cgroup/sysctl") int sysctl(struct bpf_sysctl *ctx)
{
	if (ctx->write && ctx->file_pos > 7)
		ctx->file_pos = 3;
	return *(volatile __u8 *)&ctx->write == 0;
}

SEC("cgroup/sysctl") int sysctl_store(struct bpf_sysctl *ctx)
{
	ctx->file_pos = ctx->write + 5;
	return 1;
}

SEC("cgroup/getsockopt") int get_option(struct bpf_sockopt *ctx)
{
	if (ctx->optval + 4 <= ctx->optval_end && ctx->level == 6)
		*(int *)ctx->optval = ctx->optname;
	if (ctx->optlen > 9)
		ctx->optlen = 8;
	if (ctx->retval)
		ctx->retval = 0;
	return 1;
}

SEC("cgroup/setsockopt") int set_option(struct bpf_sockopt *ctx)
{
	ctx->level = 5;
	ctx->optname = ctx->optlen;
	ctx->optlen = -1;
	return ctx->sk != 0;
}

SEC("sk_reuseport") int group(struct sk_reuseport_md *ctx)
{
	unsigned long sum = HAS(4);

	READ(len), READ(eth_protocol), READ(ip_protocol), READ(bind_inany), READ(hash);
	return sum != 0;
}

SEC("sk_reuseport/migrate") int group_sockets(struct sk_reuseport_md *ctx)
{
	return ctx->sk != 0 && ctx->migrating_sk != 0;
}

char _license[] SEC("license") = "GPL";
