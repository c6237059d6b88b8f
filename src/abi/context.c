/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Context layouts: one table for each program type. What may be accessed follows the
 * is_valid_access callbacks of net/core/filter.c and kernel/trace/bpf_trace.c of Linux 6.18.
 */
#include "abi/context.h"

#include <linux/bpf_perf_event.h>

#include "abi/bpf_new.h"
#include "abi/helper.h"

#define PT_REGS_SIZE	168   /* struct pt_regs of x86-64 */
#define TRACE_SIZE_MAX	8192  /* PERF_MAX_TRACE_SIZE */
#define SYSCALL_CTX_MAX 65535 /* U16_MAX */
#define RAW_ARGS_MAX	12    /* MAX_BPF_FUNC_ARGS */

#define SIZES_NARROW 7 /* a word or parts of it */
#define SIZES_ALL    15
#define SIZE_WORD    4
#define SIZE_LONG    8

#define CLS    (ABI_PROG(BPF_PROG_TYPE_SCHED_CLS) | ABI_PROG(BPF_PROG_TYPE_SCHED_ACT))
#define CG     ABI_PROG(BPF_PROG_TYPE_CGROUP_SKB)
#define SOCKET ABI_PROG(BPF_PROG_TYPE_SOCKET_FILTER)
#define STREAM ABI_PROG(BPF_PROG_TYPE_SK_SKB)
#define FLOW   ABI_PROG(BPF_PROG_TYPE_FLOW_DISSECTOR)
#define LWT                                                                 \
	(ABI_PROG(BPF_PROG_TYPE_LWT_IN) | ABI_PROG(BPF_PROG_TYPE_LWT_OUT) | \
	 ABI_PROG(BPF_PROG_TYPE_LWT_XMIT) | ABI_PROG(BPF_PROG_TYPE_LWT_SEG6LOCAL))
#define SKBS (SOCKET | CLS | CG | LWT | STREAM)

#define SKB_ROW(field, rt, kind, read_sizes, readers, write_sizes, write_progs)      \
	{                                                                            \
		.offset = offsetof(struct __sk_buff, field),                         \
		.size = sizeof(((struct __sk_buff *)0)->field), .value = kind,       \
		.reads = read_sizes, .progs = readers, .writes = write_sizes,        \
		.writers = write_progs, .rt_offset = offsetof(struct abi_rt_skb, rt) \
	}
/* A 32-bit field that programs read, also in part. */
#define SKB_READ(field, readers) SKB_ROW(field, field, ABI_CTX_SCALAR, SIZES_NARROW, readers, 0, 0)
/* ... and that some write, as a whole. */
#define SKB_WRITE(field, readers, write_progs) \
	SKB_ROW(field, field, ABI_CTX_SCALAR, SIZES_NARROW, readers, SIZE_WORD, write_progs)

