/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checking interpreter: instructions and memory. Helpers are in machine_helper.c.
 */
#include "verify/machine_helper.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "isa/opcode.h"

enum { LOAD_ACQUIRE = 0x100, STORE_RELEASE = 0x110, MAY_GOTO = 0xe0 };

u64 machine_random(struct machine *m)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return m->random;
}

/* Numbers that programs find interesting: small ones, all bits, anything. */
u64 machine_number(struct machine *m)
{
	u64 x = machine_random(m);

	switch ((x >> 60) & 3) {
	case 0: return x & 0xff;
	case 1: return (u64)(s64)(s8)x;
	case 2: return x >> (machine_random(m) & 63);
	default: return x;
	}
}

static u32 add_region(struct machine *m, struct region region)
{
	if (m->nr_regions >= MACHINE_REGIONS)
		return 0;
	m->region[m->nr_regions] = region;
	return m->nr_regions++;
}

static void fill(struct machine *m, u8 *at, u32 size)
{
	u64 number;

	for (u32 i = 0; i < size; i += 8) {
		number = machine_number(m);
		memcpy(at + i, &number, size - i < 8 ? size - i : 8);
	}
}

u32 machine_add_region(struct machine *m, enum region_kind kind, u32 index, u32 size)
{
	u32 room = (size + 7) & ~7u;
	u8 *base = m->memory + m->nr_bytes;

	if (room > MACHINE_MEMORY - m->nr_bytes)
		return 0;
	m->nr_bytes += room;
	fill(m, base, size);
	return add_region(
		m, (struct region){ .kind = kind, .index = index, .size = size, .base = base });
}

u32 machine_add_part(struct machine *m, struct cell at, u32 size, bool read_only)
{
	u8 *base = machine_memory(m, at, size);

	return base ? add_region(m, (struct region){ .kind = REGION_RECORD,
						     .size = size,
						     .inside = at.region,
						     .read_only = read_only,
						     .base = base })
		    : 0;
}

void machine_end_region(struct machine *m, u32 region)
{
	m->region[region].kind = REGION_GONE;
	for (u32 i = 1; i < m->nr_regions; i++)
		if (m->region[i].inside == region)
			m->region[i].kind = REGION_GONE;
}

struct cell machine_pointer(const struct machine *m, u32 region, u64 off)
{
	return (struct cell){ (u64)(uintptr_t)m->region[region].base + off, region };
}

/* No pointer into an older frame of this depth is left: programs cannot keep one. */
bool machine_enter(struct machine *m, u32 callsite)
{
	struct machine_frame *frame = &m->frame[m->depth];
	u32 *stack = &m->stacks[m->depth];

	memset(frame, 0, sizeof(*frame));
	for (int i = 0; i < 11; i++)
		frame->reg[i].value = machine_random(m);
	frame->callsite = callsite;
	if (!*stack)
		*stack = machine_add_region(m, REGION_STACK, m->depth, MACHINE_STACK);
	else
		fill(m, m->region[*stack].base, MACHINE_STACK);
	frame->stack = *stack;
	frame->reg[10] = machine_pointer(m, frame->stack, MACHINE_STACK);
	return *stack;
}

void machine_start(struct machine *m, const struct gen_program *program, u64 seed)
{
	memset(m, 0, offsetof(struct machine, memory));
	m->program = program;
	m->random = seed * 0x9e3779b97f4a7c15ULL | 1;
	m->nr_regions = 1;
	m->context = machine_add_region(m, REGION_CONTEXT, 0, MACHINE_CONTEXT);
	m->meta = machine_add_region(m, REGION_META, 0, 8 * ((u32)(machine_random(m) >> 40) % 4));
	m->packet =
		machine_add_region(m, REGION_PACKET, 0, 14 + (u32)(machine_random(m) >> 40) % 300);
	m->function = machine_add_region(m, REGION_FUNCTION, 0, 0);
	m->number = machine_add_region(m, REGION_RECORD, 0, 4);
	m->region[m->number].read_only = true;
	for (u32 i = 0; i < GEN_NR_MAPS; i++) {
		m->values[i] = machine_add_region(m, REGION_VALUE, i, gen_maps[i].value_size);
		m->keys[i] = machine_add_region(m, REGION_KEY, i, gen_maps[i].key_size);
		m->maps[i] = machine_add_region(m, REGION_MAP, i, 8);
	}
	machine_enter(m, (u32)-1);
	m->frame[0].reg[1] = machine_pointer(m, m->context, 0);
}

