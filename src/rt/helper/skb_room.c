/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that make a packet longer or shorter, at its head, its tail or between its headers;
 * results as in net/core/filter.c and net/core/skbuff.c of Linux 6.18. The packet stays in the
 * memory that it was given (room_start to room_end): where the kernel would get more, there is
 * -ENOMEM. Packets with a GSO size have no GSO type here, as in the kernel's test runs.
 */
#include "rt/helper/skb.h"
#include "rt/helper/families.h"
#include "rt/mem.h"

#define ETH_HEADER	  14u
#define ETH_ADDRESSES	  12u
#define VLAN_TAG	  4u
#define IPV4_HEADER	  20u
#define IPV6_HEADER	  40u
#define LENGTH_MAX	  16064u /* SKB_MAX_ALLOC */
#define ROOM_DIFF_MAX	  0xfffu
#define PROTO_802_3	  0x0100 /* ETH_P_802_3 and ETH_P_802_2, in network byte order */
#define PROTO_802_2	  0x0400
#define PROTO_MIN	  6 /* high byte of ETH_P_802_3_MIN */
#define PACKET_TYPE_MAX	  3 /* PACKET_OTHERHOST */
#define ENCAP_L2_SHIFT	  BPF_ADJ_ROOM_ENCAP_L2_SHIFT
#define ROOM_DECAP_L3_V4  (1ull << 7) /* BPF_F_ADJ_ROOM_DECAP_L3_IPV4, _IPV6 */
#define ROOM_DECAP_L3_V6  (1ull << 8)
#define ROOM_DECAP	  (ROOM_DECAP_L3_V4 | ROOM_DECAP_L3_V6)
#define ROOM_ENCAP	  (BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6)
#define ROOM_ENCAP_L4	  (BPF_F_ADJ_ROOM_ENCAP_L4_GRE | BPF_F_ADJ_ROOM_ENCAP_L4_UDP)
#define ROOM_ENCAP_L2_ETH (1ull << 6) /* BPF_F_ADJ_ROOM_ENCAP_L2_ETH */
#define ROOM_FLAGS                                                                   \
	(BPF_F_ADJ_ROOM_FIXED_GSO | ROOM_ENCAP | ROOM_ENCAP_L4 | ROOM_ENCAP_L2_ETH | \
	 ((u64)BPF_ADJ_ROOM_ENCAP_L2_MASK << ENCAP_L2_SHIFT) | ROOM_DECAP |          \
	 BPF_F_ADJ_ROOM_NO_CSUM_RESET)
#define SHRINK_FLAGS (BPF_F_ADJ_ROOM_FIXED_GSO | ROOM_DECAP | BPF_F_ADJ_ROOM_NO_CSUM_RESET)

void skb_sync(struct abi_rt_skb *skb)
{
	skb->len = skb_linear(skb) + skb->frags_size;
	skb->data_meta = skb->data;
}

int skb_push(struct abi_rt_skb *skb, u64 size)
{
	if (!skb->room_start || size > skb->data - skb->room_start)
		return -ENOMEM;
	skb->data -= size;
	skb_sync(skb);
	return 0;
}

int skb_pull(struct abi_rt_skb *skb, u64 size)
{
	if (size > skb_linear(skb))
		return -ENOMEM;
	skb->data += size;
	skb_sync(skb);
	return 0;
}

static u32 negated(u32 sum)
{
	return -sum;
}

void skb_sum_without(struct abi_rt_skb *skb, const u8 *at, u32 size)
{
	if (skb->ip_summed == ABI_CSUM_COMPLETE)
		skb->csum = negated(sum_bytes(at, size, negated(skb->csum)));
}

static void reset_mac_len(struct abi_rt_skb *skb)
{
	skb->mac_len = (u16)(skb->network_header - skb->mac_header);
}

/* (skb, len) */
RT_HELPER(skb_pull_data)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;

	return skb_writable(skb, (u32)r2) ? 0 : (u64)-ENOMEM;
}

