/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The generator: statements, control flow around them, and liberties. See generate.h.
 *
 * Register use: r0-r5 come and go with calls, r6 holds the context at first, r6-r9 keep values, r9
 * counts loops.
 */
#include "verify/generate.h"
#include "isa/opcode.h"

#include <string.h>

enum kind {
	K_NONE,
	K_SCALAR,
	K_CTX,
	K_STACK,
	K_VALUE,      /* into a map value */
	K_VALUE_NULL, /* the same, or NULL */
	K_RECORD,
	K_RECORD_NULL,
	K_PACKET,
	K_PACKET_END,
};

enum { NR_SLOTS = 8, MAX_DEPTH = 3, MAX_SUBPROGS = 2 };

struct view {
	u8 kind[11];
	u8 size[11];	   /* of what a pointer points into */
	u8 slot[NR_SLOTS]; /* kind stored at fp - 8 * (i + 1) */
	u8 slot_size[NR_SLOTS];
};

struct gen {
	struct gen_program *p;
	u64 state;
	unsigned liberty; /* in 1000 */
	struct view v;
	unsigned depth, loops;
	bool in_subprog;
	u32 calls[16]; /* call instructions whose subprogram is yet to be written */
	u32 nr_calls;
};

const struct gen_map_def gen_maps[GEN_NR_MAPS] = {
	[GEN_ARRAY] = { BPF_MAP_TYPE_ARRAY, 4, 48, 1 },
	[GEN_HASH] = { BPF_MAP_TYPE_HASH, 8, 20, 8 },
	[GEN_PERCPU_ARRAY] = { BPF_MAP_TYPE_PERCPU_ARRAY, 4, 16, 2 },
	[GEN_RINGBUF] = { BPF_MAP_TYPE_RINGBUF, 0, 0, 4096 },
	[GEN_PROG_ARRAY] = { BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4 },
	[GEN_PERF_EVENTS] = { BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 4 },
};