enum machine_event machine_fault(struct machine *m, const char *what, struct cell at, u64 size)
{
	const struct region *region = &m->region[at.region];

	snprintf(m->fault, sizeof(m->fault),
		 "insn %u: %s of %llu bytes at %lld of region kind %d, %u bytes", m->pc, what,
		 (unsigned long long)size, (long long)(at.value - (u64)(uintptr_t)region->base),
		 region->kind, region->size);
	return MACHINE_FAULT;
}

void *machine_writable(struct machine *m, struct cell at, u64 size)
{
	return m->region[at.region].read_only ? NULL : machine_memory(m, at, size);
}

void *machine_memory(struct machine *m, struct cell at, u64 size)
{
	const struct region *region = &m->region[at.region];
	u64 off = at.value - (u64)(uintptr_t)region->base;

	if (!at.region || region->kind >= REGION_FUNCTION || off > region->size ||
	    size > region->size - off)
		return NULL;
	return region->base + off;
}

/* Bytes of a stack change: pointers in them are no longer whole. */
void machine_forget_pointers(struct machine *m, struct cell at, u64 size)
{
	const struct region *region = &m->region[at.region];
	u64 off = at.value - (u64)(uintptr_t)region->base;

	if (region->kind != REGION_STACK || !size)
		return;
	for (u64 slot = off / 8; slot <= (off + size - 1) / 8; slot++)
		m->frame[region->index].slot_region[slot] = 0;
}

void machine_note_read(struct machine *m, struct cell at, u64 size)
{
	const struct region *region = &m->region[at.region];
	u64 off = at.value - (u64)(uintptr_t)region->base;

	if (region->kind != REGION_STACK || !size)
		return;
	for (u64 slot = off / 8; slot <= (off + size - 1) / 8; slot++)
		m->read_slots[region->index] |= 1ULL << slot;
}

struct cell machine_read(struct machine *m, unsigned reg)
{
	m->read_regs |= 1u << reg;
	return m->frame[m->depth].reg[reg];
}

static unsigned width_of(u8 code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B: return 1;
	case BPF_H: return 2;
	case BPF_W: return 4;
	default: return 8;
	}
}

static u64 read_bytes(const void *memory, unsigned width)
{
	u64 value = 0;

	memcpy(&value, memory, width);
	return value;
}

static struct cell offset_by(struct cell cell, s16 off)
{
	cell.value += (u64)(s64)off;
	return cell;
}

/* Contexts of packets have their ends in them; *ret_event: what the machine does not know. */
static bool load_special(struct machine *m, struct cell at, struct cell *ret,
			 enum machine_event *ret_event)
{
	const struct region *packet = &m->region[m->packet];
	u32 type = m->program->prog_type, data = 76, end = 80, meta = 140;
	u64 off = at.value - (u64)(uintptr_t)m->region[m->context].base;

	*ret_event = MACHINE_RUNS;
	if (at.region != m->context || type == BPF_PROG_TYPE_TRACEPOINT ||
	    type == BPF_PROG_TYPE_KPROBE || type == BPF_PROG_TYPE_RAW_TRACEPOINT ||
	    type == BPF_PROG_TYPE_PERF_EVENT)
		return false;
	if (type == BPF_PROG_TYPE_XDP)
		data = 0, end = 4, meta = 8;
	else if (off == 144 || off == 168 || type == BPF_PROG_TYPE_CGROUP_SOCK_ADDR)
		*ret_event = off >= 64 ? MACHINE_UNKNOWN : MACHINE_RUNS; /* sockets, flow keys */
	if (off == data)
		*ret = machine_pointer(m, m->packet, 0);
	else if (off == end)
		*ret = machine_pointer(m, m->packet, packet->size);
	else if (off == meta)
		*ret = machine_pointer(m, m->meta, 0);
	else
		return *ret_event != MACHINE_RUNS;
	return true;
}

static enum machine_event do_load(struct machine *m, const struct bpf_insn *insn)
{
	struct machine_frame *frame = &m->frame[m->depth];
	struct cell at = offset_by(machine_read(m, insn->src_reg), insn->off);
	struct cell *dst = &frame->reg[insn->dst_reg];
	unsigned width = width_of(insn->code), mode = BPF_MODE(insn->code);
	const struct region *region = &m->region[at.region];
	const void *memory = machine_memory(m, at, width);
	u64 off = at.value - (u64)(uintptr_t)region->base;
	enum machine_event event;

