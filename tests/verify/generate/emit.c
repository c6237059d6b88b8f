/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What statements are made of: chance, instructions, and the idea of what registers hold.
 */
#include "verify/generate/gen.h"

#include <string.h>

u64 gen_next(struct gen *g)
{
	g->state += 0x9e3779b97f4a7c15ULL;
	u64 z = g->state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

unsigned pick(struct gen *g, unsigned n)
{
	return (unsigned)(gen_next(g) >> 33) % n;
}

bool chance(struct gen *g, unsigned in_1000)
{
	return pick(g, 1000) < in_1000;
}

bool liberty(struct gen *g)
{
	return chance(g, g->liberty);
}

s32 pick_imm(struct gen *g)
{
	static const s32 special[] = { 0,    1,	    -1,	    2,	    7,	     8,		15,
				       16,   31,    32,	    63,	    64,	     0x7f,	0x80,
				       0xff, 0x100, 0x7fff, 0xffff, 0x10000, INT32_MAX, INT32_MIN,
				       512,  -512,  4,	    48,	    47,	     40,	-8 };

	switch (pick(g, 4)) {
	case 0: return (s32)pick(g, 17) - 8;
	case 1: return (s32)gen_next(g);
	case 2: return (s32)(gen_next(g) >> pick(g, 63));
	default: return special[pick(g, ARRAY_SIZE(special))];
	}
}

u32 emit(struct gen *g, u8 code, u8 dst, u8 src, s32 off, s32 imm)
{
	if (g->p->nr_insns >= GEN_MAX_INSNS)
		return GEN_MAX_INSNS - 1;
	g->p->insns[g->p->nr_insns] = (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = (s16)off, .imm = imm
	};
	return g->p->nr_insns++;
}

bool is_room(struct gen *g)
{
	return g->p->nr_insns < GEN_MAX_INSNS - 160;
}

void note(struct gen *g, enum gen_topic topic)
{
	g->p->topics |= 1u << topic;
}

void land(struct gen *g, u32 jump)
{
	g->p->insns[jump].off = (s16)(g->p->nr_insns - jump - 1);
}

void emit_map(struct gen *g, u8 dst, enum gen_map map)
{
	emit(g, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, (s32)map);
	emit(g, 0, 0, 0, 0, 0);
	set_kind(g, dst, K_OTHER, 0);
}

void set_kind(struct gen *g, u8 reg, enum kind kind, unsigned size)
{
	g->v.kind[reg] = (u8)kind;
	g->v.size[reg] = (u8)size;
}

void emit_mov(struct gen *g, u8 dst, u8 src)
{
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
	set_kind(g, dst, g->v.kind[src], g->v.size[src]);
}

void emit_const(struct gen *g, u8 dst, s32 imm)
{
	emit(g, (chance(g, 800) ? BPF_ALU64 : BPF_ALU) | BPF_MOV | BPF_K, dst, 0, 0, imm);
	set_kind(g, dst, K_SCALAR, 0);
}

void emit_stack_address(struct gen *g, u8 dst, s32 off)
{
	emit_mov(g, dst, 10);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, off);
}

static void clobber(struct gen *g, enum kind result, unsigned size)
{
	for (u8 i = 1; i <= 5; i++)
		set_kind(g, i, K_NONE, 0);
	set_kind(g, 0, result, size);
}

void emit_helper(struct gen *g, s32 helper, enum kind result, unsigned size)
{
	emit(g, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
	clobber(g, result, size);
}

void emit_kfunc(struct gen *g, enum gen_kfunc kfunc, enum kind result, unsigned size)
{
	emit(g, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, (s32)kfunc);
	clobber(g, result, size);
}

u8 find(struct gen *g, enum kind kind)
{
	u8 found[11];
	unsigned nr = 0;

	if (liberty(g))
		return (u8)pick(g, 11);
	for (u8 i = 0; i < 10; i++)
		if (g->v.kind[i] == kind)
			found[nr++] = i;
	return nr ? found[pick(g, nr)] : NO_REG;
}

static bool is_reserved(const struct gen *g, u8 reg)
{
	return g->reserved >> reg & 1;
}

u8 pick_target(struct gen *g)
{
	u8 reg = (u8)pick(g, 10);

	/* The context and pointers live longer. */
	if (g->v.kind[reg] > K_SCALAR && chance(g, 700))
		reg = (u8)pick(g, 10);
	return is_reserved(g, reg) ? (u8)pick(g, 6) : reg;
}

u8 pick_saved(struct gen *g)
{
	u8 reg = (u8)(7 + pick(g, 3));

	for (u8 i = 0; i < 3; i++, reg = reg == 9 ? 7 : reg + 1)
		if (!is_reserved(g, reg))
			return reg;
	return NO_REG;
}

u8 need_scalar(struct gen *g)
{
	u8 reg = find(g, K_SCALAR);

	if (reg != NO_REG)
		return reg;
	reg = pick_target(g);
	if (g->no_calls || chance(g, 400)) {
		emit_const(g, reg, pick_imm(g));
	} else {
		emit_helper(g, chance(g, 500) ? BPF_FUNC_ktime_get_ns : BPF_FUNC_get_prandom_u32,
			    K_SCALAR, 0);
		emit_mov(g, reg, 0);
	}
	return reg;
}

s32 object_room(struct gen *g)
{
	if (g->objects == MAX_OBJECTS)
		return 0;
	return OBJECTS_OFF - 16 * (s32)g->objects++;
}

bool has_packet(const struct gen *g)
{
	return g->p->prog_type == BPF_PROG_TYPE_XDP || g->p->prog_type == BPF_PROG_TYPE_SCHED_CLS ||
	       g->p->prog_type == BPF_PROG_TYPE_CGROUP_SKB;
}

bool is_tracing(const struct gen *g)
{
	switch (g->p->prog_type) {
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_PERF_EVENT: return true;
	default: return false;
	}
}

void emit_size(struct gen *g, u8 reg, unsigned max)
{
	u8 src;

	if (chance(g, 600)) {
		emit_const(g, reg, liberty(g) ? pick_imm(g) : (s32)(1 + pick(g, max)));
		return;
	}
	src = find(g, K_SCALAR);
	if (src == NO_REG || src == 0) {
		emit_const(g, reg, (s32)max);
		return;
	}
	emit_mov(g, reg, src);
	emit(g, (chance(g, 500) ? BPF_ALU64 : BPF_ALU) | BPF_AND | BPF_K, reg, 0, 0,
	     (s32)(max / 2));
	if (chance(g, 600))
		emit(g, BPF_ALU64 | BPF_ADD | BPF_K, reg, 0, 0, 1);
}

s32 emit_key(struct gen *g, unsigned size)
{
	s32 off = -8 * (s32)(1 + pick(g, NR_SLOTS - 1));
	u8 width = size <= 4 ? BPF_W : BPF_DW;

	if (chance(g, 600))
		emit(g, BPF_ST | BPF_MEM | width, 10, 0, off, (s32)pick(g, 5));
	else
		emit(g, BPF_STX | BPF_MEM | width, 10, need_scalar(g), off, 0);
	g->v.slot[-off / 8 - 1] = size <= 4 ? K_NONE : K_SCALAR;
	return off;
}

void check_null(struct gen *g, u8 reg, enum kind kind, unsigned size)
{
	u32 jump;

	if (liberty(g)) {
		set_kind(g, reg, kind, size);
		return;
	}
	jump = emit(g, BPF_JMP | BPF_JNE | BPF_K, reg, 0, 0, 0);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	emit(g, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	land(g, jump);
	set_kind(g, reg, kind, size);
}