static const struct abi_ctx_field skb_fields[] = {
	SKB_READ(len, SKBS),
	SKB_READ(pkt_type, SKBS),
	SKB_WRITE(mark, SKBS & ~STREAM, CLS | CG | LWT),
	SKB_WRITE(queue_mapping, SKBS, CLS),
	SKB_READ(protocol, SKBS),
	SKB_READ(vlan_present, SKBS),
	SKB_READ(vlan_tci, SKBS),
	SKB_READ(vlan_proto, SKBS),
	SKB_WRITE(priority, SKBS, CLS | CG | LWT | STREAM),
	SKB_READ(ingress_ifindex, SKBS),
	SKB_READ(ifindex, SKBS),
	SKB_WRITE(tc_index, SKBS, CLS | STREAM),
	/* The control block is free: any aligned access in it. */
	SKB_ROW(cb, cb, ABI_CTX_SCALAR, SIZES_ALL, SKBS, SIZES_ALL, SKBS & ~STREAM),
	SKB_READ(hash, SKBS),
	SKB_WRITE(tc_classid, CLS, CLS),
	SKB_ROW(data, data, ABI_CTX_PACKET, SIZE_WORD, (SKBS & ~SOCKET) | FLOW, 0, 0),
	SKB_ROW(data_end, data_end, ABI_CTX_PACKET_END, SIZE_WORD, (SKBS & ~SOCKET) | FLOW, 0, 0),
	SKB_READ(napi_id, SKBS),
	SKB_READ(family, CG | STREAM),
	SKB_ROW(remote_ip4, remote_ip4, ABI_CTX_SCALAR, SIZE_WORD, CG | STREAM, 0, 0),
	SKB_ROW(local_ip4, local_ip4, ABI_CTX_SCALAR, SIZE_WORD, CG | STREAM, 0, 0),
	SKB_ROW(remote_ip6, remote_ip6, ABI_CTX_SCALAR, SIZE_WORD, CG | STREAM, 0, 0),
	SKB_ROW(local_ip6, local_ip6, ABI_CTX_SCALAR, SIZE_WORD, CG | STREAM, 0, 0),
	SKB_READ(remote_port, CG | STREAM),
	SKB_READ(local_port, CG | STREAM),
	SKB_ROW(data_meta, data_meta, ABI_CTX_PACKET_META, SIZE_WORD, CLS, 0, 0),
	SKB_ROW(flow_keys, flow_keys, ABI_CTX_FLOW_KEYS, SIZE_LONG, FLOW, 0, 0),
	SKB_ROW(tstamp, tstamp, ABI_CTX_SCALAR, SIZE_LONG, CLS | CG, SIZE_LONG, CLS | CG),
	SKB_READ(wire_len, CLS),
	SKB_READ(gso_segs, SKBS),
	SKB_ROW(sk, sk, ABI_CTX_SOCK_COMMON_OR_NULL, SIZE_LONG, SKBS, 0, 0),
	SKB_READ(gso_size, SKBS),
	{ .offset = 180, /* tstamp_type */
	  .size = 1,
	  .reads = 1,
	  .progs = CLS,
	  .rt_offset = offsetof(struct abi_rt_skb, tstamp_type) },
	SKB_ROW(hwtstamp, hwtstamp, ABI_CTX_SCALAR, SIZE_LONG, CLS | CG, 0, 0),
};

#define XDP_FIELD(uapi, kind)                                                      \
	{                                                                          \
		.offset = offsetof(struct xdp_md, uapi), .size = 4, .value = kind, \
		.reads = SIZE_WORD, .rt_offset = offsetof(struct abi_rt_xdp, uapi) \
	}

static const struct abi_ctx_field xdp_fields[] = {
	XDP_FIELD(data, ABI_CTX_PACKET),
	XDP_FIELD(data_end, ABI_CTX_PACKET_END),
	XDP_FIELD(data_meta, ABI_CTX_PACKET_META),
	XDP_FIELD(ingress_ifindex, ABI_CTX_SCALAR),
	XDP_FIELD(rx_queue_index, ABI_CTX_SCALAR),
	{ .offset = offsetof(struct xdp_md, egress_ifindex),
	  .size = 4,
	  .reads = SIZE_WORD,
	  .attach = ABI_ATTACH(BPF_XDP_DEVMAP),
	  .rt_offset = offsetof(struct abi_rt_xdp, egress_ifindex) },
};

/* Rows of a context that is the UAPI structure itself: from byte `first` to before `end`. */
#define BYTES(first, end) .offset = first, .size = (end) - (first), .rt_offset = first
#define FIELD(type, name)                                                  \
	.offset = offsetof(type, name), .size = sizeof(((type *)0)->name), \
	.rt_offset = offsetof(type, name)

/* The register file in words, then the two fields behind it. */
static const struct abi_ctx_field perf_fields[] = {
	{ BYTES(0, PT_REGS_SIZE), .reads = SIZE_LONG },
	{ FIELD(struct bpf_perf_event_data, sample_period), .reads = SIZES_ALL },
	{ FIELD(struct bpf_perf_event_data, addr), .reads = SIZES_ALL },
};