	if (mode != BPF_MEM && mode != BPF_MEMSX && mode != BPF_ATOMIC)
		return MACHINE_UNKNOWN;
	/* Only reads of the kernel's structure are allowed there: it is not known here. */
	if (region->kind == REGION_MAP)
		return MACHINE_UNKNOWN;
	if (!memory)
		return machine_fault(m, "load", at, width);
	machine_note_read(m, at, width);
	if (load_special(m, at, dst, &event))
		return event;
	*dst = (struct cell){ read_bytes(memory, width), 0 };
	if (mode == BPF_MEMSX)
		dst->value = (u64)((s64)(dst->value << (64 - 8 * width)) >> (64 - 8 * width));
	if (region->kind == REGION_STACK && width == 8 && off % 8 == 0)
		dst->region = m->frame[region->index].slot_region[off / 8];
	return MACHINE_RUNS;
}

static enum machine_event do_store(struct machine *m, const struct bpf_insn *insn,
				   struct cell value)
{
	struct cell at = offset_by(machine_read(m, insn->dst_reg), insn->off);
	unsigned width = width_of(insn->code);
	const struct region *region = &m->region[at.region];
	void *memory = machine_writable(m, at, width);
	u64 off = at.value - (u64)(uintptr_t)region->base;

	if (!memory)
		return machine_fault(m, "store", at, width);
	memcpy(memory, &value.value, width);
	machine_forget_pointers(m, at, width);
	if (region->kind == REGION_STACK && width == 8 && off % 8 == 0)
		m->frame[region->index].slot_region[off / 8] = value.region;
	return MACHINE_RUNS;
}

static enum machine_event do_atomic(struct machine *m, const struct bpf_insn *insn)
{
	struct machine_frame *frame = &m->frame[m->depth];
	bool loads = insn->imm == LOAD_ACQUIRE;
	struct cell at =
		offset_by(loads ? (struct cell){ 0 } : machine_read(m, insn->dst_reg), insn->off);
	struct cell *src = &frame->reg[insn->src_reg];
	unsigned width = width_of(insn->code);
	void *memory = machine_writable(m, at, width);
	u64 mask = width == 8 ? ~0ULL : 0xffffffff, old, new, operand = src->value &mask;

	if (insn->imm == LOAD_ACQUIRE)
		return do_load(m, insn);
	if (insn->imm == STORE_RELEASE)
		return do_store(m, insn, machine_read(m, insn->src_reg));
	if (width < 4)
		return MACHINE_UNKNOWN;
	if (!memory)
		return machine_fault(m, "atomic", at, width);
	machine_note_read(m, at, width);
	old = new = read_bytes(memory, width);
	switch (insn->imm & ~BPF_FETCH) {
	case BPF_ADD: new = old + operand; break;
	case BPF_AND: new = old &operand; break;
	case BPF_OR: new = old | operand; break;
	case BPF_XOR: new = old ^ operand; break;
	case BPF_XCHG & ~BPF_FETCH: new = operand; break;
	case BPF_CMPXCHG & ~BPF_FETCH:
		if (old == (machine_read(m, 0).value & mask))
			new = operand;
		break;
	default: return MACHINE_UNKNOWN;
	}
	memcpy(memory, &new, width);
	machine_forget_pointers(m, at, width);
	if (insn->imm == BPF_CMPXCHG)
		frame->reg[0] = (struct cell){ old, 0 };
	else if (insn->imm & BPF_FETCH)
		*src = (struct cell){ old, 0 };
	return MACHINE_RUNS;
}

static u64 swapped(u64 x, unsigned bits)
{
	u64 r = 0;

	for (unsigned i = 0; i < bits; i += 8)
		r |= ((x >> i) & 0xff) << (bits - 8 - i);
	return r;
}

static u64 divide(u64 a, u64 b, bool is_signed, bool is32, bool want_rest)
{
	s64 x = is32 ? (s32)a : (s64)a, y = is32 ? (s32)b : (s64)b;

	if (b == 0)
		return want_rest ? a : 0;
	if (!is_signed)
		return want_rest ? a % b : a / b;
	if (y == -1)
		return want_rest ? 0 : 0 - (u64)x;
	return (u64)(want_rest ? x % y : x / y);
}

