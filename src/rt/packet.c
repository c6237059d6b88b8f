/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet loads of socket filters (BPF_ABS, BPF_IND). Both ends of the packet are checked here,
 * since the verifier proves nothing about these instructions.
 */
#include "abi/context.h"
#include "isa/opcode.h"
#include "rt/interp.h"

/* SKF_NET_OFF and SKF_LL_OFF of <linux/filter.h>: offsets from a header instead of the data. */
#define NET_OFF (-0x100000)
#define LL_OFF	(-0x200000)

/* Where the load begins, as a distance from skb->data; false for an offset that means nothing. */
static bool resolve(const struct abi_rt_skb *skb, s32 offset, s64 *ret_at)
{
	if (offset >= 0)
		*ret_at = offset;
	else if (offset >= NET_OFF)
		*ret_at = (s64)offset - NET_OFF + (s64)(skb->network_header - skb->data);
	else if (offset >= LL_OFF)
		*ret_at = (s64)offset - LL_OFF + (s64)(skb->mac_header - skb->data);
	else
		return false;
	return true;
}

bool interp_load_packet(u64 *reg, const struct bpf_insn *pc)
{
	const struct abi_rt_skb *skb = (const struct abi_rt_skb *)reg[BPF_REG_6];
	s64 linear = (s64)(skb->data_end - skb->data), at;
	u32 bytes = isa_access_bytes(pc->code);
	u64 value = 0;
	/* 32-bit arithmetic, as in classic BPF. */
	s32 offset = ISA_MODE(pc->code) == BPF_IND ? (s32)((u32)pc->imm + (u32)reg[pc->src_reg])
						   : pc->imm;

	if (!resolve(skb, offset, &at) || at < (s64)(skb->mac_header - skb->data) ||
	    at > linear + (s64)skb->frags_size - (s64)bytes)
		return false;
	for (u32 i = 0; i < bytes; i++, at++) {
		u64 from = at < linear ? skb->data + (u64)at : skb->frags + (u64)(at - linear);

		value = value << 8 | *(const volatile u8 *)from;
	}
	reg[BPF_REG_0] = value;
	return true;
}