/* (skb, head_room, flags): zeros before the packet, for a link layer's header. */
RT_HELPER(skb_change_head)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;
	u32 room = (u32)r2, length = skb->len + room;
	int error;

	if (r3 || (!skb_is_gso(skb) && length > LENGTH_MAX) || length < skb->len)
		return (u64)-EINVAL;
	error = skb_push(skb, room);
	if (error)
		return (u64)error;
	memset((void *)skb->data, 0, room);
	skb->mac_header = skb->data;
	reset_mac_len(skb);
	return 0;
}

/* Where the last header begins that the packet may not lose. */
static s64 length_min(const struct abi_rt_skb *skb)
{
	s64 network = skb_network_offset(skb), min = network > 0 ? network : 0;
	s64 transport = (s64)(skb->transport_header - skb->data);

	return skb->transport_header && transport > 0 ? transport : min;
}

/* (skb, new_len, flags) */
RT_HELPER(skb_change_tail)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;
	u32 length = (u32)r2, old = skb_linear(skb);

	if (r3 || length > LENGTH_MAX || length < length_min(skb))
		return (u64)-EINVAL;
	if (skb->encapsulated || skb->frags_size)
		return (u64)-ENOTSUPP;
	if (length > old && (skb->room_end < skb->data || length > skb->room_end - skb->data))
		return (u64)-ENOMEM;
	if (length != old && skb->ip_summed == ABI_CSUM_COMPLETE)
		skb->ip_summed = ABI_CSUM_NONE;
	if (length > old)
		memset((void *)skb->data_end, 0, length - old);
	skb->data_end = skb->data + length;
	skb_sync(skb);
	if (skb_is_gso(skb))
		skb->gso_size = skb->gso_segs = 0;
	return 0;
}

/* Room of size zeros behind the first `off` bytes; headers before it move. */
static int push_behind(struct abi_rt_skb *skb, u64 off, u32 size)
{
	bool same = skb->transport_header == skb->network_header;
	int error = off > skb_linear(skb) ? -ENOMEM : skb_push(skb, size);

	if (error)
		return error;
	memmove((void *)skb->data, (const void *)(skb->data + size), off);
	memset((void *)(skb->data + off), 0, size);
	skb->mac_header -= size;
	skb->network_header -= size;
	if (same)
		skb->transport_header = skb->network_header;
	return 0;
}

static int pop_behind(struct abi_rt_skb *skb, u64 off, u32 size)
{
	bool same = skb->transport_header == skb->network_header;
	u64 old = skb->data;

	if (off + size > skb_linear(skb))
		return -ENOMEM;
	skb_sum_without(skb, (const u8 *)old + off, size);
	skb_pull(skb, size);
	memmove((void *)skb->data, (const void *)old, off);
	skb->mac_header += size;
	skb->network_header += size;
	if (same)
		skb->transport_header = skb->network_header;
	return 0;
}

static u64 mac_header_size(const struct abi_rt_skb *skb)
{
	return skb->network_header - skb->mac_header;
}

/* (skb, proto, flags): IPv4 to IPv6 or back; the program writes the headers itself. */
RT_HELPER(skb_change_proto)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;
	u32 from = skb->protocol, to = (u16)r2;
	int error = -ENOTSUPP;

	if (r3)
		return (u64)-EINVAL;
	if (from == PROTO_IP && to == PROTO_IPV6)
		error = push_behind(skb, mac_header_size(skb), IPV6_HEADER - IPV4_HEADER);
	else if (from == PROTO_IPV6 && to == PROTO_IP)
		error = pop_behind(skb, mac_header_size(skb), IPV6_HEADER - IPV4_HEADER);
	if (error)
		return (u64)error;
	skb->protocol = to;
	skb_clear_hash(skb);
	return 0;
}

/* (skb, type) */
RT_HELPER(skb_change_type)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;

	if (skb->pkt_type > PACKET_TYPE_MAX || (u32)r2 > PACKET_TYPE_MAX)
		return (u64)-EINVAL;
	skb->pkt_type = (u32)r2;
	return 0;
}

