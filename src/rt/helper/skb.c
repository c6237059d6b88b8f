/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers over the packet of a struct abi_rt_skb, and checksums; results as in net/core/filter.c of
 * Linux 6.18. Offsets and lengths come from the program and are checked here.
 */
#include "abi/context.h"
#include "rt/helper/families.h"
#include "rt/mem.h"

#define HEADER_OFFSET_MAX 0xffffu

/* Copies length bytes at offset behind start, or zeroes them when that is not all in the packet. */
static u64 load(const struct abi_rt_skb *skb, u64 start, u64 offset, void *to, u32 length)
{
	u64 room = skb->data_end - start;

	if (start > skb->data_end || offset > room || length > room - offset) {
		memset(to, 0, length);
		return (u64)-EFAULT;
	}
	memcpy(to, (const void *)(start + offset), length);
	return 0;
}

/* (skb, offset, to, len) */
RT_HELPER(skb_load_bytes)
{
	const struct abi_rt_skb *skb = (const struct abi_rt_skb *)r1;

	return load(skb, skb->data, (u32)r2, (void *)r3, (u32)r4);
}

/* (skb, offset, to, len, start_header) */
RT_HELPER(skb_load_bytes_relative)
{
	const struct abi_rt_skb *skb = (const struct abi_rt_skb *)r1;
	u64 start = skb->network_header;

	if ((u32)r5 == BPF_HDR_START_MAC)
		start = skb->mac_header;
	if ((u32)r5 > BPF_HDR_START_NET || (u32)r2 > HEADER_OFFSET_MAX) {
		memset((void *)r3, 0, (u32)r4);
		return (u64)-EFAULT;
	}
	return load(skb, start, (u32)r2, (void *)r3, (u32)r4);
}

/* Sums with end-around carry: 0 only if everything was 0. */
static u32 sum_add(u32 a, u32 b)
{
	u32 sum = a + b;

	return sum + (sum < b);
}

static u32 sum_words(const u8 *bytes, u32 size, u32 sum)
{
	for (u32 i = 0; i < size; i += 4) {
		u32 word;

		memcpy(&word, bytes + i, 4);
		sum = sum_add(sum, word);
	}
	return sum;
}

static u32 fold(u32 sum)
{
	sum = (sum >> 16) + (sum & 0xffff);
	return (sum >> 16) + (sum & 0xffff);
}

/* (from, from_size, to, to_size, seed) */
RT_HELPER(csum_diff)
{
	u32 from_size = (u32)r2, to_size = (u32)r4, sum = (u32)r5;

	if ((from_size | to_size) % 4)
		return (u64)-EINVAL;
	if (to_size)
		sum = sum_words((const u8 *)r3, to_size, sum);
	if (from_size)
		sum = sum_add(sum, ~sum_words((const u8 *)r1, from_size, 0));
	return from_size || to_size ? fold(sum) : sum;
}
