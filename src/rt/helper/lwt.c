/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_lwt_push_encap(): an IP header before a packet of a light-weight tunnel
 * (net/core/lwt_bpf.c), and segment routing's functions, which work on the packet that the kernel's
 * own segment routing is at. Here it is at none.
 */
#include <linux/seg6_local.h>
#include "rt/helper/families.h"
#include "rt/helper/skb.h"
#include "rt/mem.h"

#define HEADROOM_MAX 256u /* LWT_BPF_MAX_HEADROOM */
#define IPV4_HEADER  20u
#define IPV6_HEADER  40u
#define UDP_HEADER   8u
#define UDP	     17

/* 0, or -EINVAL: it is no IP header, or one that is longer than what is given. */
static int check_header(const u8 *header, u32 size)
{
	bool v4 = header[0] >> 4 == 4;
	u32 length = v4 ? (header[0] & 15) * 4u : IPV6_HEADER;

	if (!v4 && header[0] >> 4 != 6)
		return -EINVAL;
	if (size < length)
		return -EINVAL;
	if (header[v4 ? 9 : 6] == UDP && size < length + UDP_HEADER)
		return -EINVAL;
	return 0;
}

static void set_checksum(u8 *header)
{
	u32 length = (header[0] & 15) * 4u;
	u16 sum;

	if (header[10] || header[11])
		return;
	sum = (u16)~sum_fold(sum_bytes(header, length, 0));
	memcpy(header + 10, &sum, sizeof(sum));
}

static u64 push_ip(struct abi_rt_skb *skb, const u8 *header, u32 size)
{
	bool v4;
	int error;

	if (size < IPV4_HEADER || size > HEADROOM_MAX || check_header(header, size))
		return (u64)-EINVAL;
	v4 = header[0] >> 4 == 4;
	error = skb_push(skb, size);
	if (error)
		return (u64)error;
	skb->network_header = skb->data;
	memcpy((void *)skb->data, header, size);
	skb_clear_hash(skb);
	skb->protocol = v4 ? PROTO_IP : PROTO_IPV6;
	if (v4)
		set_checksum((u8 *)skb->data);
	/* Packets of test runs have a GSO size, but no GSO type. */
	return skb_is_gso(skb) ? (u64)-ENOTSUPP : 0;
}

/* (skb, type, header, size) */
RT_HELPER(lwt_push_encap)
{
	return (u32)r2 == BPF_LWT_ENCAP_IP
		       ? push_ip((struct abi_rt_skb *)r1, (const u8 *)r3, (u32)r4)
		       : (u64)-EINVAL;
}

/* (skb, offset, bytes, size) and (skb, offset, delta) */
RT_HELPER(lwt_seg6_change)
{
	return (u64)-EINVAL;
}

/* (skb, action, parameter, size): every action looks for the header of segments first. */
RT_HELPER(lwt_seg6_action)
{
	switch ((u32)r2) {
	case SEG6_LOCAL_ACTION_END_X:
	case SEG6_LOCAL_ACTION_END_T:
	case SEG6_LOCAL_ACTION_END_DT6: return (u64)-EBADMSG;
	default: return (u64)-EINVAL;
	}
}
