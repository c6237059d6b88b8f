/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that change bytes of a packet, and its checksums; results as in net/core/filter.c and
 * net/core/utils.c of Linux 6.18. What the kernel keeps of a checksum over the whole packet
 * (CHECKSUM_COMPLETE) is kept here bit by bit, since bpf_csum_update() shows it.
 */
#include "rt/helper/skb.h"
#include "rt/helper/families.h"
#include "rt/mem.h"

#define FIELD_OFFSET_MAX 0xffffu
#define CSUM_LEVEL_MAX	 3
#define CSUM_F_IPV6	 (1ull << 7) /* BPF_F_IPV6, newer than this header */
#define STORE_FLAGS	 (BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH)
#define L4_FLAGS                                                                      \
	(BPF_F_MARK_MANGLED_0 | BPF_F_MARK_ENFORCE | BPF_F_PSEUDO_HDR | CSUM_F_IPV6 | \
	 BPF_F_HDR_FIELD_MASK)
#define ECN_MASK 3

void skb_clear_hash(struct abi_rt_skb *skb)
{
	skb->hash = 0;
	skb->has_hash = false;
}

/* The sum of a block as it counts at this offset: at an odd one its bytes are swapped. */
static u32 sum_at(const u8 *at, u32 size, u32 offset)
{
	u32 sum = sum_bytes(at, size, 0);

	return offset % 2 ? sum >> 8 | sum << 24 : sum;
}

/* (skb, offset, from, len, flags) */
RT_HELPER(skb_store_bytes)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;
	u32 offset = (u32)r2, length = (u32)r4;
	bool sum = r5 & BPF_F_RECOMPUTE_CSUM && skb->ip_summed == ABI_CSUM_COMPLETE;
	u8 *at = (u8 *)skb->data + offset;

	if (r5 & ~STORE_FLAGS)
		return (u64)-EINVAL;
	if (offset > INT32_MAX || !skb_writable(skb, (u64)offset + length))
		return (u64)-EFAULT;
	if (sum)
		skb->csum = sum_sub(skb->csum, sum_at(at, length, offset));
	memcpy(at, (const void *)r3, length);
	if (sum)
		skb->csum = sum_add(skb->csum, sum_at(at, length, offset));
	if (r5 & BPF_F_INVALIDATE_HASH)
		skb_clear_hash(skb);
	return 0;
}

static u16 get16(const u8 *at)
{
	u16 value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void put16(u8 *at, u32 value)
{
	u16 narrow = (u16)value;

	memcpy(at, &narrow, sizeof(narrow));
}

static u32 sum16_add(u32 a, u32 b)
{
	u32 sum = (a + b) & 0xffff;

	return (sum + (sum < (b & 0xffff))) & 0xffff;
}

/* Ends a checksum: folded and inverted. */
static u32 finish(u32 sum)
{
	return ~sum_fold(sum) & 0xffff;
}

static void replace_by_diff(u8 *field, u32 diff)
{
	put16(field, finish(sum_add(diff, ~(u32)get16(field))));
}

static void replace_word(u8 *field, u32 from, u32 to)
{
	put16(field, finish(sum_add(sum_sub(~(u32)get16(field), from), to)));
}

/* The checks of both replacing helpers: the field, or NULL with *ret_error. */
static u8 *checksum_field(struct abi_rt_skb *skb, u32 offset, u64 unknown_flags, s64 *ret_error)
{
	*ret_error = unknown_flags ? -EINVAL : -EFAULT;
	if (unknown_flags || offset > FIELD_OFFSET_MAX || offset % 2 ||
	    !skb_writable(skb, (u64)offset + 2))
		return NULL;
	return (u8 *)skb->data + offset;
}

/* (skb, offset, from, to, flags) */
RT_HELPER(l3_csum_replace)
{
	s64 error;
	u8 *field = checksum_field((struct abi_rt_skb *)r1, (u32)r2, r5 & ~BPF_F_HDR_FIELD_MASK,
				   &error);

	if (!field)
		return (u64)error;
	switch (r5) {
	case 0:
		if (r3)
			return (u64)-EINVAL;
		replace_by_diff(field, (u32)r4);
		return 0;
	case 2:
		put16(field, ~sum16_add(sum16_add(~(u32)get16(field), ~(u32)r3), (u32)r4));
		return 0;
	case 4: replace_word(field, (u32)r3, (u32)r4); return 0;
	default: return (u64)-EINVAL;
	}
}

/* One field of a transport header's checksum; the packet's own knows of the pseudo header only. */
static s64 replace_l4(struct abi_rt_skb *skb, u8 *field, u64 from, u64 to, u64 flags)
{
	bool complete = skb->ip_summed == ABI_CSUM_COMPLETE && flags & BPF_F_PSEUDO_HDR;

	switch (flags & BPF_F_HDR_FIELD_MASK) {
	case 0:
		if (from)
			return -EINVAL;
		replace_by_diff(field, (u32)to);
		if (complete && !(flags & CSUM_F_IPV6))
			skb->csum = ~sum_sub((u32)to, skb->csum);
		return 0;
	case 2:
		from = (u16)from;
		to = (u16)to;
		break;
	case 4: break;
	default: return -EINVAL;
	}
	replace_word(field, (u32)from, (u32)to);
	if (complete)
		skb->csum = ~sum_add(sum_sub(~skb->csum, (u32)from), (u32)to);
	return 0;
}

/* (skb, offset, from, to, flags) */
RT_HELPER(l4_csum_replace)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;
	s64 error;
	u8 *field = checksum_field(skb, (u32)r2, r5 & ~L4_FLAGS, &error);

	if (!field)
		return (u64)error;
	if (r5 & BPF_F_MARK_MANGLED_0 && !(r5 & BPF_F_MARK_ENFORCE) && !get16(field))
		return 0; /* a packet without checksum */
	error = replace_l4(skb, field, r3, r4, r5);
	if (!error && r5 & BPF_F_MARK_MANGLED_0 && !get16(field))
		put16(field, 0xffff);
	return (u64)error;
}

