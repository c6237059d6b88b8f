/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet loads of socket filters (BPF_ABS, BPF_IND). Both ends of the packet are checked here,
 * since the verifier proves nothing about these instructions.
 */
#include "abi/context.h"
#include "isa/opcode.h"
#include "rt/interp.h"

bool interp_load_packet(u64 *reg, const struct bpf_insn *pc)
{
	const struct abi_rt_skb *skb = (const struct abi_rt_skb *)reg[BPF_REG_6];
	u64 length = skb->data_end - skb->data, value = 0;
	u32 bytes = isa_access_bytes(pc->code);
	/* 32-bit arithmetic, as in classic BPF. */
	s32 offset = ISA_MODE(pc->code) == BPF_IND ? (s32)((u32)pc->imm + (u32)reg[pc->src_reg])
						   : pc->imm;

	if (offset < 0 || length < bytes || (u64)offset > length - bytes)
		return false;
	const volatile u8 *at = (const volatile u8 *)(skb->data + (u64)offset);

	for (u32 i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	reg[BPF_REG_0] = value;
	return true;
}