#define SOCK(name) FIELD(struct bpf_sock, name)
#define CREATED	   (ABI_ATTACH(BPF_CGROUP_INET_SOCK_CREATE) | ABI_ATTACH(BPF_CGROUP_INET_SOCK_RELEASE))
#define BOUND4	   ABI_ATTACH(BPF_CGROUP_INET4_POST_BIND)
#define BOUND6	   ABI_ATTACH(BPF_CGROUP_INET6_POST_BIND)

static const struct abi_ctx_field cgroup_sock_fields[] = {
	{ SOCK(bound_dev_if), .reads = SIZE_WORD, .writes = SIZE_WORD, .attach = CREATED },
	{ SOCK(family), .reads = SIZES_NARROW, .at_start = true },
	{ SOCK(type), .reads = SIZES_NARROW, .at_start = true },
	{ SOCK(protocol), .reads = SIZES_NARROW, .at_start = true },
	{ SOCK(mark), .reads = SIZE_WORD, .writes = SIZE_WORD, .attach = CREATED },
	{ SOCK(priority), .reads = SIZE_WORD, .writes = SIZE_WORD, .attach = CREATED },
	{ SOCK(src_ip4), .reads = SIZES_NARROW, .attach = BOUND4 },
	{ SOCK(src_ip6), .reads = SIZES_NARROW, .attach = BOUND6 },
	{ SOCK(src_port), .reads = SIZES_NARROW, .at_start = true, .attach = BOUND4 | BOUND6 },
	{ SOCK(dst_port), .reads = 3 },
	{ BYTES(48, 52), .reads = SIZE_WORD }, /* the port and the padding behind it */
	{ SOCK(dst_ip4), .reads = SIZES_NARROW },
	{ SOCK(dst_ip6), .reads = SIZES_NARROW },
	{ SOCK(state), .reads = SIZES_NARROW, .at_start = true },
	{ SOCK(rx_queue_mapping), .reads = SIZES_NARROW, .at_start = true },
};

/* What pointers to sockets read. */
static const struct abi_ctx_field socket_fields[] = {
	{ SOCK(bound_dev_if), .reads = SIZE_WORD },
	{ SOCK(family), .reads = SIZES_NARROW, .at_start = true },
	{ SOCK(type), .reads = SIZES_NARROW, .at_start = true, .progs = 1 },
	{ SOCK(protocol), .reads = SIZES_NARROW, .at_start = true, .progs = 1 },
	{ SOCK(mark), .reads = SIZE_WORD, .progs = 1 },
	{ SOCK(priority), .reads = SIZE_WORD, .progs = 1 },
	{ SOCK(src_ip4), .reads = SIZES_NARROW },
	{ SOCK(src_ip6), .reads = SIZES_NARROW },
	{ SOCK(src_port), .reads = SIZES_NARROW, .at_start = true },
	{ SOCK(dst_port), .reads = 3 },
	{ BYTES(48, 52), .reads = SIZE_WORD },
	{ SOCK(dst_ip4), .reads = SIZES_NARROW },
	{ SOCK(dst_ip6), .reads = SIZES_NARROW },
	{ SOCK(state), .reads = SIZES_NARROW, .at_start = true },
	{ SOCK(rx_queue_mapping), .reads = SIZES_NARROW, .at_start = true },
};

static const struct abi_ctx_field tcp_sock_fields[] = {
	{ BYTES(0, offsetof(struct bpf_tcp_sock, bytes_received)), .reads = SIZE_WORD },
	{ FIELD(struct bpf_tcp_sock, bytes_received), .reads = SIZE_LONG },
	{ FIELD(struct bpf_tcp_sock, bytes_acked), .reads = SIZE_LONG },
	{ BYTES(offsetof(struct bpf_tcp_sock, dsack_dups), sizeof(struct bpf_tcp_sock)),
	  .reads = SIZE_WORD },
};

static const struct abi_ctx_field xdp_sock_fields[] = {
	{ FIELD(struct bpf_xdp_sock, queue_id), .reads = SIZE_WORD },
};

