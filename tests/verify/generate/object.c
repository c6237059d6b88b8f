/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statements about what is made, used and given back: iterators, dynptrs, locks, sockets, sections;
 * and functions that are called back.
 */
#include "verify/generate/gen.h"

void say_iterator(struct gen *g)
{
	s32 off = object_room(g), from = (s32)pick(g, 4);
	u32 head, leave, back;

	if (!off || g->depth >= MAX_DEPTH)
		return;
	note(g, GEN_ITERATORS);
	emit_stack_address(g, 1, off);
	emit_const(g, 2, liberty(g) ? pick_imm(g) : from);
	emit_const(g, 3, liberty(g) ? pick_imm(g) : from + (s32)pick(g, 6));
	emit_kfunc(g, GEN_ITER_NUM_NEW, K_SCALAR, 0);
	head = g->p->nr_insns;
	for (u8 i = 1; i <= 5; i++)
		set_kind(g, i, K_NONE, 0);
	emit_stack_address(g, 1, off);
	emit_kfunc(g, GEN_ITER_NUM_NEXT, K_READ_ONLY, 4);
	leave = emit(g, BPF_JMP | (liberty(g) ? BPF_JNE : BPF_JEQ) | BPF_K, 0, 0, 0, 0);
	if (chance(g, 600))
		access_memory(g, 0, 4);
	g->depth++;
	say_quiet_block(g, pick(g, 3));
	g->depth--;
	back = emit(g, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	g->p->insns[back].off = (s16)((s32)head - (s32)back - 1);
	land(g, leave);
	if (liberty(g))
		return;
	emit_stack_address(g, 1, off);
	emit_kfunc(g, GEN_ITER_NUM_DESTROY, K_NONE, 0);
}

/* Memory that r0 points to, unless it is NULL. */
static void use_unless_null(struct gen *g, enum kind kind, unsigned size)
{
	u32 jump = emit(g, BPF_JMP | (liberty(g) ? BPF_JNE : BPF_JEQ) | BPF_K, 0, 0, 0, 0);
	bool no_calls = g->no_calls;

	set_kind(g, 0, kind, size);
	g->no_calls = true;
	access_memory(g, 0, size);
	g->no_calls = no_calls;
	land(g, jump);
	set_kind(g, 0, K_NONE, 0);
}

enum dynptr_from { FROM_VALUE, FROM_RECORD, FROM_PACKET };

static void make_dynptr(struct gen *g, enum dynptr_from from, s32 at, u8 ctx)
{
	if (from == FROM_PACKET) {
		emit_mov(g, 1, ctx);
		emit_const(g, 2, 0);
		emit_stack_address(g, 3, at);
		emit_kfunc(g,
			   g->p->prog_type == BPF_PROG_TYPE_XDP ? GEN_DYNPTR_FROM_XDP
								: GEN_DYNPTR_FROM_SKB,
			   K_SCALAR, 0);
		return;
	}
	if (from == FROM_RECORD) {
		emit_size(g, 2, 64);
		emit_map(g, 1, GEN_RINGBUF);
	} else {
		emit(g, BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_VALUE, 0, GEN_ARRAY);
		emit(g, 0, 0, 0, 0, 0);
		emit_const(g, 2, liberty(g) ? 49 : (s32)(1 + pick(g, 48)));
	}
	emit_const(g, 3, 0);
	emit_stack_address(g, 4, at);
	emit_helper(
		g, from == FROM_RECORD ? BPF_FUNC_ringbuf_reserve_dynptr : BPF_FUNC_dynptr_from_mem,
		K_SCALAR, 0);
}

/* A part of the dynptr is read, written or pointed to. */
static void use_dynptr(struct gen *g, enum dynptr_from from, s32 at)
{
	s32 length = liberty(g) ? pick_imm(g) : (s32)(1 + pick(g, 16)), off = (s32)pick(g, 8);
	bool writes = pick(g, 2);

	switch (pick(g, 6)) {
	case 0:
		emit_stack_address(g, 1, -16);
		emit_const(g, 2, length);
		emit_stack_address(g, 3, at);
		emit_const(g, 4, off);
		emit_const(g, 5, 0);
		emit_helper(g, BPF_FUNC_dynptr_read, K_SCALAR, 0);
		g->v.slot[0] = g->v.slot[1] = K_SCALAR;
		return;
	case 1:
		for (s32 i = 1; i <= 2; i++) {
			emit(g, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8 * i, 1);
			g->v.slot[i - 1] = K_SCALAR;
		}
		emit_stack_address(g, 1, at);
		emit_const(g, 2, off);
		emit_stack_address(g, 3, -16);
		emit_const(g, 4, length);
		emit_const(g, 5, 0);
		emit_helper(g, BPF_FUNC_dynptr_write, K_SCALAR, 0);
		return;
	case 2:
		if (from == FROM_PACKET && !liberty(g))
			return;
		emit_stack_address(g, 1, at);
		emit_const(g, 2, off);
		emit_const(g, 3, length);
		emit_helper(g, BPF_FUNC_dynptr_data, K_VALUE_NULL, 0);
		use_unless_null(g, K_VALUE, length > 0 && length < 256 ? (unsigned)length : 8);
		return;
	case 3:
		writes &= from == FROM_PACKET && g->p->prog_type != BPF_PROG_TYPE_CGROUP_SKB;
		emit_stack_address(g, 1, at);
		emit_const(g, 2, off);
		if (chance(g, 500))
			emit_const(g, 3, 0);
		else
			emit_stack_address(g, 3, -16);
		emit_const(g, 4, length);
		emit_kfunc(g, writes ? GEN_DYNPTR_SLICE_RDWR : GEN_DYNPTR_SLICE, K_VALUE_NULL, 0);
		use_unless_null(g, writes ? K_VALUE : K_READ_ONLY,
				length > 0 && length < 256 ? (unsigned)length : 8);
		return;
	case 4:
		emit_stack_address(g, 1, at);
		emit_const(g, 2, off);
		emit_const(g, 3, off + length);
		emit_kfunc(g, GEN_DYNPTR_ADJUST, K_SCALAR, 0);
		return;
	default:
		emit_stack_address(g, 1, at);
		emit_kfunc(g, GEN_DYNPTR_SIZE + pick(g, 3), K_SCALAR, 0);
		return;
	}
}

void say_dynptr(struct gen *g)
{
	enum dynptr_from from = pick(g, has_packet(g) || liberty(g) ? 3 : 2);
	s32 at = object_room(g), copy;
	u8 ctx = find(g, K_CTX);

	if (!at || (from == FROM_PACKET && ctx == NO_REG))
		return;
	note(g, GEN_DYNPTRS);
	make_dynptr(g, from, at, ctx);
	for (unsigned n = pick(g, 4); n; n--)
		use_dynptr(g, from, at);
	copy = chance(g, 200) ? object_room(g) : 0;
	if (copy) {
		emit_stack_address(g, 1, at);
		emit_stack_address(g, 2, copy);
		emit_kfunc(g, GEN_DYNPTR_CLONE, K_SCALAR, 0);
		use_dynptr(g, from, copy);
	}
	if (chance(g, 300))
		say_quiet_block(g, 2);
	if ((from == FROM_RECORD) == liberty(g))
		return;
	note(g, GEN_REFERENCES);
	emit_stack_address(g, 1, at);
	emit_const(g, 2, 0);
	emit_helper(g,
		    pick(g, 2) ? BPF_FUNC_ringbuf_submit_dynptr : BPF_FUNC_ringbuf_discard_dynptr,
		    K_NONE, 0);
	if (liberty(g))
		use_dynptr(g, from, copy ? copy : at);
}

/* A value with a field, in a register that is reserved until the caller puts back g->reserved. */
static u8 look_up_field(struct gen *g, enum gen_map map)
{
	s32 off = emit_key(g, 4);
	u8 keep = pick_saved(g);

	if (keep == NO_REG)
		return keep;
	emit_map(g, 1, map);
	emit_stack_address(g, 2, off);
	emit_helper(g, BPF_FUNC_map_lookup_elem, K_VALUE_NULL, GEN_FIELD_OFF);
	check_null(g, 0, K_VALUE, GEN_FIELD_OFF);
	emit_mov(g, keep, 0);
	g->reserved |= 1u << keep;
	return keep;
}

static void emit_field(struct gen *g, u8 value)
{
	emit_mov(g, 1, value);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, liberty(g) ? 0 : GEN_FIELD_OFF);
}

