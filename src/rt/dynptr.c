/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See dynptr.h. Results as in kernel/bpf/helpers.c of Linux 6.18. Every access is checked against
 * the dynptr's own size; that its memory is there is what the verifier proved.
 */
#include "rt/dynptr.h"

#include <linux/bpf.h>
#include <linux/errno.h>

#include "abi/context.h"
#include "rt/mem.h"

void rt_dynptr_set(struct rt_dynptr *dynptr, u64 data, u32 type, u32 size, bool rdonly)
{
	*dynptr = (struct rt_dynptr){ 0 };
	if (!data)
		return;
	dynptr->data = data;
	dynptr->size = size | type << RT_DYNPTR_TYPE_BIT | (rdonly ? RT_DYNPTR_RDONLY : 0);
}

long rt_dynptr_check(const struct rt_dynptr *dynptr, u32 offset, u32 length)
{
	u32 size = rt_dynptr_size(dynptr);

	return length > size || offset > size - length ? -E2BIG : 0;
}

/* A packet: its linear part and its fragments. */
struct packet {
	u64 data, frags;
	u32 linear, frags_size;
};

static struct packet packet_of(const struct rt_dynptr *dynptr)
{
	const struct abi_rt_xdp *xdp = (const struct abi_rt_xdp *)dynptr->data;
	const struct abi_rt_skb *skb = (const struct abi_rt_skb *)dynptr->data;

	if (rt_dynptr_type(dynptr) == RT_DYNPTR_XDP)
		return (struct packet){ xdp->data, xdp->frags, (u32)(xdp->data_end - xdp->data),
					xdp->frags_size };
	if (rt_dynptr_type(dynptr) == RT_DYNPTR_META)
		return (struct packet){ skb->data_meta, 0, (u32)(skb->data - skb->data_meta), 0 };
	return (struct packet){ skb->data, skb->frags, (u32)(skb->data_end - skb->data),
				skb->frags_size };
}

static bool in_packet(const struct packet *packet, u32 offset, u32 length)
{
	return (u64)offset + length <= (u64)packet->linear + packet->frags_size;
}

/* Where length bytes at offset lie in one piece; 0: nowhere. */
static u64 piece(const struct packet *packet, u32 offset, u32 length)
{
	if (!in_packet(packet, offset, length))
		return 0;
	if ((u64)offset + length <= packet->linear)
		return packet->data + offset;
	return offset >= packet->linear ? packet->frags + (offset - packet->linear) : 0;
}

/* Copies between the packet and a buffer; the range was checked. */
static void copy(const struct packet *packet, u32 offset, u8 *buffer, u32 length, bool store)
{
	u32 part = 0;

	if (offset < packet->linear) {
		u8 *at = (u8 *)packet->data + offset;

		part = length < packet->linear - offset ? length : packet->linear - offset;
		memmove(store ? at : buffer, store ? buffer : at, part);
	}
	if (part < length) {
		u8 *at = (u8 *)packet->frags + (offset + part - packet->linear);

		memmove(store ? at : buffer + part, store ? buffer + part : at, length - part);
	}
}

static bool is_packet(const struct rt_dynptr *dynptr)
{
	return rt_dynptr_type(dynptr) >= RT_DYNPTR_SKB;
}

u64 rt_dynptr_slice(const struct rt_dynptr *dynptr, u32 offset, u64 buffer, u32 length)
{
	struct packet packet;
	u64 at;

	if (!dynptr->data || rt_dynptr_check(dynptr, offset, length))
		return 0;
	if (!is_packet(dynptr))
		return dynptr->data + dynptr->offset + offset;
	packet = packet_of(dynptr);
	offset += dynptr->offset;
	/* Of an skb only the linear part is handed out as it is. */
	at = rt_dynptr_type(dynptr) == RT_DYNPTR_SKB && (u64)offset + length > packet.linear
		     ? 0
		     : piece(&packet, offset, length);
	if (at || !buffer || !in_packet(&packet, offset, length))
		return at;
	copy(&packet, offset, (u8 *)buffer, length, false);
	return buffer;
}

u64 rt_dynptr_slice_rdwr(const struct rt_dynptr *dynptr, u32 offset, u64 buffer, u32 length)
{
	return dynptr->size & RT_DYNPTR_RDONLY ? 0
					       : rt_dynptr_slice(dynptr, offset, buffer, length);
}

long rt_dynptr_read(void *to, u32 length, const struct rt_dynptr *dynptr, u32 offset)
{
	struct packet packet;
	long error;

	if (!dynptr->data)
		return -EINVAL;
	error = rt_dynptr_check(dynptr, offset, length);
	if (error)
		return error;
	offset += dynptr->offset;
	if (!is_packet(dynptr)) {
		memmove(to, (const void *)(dynptr->data + offset), length);
		return 0;
	}
	packet = packet_of(dynptr);
	if (in_packet(&packet, offset, length)) {
		copy(&packet, offset, to, length, false);
		return 0;
	}
	if (rt_dynptr_type(dynptr) == RT_DYNPTR_XDP)
		return -EINVAL;
	memset(to, 0, length);
	return -EFAULT;
}

long rt_dynptr_write(const struct rt_dynptr *dynptr, u32 offset, const void *from, u32 length,
		     u64 flags)
{
	bool skb = rt_dynptr_type(dynptr) == RT_DYNPTR_SKB;
	struct packet packet;
	long error;

	if (!dynptr->data || dynptr->size & RT_DYNPTR_RDONLY)
		return -EINVAL;
	error = rt_dynptr_check(dynptr, offset, length);
	if (error)
		return error;
	if (flags & ~(skb ? (u64)(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH) : 0))
		return -EINVAL;
	offset += dynptr->offset;
	if (!is_packet(dynptr)) {
		memmove((void *)(dynptr->data + offset), from, length);
		return 0;
	}
	packet = packet_of(dynptr);
	if (!in_packet(&packet, offset, length))
		return skb ? -EFAULT : -EINVAL;
	copy(&packet, offset, (u8 *)from, length, true);
	if (flags & BPF_F_INVALIDATE_HASH)
		((struct abi_rt_skb *)dynptr->data)->hash = 0;
	return 0;
}