/* The result of a two-operand ALU operation on words or, a and b being cut, halves. */
static bool compute(const struct bpf_insn *insn, u64 a, u64 b, u64 *ret)
{
	bool is32 = BPF_CLASS(insn->code) == BPF_ALU, is_signed = insn->off == 1;
	unsigned shift = (unsigned)b & (is32 ? 31 : 63);

	switch (BPF_OP(insn->code)) {
	case BPF_ADD: *ret = a + b; break;
	case BPF_SUB: *ret = a - b; break;
	case BPF_MUL: *ret = a * b; break;
	case BPF_DIV: *ret = divide(a, b, is_signed, is32, false); break;
	case BPF_MOD: *ret = divide(a, b, is_signed, is32, true); break;
	case BPF_AND: *ret = a & b; break;
	case BPF_OR: *ret = a | b; break;
	case BPF_XOR: *ret = a ^ b; break;
	case BPF_LSH: *ret = a << shift; break;
	case BPF_RSH: *ret = a >> shift; break;
	case BPF_ARSH: *ret = is32 ? (u64)(u32)((s32)a >> shift) : (u64)((s64)a >> shift); break;
	case BPF_NEG: *ret = 0 - a; break;
	case BPF_MOV:
		*ret = insn->off ? (u64)((s64)(b << (64 - insn->off)) >> (64 - insn->off)) : b;
		break;
	default: return false;
	}
	return true;
}

static void swap_bytes(const struct bpf_insn *insn, struct cell *dst)
{
	bool keeps = BPF_CLASS(insn->code) == BPF_ALU && BPF_SRC(insn->code) == BPF_TO_LE;
	unsigned bits = (unsigned)insn->imm;

	dst->region = 0;
	if (!keeps)
		dst->value = swapped(dst->value, bits);
	else if (bits < 64)
		dst->value &= (1ULL << bits) - 1;
}

static enum machine_event do_alu(struct machine *m, const struct bpf_insn *insn)
{
	struct machine_frame *frame = &m->frame[m->depth];
	bool is32 = BPF_CLASS(insn->code) == BPF_ALU;
	struct cell *dst = &frame->reg[insn->dst_reg], src = { (u64)(s64)insn->imm, 0 };
	u64 mask = is32 ? 0xffffffff : ~0ULL;
	u8 op = BPF_OP(insn->code);
	u32 region = 0;

	if (op != BPF_MOV)
		machine_read(m, insn->dst_reg);
	if (op == BPF_END) {
		swap_bytes(insn, dst);
		return MACHINE_RUNS;
	}
	if (BPF_SRC(insn->code) == BPF_X)
		src = machine_read(m, insn->src_reg);
	/* Only these keep pointing into a region. */
	if (!is32 && op == BPF_MOV && !insn->off)
		region = src.region;
	else if (!is32 && op == BPF_ADD)
		region = dst->region ? dst->region : src.region;
	else if (!is32 && op == BPF_SUB && !src.region)
		region = dst->region;
	if (!compute(insn, dst->value & mask, src.value & mask, &dst->value))
		return MACHINE_UNKNOWN;
	dst->value &= mask;
	dst->region = region;
	return MACHINE_RUNS;
}

static bool holds(u8 op, u64 a, u64 b, bool is32)
{
	s64 x = is32 ? (s32)a : (s64)a, y = is32 ? (s32)b : (s64)b;

	switch (op) {
	case BPF_JEQ: return a == b;
	case BPF_JNE: return a != b;
	case BPF_JSET: return (a & b) != 0;
	case BPF_JGT: return a > b;
	case BPF_JGE: return a >= b;
	case BPF_JLT: return a < b;
	case BPF_JLE: return a <= b;
	case BPF_JSGT: return x > y;
	case BPF_JSGE: return x >= y;
	case BPF_JSLT: return x < y;
	default: return x <= y;
	}
}

static enum machine_event do_exit(struct machine *m)
{
	struct cell result = m->frame[m->depth].reg[0];
	u32 callsite = m->frame[m->depth].callsite;

	if (m->depth == 0) {
		machine_read(m, 0);
		return MACHINE_EXIT;
	}
	if (m->frame[m->depth].callback && machine_call_again(m))
		return MACHINE_RUNS;
	if (m->frame[m->depth].callback)
		result = (struct cell){ m->frame[m->depth].done, 0 };
	m->depth--;
	for (int i = 1; i <= 5; i++)
		m->frame[m->depth].reg[i] = (struct cell){ machine_random(m), 0 };
	m->frame[m->depth].reg[0] = result;
	m->pc = callsite;
	return MACHINE_RUNS;
}

static enum machine_event do_call(struct machine *m, const struct bpf_insn *insn)
{
	struct machine_frame *caller = &m->frame[m->depth];