static u64 next(struct gen *g)
{
	g->state += 0x9e3779b97f4a7c15ULL;
	u64 z = g->state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static unsigned pick(struct gen *g, unsigned n)
{
	return (unsigned)(next(g) >> 33) % n;
}

static bool chance(struct gen *g, unsigned in_1000)
{
	return pick(g, 1000) < in_1000;
}

/* Does this statement take a liberty? */
static bool liberty(struct gen *g)
{
	return chance(g, g->liberty);
}

static s32 pick_imm(struct gen *g)
{
	static const s32 special[] = { 0,    1,	    -1,	    2,	    7,	     8,		15,
				       16,   31,    32,	    63,	    64,	     0x7f,	0x80,
				       0xff, 0x100, 0x7fff, 0xffff, 0x10000, INT32_MAX, INT32_MIN,
				       512,  -512,  4,	    48,	    47,	     40,	-8 };

	switch (pick(g, 4)) {
	case 0: return (s32)pick(g, 17) - 8;
	case 1: return (s32)next(g);
	case 2: return (s32)(next(g) >> pick(g, 63));
	default: return special[pick(g, ARRAY_SIZE(special))];
	}
}

static u32 emit(struct gen *g, u8 code, u8 dst, u8 src, s32 off, s32 imm)
{
	if (g->p->nr_insns >= GEN_MAX_INSNS)
		return GEN_MAX_INSNS - 1;
	g->p->insns[g->p->nr_insns] = (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = (s16)off, .imm = imm
	};
	return g->p->nr_insns++;
}

static bool is_room(struct gen *g)
{
	return g->p->nr_insns < GEN_MAX_INSNS - 120;
}

static void emit_map(struct gen *g, u8 dst, enum gen_map map)
{
	emit(g, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, map);
	emit(g, 0, 0, 0, 0, 0);
}

static void set_kind(struct gen *g, u8 reg, enum kind kind, unsigned size)
{
	g->v.kind[reg] = (u8)kind;
	g->v.size[reg] = (u8)size;
}

static void emit_mov(struct gen *g, u8 dst, u8 src)
{
	emit(g, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
	set_kind(g, dst, g->v.kind[src], g->v.size[src]);
}

static void emit_const(struct gen *g, u8 dst, s32 imm)
{
	emit(g, (chance(g, 800) ? BPF_ALU64 : BPF_ALU) | BPF_MOV | BPF_K, dst, 0, 0, imm);
	set_kind(g, dst, K_SCALAR, 0);
}

static void emit_stack_address(struct gen *g, u8 dst, s32 off)
{
	emit_mov(g, dst, 10);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, off);
}

static void emit_call(struct gen *g, s32 helper, enum kind result, unsigned size)
{
	emit(g, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
	for (u8 i = 1; i <= 5; i++)
		set_kind(g, i, K_NONE, 0);
	set_kind(g, 0, result, size);
}

/* A register of that kind, or 0xff; a liberty gives any. */
static u8 find(struct gen *g, enum kind kind)
{
	u8 found[11];
	unsigned nr = 0;

	if (liberty(g))
		return (u8)pick(g, 11);
	for (u8 i = 0; i < 10; i++)
		if (g->v.kind[i] == kind)
			found[nr++] = i;
	return nr ? found[pick(g, nr)] : 0xff;
}

/* A register that may be overwritten. */
static u8 pick_target(struct gen *g)
{
	u8 max = g->loops ? 9 : 10, reg = (u8)pick(g, max);

	/* The context and pointers live longer. */
	return g->v.kind[reg] > K_SCALAR && chance(g, 700) ? (u8)pick(g, max) : reg;
}

static u8 need_scalar(struct gen *g)
{
	u8 reg = find(g, K_SCALAR);

	if (reg != 0xff)
		return reg;
	reg = pick_target(g);
	if (chance(g, 400)) {
		emit_const(g, reg, pick_imm(g));
	} else {
		emit_call(g, chance(g, 500) ? BPF_FUNC_ktime_get_ns : BPF_FUNC_get_prandom_u32,
			  K_SCALAR, 0);
		emit_mov(g, reg, 0);
	}
	return reg;
}

static void say_alu(struct gen *g)
{
	static const u8 ops[] = { BPF_ADD, BPF_ADD, BPF_SUB, BPF_MUL,  BPF_AND, BPF_AND, BPF_OR,
				  BPF_XOR, BPF_LSH, BPF_RSH, BPF_ARSH, BPF_DIV, BPF_MOD };
	u8 op = ops[pick(g, ARRAY_SIZE(ops))], class = chance(g, 600) ? BPF_ALU64 : BPF_ALU;
	u8 dst = need_scalar(g), src;
	s32 imm = pick_imm(g), off = 0;

	if (g->loops && dst == 9 && !liberty(g))
		return;
	if ((op == BPF_DIV || op == BPF_MOD) && chance(g, 300))
		off = 1;
	if ((op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH) && !liberty(g))
		imm = (s32)pick(g, class == BPF_ALU64 ? 64 : 32);
	if ((op == BPF_DIV || op == BPF_MOD) && imm == 0 && !liberty(g))
		imm = 3;
	if (chance(g, 600)) {
		emit(g, class | op | BPF_K, dst, 0, off, imm);
	} else {
		src = need_scalar(g);
		if (g->v.kind[dst] == K_SCALAR || liberty(g))
			emit(g, class | op | BPF_X, dst, src, off, 0);
	}
}

static void say_unary(struct gen *g)
{
	static const s16 widths[] = { 0, 8, 16, 32 };
	u8 src = need_scalar(g), dst = pick_target(g);

	switch (pick(g, 6)) {
	case 0: emit(g, (chance(g, 500) ? BPF_ALU64 : BPF_ALU) | BPF_NEG, src, 0, 0, 0); return;
	case 1:
		emit(g, BPF_ALU | BPF_END | (chance(g, 500) ? BPF_TO_BE : BPF_TO_LE), src, 0, 0,
		     16 << pick(g, 3));
		return;
	case 2: emit(g, BPF_ALU64 | BPF_END, src, 0, 0, 16 << pick(g, 3)); return;
	case 3: emit(g, BPF_ALU | BPF_MOV | BPF_X, dst, src, widths[pick(g, 3)], 0); break;
	case 4: emit(g, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, widths[pick(g, 4)], 0); break;
	default: emit_const(g, dst, pick_imm(g)); return;
	}
	set_kind(g, dst, K_SCALAR, 0);
}

static const u8 size_codes[] = { BPF_B, BPF_H, BPF_W, BPF_DW };

static void say_spill(struct gen *g)
{
	unsigned slot = pick(g, NR_SLOTS), width = chance(g, 700) ? 3 : pick(g, 4);
	s32 off = -8 * (s32)(slot + 1);
	u8 reg = (u8)pick(g, 10);

	if (g->v.kind[reg] == K_NONE && !liberty(g))
		reg = need_scalar(g);
	if (width < 3 && chance(g, 500))
		off += (s32)(pick(g, 8u >> width) << width);
	if (liberty(g))
		off += (s32)pick(g, 24) - 12;
	if (chance(g, 150)) {
		emit(g, BPF_ST | BPF_MEM | size_codes[width], 10, 0, off, pick_imm(g));
		g->v.slot[slot] = width == 3 ? K_SCALAR : g->v.slot[slot];
		return;
	}
	if (width < 3 && g->v.kind[reg] != K_SCALAR)
		width = 3, off = -8 * (s32)(slot + 1);
	emit(g, BPF_STX | BPF_MEM | size_codes[width], 10, reg, off, 0);
	if (width == 3 || g->v.slot[slot] > K_SCALAR) {
		g->v.slot[slot] = width == 3 ? g->v.kind[reg] : K_NONE;
		g->v.slot_size[slot] = g->v.size[reg];
	}
}

static void say_fill(struct gen *g)
{
	unsigned slot = pick(g, NR_SLOTS), width = chance(g, 600) ? 3 : pick(g, 4);
	s32 off = -8 * (s32)(slot + 1);
	u8 dst = pick_target(g);
	bool extends = width < 3 && chance(g, 200);

	if (g->v.slot[slot] == K_NONE && chance(g, 800))
		return;
	if (width < 3 && g->v.slot[slot] > K_SCALAR && !liberty(g))
		width = 3, extends = false;
	if (width < 3)
		off += (s32)(pick(g, 8u >> width) << width);
	if (liberty(g))
		off += (s32)pick(g, 24) - 12;
	emit(g, BPF_LDX | (extends ? BPF_MEMSX : BPF_MEM) | size_codes[width], dst, 10, off, 0);
	set_kind(g, dst, width == 3 ? g->v.slot[slot] : K_SCALAR, g->v.slot_size[slot]);
}

/* A load of the context that is likely to be allowed. */
static void say_context(struct gen *g)
{
	static const u8 skb_words[] = { 0,  4,	8,  12, 16, 20, 24, 28, 32,
					36, 40, 44, 48, 52, 56, 60, 64, 68 };
	u8 ctx = find(g, K_CTX), dst = pick_target(g), width = 2;
	s32 off;

	if (ctx == 0xff)
		return;
	switch (g->p->prog_type) {
	case BPF_PROG_TYPE_SOCKET_FILTER: off = skb_words[pick(g, ARRAY_SIZE(skb_words))]; break;
	case BPF_PROG_TYPE_XDP: off = 12 + 4 * (s32)pick(g, 2); break;
	case BPF_PROG_TYPE_TRACEPOINT:
		width = (u8)pick(g, 4), off = (s32)(8 + pick(g, 40) * 8);
		break;
	case BPF_PROG_TYPE_KPROBE: width = 3, off = (s32)pick(g, 21) * 8; break;
	default: width = 3, off = (s32)pick(g, 12) * 8; break;
	}
	if (liberty(g))
		off = (s32)pick(g, 300) - 20, width = (u8)pick(g, 4);
	if (chance(g, 30))
		emit(g, BPF_STX | BPF_MEM | size_codes[width], ctx, need_scalar(g), off, 0);
	emit(g, BPF_LDX | BPF_MEM | size_codes[width], dst, ctx, off, 0);
	set_kind(g, dst, K_SCALAR, 0);
}

static void say_atomic(struct gen *g, u8 base, s32 off)
{
	static const s32 ops[] = { BPF_ADD,
				   BPF_AND,
				   BPF_OR,
				   BPF_XOR,
				   BPF_ADD | BPF_FETCH,
				   BPF_AND | BPF_FETCH,
				   BPF_OR | BPF_FETCH,
				   BPF_XCHG,
				   BPF_CMPXCHG };
	bool wide = chance(g, 500);
	u8 src = need_scalar(g);

	if (g->v.kind[0] != K_SCALAR)
		emit_const(g, 0, 0);
	if (g->v.kind[src] != K_SCALAR)
		return;
	emit(g, BPF_STX | BPF_ATOMIC | (wide ? BPF_DW : BPF_W), base, src,
	     wide ? off & ~7 : off & ~3, ops[pick(g, ARRAY_SIZE(ops))]);
}

/* Reads or writes through a pointer of known extent, at a fixed or a bounded variable offset. */
static void access_memory(struct gen *g, u8 base, unsigned size)
{
	unsigned width = pick(g, 4), bytes = 1u << width;
	u8 dst, copy = (u8)(1 + pick(g, 5));
	s32 off;

	if (size < bytes)
		width = 0, bytes = 1;
	off = (s32)(pick(g, size / bytes) * bytes);
	if (liberty(g))
		off = (s32)pick(g, size + 16) - 4;
	if (chance(g, 300) && copy != base) {
		u8 index = need_scalar(g);
		s32 mask = (s32)(1u << pick(g, 6)) - 1;

		if (index == copy || index == base || (g->loops && index == 9) ||
		    g->v.kind[index] != K_SCALAR)
			return;
		emit(g, (chance(g, 700) ? BPF_ALU64 : BPF_ALU) | BPF_AND | BPF_K, index, 0, 0,
		     mask);
		emit_mov(g, copy, base);
		emit(g, BPF_ALU64 | (chance(g, 950) ? BPF_ADD : BPF_SUB) | BPF_X, copy, index, 0,
		     0);
		base = copy;
		if (!liberty(g) && off + mask + (s32)bytes > (s32)size)
			off = (s32)size - mask - (s32)bytes < 0
				      ? 0
				      : ((s32)size - mask - (s32)bytes) & ~((s32)bytes - 1);
	}
	switch (pick(g, 5)) {
	case 0: emit(g, BPF_ST | BPF_MEM | size_codes[width], base, 0, off, pick_imm(g)); break;
	case 1: emit(g, BPF_STX | BPF_MEM | size_codes[width], base, need_scalar(g), off, 0); break;
	case 2: say_atomic(g, base, off); break;
	default:
		dst = pick_target(g);
		emit(g,
		     BPF_LDX | (width < 3 && chance(g, 200) ? BPF_MEMSX : BPF_MEM) |
			     size_codes[width],
		     dst, base, off, 0);
		set_kind(g, dst, K_SCALAR, 0);
		break;
	}
}

static void say_memory(struct gen *g)
{
	u8 reg = find(g, chance(g, 700) ? K_VALUE : K_RECORD);

	if (reg != 0xff && g->v.size[reg])
		access_memory(g, reg, g->v.size[reg]);
}

/* A pointer moves on by a constant. */
static void say_advance(struct gen *g)
{
	u8 reg = find(g, K_VALUE);
	unsigned step = 1u << pick(g, 5);

	if (reg == 0xff || g->v.size[reg] <= step)
		return;
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, reg, 0, 0, (s32)step);
	g->v.size[reg] = (u8)(g->v.size[reg] - step);
}

static s32 emit_key(struct gen *g, unsigned size)
{
	s32 off = -8 * (s32)(1 + pick(g, NR_SLOTS - 1));

	if (size <= 4) {
		if (chance(g, 600))
			emit(g, BPF_ST | BPF_MEM | BPF_W, 10, 0, off, (s32)pick(g, 5));
		else
			emit(g, BPF_STX | BPF_MEM | BPF_W, 10, need_scalar(g), off, 0);
	} else {
		if (chance(g, 600))
			emit(g, BPF_ST | BPF_MEM | BPF_DW, 10, 0, off, (s32)pick(g, 5));
		else
			emit(g, BPF_STX | BPF_MEM | BPF_DW, 10, need_scalar(g), off, 0);
	}
	g->v.slot[-off / 8 - 1] = size <= 4 ? K_NONE : K_SCALAR;
	return off;
}

static enum gen_map pick_map(struct gen *g)
{
	return liberty(g) ? (enum gen_map)pick(g, GEN_NR_MAPS) : (enum gen_map)pick(g, GEN_RINGBUF);
}

/* reg, which may be NULL, is checked; on the other path the program leaves or goes on without it.
 */
static void check_null(struct gen *g, u8 reg, enum kind kind, unsigned size)
{
	u32 jump;

	if (liberty(g)) {
		set_kind(g, reg, kind, size);
		return;
	}
	jump = emit(g, BPF_JMP | BPF_JNE | BPF_K, reg, 0, 0, 0);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	emit(g, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	g->p->insns[jump].off = (s16)(g->p->nr_insns - jump - 1);
	set_kind(g, reg, kind, size);
}

static void say_lookup(struct gen *g)
{
	enum gen_map map = pick_map(g);
	const struct gen_map_def *def = &gen_maps[map];
	s32 off = emit_key(g, def->key_size);
	u8 keep = (u8)(7 + pick(g, g->loops ? 2 : 3));

	emit_map(g, 1, map);
	emit_stack_address(g, 2, off);
	emit_call(g, BPF_FUNC_map_lookup_elem, K_VALUE_NULL, def->value_size);
	if (chance(g, 300))
		emit_mov(g, keep, 0);
	else
		keep = 0;
	if (chance(g, 150))
		return;
	check_null(g, keep, K_VALUE, def->value_size);
	if (def->value_size)
		access_memory(g, keep, def->value_size);
}

static void say_update(struct gen *g)
{
	enum gen_map map = pick_map(g);
	const struct gen_map_def *def = &gen_maps[map];
	s32 off = emit_key(g, def->key_size);
	u8 value = find(g, K_VALUE);

	if (chance(g, 300)) {
		emit_map(g, 1, map);
		emit_stack_address(g, 2, off);
		emit_call(g, BPF_FUNC_map_delete_elem, K_SCALAR, 0);
		return;
	}
	if (value != 0xff && value > 5 && g->v.size[value] >= def->value_size) {
		emit_mov(g, 3, value);
	} else {
		/* The whole of the tracked stack, written. */
		for (s32 i = 1; i <= 6; i++)
			if (g->v.slot[i - 1] != K_SCALAR && !liberty(g)) {
				emit(g, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8 * i, 0);
				g->v.slot[i - 1] = K_SCALAR;
			}
		emit_stack_address(g, 3, -48);
	}
	emit_map(g, 1, map);
	emit_stack_address(g, 2, off);
	emit_const(g, 4, liberty(g) ? pick_imm(g) : (s32)pick(g, 3));
	emit_call(g, BPF_FUNC_map_update_elem, K_SCALAR, 0);
}

/* The address of a value as an immediate. */
static void say_direct_value(struct gen *g)
{
	unsigned off = chance(g, 500) ? 0 : pick(g, 47);
	u8 dst = pick_target(g);

	if (liberty(g))
		off = pick(g, 64);
	emit(g, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_VALUE, 0, GEN_ARRAY);
	emit(g, 0, 0, 0, 0, (s32)off);
	set_kind(g, dst, K_VALUE, off < 48 ? 48 - off : 0);
}

static void say_number_helper(struct gen *g)
{
	static const s32 ids[] = { BPF_FUNC_ktime_get_ns, BPF_FUNC_get_prandom_u32,
				   BPF_FUNC_get_smp_processor_id, BPF_FUNC_get_current_pid_tgid,
				   BPF_FUNC_get_current_uid_gid };
	bool tracing = g->p->prog_type != BPF_PROG_TYPE_SOCKET_FILTER &&
		       g->p->prog_type != BPF_PROG_TYPE_XDP;

	emit_call(g, ids[pick(g, tracing || liberty(g) ? 5 : 3)], K_SCALAR, 0);
	if (chance(g, 600))
		emit_mov(g, (u8)(7 + pick(g, 2)), 0);
}

/* r2 (or another) as a size: a constant or a bounded scalar. */
static void emit_size(struct gen *g, u8 reg, unsigned max)
{
	u8 src;

	if (chance(g, 600)) {
		emit_const(g, reg, liberty(g) ? pick_imm(g) : (s32)(1 + pick(g, max)));
		return;
	}
	src = find(g, K_SCALAR);
	if (src == 0xff || src == 0) {
		emit_const(g, reg, (s32)max);
		return;
	}
	emit_mov(g, reg, src);
	emit(g, (chance(g, 500) ? BPF_ALU64 : BPF_ALU) | BPF_AND | BPF_K, reg, 0, 0,
	     (s32)(max / 2));
	if (chance(g, 600))
		emit(g, BPF_ALU64 | BPF_ADD | BPF_K, reg, 0, 0, 1);
}

/* Helpers that take memory and its size. */
static void say_memory_helper(struct gen *g)
{
	bool tracing = g->p->prog_type != BPF_PROG_TYPE_SOCKET_FILTER &&
		       g->p->prog_type != BPF_PROG_TYPE_XDP;
	s32 off = -8 * (s32)(1 + pick(g, NR_SLOTS));
	unsigned max = (unsigned)-off;

	if (liberty(g))
		max += 8;
	switch (pick(g, tracing ? 4 : 2)) {
	case 0:
		for (s32 i = off; i < 0; i += 8)
			if (g->v.slot[-i / 8 - 1] == K_NONE && !liberty(g)) {
				emit(g, BPF_ST | BPF_MEM | BPF_DW, 10, 0, i, 0);
				g->v.slot[-i / 8 - 1] = K_SCALAR;
			}
		emit_size(g, 2, max);
		emit_stack_address(g, 1, off);
		emit_const(g, 3, 0);
		emit_call(g, BPF_FUNC_trace_printk, K_SCALAR, 0);
		return;
	case 1:
		emit_size(g, 3, max);
		emit_map(g, 1, GEN_RINGBUF);
		emit_stack_address(g, 2, off);
		emit_const(g, 4, 0);
		emit_call(g, BPF_FUNC_ringbuf_output, K_SCALAR, 0);
		return;
	case 2:
		emit_size(g, 2, max);
		emit_stack_address(g, 1, off);
		emit_call(g, BPF_FUNC_get_current_comm, K_SCALAR, 0);
		break;
	default:
		emit_size(g, 2, max);
		emit_stack_address(g, 1, off);
		emit_const(g, 3, 0);
		emit_call(g,
			  chance(g, 500) ? BPF_FUNC_probe_read_kernel
					 : BPF_FUNC_probe_read_user_str,
			  K_SCALAR, 0);
		break;
	}
}

static void say_record(struct gen *g)
{
	unsigned size = 8 + 8 * pick(g, 8);

	emit_map(g, 1, GEN_RINGBUF);
	emit_const(g, 2, (s32)size);
	emit_const(g, 3, liberty(g) ? 1 : 0);
	emit_call(g, BPF_FUNC_ringbuf_reserve, K_RECORD_NULL, size);
	check_null(g, 0, K_RECORD, size);
	emit_mov(g, 8, 0);
	for (unsigned n = pick(g, 3); n; n--)
		access_memory(g, 8, size);
	if (g->v.kind[8] == K_RECORD && !liberty(g)) {
		emit_mov(g, 1, 8);
		emit_const(g, 2, 0);
		emit_call(g, chance(g, 700) ? BPF_FUNC_ringbuf_submit : BPF_FUNC_ringbuf_discard,
			  K_NONE, 0);
	}
	for (u8 i = 0; i < 10; i++)
		if (g->v.kind[i] == K_RECORD && !liberty(g))
			set_kind(g, i, K_NONE, 0);
}

static void say_packet(struct gen *g)
{
	u8 ctx = find(g, K_CTX);
	s32 length = (s32)(1 + pick(g, 40)), off;
	u32 jump;

	if (g->p->prog_type != BPF_PROG_TYPE_XDP || ctx == 0xff || ctx <= 4)
		return;
	emit(g, BPF_LDX | BPF_MEM | BPF_W, 2, ctx, 0, 0);
	emit(g, BPF_LDX | BPF_MEM | BPF_W, 3, ctx, 4, 0);
	set_kind(g, 2, K_PACKET, (unsigned)length);
	set_kind(g, 3, K_PACKET_END, 0);
	if (chance(g, 300)) {
		u8 index = need_scalar(g);

		if (index > 5 && index != 9 && g->v.kind[2] == K_PACKET) {
			emit(g, BPF_ALU64 | BPF_AND | BPF_K, index, 0, 0,
			     (s32)(1u << pick(g, 9)) - 1);
			emit(g, BPF_ALU64 | BPF_ADD | BPF_X, 2, index, 0, 0);
		}
	}
	if (g->v.kind[2] != K_PACKET || g->v.kind[3] != K_PACKET_END)
		return;
	emit_mov(g, 4, 2);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, length);
	jump = chance(g, 500) ? emit(g, BPF_JMP | BPF_JGT | BPF_X, 4, 3, 0, 0)
			      : emit(g, BPF_JMP | BPF_JLT | BPF_X, 3, 4, 0, 0);
	off = (s32)pick(g, (unsigned)length);
	if (liberty(g))
		off = length;
	emit(g, BPF_LDX | BPF_MEM | BPF_B, 5, 2, off, 0);
	if (chance(g, 300))
		emit(g, BPF_ST | BPF_MEM | BPF_B, 2, 0, off, 1);
	g->p->insns[jump].off = (s16)(g->p->nr_insns - jump - 1);
	for (u8 i = 2; i <= 5; i++)
		set_kind(g, i, K_NONE, 0);
}

static void say_tail_call(struct gen *g)
{
	u8 ctx = find(g, K_CTX);

	if (ctx == 0xff)
		return;
	emit_mov(g, 1, ctx);
	emit_map(g, 2, GEN_PROG_ARRAY);
	emit_size(g, 3, 4);
	emit_call(g, BPF_FUNC_tail_call, K_NONE, 0);
}

static void say_call(struct gen *g)
{
	if (g->in_subprog || g->nr_calls >= ARRAY_SIZE(g->calls) || !is_room(g))
		return;
	for (u8 i = 1; i <= 3; i++)
		if (g->v.kind[i] == K_NONE || chance(g, 500))
			emit_const(g, i, pick_imm(g));
	if (chance(g, 300))
		emit_stack_address(g, 2, -8 * (s32)(1 + pick(g, NR_SLOTS)));
	g->calls[g->nr_calls++] = emit(g, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0);
	for (u8 i = 1; i <= 5; i++)
		set_kind(g, i, K_NONE, 0);
	set_kind(g, 0, K_SCALAR, 0);
}

static void say_block(struct gen *g, unsigned statements);

static void merge(struct view *a, const struct view *b)
{
	for (int i = 0; i < 10; i++) {
		if (a->kind[i] != b->kind[i])
			a->kind[i] = K_NONE;
		a->size[i] = a->size[i] < b->size[i] ? a->size[i] : b->size[i];
	}
	for (int i = 0; i < NR_SLOTS; i++) {
		if (a->slot[i] != b->slot[i])
			a->slot[i] = K_NONE;
		a->slot_size[i] =
			a->slot_size[i] < b->slot_size[i] ? a->slot_size[i] : b->slot_size[i];
	}
}

static u32 emit_condition(struct gen *g)
{
	static const u8 ops[] = { BPF_JEQ, BPF_JNE,  BPF_JSET, BPF_JGT,	 BPF_JGE, BPF_JLT,
				  BPF_JLE, BPF_JSGT, BPF_JSGE, BPF_JSLT, BPF_JSLE };
	u8 op = ops[pick(g, ARRAY_SIZE(ops))], class = chance(g, 650) ? BPF_JMP : BPF_JMP32;
	u8 dst = need_scalar(g);

	if (chance(g, 650))
		return emit(g, class | op | BPF_K, dst, 0, 0, pick_imm(g));
	return emit(g, class | op | BPF_X, dst, need_scalar(g), 0, 0);
}

static void say_if(struct gen *g)
{
	struct view before, first;
	u32 jump, end;

	if (g->depth >= MAX_DEPTH)
		return;
	jump = emit_condition(g);
	before = g->v;
	g->depth++;
	say_block(g, 1 + pick(g, 3));
	first = g->v;
	g->v = before;
	if (chance(g, 400)) {
		end = emit(g, BPF_JMP | BPF_JA, 0, 0, 0, 0);
		g->p->insns[jump].off = (s16)(g->p->nr_insns - jump - 1);
		say_block(g, 1 + pick(g, 3));
		g->p->insns[end].off = (s16)(g->p->nr_insns - end - 1);
	} else {
		g->p->insns[jump].off = (s16)(g->p->nr_insns - jump - 1);
	}
	merge(&g->v, &first);
	g->depth--;
}

static void say_loop(struct gen *g)
{
	struct view before;
	s32 bound = 1 + (s32)pick(g, 6);
	u32 head;

	if (g->loops || g->depth >= MAX_DEPTH)
		return;
	emit_const(g, 9, 0);
	/* Seldom without end: such a program costs a million instructions on both sides. */
	if (liberty(g))
		bound = chance(g, 50) ? pick_imm(g) : (s32)pick(g, 60);
	before = g->v;
	head = g->p->nr_insns;
	g->loops++;
	g->depth++;
	say_block(g, 1 + pick(g, 3));
	g->depth--;
	g->loops--;
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 9, 0, 0, 1);
	emit(g,
	     (chance(g, 800) ? BPF_JMP : BPF_JMP32) | (chance(g, 800) ? BPF_JLT : BPF_JSLE) | BPF_K,
	     9, 0, (s32)head - (s32)g->p->nr_insns - 1, bound);
	merge(&g->v, &before);
	set_kind(g, 9, K_SCALAR, 0);
}