#define ADDR(name) FIELD(struct bpf_sock_addr, name)
#define INET4_ADDRS                                                                            \
	(ABI_ATTACH(BPF_CGROUP_INET4_BIND) | ABI_ATTACH(BPF_CGROUP_INET4_CONNECT) |            \
	 ABI_ATTACH(BPF_CGROUP_INET4_GETPEERNAME) | ABI_ATTACH(BPF_CGROUP_INET4_GETSOCKNAME) | \
	 ABI_ATTACH(BPF_CGROUP_UDP4_SENDMSG) | ABI_ATTACH(BPF_CGROUP_UDP4_RECVMSG))
#define INET6_ADDRS                                                                            \
	(ABI_ATTACH(BPF_CGROUP_INET6_BIND) | ABI_ATTACH(BPF_CGROUP_INET6_CONNECT) |            \
	 ABI_ATTACH(BPF_CGROUP_INET6_GETPEERNAME) | ABI_ATTACH(BPF_CGROUP_INET6_GETSOCKNAME) | \
	 ABI_ATTACH(BPF_CGROUP_UDP6_SENDMSG) | ABI_ATTACH(BPF_CGROUP_UDP6_RECVMSG))

static const struct abi_ctx_field sock_addr_fields[] = {
	{ ADDR(user_family), .reads = SIZE_WORD },
	{ ADDR(user_ip4), .reads = SIZES_NARROW, .writes = SIZE_WORD, .attach = INET4_ADDRS },
	{ ADDR(user_ip6), .reads = SIZES_ALL, .writes = SIZE_WORD | SIZE_LONG,
	  .attach = INET6_ADDRS },
	{ ADDR(user_port), .reads = SIZES_NARROW, .writes = SIZE_WORD },
	{ ADDR(family), .reads = SIZE_WORD },
	{ ADDR(type), .reads = SIZE_WORD },
	{ ADDR(protocol), .reads = SIZE_WORD },
	{ ADDR(msg_src_ip4), .reads = SIZES_NARROW, .writes = SIZE_WORD,
	  .attach = ABI_ATTACH(BPF_CGROUP_UDP4_SENDMSG) },
	{ ADDR(msg_src_ip6), .reads = SIZES_ALL, .writes = SIZE_WORD | SIZE_LONG,
	  .attach = ABI_ATTACH(BPF_CGROUP_UDP6_SENDMSG) },
	{ BYTES(64, 72), .value = ABI_CTX_SOCKET, .reads = SIZE_LONG }, /* sk */
};

#define OPS(name) FIELD(struct bpf_sock_ops, name)

static const struct abi_ctx_field sock_ops_fields[] = {
	{ OPS(reply), .reads = SIZE_WORD, .writes = SIZE_WORD },
	{ OPS(sk_txhash), .reads = SIZE_WORD, .writes = SIZE_WORD },
	{ BYTES(0, 168), .reads = SIZE_WORD },
	{ OPS(bytes_received), .reads = SIZE_LONG },
	{ OPS(bytes_acked), .reads = SIZE_LONG },
	{ BYTES(184, 192), .value = ABI_CTX_SOCKET_OR_NULL, .reads = SIZE_LONG }, /* sk */
	{ BYTES(192, 200), .value = ABI_CTX_PACKET, .reads = SIZE_LONG },	  /* skb_data */
	{ BYTES(200, 208), .value = ABI_CTX_PACKET_END, .reads = SIZE_LONG },	  /* skb_data_end */
	{ BYTES(208, 212), .reads = SIZE_WORD },				  /* skb_len */
	{ BYTES(212, 216), .reads = SIZES_NARROW, .at_start = true }, /* skb_tcp_flags */
	{ BYTES(216, 224), .reads = SIZE_LONG },		      /* skb_hwtstamp */
};

