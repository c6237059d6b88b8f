/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet bounds. A comparison of p = data + off with data_end says, on one of its ways, that off
 * bytes from data on are there: then all pointers with p's id have that range.
 */
#include "verify/packet.h"

#include "verify/mem.h"
#include "verify/slots.h"

static u8 flipped(u8 op)
{
	switch (op) {
	case BPF_JGT: return BPF_JLT;
	case BPF_JLT: return BPF_JGT;
	case BPF_JGE: return BPF_JLE;
	case BPF_JLE: return BPF_JGE;
	default: return op;
	}
}

enum scalar_truth packet_decide(const struct bpf_insn *insn, const struct reg *dst,
				const struct reg *src)
{
	u8 op = BPF_OP(insn->code);
	const struct reg *packet = dst;

	if (dst->type == PTR_TO_PACKET_END) {
		packet = src;
		op = flipped(op);
	} else if (src->type != PTR_TO_PACKET_END) {
		return SCALAR_MAYBE;
	}
	if (packet->range == RANGE_BEYOND_PKT_END && (op == BPF_JLE || op == BPF_JGT))
		return op == BPF_JGT ? SCALAR_ALWAYS : SCALAR_NEVER;
	if (packet->range < 0 && (op == BPF_JLT || op == BPF_JGE))
		return op == BPF_JGE ? SCALAR_ALWAYS : SCALAR_NEVER;
	return SCALAR_MAYBE;
}

struct found_range {
	u32 type, id;
	s32 range;
};

static bool knows_less(const struct reg *reg, const void *arg)
{
	const struct found_range *found = arg;

	return reg->type == found->type && reg->id == found->id && reg->range < found->range;
}

static void widen_range(struct reg *reg, const void *arg)
{
	reg->range = ((const struct found_range *)arg)->range;
}

/* In state, pointer (exclusive: pointer and one byte more) is not beyond the end. */
static void set_range(struct vstate *state, const struct reg *pointer, bool one_more)
{
	struct found_range found = { pointer->type, pointer->id, pointer->off + one_more };

	if (pointer->off < 0 || (!pointer->off && one_more))
		return;
	if (pointer->s.umax > MAX_PACKET_OFF ||
	    pointer->s.umax + (u64)pointer->off > MAX_PACKET_OFF)
		return;
	vstate_change_regs(state, knows_less, widen_range, &found);
}

/* In state, register regno is at the end or beyond it. */
static void set_at_end(struct vstate *state, u32 regno, bool beyond)
{
	struct reg *reg = &vstate_frame(state)->regs[regno];

	if (reg->type == PTR_TO_PACKET)
		reg->range = beyond ? RANGE_BEYOND_PKT_END : RANGE_AT_PKT_END;
}

static bool is_packet_start(const struct reg *reg)
{
	return reg->type == PTR_TO_PACKET && !reg->off && tnum_is_zero(reg->s.var_off);
}

/* low is a pointer into what ends at high: packet and its end, metadata and the packet's start. */
static bool is_bounded_by(const struct reg *low, const struct reg *high)
{
	return (low->type == PTR_TO_PACKET && high->type == PTR_TO_PACKET_END) ||
	       (low->type == PTR_TO_PACKET_META && is_packet_start(high));
}

bool packet_compare(struct verify_env *env, const struct bpf_insn *insn, const struct reg *dst,
		    const struct reg *src, struct vstate *other)
{
	u8 op = BPF_OP(insn->code);
	struct vstate *fall = env->cur, *taken = other;
	struct reg pointer;
	u32 regno;

	if (BPF_SRC(insn->code) != BPF_X || BPF_CLASS(insn->code) == BPF_JMP32)
		return false;
	if (is_bounded_by(dst, src)) {
		pointer = *dst;
		regno = insn->dst_reg;
	} else if (is_bounded_by(src, dst)) {
		pointer = *src;
		regno = insn->src_reg;
		op = flipped(op);
	} else {
		return false;
	}
	switch (op) {
	case BPF_JGT: /* pointer > end */
		set_range(fall, &pointer, false);
		set_at_end(taken, regno, true);
		return true;
	case BPF_JLT:
		set_range(taken, &pointer, true);
		set_at_end(fall, regno, false);
		return true;
	case BPF_JGE:
		set_range(fall, &pointer, true);
		set_at_end(taken, regno, false);
		return true;
	case BPF_JLE:
		set_range(taken, &pointer, false);
		set_at_end(fall, regno, true);
		return true;
	default: return false;
	}
}

static bool is_of_packet(const struct reg *reg, const void *arg)
{
	bool slice = reg_base(reg->type) == PTR_TO_MEM && dynptr_is_packet(reg->dynptr);

	return reg_is_any_packet(reg) || slice;
}

static void forget(struct reg *reg, const void *arg)
{
	reg_invalidate((struct verify_env *)arg, reg);
}

void packet_forget(struct verify_env *env)
{
	vstate_change_regs(env->cur, is_of_packet, forget, env);
}

bool packet_may_write(u32 prog_type)
{
	switch (prog_type) {
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_XDP:
	case BPF_PROG_TYPE_LWT_XMIT:
	case BPF_PROG_TYPE_SK_SKB:
	case BPF_PROG_TYPE_SK_MSG:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT: return true;
	default: return false;
	}
}
