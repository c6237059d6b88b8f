/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of struct_ops: net/ipv4/bpf_tcp_ca.c and net/bpf/bpf_dummy_struct_ops.c of Linux 6.18;
 * the helpers were asked of a running 6.18.
 */
#include "abi/struct_ops.h"

#include <string.h>

#include "abi/bpf_new.h"
#include "abi/helper.h"

/* Of struct tcp_sock and what it begins with. */
static const struct abi_struct_ops_member tcp_members[] = {
	{ .name = "sk_pacing_rate" },
	{ .name = "sk_pacing_status" },
	{ .name = "icsk_ca_priv", .inside = true },
	{ .name = "icsk_ack", .limit = 1 }, /* its first member, pending */
	{ .name = "snd_cwnd" },
	{ .name = "snd_cwnd_cnt" },
	{ .name = "snd_cwnd_stamp" },
	{ .name = "snd_ssthresh" },
	{ .name = "ecn_flags" },
	{ .name = "app_limited" },
};
static const struct abi_struct_ops_member dummy_members[] = { { .name = "val", .inside = true } };

static const struct abi_struct_ops table[] = {
	{ .name = "tcp_congestion_ops",
	  .unsupported = "get_info",
	  .helpers = true,
	  .registers = true,
	  .written = "tcp_sock",
	  .promoted = "sock",
	  .members = tcp_members,
	  .nr_members = ARRAY_SIZE(tcp_members) },
	{ .name = "bpf_dummy_ops",
	  .sleepable = "test_sleepable",
	  .written = "bpf_dummy_ops_state",
	  .members = dummy_members,
	  .nr_members = ARRAY_SIZE(dummy_members) },
};

const struct abi_struct_ops *abi_struct_ops_find(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

bool abi_struct_ops_helper(const char *member, u32 func_id)
{
	switch (func_id) {
	/* To set another congestion control would come back to release. */
	case BPF_FUNC_setsockopt:
	case BPF_FUNC_getsockopt: return strcmp(member, "release") != 0;
	case BPF_FUNC_sk_storage_get:
	case BPF_FUNC_sk_storage_delete:
	case BPF_FUNC_tcp_send_ack:
	case BPF_FUNC_ktime_get_coarse_ns: return true;
	/* Netfilter programs may call what every program may, and nothing else. */
	default: return abi_helper_allowed(func_id, ABI_PROG_TYPE_NETFILTER, ABI_NETFILTER);
	}
}