static const struct abi_ctx_field sk_msg_fields[] = {
	{ BYTES(0, 8), .value = ABI_CTX_PACKET, .reads = SIZE_LONG },
	{ BYTES(8, 16), .value = ABI_CTX_PACKET_END, .reads = SIZE_LONG },
	{ BYTES(16, 72), .reads = SIZE_WORD },
	{ BYTES(72, 80), .value = ABI_CTX_SOCKET, .reads = SIZE_LONG },
};

static const struct abi_ctx_field reuseport_fields[] = {
	{ BYTES(0, 8), .value = ABI_CTX_PACKET, .reads = SIZE_LONG },
	{ BYTES(8, 16), .value = ABI_CTX_PACKET_END, .reads = SIZE_LONG },
	{ BYTES(16, 20), .reads = SIZES_NARROW },  /* len */
	{ BYTES(20, 24), .reads = 2 | SIZE_WORD }, /* eth_protocol */
	{ BYTES(24, 32), .reads = SIZES_NARROW },  /* ip_protocol, bind_inany */
	{ BYTES(32, 36), .reads = SIZE_WORD },	   /* hash */
	{ BYTES(40, 48), .value = ABI_CTX_SOCKET, .reads = SIZE_LONG },
	{ BYTES(48, 56), .value = ABI_CTX_SOCK_COMMON_OR_NULL, .reads = SIZE_LONG },
};

static const struct abi_ctx_field device_fields[] = {
	{ BYTES(0, 4), .reads = SIZES_NARROW }, /* access_type */
	{ BYTES(4, 12), .reads = SIZE_WORD },	/* major, minor */
};

static const struct abi_ctx_field sysctl_fields[] = {
	{ FIELD(struct bpf_sysctl, write), .reads = SIZES_NARROW },
	{ FIELD(struct bpf_sysctl, file_pos), .reads = SIZES_NARROW, .writes = SIZE_WORD },
};

#define GET ABI_ATTACH(BPF_CGROUP_GETSOCKOPT)
#define SET ABI_ATTACH(BPF_CGROUP_SETSOCKOPT)

static const struct abi_ctx_field sockopt_fields[] = {
	{ BYTES(0, 8), .value = ABI_CTX_SOCKET, .reads = SIZE_LONG },
	{ BYTES(8, 16), .value = ABI_CTX_PACKET, .reads = SIZE_LONG },
	{ BYTES(16, 24), .value = ABI_CTX_PACKET_END, .reads = SIZE_LONG },
	{ BYTES(24, 36), .reads = SIZE_WORD },		       /* level, optname, optlen */
	{ BYTES(24, 32), .writes = SIZE_WORD, .attach = SET }, /* level, optname */
	{ BYTES(32, 36), .writes = SIZE_WORD },		       /* optlen */
	{ BYTES(36, 40), .reads = SIZE_WORD, .writes = SIZE_WORD, .attach = GET }, /* retval */
};

static const struct abi_ctx_field sk_lookup_fields[] = {
	{ BYTES(0, 8), .value = ABI_CTX_SOCKET_OR_NULL, .reads = SIZE_LONG },
	{ BYTES(8, 68), .reads = SIZES_NARROW },
};

static const struct abi_ctx_field netfilter_fields[] = {
	{ BYTES(0, 8), .value = ABI_CTX_BTF, .reads = SIZE_LONG, .btf_name = "nf_hook_state" },
	{ BYTES(8, 16), .value = ABI_CTX_BTF, .reads = SIZE_LONG, .btf_name = "sk_buff" },
};

static const struct abi_ctx_field writable_fields[] = {
	{ BYTES(0, 8), .value = ABI_CTX_TP_BUFFER, .reads = SIZE_LONG },
};

#define CONTEXT(structure, bytes, rows)                                                \
	{                                                                              \
		.name = structure, .size = bytes, .max_offset = bytes, .fields = rows, \
		.nr_fields = ARRAY_SIZE(rows)                                          \
	}
#define SKB_CONTEXT CONTEXT("__sk_buff", sizeof(struct __sk_buff), skb_fields)