static int check_encap(const struct abi_rt_skb *skb, u32 size, u64 flags)
{
	u8 inner_mac = (u8)(flags >> ENCAP_L2_SHIFT);

	if ((flags & ROOM_ENCAP) == ROOM_ENCAP || (flags & ROOM_ENCAP_L4) == ROOM_ENCAP_L4)
		return -EINVAL;
	if (flags & ROOM_ENCAP_L2_ETH && inner_mac < ETH_HEADER)
		return -EINVAL;
	if (skb->encapsulated)
		return -EALREADY;
	return inner_mac > size ? -EINVAL : 0;
}

static int grow(struct abi_rt_skb *skb, u64 off, u32 size, u64 flags)
{
	bool encap = flags & ROOM_ENCAP, ipv6 = flags & BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;
	u64 mac = mac_header_size(skb);
	int error = encap ? check_encap(skb, size, flags) : 0;

	if (!error)
		error = push_behind(skb, off, size);
	if (error || !encap)
		return error;
	skb->encapsulated = true;
	skb->network_header = skb->data + mac;
	if (flags & ROOM_ENCAP_L4)
		skb->transport_header = skb->network_header + (ipv6 ? IPV6_HEADER : IPV4_HEADER);
	skb->protocol = ipv6 ? PROTO_IPV6 : PROTO_IP;
	return 0;
}

static int shrink(struct abi_rt_skb *skb, u64 off, u32 size, u64 flags)
{
	int error = flags & ~SHRINK_FLAGS ? -EINVAL : 0;

	if (!error && skb_is_gso(skb))
		error = -ENOTSUPP;
	if (!error)
		error = pop_behind(skb, off, size);
	if (error)
		return error;
	if (flags & ROOM_DECAP)
		skb->protocol = flags & ROOM_DECAP_L3_V6 ? PROTO_IPV6 : PROTO_IP;
	return 0;
}

/* The smallest network header that has to be left; 0: flags that contradict themselves. */
static u32 header_min(const struct abi_rt_skb *skb, bool shrinks, u64 flags)
{
	if (!(flags & ROOM_DECAP))
		return skb->protocol == PROTO_IP ? IPV4_HEADER : IPV6_HEADER;
	if (!shrinks || (flags & ROOM_DECAP) == ROOM_DECAP)
		return 0;
	return flags & ROOM_DECAP_L3_V4 ? IPV4_HEADER : IPV6_HEADER;
}

static s64 adjust(struct abi_rt_skb *skb, s32 diff, u32 mode, u64 flags)
{
	u32 size = diff < 0 ? -(u32)diff : (u32)diff, min;
	s64 current = (s64)skb->len - skb_network_offset(skb);
	u64 off = mac_header_size(skb);

	if (flags & ~ROOM_FLAGS)
		return -EINVAL;
	if (size > ROOM_DIFF_MAX)
		return -EFAULT;
	if ((skb->protocol != PROTO_IP && skb->protocol != PROTO_IPV6) ||
	    (mode != BPF_ADJ_ROOM_NET && mode != BPF_ADJ_ROOM_MAC))
		return -ENOTSUPP;
	if (mode == BPF_ADJ_ROOM_NET)
		off += skb->protocol == PROTO_IP ? IPV4_HEADER : IPV6_HEADER;
	min = header_min(skb, diff < 0, flags);
	if (!min)
		return -EINVAL;
	if (diff < 0 ? size >= current || current - size < min
		     : skb->len + size > LENGTH_MAX && !skb_is_gso(skb))
		return -ENOTSUPP;
	if (diff < 0)
		return shrink(skb, off, size, flags);
	return skb_is_gso(skb) ? -ENOTSUPP : grow(skb, off, size, flags);
}

/* (skb, len_diff, mode, flags) */
RT_HELPER(skb_adjust_room)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;
	s64 error = adjust(skb, (s32)r2, (u32)r3, r4);

	if (!error && !(r4 & BPF_F_ADJ_ROOM_NO_CSUM_RESET))
		skb_forget_levels(skb);
	return (u64)error;
}

