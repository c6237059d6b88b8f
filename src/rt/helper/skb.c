/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that read the packet of a struct abi_rt_skb, and checksums; results as in
 * net/core/filter.c of Linux 6.18. Offsets and lengths come from the program and are checked here.
 */
#include "rt/helper/skb.h"
#include "rt/helper/families.h"
#include "rt/prog.h"
#include "rt/mem.h"

#define HEADER_OFFSET_MAX 0xffffu

static u64 fail(void *to, u32 length)
{
	memset(to, 0, length);
	return (u64)-EFAULT;
}

/* (skb, offset, to, len): fragments too. */
RT_HELPER(skb_load_bytes)
{
	const struct abi_rt_skb *skb = (const struct abi_rt_skb *)r1;
	u32 offset = (u32)r2, length = (u32)r4, linear = (u32)(skb->data_end - skb->data), part = 0;
	u8 *to = (u8 *)r3;

	/* A flow dissector is asked before there is a socket buffer. */
	if (vcpu->prog->type == BPF_PROG_TYPE_FLOW_DISSECTOR)
		return fail(to, length);
	if ((u64)offset + length > (u64)linear + skb->frags_size)
		return fail(to, length);
	if (offset < linear) {
		part = length < linear - offset ? length : linear - offset;
		memcpy(to, (const void *)(skb->data + offset), part);
	}
	if (part < length)
		memcpy(to + part, (const void *)(skb->frags + (offset + part - linear)),
		       length - part);
	return 0;
}

/* (skb, offset, to, len, start_header): what is linear of the packet. */
RT_HELPER(skb_load_bytes_relative)
{
	const struct abi_rt_skb *skb = (const struct abi_rt_skb *)r1;
	u64 start = skb->network_header;
	u32 offset = (u32)r2, length = (u32)r4;

	if ((u32)r5 == BPF_HDR_START_MAC)
		start = skb->mac_header;
	if ((u32)r5 > BPF_HDR_START_NET || offset > HEADER_OFFSET_MAX ||
	    (s64)(skb->data_end - start) < (s64)offset + length)
		return fail((void *)r3, length);
	memcpy((void *)r3, (const void *)(start + offset), length);
	return 0;
}

u32 sum_bytes(const u8 *bytes, u32 size, u32 sum)
{
	for (u32 i = 0; i < size; i += 4) {
		u32 word = 0;

		memcpy(&word, bytes + i, size - i < 4 ? size - i : 4);
		sum = sum_add(sum, word);
	}
	return sum;
}

/* (from, from_size, to, to_size, seed): any size is fine since 6.13, and the sum has 16 bits. */
RT_HELPER(csum_diff)
{
	u32 from_size = (u32)r2, to_size = (u32)r4, seed = (u32)r5;

	/* The forms differ in which zero they give, 0 or 0xffff. */
	if (from_size && to_size)
		return sum_fold(sum_add(sum_bytes((const u8 *)r3, to_size, seed),
					~sum_bytes((const u8 *)r1, from_size, 0)));
	if (from_size)
		return sum_fold(~sum_bytes((const u8 *)r1, from_size, ~seed));
	return sum_fold(sum_bytes((const u8 *)r3, to_size, seed));
}