void say_lock(struct gen *g)
{
	u16 reserved = g->reserved;
	u8 value, other;

	if ((is_tracing(g) || g->p->prog_type == BPF_PROG_TYPE_SOCKET_FILTER) && !liberty(g))
		return;
	note(g, GEN_SPIN_LOCKS);
	value = look_up_field(g, GEN_LOCKED);
	other = liberty(g) ? look_up_field(g, GEN_LOCKED) : NO_REG;
	if (value != NO_REG) {
		emit_field(g, value);
		emit_helper(g, BPF_FUNC_spin_lock, K_NONE, 0);
		if (chance(g, 700))
			access_memory(g, value, GEN_FIELD_OFF + (liberty(g) ? 4 : 0));
		if (liberty(g))
			say_block(g, 1);
		else
			say_quiet_block(g, pick(g, 3));
		emit_field(g, other != NO_REG ? other : value);
		if (!liberty(g))
			emit_helper(g, BPF_FUNC_spin_unlock, K_NONE, 0);
	}
	g->reserved = reserved;
}

void say_socket(struct gen *g)
{
	u16 reserved = g->reserved;
	u8 ctx = find(g, K_CTX), keep = pick_saved(g);
	u32 jump;

	if (g->p->prog_type != BPF_PROG_TYPE_XDP && g->p->prog_type != BPF_PROG_TYPE_SCHED_CLS &&
	    !liberty(g))
		return;
	if (ctx == NO_REG || keep == NO_REG)
		return;
	note(g, GEN_REFERENCES);
	for (s32 i = 1; i <= 2; i++) {
		emit(g, BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8 * i, 0);
		g->v.slot[i - 1] = K_SCALAR;
	}
	emit_mov(g, 1, ctx);
	emit_stack_address(g, 2, -16);
	emit_const(g, 3, liberty(g) ? 36 : 12);
	emit_const(g, 4, -1);
	emit_const(g, 5, 0);
	emit_helper(g, pick(g, 2) ? BPF_FUNC_sk_lookup_tcp : BPF_FUNC_sk_lookup_udp, K_OTHER, 0);
	if (chance(g, 500)) {
		emit_mov(g, keep, 0);
		jump = emit(g, BPF_JMP | BPF_JEQ | BPF_K, keep, 0, 0, 0);
	} else {
		jump = emit(g, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0, 0);
		emit_mov(g, keep, 0);
	}
	g->reserved |= 1u << keep;
	if (chance(g, 500))
		emit(g, BPF_LDX | BPF_MEM | BPF_W, 1, keep, liberty(g) ? 200 : 4 * (s32)pick(g, 7),
		     0);
	say_quiet_block(g, pick(g, 3));
	emit_mov(g, 1, keep);
	if (!liberty(g))
		emit_helper(g, BPF_FUNC_sk_release, K_SCALAR, 0);
	if (liberty(g))
		emit(g, BPF_LDX | BPF_MEM | BPF_W, 1, keep, 4, 0);
	land(g, jump);
	g->reserved = reserved;
	for (u8 i = 0; i <= 5; i++)
		set_kind(g, i, K_NONE, 0);
	set_kind(g, keep, K_NONE, 0);
}