	if (insn->src_reg == 0)
		return machine_helper(m, insn->imm);
	if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
		return machine_kfunc(m, (enum gen_kfunc)insn->imm);
	if (insn->src_reg != BPF_PSEUDO_CALL || m->depth + 1 >= MACHINE_FRAMES)
		return MACHINE_UNKNOWN;
	m->depth++;
	if (!machine_enter(m, m->pc))
		return MACHINE_UNKNOWN;
	for (int i = 1; i <= 5; i++)
		m->frame[m->depth].reg[i] = caller->reg[i];
	m->pc += (u32)insn->imm;
	return MACHINE_RUNS;
}

static enum machine_event do_jump(struct machine *m, const struct bpf_insn *insn)
{
	bool is32 = BPF_CLASS(insn->code) == BPF_JMP32;
	u64 mask = is32 ? 0xffffffff : ~0ULL, a, b;
	u8 op = BPF_OP(insn->code);

	switch (op) {
	case BPF_EXIT: return do_exit(m);
	case BPF_CALL: return do_call(m, insn);
	case BPF_JA: m->pc += is32 ? (u32)insn->imm : (u32)(s32)insn->off; return MACHINE_RUNS;
	case MAY_GOTO:
		if (!(machine_random(m) & (3 << 20)))
			m->pc += (u32)(s32)insn->off;
		return MACHINE_RUNS;
	default: break;
	}
	a = machine_read(m, insn->dst_reg).value & mask;
	b = (BPF_SRC(insn->code) == BPF_X ? machine_read(m, insn->src_reg).value
					  : (u64)(s64)insn->imm) &
	    mask;
	if (holds(op, a, b, is32))
		m->pc += (u32)(s32)insn->off;
	return MACHINE_RUNS;
}

/* What is not there ends the program. */
static enum machine_event load_from_packet(struct machine *m, const struct bpf_insn *insn)
{
	struct machine_frame *frame = &m->frame[m->depth];
	u64 mask = width_of(insn->code) == 8 ? ~0ULL : (1ULL << 8 * width_of(insn->code)) - 1;

	machine_read(m, 6);
	if (BPF_MODE(insn->code) == BPF_IND)
		machine_read(m, insn->src_reg);
	if (!(machine_random(m) & (7 << 20)))
		return MACHINE_EXIT;
	for (int i = 1; i <= 5; i++)
		frame->reg[i] = (struct cell){ machine_random(m), 0 };
	frame->reg[0] = (struct cell){ machine_number(m) & mask, 0 };
	return MACHINE_RUNS;
}

static enum machine_event do_ld(struct machine *m, const struct bpf_insn *insn)
{
	struct cell *dst = &m->frame[m->depth].reg[insn->dst_reg];

	if (insn->code != (BPF_LD | BPF_IMM | BPF_DW))
		return load_from_packet(m, insn);
	m->pc++;
	switch (insn->src_reg) {
	case 0: *dst = (struct cell){ (u64)(u32)insn->imm | (u64)(u32)insn[1].imm << 32, 0 }; break;
	case BPF_PSEUDO_MAP_FD: *dst = machine_pointer(m, m->maps[insn->imm], 0); break;
	case BPF_PSEUDO_MAP_VALUE:
		*dst = machine_pointer(m, m->values[insn->imm], (u32)insn[1].imm);
		break;
	case BPF_PSEUDO_FUNC: *dst = (struct cell){ m->pc + (u32)insn->imm, m->function }; break;
	default: return MACHINE_UNKNOWN;
	}
	return MACHINE_RUNS;
}

enum machine_event machine_step(struct machine *m)
{
	const struct bpf_insn *insn = &m->program->insns[m->pc];
	enum machine_event event;

	if (m->pc >= m->program->nr_insns) {
		snprintf(m->fault, sizeof(m->fault), "left the program at %u", m->pc);
		return MACHINE_FAULT;
	}
	m->steps++;
	m->read_regs = 0;
	memset(m->read_slots, 0, sizeof(m->read_slots));
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD: event = do_ld(m, insn); break;
	case BPF_LDX: event = do_load(m, insn); break;
	case BPF_ST: event = do_store(m, insn, (struct cell){ (u64)(s64)insn->imm, 0 }); break;
	case BPF_STX:
		if (BPF_MODE(insn->code) == BPF_ATOMIC)
			event = do_atomic(m, insn);
		else
			event = do_store(m, insn, machine_read(m, insn->src_reg));
		break;
	case BPF_JMP:
	case BPF_JMP32: event = do_jump(m, insn); break;
	default: event = do_alu(m, insn); break;
	}
	m->pc++;
	return event;
}