static u32 swapped(u32 value)
{
	return (value >> 8 & 0xff) | (value & 0xff) << 8;
}

static void put_tag(struct abi_rt_skb *skb, u32 protocol, u32 tci)
{
	skb->vlan_present = 1;
	skb->vlan_proto = protocol;
	skb->vlan_tci = tci;
}

/* The tag beside the packet goes into it, behind the addresses. */
static int insert_tag(struct abi_rt_skb *skb)
{
	u16 tag[2] = { (u16)skb->vlan_proto, (u16)swapped(skb->vlan_tci) };
	int error;

	if (skb->data != skb->mac_header || skb_linear(skb) < ETH_HEADER)
		return -EINVAL;
	error = skb_push(skb, VLAN_TAG);
	if (error)
		return error;
	memmove((void *)skb->data, (const void *)(skb->data + VLAN_TAG), ETH_ADDRESSES);
	memcpy((void *)(skb->data + ETH_ADDRESSES), tag, sizeof(tag));
	skb->mac_header -= VLAN_TAG;
	skb->network_header -= VLAN_TAG;
	skb->protocol = skb->vlan_proto;
	if (skb->ip_summed == ABI_CSUM_COMPLETE)
		skb->csum = sum_bytes((const u8 *)skb->data + ETH_ADDRESSES, VLAN_TAG, skb->csum);
	return 0;
}

/* (skb, proto, tci) */
RT_HELPER(skb_vlan_push)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;
	u32 protocol = skb_is_vlan((u16)r2) ? (u16)r2 : VLAN_Q;
	int error = skb->vlan_present ? insert_tag(skb) : 0;

	if (!error)
		put_tag(skb, protocol, (u16)r3);
	reset_mac_len(skb);
	return (u64)error;
}

/* What follows a tag: its type, or the kernel's names for frames that have a length there. */
static u32 tagged_protocol(const struct abi_rt_skb *skb, const u8 *tag)
{
	u16 protocol;

	memcpy(&protocol, tag + 2, sizeof(protocol));
	if (tag[2] >= PROTO_MIN)
		return protocol;
	if ((u64)tag + VLAN_TAG + 2 <= skb->room_end && tag[4] == 0xff && tag[5] == 0xff)
		return PROTO_802_3;
	return PROTO_802_2;
}

/* A tag comes out of the packet. */
static int remove_tag(struct abi_rt_skb *skb, u32 *ret_tci)
{
	u8 *data = (u8 *)skb->data;

	if (skb->data != skb->mac_header)
		return -EINVAL;
	if (!skb_writable(skb, ETH_HEADER + VLAN_TAG))
		return -ENOMEM;
	skb_sum_without(skb, data + ETH_ADDRESSES, VLAN_TAG);
	*ret_tci = (u32)data[ETH_HEADER] << 8 | data[ETH_HEADER + 1];
	skb->protocol = tagged_protocol(skb, data + ETH_HEADER);
	memmove(data + VLAN_TAG, data, ETH_ADDRESSES);
	skb_pull(skb, VLAN_TAG);
	skb->mac_header += VLAN_TAG;
	if (skb_network_offset(skb) < (s64)ETH_HEADER)
		skb->network_header = skb->data + ETH_HEADER;
	reset_mac_len(skb);
	return 0;
}

/* (skb): the next tag in the packet, if there is one, moves beside it. */
RT_HELPER(skb_vlan_pop)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;
	u32 protocol, tci;
	int error = 0;

	if (skb->vlan_present)
		skb->vlan_present = skb->vlan_proto = skb->vlan_tci = 0;
	else if (!skb_is_vlan(skb->protocol))
		return 0;
	else
		error = remove_tag(skb, &tci);
	if (error || !skb_is_vlan(skb->protocol))
		return (u64)error;
	protocol = skb->protocol;
	error = remove_tag(skb, &tci);
	if (!error)
		put_tag(skb, protocol, tci);
	return (u64)error;
}