/* (skb, csum) */
RT_HELPER(csum_update)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;

	if (skb->ip_summed != ABI_CSUM_COMPLETE)
		return (u64)-ENOTSUPP;
	skb->csum = sum_add(skb->csum, (u32)r2);
	return skb->csum;
}

static void one_level_more(struct abi_rt_skb *skb)
{
	if (skb->ip_summed == ABI_CSUM_UNNECESSARY) {
		skb->csum_level += skb->csum_level < CSUM_LEVEL_MAX;
	} else if (skb->ip_summed == ABI_CSUM_NONE) {
		skb->ip_summed = ABI_CSUM_UNNECESSARY;
		skb->csum_level = 0;
	}
}

static void one_level_less(struct abi_rt_skb *skb)
{
	if (skb->ip_summed != ABI_CSUM_UNNECESSARY)
		return;
	if (skb->csum_level)
		skb->csum_level--;
	else
		skb->ip_summed = ABI_CSUM_NONE;
}

void skb_forget_levels(struct abi_rt_skb *skb)
{
	if (skb->ip_summed != ABI_CSUM_UNNECESSARY)
		return;
	skb->ip_summed = ABI_CSUM_NONE;
	skb->csum_level = 0;
}

/* (skb, level) */
RT_HELPER(csum_level)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;

	switch (r2) {
	case BPF_CSUM_LEVEL_QUERY:
		return skb->ip_summed == ABI_CSUM_UNNECESSARY ? skb->csum_level : (u64)-EACCES;
	case BPF_CSUM_LEVEL_INC: one_level_more(skb); return 0;
	case BPF_CSUM_LEVEL_DEC: one_level_less(skb); return 0;
	case BPF_CSUM_LEVEL_RESET: skb_forget_levels(skb); return 0;
	default: return (u64)-EINVAL;
	}
}

/* The protocol behind VLAN tags that are in the packet; 0: there is none. */
static u32 inner_protocol(const struct abi_rt_skb *skb)
{
	u32 protocol = skb->protocol, at = skb->mac_len ? skb->mac_len - 4 : 14;

	if (skb_is_vlan(protocol) && skb->mac_len && skb->mac_len < 4)
		return 0;
	for (u32 tags = 0; skb_is_vlan(protocol); tags++, at += 4) {
		if (tags == 7 || at + 4 > skb_linear(skb))
			return 0;
		protocol = get16((const u8 *)skb->data + at + 2);
	}
	return protocol;
}

static u64 set_ce_ipv4(u8 *header)
{
	u32 ecn = (header[1] + 1) & ECN_MASK;

	if (!(ecn & 2))
		return !ecn; /* 0 is marked already, 1 does not take marks */
	/* The header's checksum, in network byte order: -3 or -2. */
	put16(header + 10, sum16_add(get16(header + 10), ecn == 2 ? 0xfdff : 0xfeff));
	header[1] |= ECN_MASK;
	return 1;
}

static u64 set_ce_ipv6(struct abi_rt_skb *skb, u8 *header)
{
	u32 from, to;

	if (!(header[1] & (ECN_MASK << 4)))
		return 0;
	memcpy(&from, header, sizeof(from));
	header[1] |= ECN_MASK << 4;
	memcpy(&to, header, sizeof(to));
	if (skb->ip_summed == ABI_CSUM_COMPLETE)
		skb->csum = sum_add(sum_sub(skb->csum, from), to);
	return 1;
}

/* (skb) */
RT_HELPER(skb_ecn_set_ce)
{
	struct abi_rt_skb *skb = (struct abi_rt_skb *)r1;
	u32 protocol = inner_protocol(skb), size = protocol == PROTO_IP ? 20 : 40;
	u8 *header = (u8 *)skb->network_header;

	if ((protocol != PROTO_IP && protocol != PROTO_IPV6) || skb_network_offset(skb) < 0 ||
	    skb_network_offset(skb) + size > skb_linear(skb))
		return 0;
	return protocol == PROTO_IP ? set_ce_ipv4(header) : set_ce_ipv6(skb, header);
}
