/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the families of helpers over a struct abi_rt_skb share: checksums, and moving the packet's
 * borders within its memory.
 */
#ifndef SKEP_RT_HELPER_SKB_H
#define SKEP_RT_HELPER_SKB_H

#include "abi/context.h"

#define ENOTSUPP   524	  /* the kernel's own */
#define PROTO_IP   0x0008 /* ETH_P_IP and so on, in network byte order */
#define PROTO_IPV6 0xdd86
#define VLAN_Q	   0x0081
#define VLAN_AD	   0xa888

/* Bytes of the packet that programs can reach by pointers. */
static inline u32 skb_linear(const struct abi_rt_skb *skb)
{
	return (u32)(skb->data_end - skb->data);
}

/* Are the first `size` bytes of the packet there to be written? */
static inline bool skb_writable(const struct abi_rt_skb *skb, u64 size)
{
	return size <= skb_linear(skb);
}

static inline bool skb_is_gso(const struct abi_rt_skb *skb)
{
	return skb->gso_size;
}

static inline bool skb_is_vlan(u32 protocol)
{
	return protocol == VLAN_Q || protocol == VLAN_AD;
}

/* Where the network header begins, from data on. */
static inline s64 skb_network_offset(const struct abi_rt_skb *skb)
{
	return (s64)(skb->network_header - skb->data);
}

/* Sums with end-around carry: 0 only if everything was 0. */
static inline u32 sum_add(u32 a, u32 b)
{
	u32 sum = a + b;

	return sum + (sum < b);
}

static inline u32 sum_sub(u32 a, u32 b)
{
	return sum_add(a, ~b);
}

static inline u32 sum_fold(u32 sum)
{
	sum = (sum >> 16) + (sum & 0xffff);
	return (sum >> 16) + (sum & 0xffff);
}

/* Words of the machine; what is left at the end counts as if zeros followed. */
u32 sum_bytes(const u8 *bytes, u32 size, u32 sum);

/* size bytes at `at` leave the packet: so they do from its complete checksum. */
void skb_sum_without(struct abi_rt_skb *skb, const u8 *at, u32 size);

/*
 * Moves the packet's start: by size bytes to the front, or off the front. 0, or -ENOMEM without
 * any change when there is no room or no such packet.
 */
int skb_push(struct abi_rt_skb *skb, u64 size);
int skb_pull(struct abi_rt_skb *skb, u64 size);

/* After data or data_end moved. */
void skb_sync(struct abi_rt_skb *skb);

void skb_clear_hash(struct abi_rt_skb *skb);

/* What hardware said about checksums of inner headers is true no more. */
void skb_forget_levels(struct abi_rt_skb *skb);

#endif
