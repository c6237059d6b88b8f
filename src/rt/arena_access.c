/* SPDX-License-Identifier: BSD-2-Clause */
/* See arena_access.h. Each load reads memory once: clients write there at any time. */
#include "rt/arena_access.h"

#include "isa/opcode.h"
#include "rt/mem.h"
#include "rt/page_arena.h"
#include "rt/prog.h"
#include "rt/stream.h"
#include "rt/vcpu.h"

#define ADDRESS_REG 11 /* behind those that programs have */

static char *put(char *at, const char *text)
{
	while (*text)
		*at++ = *text++;
	return at;
}

static void report(const struct rt_prog *prog, u64 address, bool write, struct rt_vcpu *vcpu)
{
	char text[96], *at = put(text, "ERROR: Arena ");
	bool digits = false;

	at = put(at, write ? "WRITE" : "READ");
	at = put(at, " access at unmapped address 0x");
	for (s32 shift = 60; shift >= 0; shift -= 4) {
		u32 digit = address >> shift & 15;

		digits |= digit || !shift;
		if (digits)
			*at++ = "0123456789abcdef"[digit];
	}
	*at++ = '\n';
	*at = '\0';
	rt_stream_report(prog, text, vcpu);
}

static void *place(const struct rt_prog *prog, const struct bpf_insn *pc, u64 address, u32 bytes,
		   bool write, struct rt_vcpu *vcpu)
{
	const struct rt_map *map = prog->arena;
	void *at = map ? rt_page_arena_at(map, address, pc->off, bytes) : NULL;

	if (unlikely(!at && map))
		report(prog, (map->user_start & ~0xffffffffull) + (u32)address + (u64)(s64)pc->off,
		       write, vcpu);
	return at;
}

static u64 load(const void *at, u32 bytes)
{
	switch (bytes) {
	case 1: return *(const volatile u8 *)at;
	case 2: {
		struct {
			u16 value;
		} __attribute__((packed, may_alias)) const volatile *word = at;

		return word->value;
	}
	case 4: {
		struct {
			u32 value;
		} __attribute__((packed, may_alias)) const volatile *word = at;

		return word->value;
	}
	default: {
		struct {
			u64 value;
		} __attribute__((packed, may_alias)) const volatile *word = at;

		return word->value;
	}
	}
}

u64 rt_arena_load(const struct rt_prog *prog, const struct bpf_insn *pc, const u64 *reg,
		  struct rt_vcpu *vcpu)
{
	u32 bytes = isa_access_bytes(pc->code), unused = 64 - 8 * bytes;
	const void *at = place(prog, pc, reg[pc->src_reg], bytes, false, vcpu);
	u64 value = at ? load(at, bytes) : 0;

	return ISA_MODE(pc->code) == ISA_ARENA_MEMSX ? (u64)((s64)(value << unused) >> unused)
						     : value;
}

void rt_arena_store(const struct rt_prog *prog, const struct bpf_insn *pc, const u64 *reg,
		    struct rt_vcpu *vcpu)
{
	u32 bytes = isa_access_bytes(pc->code);
	void *at = place(prog, pc, reg[pc->dst_reg], bytes, true, vcpu);
	u64 value = BPF_CLASS(pc->code) == BPF_ST ? (u64)(s64)pc->imm : reg[pc->src_reg];

	if (at)
		memcpy(at, &value, bytes);
}

bool rt_arena_atomic(const struct rt_prog *prog, const struct bpf_insn *pc, u64 *reg,
		     struct bpf_insn *ret_insn, struct rt_vcpu *vcpu)
{
	bool loads = pc->imm == BPF_LOAD_ACQ;
	u32 bytes = isa_access_bytes(pc->code);
	void *at = place(prog, pc, reg[loads ? pc->src_reg : pc->dst_reg], bytes, !loads, vcpu);

	if (!at) {
		if (loads)
			reg[pc->dst_reg] = 0;
		return false;
	}
	*ret_insn = *pc;
	ret_insn->code = BPF_STX | BPF_ATOMIC | BPF_SIZE(pc->code);
	ret_insn->off = 0;
	reg[ADDRESS_REG] = (u64)at;
	if (loads)
		ret_insn->src_reg = ADDRESS_REG;
	else
		ret_insn->dst_reg = ADDRESS_REG;
	return true;
}

u64 rt_arena_cast(const struct rt_prog *prog, u64 address)
{
	return prog->arena ? rt_page_arena_to_user(prog->arena, address) : 0;
}