/* Where the program may not be moved, interrupted, or waited for. */
void say_section(struct gen *g)
{
	unsigned which = pick(g, 3);
	s32 flags = which == 2 ? object_room(g) : 0;

	if (which == 2 && !flags)
		return;
	note(g, GEN_SECTIONS);
	if (which == 2)
		emit_stack_address(g, 1, flags);
	emit_kfunc(g,
		   which == 0	? GEN_RCU_READ_LOCK
		   : which == 1 ? GEN_PREEMPT_DISABLE
				: GEN_IRQ_SAVE,
		   K_NONE, 0);
	if (liberty(g))
		say_block(g, 1);
	else
		say_quiet_block(g, pick(g, 3));
	if (which == 2)
		emit_stack_address(g, 1, flags);
	if (!liberty(g))
		emit_kfunc(g,
			   which == 0	? GEN_RCU_READ_UNLOCK
			   : which == 1 ? GEN_PREEMPT_ENABLE
					: GEN_IRQ_RESTORE,
			   K_NONE, 0);
}

/* The address of a function that is yet to be written; false: there are enough of them. */
static bool emit_function(struct gen *g, u8 dst, enum entry entry)
{
	if (g->nr_calls >= MAX_CALLS || g->in_subprog || !is_room(g))
		return false;
	g->calls[g->nr_calls].entry = entry;
	g->calls[g->nr_calls++].insn =
		emit(g, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_FUNC, 0, 0);
	emit(g, 0, 0, 0, 0, 0);
	set_kind(g, dst, K_OTHER, 0);
	return true;
}