static const struct abi_ctx contexts[] = {
	[BPF_PROG_TYPE_SOCKET_FILTER] = SKB_CONTEXT,
	[BPF_PROG_TYPE_SCHED_CLS] = SKB_CONTEXT,
	[BPF_PROG_TYPE_SCHED_ACT] = SKB_CONTEXT,
	[BPF_PROG_TYPE_CGROUP_SKB] = SKB_CONTEXT,
	[BPF_PROG_TYPE_LWT_IN] = SKB_CONTEXT,
	[BPF_PROG_TYPE_LWT_OUT] = SKB_CONTEXT,
	[BPF_PROG_TYPE_LWT_XMIT] = SKB_CONTEXT,
	[BPF_PROG_TYPE_LWT_SEG6LOCAL] = SKB_CONTEXT,
	[BPF_PROG_TYPE_SK_SKB] = SKB_CONTEXT,
	[BPF_PROG_TYPE_FLOW_DISSECTOR] = SKB_CONTEXT,
	[BPF_PROG_TYPE_XDP] = CONTEXT("xdp_md", sizeof(struct xdp_md), xdp_fields),
	[BPF_PROG_TYPE_PERF_EVENT] =
		CONTEXT("bpf_perf_event_data", sizeof(struct bpf_perf_event_data), perf_fields),
	[BPF_PROG_TYPE_CGROUP_SOCK] =
		CONTEXT("bpf_sock", sizeof(struct bpf_sock), cgroup_sock_fields),
	[BPF_PROG_TYPE_CGROUP_SOCK_ADDR] =
		CONTEXT("bpf_sock_addr", sizeof(struct bpf_sock_addr), sock_addr_fields),
	[BPF_PROG_TYPE_SOCK_OPS] = CONTEXT("bpf_sock_ops", 224, sock_ops_fields),
	[BPF_PROG_TYPE_SK_MSG] = CONTEXT("sk_msg_md", sizeof(struct sk_msg_md), sk_msg_fields),
	[BPF_PROG_TYPE_SK_REUSEPORT] =
		CONTEXT("sk_reuseport_md", sizeof(struct sk_reuseport_md), reuseport_fields),
	[BPF_PROG_TYPE_CGROUP_DEVICE] =
		CONTEXT("bpf_cgroup_dev_ctx", sizeof(struct bpf_cgroup_dev_ctx), device_fields),
	[BPF_PROG_TYPE_CGROUP_SYSCTL] =
		CONTEXT("bpf_sysctl", sizeof(struct bpf_sysctl), sysctl_fields),
	[BPF_PROG_TYPE_CGROUP_SOCKOPT] =
		CONTEXT("bpf_sockopt", sizeof(struct bpf_sockopt), sockopt_fields),
	[BPF_PROG_TYPE_SK_LOOKUP] =
		CONTEXT("bpf_sk_lookup", sizeof(struct bpf_sk_lookup), sk_lookup_fields),
	[ABI_PROG_TYPE_NETFILTER] = CONTEXT("bpf_nf_ctx", 16, netfilter_fields),
	[BPF_PROG_TYPE_KPROBE] = { .name = "bpf_user_pt_regs_t",
				   .size = PT_REGS_SIZE,
				   .max_offset = PT_REGS_SIZE,
				   .free_form = true },
	[BPF_PROG_TYPE_TRACEPOINT] = { .name = "",
				       .size = TRACE_SIZE_MAX,
				       .min_offset = 8, /* the kernel's own pointer */
				       .max_offset = TRACE_SIZE_MAX,
				       .free_form = true },
	/* The arguments of what it is attached to: the verifier finds them in BTF. */
	[BPF_PROG_TYPE_TRACING] = { .name = "",
				    .size = RAW_ARGS_MAX * 8,
				    .max_offset = RAW_ARGS_MAX * 8,
				    .free_form = true },
	[BPF_PROG_TYPE_STRUCT_OPS] = { .name = "",
				       .size = RAW_ARGS_MAX * 8,
				       .max_offset = RAW_ARGS_MAX * 8,
				       .free_form = true },
	[BPF_PROG_TYPE_LSM] = { .name = "",
				.size = RAW_ARGS_MAX * 8,
				.max_offset = RAW_ARGS_MAX * 8,
				.free_form = true },
	[BPF_PROG_TYPE_RAW_TRACEPOINT] = { .name = "bpf_raw_tracepoint_args",
					   .size = RAW_ARGS_MAX * 8,
					   .max_offset = RAW_ARGS_MAX * 8,
					   .free_form = true },
	/* Whatever the caller gives: it must be as long as the furthest access. */
	[BPF_PROG_TYPE_SYSCALL] = { .name = "",
				    .size = SYSCALL_CTX_MAX,
				    .max_offset = SYSCALL_CTX_MAX,
				    .free_form = true,
				    .writable = true },
	[BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE] = { .name = "bpf_raw_tracepoint_args",
						    .fields = writable_fields,
						    .nr_fields = ARRAY_SIZE(writable_fields),
						    .size = RAW_ARGS_MAX * 8,
						    .min_offset = 8,
						    .max_offset = RAW_ARGS_MAX * 8,
						    .free_form = true },
};

