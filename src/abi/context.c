/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Context layouts: one table for each program type. What may be accessed follows the
 * is_valid_access callbacks of net/core/filter.c and kernel/trace/bpf_trace.c of Linux 6.18.
 */
#include "abi/context.h"

#include <linux/bpf_perf_event.h>

#define PT_REGS_SIZE   168  /* struct pt_regs of x86-64 */
#define TRACE_SIZE_MAX 8192 /* PERF_MAX_TRACE_SIZE */
#define RAW_ARGS_MAX   12   /* MAX_BPF_FUNC_ARGS */

/* A 32-bit field of __sk_buff that programs read, also in part. */
#define SKB_READ(uapi, rt)                                                                      \
	{                                                                                       \
		.offset = offsetof(struct __sk_buff, uapi), .size = 4, .value = ABI_CTX_SCALAR, \
		.narrow = true, .rt_offset = offsetof(struct abi_rt_skb, rt), .rt_size = 4      \
	}

static const struct abi_ctx_field skb_fields[] = {
	SKB_READ(len, len),
	SKB_READ(pkt_type, pkt_type),
	SKB_READ(mark, mark),
	SKB_READ(queue_mapping, queue_mapping),
	SKB_READ(protocol, protocol),
	SKB_READ(vlan_present, vlan_present),
	SKB_READ(vlan_tci, vlan_tci),
	SKB_READ(vlan_proto, vlan_proto),
	SKB_READ(priority, priority),
	SKB_READ(ingress_ifindex, ingress_ifindex),
	SKB_READ(ifindex, ifindex),
	SKB_READ(tc_index, tc_index),
	/* The control block is free: any aligned access in it. */
	{ .offset = offsetof(struct __sk_buff, cb),
	  .size = 20,
	  .value = ABI_CTX_SCALAR,
	  .write = true,
	  .narrow = true,
	  .rt_offset = offsetof(struct abi_rt_skb, cb),
	  .rt_size = 20 },
	SKB_READ(hash, hash),
	SKB_READ(napi_id, napi_id),
	SKB_READ(gso_segs, gso_segs),
	SKB_READ(gso_size, gso_size),
};

#define XDP_FIELD(uapi, kind, bytes)                                               \
	{                                                                          \
		.offset = offsetof(struct xdp_md, uapi), .size = 4, .value = kind, \
		.rt_offset = offsetof(struct abi_rt_xdp, uapi), .rt_size = bytes   \
	}

static const struct abi_ctx_field xdp_fields[] = {
	XDP_FIELD(data, ABI_CTX_PACKET, 8),	      XDP_FIELD(data_end, ABI_CTX_PACKET_END, 8),
	XDP_FIELD(data_meta, ABI_CTX_PACKET_META, 8), XDP_FIELD(ingress_ifindex, ABI_CTX_SCALAR, 4),
	XDP_FIELD(rx_queue_index, ABI_CTX_SCALAR, 4),
};

#define PERF_FIELD(name)                                                                         \
	{                                                                                        \
		.offset = offsetof(struct bpf_perf_event_data, name), .size = 8, .narrow = true, \
		.rt_offset = offsetof(struct bpf_perf_event_data, name), .rt_size = 8            \
	}

/* The register file in words, then the two fields behind it. */
static const struct abi_ctx_field perf_fields[] = {
	{ .offset = 0, .size = PT_REGS_SIZE, .rt_offset = 0, .rt_size = PT_REGS_SIZE },
	PERF_FIELD(sample_period),
	PERF_FIELD(addr),
};

static const struct abi_ctx contexts[] = {
	[BPF_PROG_TYPE_SOCKET_FILTER] = { .name = "__sk_buff",
					  .size = sizeof(struct __sk_buff),
					  .max_offset = sizeof(struct __sk_buff),
					  .fields = skb_fields,
					  .nr_fields = ARRAY_SIZE(skb_fields) },
	[BPF_PROG_TYPE_KPROBE] = { .name = "bpf_user_pt_regs_t",
				   .size = PT_REGS_SIZE,
				   .max_offset = PT_REGS_SIZE,
				   .free_form = true },
	[BPF_PROG_TYPE_TRACEPOINT] = { .name = "",
				       .size = TRACE_SIZE_MAX,
				       .min_offset = 8, /* the kernel's own pointer */
				       .max_offset = TRACE_SIZE_MAX,
				       .free_form = true },
	[BPF_PROG_TYPE_XDP] = { .name = "xdp_md",
				.size = sizeof(struct xdp_md),
				.max_offset = sizeof(struct xdp_md),
				.fields = xdp_fields,
				.nr_fields = ARRAY_SIZE(xdp_fields) },
	[BPF_PROG_TYPE_PERF_EVENT] = { .name = "bpf_perf_event_data",
				       .size = sizeof(struct bpf_perf_event_data),
				       .max_offset = sizeof(struct bpf_perf_event_data),
				       .fields = perf_fields,
				       .nr_fields = ARRAY_SIZE(perf_fields) },
	/* Loaded by feature probes; nothing of the context is shown to it. */
	[BPF_PROG_TYPE_CGROUP_SOCK] = { .name = "bpf_sock", .size = sizeof(struct bpf_sock) },
	/* The arguments of what it is attached to: the verifier finds them in BTF. */
	[BPF_PROG_TYPE_TRACING] = { .name = "",
				    .size = RAW_ARGS_MAX * 8,
				    .max_offset = RAW_ARGS_MAX * 8,
				    .free_form = true },
	[BPF_PROG_TYPE_RAW_TRACEPOINT] = { .name = "bpf_raw_tracepoint_args",
					   .size = RAW_ARGS_MAX * 8,
					   .max_offset = RAW_ARGS_MAX * 8,
					   .free_form = true },
	/* Argument 0 of a writable tracepoint is a buffer, which is not modelled: not readable. */
	[BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE] = { .name = "bpf_raw_tracepoint_args",
						    .size = RAW_ARGS_MAX * 8,
						    .min_offset = 8,
						    .max_offset = RAW_ARGS_MAX * 8,
						    .free_form = true },
};

const struct abi_ctx *abi_ctx_find(u32 prog_type)
{
	if (prog_type >= ARRAY_SIZE(contexts) || !contexts[prog_type].name)
		return NULL;
	return &contexts[prog_type];
}

static bool field_allows(const struct abi_ctx_field *field, u32 offset, u32 size, bool write)
{
	if (field->value == ABI_CTX_DENIED || (write && !field->write))
		return false;
	/* Words of a register file or a control block. */
	if (field->size > 8)
		return field->narrow || size == 8;
	return size == field->size || (field->narrow && size < field->size);
}

const struct abi_ctx_field *abi_ctx_access(const struct abi_ctx *ctx, u32 offset, u32 size,
					   bool write)
{
	static const struct abi_ctx_field free_form = { .value = ABI_CTX_SCALAR };

	if (!size || size > 8 || offset % size || offset >= ctx->max_offset ||
	    size > ctx->max_offset - offset)
		return NULL;
	if (ctx->free_form)
		return write || offset < ctx->min_offset ? NULL : &free_form;
	for (u32 i = 0; i < ctx->nr_fields; i++) {
		const struct abi_ctx_field *field = &ctx->fields[i];

		if (offset < field->offset || offset + size > field->offset + field->size)
			continue;
		return field_allows(field, offset, size, write) ? field : NULL;
	}
	return NULL;
}
