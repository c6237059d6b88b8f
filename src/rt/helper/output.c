/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that send records to clients, through BPF ring buffers and perf buffers.
 */
#include "abi/context.h"
#include "rt/buffer.h"
#include "rt/helper/families.h"
#include "rt/map.h"
#include "rt/prog.h"

RT_HELPER(ringbuf_output)
{
	return (u64)rt_ringbuf_output((const struct rt_map *)r1, (const void *)r2, r3, r4, vcpu);
}

RT_HELPER(ringbuf_reserve)
{
	if (r3)
		return 0;
	return (u64)rt_ringbuf_reserve((const struct rt_map *)r1, r2, vcpu);
}

RT_HELPER(ringbuf_submit)
{
	rt_ringbuf_commit((void *)r1, r2, false);
	return 0;
}

RT_HELPER(ringbuf_discard)
{
	rt_ringbuf_commit((void *)r1, r2, true);
	return 0;
}

/* (map, callback, callback_ctx, flags) */
RT_HELPER(user_ringbuf_drain)
{
	return (u64)rt_user_ringbuf_drain((const struct rt_map *)r1, r2, r3, r4, vcpu);
}

RT_HELPER(ringbuf_query)
{
	return rt_ringbuf_query((const struct rt_map *)r1, r2);
}

/* The first size bytes of a packet: what of them is linear, and the rest. */
static bool take_packet(u64 data, u64 data_end, u64 frags, u32 frags_size, u64 size,
			struct rt_perf_piece *ret_pieces)
{
	u64 linear = data_end - data;

	if (size > linear + frags_size)
		return false;
	ret_pieces[0] = (struct rt_perf_piece){ (const void *)data, size < linear ? size : linear };
	ret_pieces[1] = (struct rt_perf_piece){ (const void *)frags, size - ret_pieces[0].size };
	return true;
}

/*
 * Packet programs ask for bytes of their packet behind the record, in the upper half of flags
 * (bpf_skb_event_output(), bpf_xdp_event_output()). Others have no such flags: 0, -EINVAL, -EFAULT.
 */
static long packet_pieces(const struct rt_prog *prog, u64 ctx, u64 flags,
			  struct rt_perf_piece *ret_pieces)
{
	u64 size = (flags & BPF_F_CTXLEN_MASK) >> 32;
	const struct abi_rt_xdp *xdp = (const struct abi_rt_xdp *)ctx;
	const struct abi_rt_skb *skb = (const struct abi_rt_skb *)ctx;
	bool there;

	if (!(flags & ~(u64)BPF_F_INDEX_MASK))
		return 0;
	if (flags & ~(u64)(BPF_F_INDEX_MASK | BPF_F_CTXLEN_MASK))
		return -EINVAL;
	if (!prog)
		return -EINVAL;
	if (prog->type == BPF_PROG_TYPE_XDP)
		there = take_packet(xdp->data, xdp->data_end, xdp->frags, xdp->frags_size, size,
				    ret_pieces);
	else if (prog->type == BPF_PROG_TYPE_SOCKET_FILTER)
		there = take_packet(skb->data, skb->data_end, skb->frags, skb->frags_size, size,
				    ret_pieces);
	else
		return -EINVAL;
	return there ? 0 : -EFAULT;
}

/* (ctx, map, flags, data, size), results as in kernel/trace/bpf_trace.c. */
RT_HELPER(perf_event_output)
{
	const struct rt_map *map = (const struct rt_map *)r2;
	struct rt_perf_piece pieces[RT_PERF_PIECES] = { { (const void *)r4, r5 } };
	u64 index = r3 & BPF_F_INDEX_MASK;
	struct rt_perf_buffer *buffer;
	long error = packet_pieces(vcpu->prog, r1, r3, pieces + 1);

	if (error)
		return (u64)error;
	if (index == BPF_F_CURRENT_CPU)
		index = vcpu->index;
	if (index >= map->max_entries)
		return (u64)-E2BIG;
	buffer = rt_map_object(map, (u32)index);
	if (!buffer)
		return (u64)-ENOENT;
	if (buffer->cpu >= 0 && (u32)buffer->cpu != vcpu->index)
		return (u64)-EOPNOTSUPP;
	return (u64)rt_perf_output_pieces(buffer, pieces, vcpu);
}

/*
 * (packet, map, flags, data, size) for programs that are handed the kernel's own packet. No process
 * has one, so that the pointer is null, or a number that whoever runs the program by hand has made
 * up: it is never followed.
 */
RT_HELPER(kernel_packet_output)
{
	return r3 & ~(u64)(BPF_F_INDEX_MASK | BPF_F_CTXLEN_MASK) ? (u64)-EINVAL : (u64)-EFAULT;
}