void say_timer(struct gen *g)
{
	u16 reserved = g->reserved;
	u8 value;

	if (is_tracing(g) && !liberty(g))
		return;
	value = look_up_field(g, GEN_TIMER);
	if (value == NO_REG)
		return;
	note(g, GEN_TIMERS);
	if (chance(g, 600)) {
		emit_field(g, value);
		emit_map(g, 2, liberty(g) ? GEN_LOCKED : GEN_TIMER);
		emit_const(g, 3, 1);
		emit_helper(g, BPF_FUNC_timer_init, K_SCALAR, 0);
	}
	if (chance(g, 600) && emit_function(g, 2, ENTRY_TIMER)) {
		emit_field(g, value);
		emit_helper(g, BPF_FUNC_timer_set_callback, K_SCALAR, 0);
	}
	if (chance(g, 600)) {
		emit_field(g, value);
		emit_const(g, 2, 1000);
		emit_const(g, 3, 0);
		emit_helper(g, BPF_FUNC_timer_start, K_SCALAR, 0);
	}
	g->reserved = reserved;
}

void say_throw(struct gen *g)
{
	u32 jump = emit_condition(g);

	note(g, GEN_EXCEPTIONS);
	emit(g, BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, (s32)pick(g, 3));
	emit(g, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, GEN_THROW);
	land(g, jump);
	set_kind(g, 1, K_NONE, 0);
}

void say_callback(struct gen *g)
{
	bool each = chance(g, 500);
	u8 count = find(g, K_SCALAR);

	if (!emit_function(g, 2, each ? ENTRY_EACH : ENTRY_LOOP))
		return;
	note(g, GEN_CALLBACKS);
	if (each)
		emit_map(g, 1, chance(g, 500) ? GEN_ARRAY : GEN_HASH);
	else if (chance(g, 300) && count != NO_REG && count != 2)
		emit_mov(g, 1, count);
	else
		emit_const(g, 1, liberty(g) ? pick_imm(g) : (s32)pick(g, 20));
	emit_stack_address(g, 3, -8 * (s32)(1 + pick(g, NR_SLOTS)));
	emit_const(g, 4, liberty(g) ? 1 : 0);
	emit_helper(g, each ? BPF_FUNC_for_each_map_elem : BPF_FUNC_loop, K_SCALAR, 0);
	/* It may have written to any slot. */
	for (u8 i = 0; i < NR_SLOTS; i++)
		if (g->v.slot[i] > K_SCALAR)
			g->v.slot[i] = K_NONE;
}

/* Bytes of the packet, by a helper or by the old instructions. */
void say_load_bytes(struct gen *g)
{
	bool xdp = g->p->prog_type == BPF_PROG_TYPE_XDP;
	u8 ctx = find(g, K_CTX);
	unsigned size = 1 + pick(g, 32);

	if ((is_tracing(g) || g->p->prog_type > BPF_PROG_TYPE_CGROUP_SKB) && !liberty(g))
		return;
	if (ctx == NO_REG)
		return;
	note(g, GEN_PACKETS);
	if (ctx == 6 && !xdp && chance(g, 500)) {
		u8 src = chance(g, 300) ? find(g, K_SCALAR) : NO_REG;
		u8 width = pick(g, 3) == 0 ? BPF_W : pick(g, 2) ? BPF_H : BPF_B;

		emit(g, BPF_LD | (src == NO_REG ? BPF_ABS : BPF_IND) | width, 0,
		     src == NO_REG ? 0 : src, 0, (s32)pick(g, 40));
		for (u8 i = 1; i <= 5; i++)
			set_kind(g, i, K_NONE, 0);
		set_kind(g, 0, K_SCALAR, 0);
		return;
	}
	emit_mov(g, 1, ctx);
	emit_const(g, 2, (s32)pick(g, 40));
	emit_stack_address(g, 3, -32);
	emit_size(g, 4, liberty(g) ? size + 20 : size);
	emit_helper(g, xdp ? BPF_FUNC_xdp_load_bytes : BPF_FUNC_skb_load_bytes, K_SCALAR, 0);
	for (u8 i = 0; i < 4; i++)
		if (g->v.slot[i] > K_SCALAR)
			g->v.slot[i] = K_NONE;
}