static void say_one(struct gen *g)
{
	static void (*const statements[])(struct gen *) = {
		say_alu,
		say_alu,
		say_alu,
		say_alu,
		say_unary,
		say_spill,
		say_spill,
		say_fill,
		say_fill,
		say_context,
		say_memory,
		say_memory,
		say_lookup,
		say_lookup,
		say_update,
		say_number_helper,
		say_memory_helper,
		say_record,
		say_packet,
		say_if,
		say_if,
		say_if,
		say_loop,
		say_direct_value,
		say_call,
		say_call,
		say_advance,
		say_alu,
		say_alu,
		say_tail_call,
	};

	if (is_room(g))
		statements[pick(g, ARRAY_SIZE(statements))](g);
}

static void say_block(struct gen *g, unsigned statements)
{
	while (statements--)
		say_one(g);
}

static void say_exit(struct gen *g)
{
	u8 reg = find(g, K_SCALAR);

	if (g->v.kind[0] != K_SCALAR || chance(g, 500)) {
		if (reg != 0xff && chance(g, 500))
			emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 0, reg, 0, 0);
		else if (!liberty(g))
			emit_const(g, 0, 0);
	}
	emit(g, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void say_subprogs(struct gen *g)
{
	u32 start[MAX_SUBPROGS], nr = 1 + pick(g, MAX_SUBPROGS);

	nr = nr < g->nr_calls ? nr : g->nr_calls;
	g->in_subprog = true;
	for (u32 i = 0; i < nr; i++) {
		memset(&g->v, 0, sizeof(g->v));
		set_kind(g, 1, K_SCALAR, 0);
		set_kind(g, 3, K_SCALAR, 0);
		set_kind(g, 10, K_STACK, 0);
		start[i] = g->p->nr_insns;
		say_block(g, 1 + pick(g, 4));
		say_exit(g);
	}
	for (u32 i = 0; i < g->nr_calls; i++)
		g->p->insns[g->calls[i]].imm =
			(s32)start[i < nr ? i : pick(g, nr)] - (s32)g->calls[i] - 1;
}

bool gen_is_continuation(const struct gen_program *program, u32 index)
{
	u32 i = 0;

	while (i < index)
		i += program->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) ? 2 : 1;
	return i > index;
}

