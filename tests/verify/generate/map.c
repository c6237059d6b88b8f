/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statements that call helpers: about maps, records, packets, memory.
 */
#include "verify/generate/gen.h"

enum gen_map pick_map(struct gen *g)
{
	return liberty(g) ? (enum gen_map)pick(g, GEN_NR_MAPS) : (enum gen_map)pick(g, GEN_RINGBUF);
}

void say_lookup(struct gen *g)
{
	enum gen_map map = pick_map(g);
	const struct gen_map_def *def = &gen_maps[map];
	s32 off = emit_key(g, def->key_size);
	u8 keep = pick_saved(g);

	note(g, GEN_MAPS);
	emit_map(g, 1, map);
	emit_stack_address(g, 2, off);
	emit_helper(g, BPF_FUNC_map_lookup_elem, K_VALUE_NULL, def->value_size);
	if (keep != NO_REG && chance(g, 300))
		emit_mov(g, keep, 0);
	else
		keep = 0;
	if (chance(g, 150))
		return;
	check_null(g, keep, K_VALUE, def->value_size);
	if (def->value_size)
		access_memory(g, keep, def->value_size);
}

void say_update(struct gen *g)
{
	enum gen_map map = pick_map(g);
	const struct gen_map_def *def = &gen_maps[map];
	s32 off = emit_key(g, def->key_size);
	u8 value = find(g, K_VALUE);

	note(g, GEN_MAPS);
	if (chance(g, 300)) {
		emit_map(g, 1, map);
		emit_stack_address(g, 2, off);
		emit_helper(g, BPF_FUNC_map_delete_elem, K_SCALAR, 0);
		return;
	}
	if (value != NO_REG && value > 5 && g->v.size[value] >= def->value_size) {
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
	emit_helper(g, BPF_FUNC_map_update_elem, K_SCALAR, 0);
}

void say_direct_value(struct gen *g)
{
	unsigned off = chance(g, 500) ? 0 : pick(g, 47);
	u8 dst = pick_target(g);

	note(g, GEN_MAPS);
	if (liberty(g))
		off = pick(g, 64);
	emit(g, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_VALUE, 0, GEN_ARRAY);
	emit(g, 0, 0, 0, 0, (s32)off);
	set_kind(g, dst, K_VALUE, off < 48 ? 48 - off : 0);
}

void say_number_helper(struct gen *g)
{
	static const s32 ids[] = { BPF_FUNC_ktime_get_ns, BPF_FUNC_get_prandom_u32,
				   BPF_FUNC_get_smp_processor_id, BPF_FUNC_get_current_pid_tgid,
				   BPF_FUNC_get_current_uid_gid };
	bool tracing = is_tracing(g);

	u8 keep = pick_saved(g);

	note(g, GEN_HELPERS);
	emit_helper(g, ids[pick(g, tracing || liberty(g) ? 5 : 3)], K_SCALAR, 0);
	if (keep != NO_REG && chance(g, 600))
		emit_mov(g, keep, 0);
}

void say_memory_helper(struct gen *g)
{
	bool tracing = is_tracing(g);
	s32 off = -8 * (s32)(1 + pick(g, NR_SLOTS));
	unsigned max = (unsigned)-off;

	note(g, GEN_HELPERS);
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
		emit_helper(g, BPF_FUNC_trace_printk, K_SCALAR, 0);
		return;
	case 1:
		emit_size(g, 3, max);
		emit_map(g, 1, GEN_RINGBUF);
		emit_stack_address(g, 2, off);
		emit_const(g, 4, 0);
		emit_helper(g, BPF_FUNC_ringbuf_output, K_SCALAR, 0);
		return;
	case 2:
		emit_size(g, 2, max);
		emit_stack_address(g, 1, off);
		emit_helper(g, BPF_FUNC_get_current_comm, K_SCALAR, 0);
		break;
	default:
		emit_size(g, 2, max);
		emit_stack_address(g, 1, off);
		emit_const(g, 3, 0);
		emit_helper(g,
			    chance(g, 500) ? BPF_FUNC_probe_read_kernel
					   : BPF_FUNC_probe_read_user_str,
			    K_SCALAR, 0);
		break;
	}
}

/* The record is submitted or discarded. */
static void give_record(struct gen *g, u8 record)
{
	emit_mov(g, 1, record);
	emit_const(g, 2, 0);
	emit_helper(g, chance(g, 700) ? BPF_FUNC_ringbuf_submit : BPF_FUNC_ringbuf_discard, K_NONE,
		    0);
}

void say_record(struct gen *g)
{
	unsigned size = 8 + 8 * pick(g, 8);
	u16 reserved = g->reserved;
	u8 keep = pick_saved(g);

	if (keep == NO_REG)
		return;
	note(g, GEN_REFERENCES);
	emit_map(g, 1, GEN_RINGBUF);
	emit_const(g, 2, (s32)size);
	emit_const(g, 3, liberty(g) ? 1 : 0);
	emit_helper(g, BPF_FUNC_ringbuf_reserve, K_RECORD_NULL, size);
	check_null(g, 0, K_RECORD, size);
	emit_mov(g, keep, 0);
	g->reserved |= 1u << keep;
	if (chance(g, 300))
		say_quiet_block(g, pick(g, 3));
	for (unsigned n = pick(g, 3); n; n--)
		access_memory(g, keep, size);
	g->reserved = reserved;
	if (!liberty(g))
		give_record(g, keep);
	for (u8 i = 0; i < 10; i++)
		if (g->v.kind[i] == K_RECORD && !liberty(g))
			set_kind(g, i, K_NONE, 0);
	for (u8 i = 0; i < NR_SLOTS; i++)
		if (g->v.slot[i] == K_RECORD && !liberty(g))
			g->v.slot[i] = K_NONE;
}