bool abi_ctx_is_skb(u32 prog_type)
{
	return prog_type < 64 && SKBS & ABI_PROG(prog_type);
}

const struct abi_ctx *abi_ctx_find(u32 prog_type)
{
	if (prog_type >= ARRAY_SIZE(contexts) || !contexts[prog_type].name)
		return NULL;
	return &contexts[prog_type];
}

static bool covers(const struct abi_ctx_field *field, u32 offset, u32 size)
{
	if (field->at_start && offset != field->offset)
		return false;
	return offset >= field->offset && offset + size <= field->offset + field->size;
}

static bool is_member(u64 set, u32 element)
{
	return !set || (element < 64 && set & 1ULL << element);
}

static bool field_allows(const struct abi_ctx_field *field, struct abi_ctx_user user, u32 offset,
			 u32 size, bool write)
{
	return covers(field, offset, size) && (write ? field->writes : field->reads) & size &&
	       is_member(write ? field->writers : field->progs, user.prog_type) &&
	       is_member(field->attach, user.expected_attach_type);
}

const struct abi_ctx_field *abi_ctx_access(const struct abi_ctx *ctx, struct abi_ctx_user user,
					   u32 offset, u32 size, bool write)
{
	static const struct abi_ctx_field free_form = { .value = ABI_CTX_SCALAR };

	if (!size || size > 8 || offset % size || offset >= ctx->max_offset ||
	    size > ctx->max_offset - offset)
		return NULL;
	if (ctx->free_form && offset >= ctx->min_offset)
		return write && !ctx->writable ? NULL : &free_form;
	for (u32 i = 0; i < ctx->nr_fields; i++)
		if (field_allows(&ctx->fields[i], user, offset, size, write))
			return &ctx->fields[i];
	return NULL;
}

bool abi_object_readable(enum abi_object object, u32 offset, u32 size)
{
	static const struct abi_ctx objects[] = {
		[ABI_OBJECT_SOCKET] = CONTEXT("bpf_sock", sizeof(struct bpf_sock), socket_fields),
		[ABI_OBJECT_SOCK_COMMON] =
			CONTEXT("bpf_sock", sizeof(struct bpf_sock), socket_fields),
		[ABI_OBJECT_TCP_SOCK] =
			CONTEXT("bpf_tcp_sock", sizeof(struct bpf_tcp_sock), tcp_sock_fields),
		[ABI_OBJECT_XDP_SOCK] =
			CONTEXT("bpf_xdp_sock", sizeof(struct bpf_xdp_sock), xdp_sock_fields),
	};
	/* Rows for full sockets only have set 1: number 0. */
	struct abi_ctx_user user = { .prog_type = object == ABI_OBJECT_SOCK_COMMON };

	return abi_ctx_access(&objects[object], user, offset, size, false);
}