/* One field of one instruction becomes something else. */
static void break_something(struct gen *g)
{
	struct bpf_insn *insn = &g->p->insns[pick(g, g->p->nr_insns)];

	if (gen_is_continuation(g->p, (u32)(insn - g->p->insns)) ||
	    insn->code == (BPF_LD | BPF_IMM | BPF_DW))
		return;
	switch (pick(g, 6)) {
	case 0: insn->dst_reg = pick(g, 11); break;
	case 1: insn->src_reg = pick(g, 11); break;
	case 2: insn->off = (s16)(insn->off + (int)pick(g, 17) - 8); break;
	case 3: insn->imm = pick_imm(g); break;
	case 4: insn->code ^= (u8)(1u << pick(g, 8)); break;
	default: *insn = g->p->insns[pick(g, g->p->nr_insns)]; break;
	}
	/* Not a pseudo load that names a map which does not exist. */
	if (insn->code == (BPF_LD | BPF_IMM | BPF_DW))
		insn->code = BPF_ALU64 | BPF_MOV | BPF_K;
}

void gen_program(u64 seed, struct gen_program *ret_program)
{
	static const u32 types[] = { BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_TRACEPOINT,
				     BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_KPROBE,
				     BPF_PROG_TYPE_RAW_TRACEPOINT };
	static const unsigned liberties[] = { 0, 0, 5, 10, 30, 100 };
	struct gen g = { .p = ret_program, .state = seed * 0xd1342543de82ef95ULL + 1 };

	memset(ret_program, 0, sizeof(*ret_program));
	ret_program->prog_type = types[pick(&g, ARRAY_SIZE(types))];
	g.liberty = liberties[pick(&g, ARRAY_SIZE(liberties))];
	set_kind(&g, 1, K_CTX, 0);
	set_kind(&g, 10, K_STACK, 0);
	if (chance(&g, 900))
		emit_mov(&g, 6, 1);
	say_block(&g, 2 + pick(&g, 10));
	say_exit(&g);
	say_subprogs(&g);
	if (chance(&g, 250))
		break_something(&g);
}

void gen_bind_maps(struct gen_program *program, const int *fds)
{
	for (u32 i = 0; i < program->nr_insns; i++) {
		struct bpf_insn *insn = &program->insns[i];

		if (insn->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE)
			insn->imm = insn->imm >= 0 && insn->imm < GEN_NR_MAPS ? fds[insn->imm] : -1;
		i++;
	}
}