/* Is r2 + length <= r3? In one of the ways to say it; the jump is taken if not. */
static u32 emit_packet_check(struct gen *g, s32 length)
{
	emit_mov(g, 4, 2);
	emit(g, BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, length);
	switch (pick(g, liberty(g) ? 6 : 2)) {
	case 0: return emit(g, BPF_JMP | BPF_JGT | BPF_X, 4, 3, 0, 0);
	case 1: return emit(g, BPF_JMP | BPF_JLT | BPF_X, 3, 4, 0, 0);
	case 2: return emit(g, BPF_JMP | BPF_JGE | BPF_X, 4, 3, 0, 0);
	case 3: return emit(g, BPF_JMP | BPF_JLE | BPF_X, 3, 4, 0, 0);
	case 4: return emit(g, BPF_JMP | BPF_JLE | BPF_X, 4, 3, 0, 0);
	default: return emit(g, BPF_JMP32 | BPF_JGT | BPF_X, 4, 3, 0, 0);
	}
}

static void access_packet(struct gen *g, s32 length)
{
	static const u8 sizes[] = { BPF_B, BPF_H, BPF_W, BPF_DW };
	unsigned width = pick(g, 4);
	s32 bytes = 1 << width, off = length >= bytes ? (s32)pick(g, (u32)(length - bytes + 1)) : 0;
	bool writes = g->p->prog_type != BPF_PROG_TYPE_CGROUP_SKB;

	if (length < bytes)
		width = 0, off = 0;
	if (liberty(g))
		off = length;
	emit(g, BPF_LDX | BPF_MEM | sizes[width], 5, 2, off, 0);
	if (chance(g, 300) && (writes || liberty(g)))
		emit(g, BPF_ST | BPF_MEM | sizes[width], 2, 0, off, 1);
}

void say_packet(struct gen *g)
{
	bool xdp = g->p->prog_type == BPF_PROG_TYPE_XDP;
	s32 start = xdp ? 0 : 76, end = start + 4, length = (s32)(1 + pick(g, 40));
	u8 ctx = find(g, K_CTX);
	u32 jump;

	if ((!has_packet(g) && !liberty(g)) || ctx == NO_REG || ctx <= 4)
		return;
	note(g, GEN_PACKETS);
	if (chance(g, 100) && g->p->prog_type != BPF_PROG_TYPE_CGROUP_SKB) {
		end = start; /* what comes before the packet ends where it starts */
		start = xdp ? 8 : 140;
	}
	emit(g, BPF_LDX | BPF_MEM | BPF_W, 2, ctx, start, 0);
	emit(g, BPF_LDX | BPF_MEM | BPF_W, 3, ctx, end, 0);
	set_kind(g, 2, K_PACKET, (unsigned)length);
	set_kind(g, 3, K_PACKET_END, 0);
	for (unsigned n = pick(g, 3); n; n--) {
		u8 index = find(g, K_SCALAR);

		if (index == NO_REG || index <= 5 || g->reserved >> index & 1)
			break;
		emit(g, BPF_ALU64 | BPF_AND | BPF_K, index, 0, 0, (s32)(1u << pick(g, 9)) - 1);
		emit(g, BPF_ALU64 | BPF_ADD | BPF_X, 2, index, 0, 0);
	}
	jump = emit_packet_check(g, length);
	access_packet(g, length);
	if (chance(g, 200) && !g->no_calls) {
		emit(g, BPF_ALU64 | BPF_MOV | BPF_X, 1, 2, 0, 0);
		emit_const(g, 2, length);
		emit_const(g, 3, 0);
		emit_const(g, 4, 0);
		emit_const(g, 5, 0);
		emit_helper(g, BPF_FUNC_csum_diff, K_SCALAR, 0);
		set_kind(g, 0, K_NONE, 0);
	}
	land(g, jump);
	for (u8 i = 1; i <= 5; i++)
		set_kind(g, i, K_NONE, 0);
}

/* A map out of a map of maps, and a value out of it. */
void say_map_in_map(struct gen *g)
{
	s32 off = emit_key(g, 4);

	note(g, GEN_MAPS_IN_MAPS);
	emit_map(g, 1, GEN_OUTER);
	emit_stack_address(g, 2, off);
	emit_helper(g, BPF_FUNC_map_lookup_elem, K_OTHER, 0);
	check_null(g, 0, K_OTHER, 0);
	if (liberty(g))
		access_memory(g, 0, 48);
	emit_mov(g, 1, 0);
	off = -8 * (s32)(1 + pick(g, NR_SLOTS - 1));
	emit(g, BPF_ST | BPF_MEM | BPF_W, 10, 0, off, (s32)pick(g, 3));
	g->v.slot[-off / 8 - 1] = K_NONE;
	emit_stack_address(g, 2, off);
	emit_helper(g, BPF_FUNC_map_lookup_elem, K_VALUE_NULL, gen_maps[GEN_ARRAY].value_size);
	check_null(g, 0, K_VALUE, gen_maps[GEN_ARRAY].value_size);
	access_memory(g, 0, gen_maps[GEN_ARRAY].value_size);
}

void say_tail_call(struct gen *g)
{
	u8 ctx = find(g, K_CTX);

	if (ctx == NO_REG)
		return;
	note(g, GEN_TAIL_CALLS);
	emit_mov(g, 1, ctx);
	emit_map(g, 2, GEN_PROG_ARRAY);
	emit_size(g, 3, 4);
	emit_helper(g, BPF_FUNC_tail_call, K_NONE, 0);
}
