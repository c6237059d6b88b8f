/* SPDX-License-Identifier: BSD-2-Clause */
/* See encode.h. */
#include "jit/x86_64/encode.h"

#include "base/alloc.h"

#define S32_FAR (1 << 30) /* stands for a distance that is not known yet */

void emit_done(struct emitter *emitter)
{
	base_free(emitter->bytes);
	base_free(emitter->offsets);
	base_free(emitter->relocations);
	*emitter = (struct emitter){ 0 };
}

/* array with room for one more item than used; no_memory: it is as it was. */
static void *room_for(struct emitter *emitter, void *array, u32 *room, u32 used, u32 item_size)
{
	u32 more = *room ? *room * 2 : 256;
	void *bigger;

	if (likely(used < *room))
		return array;
	bigger = more > *room ? base_realloc(array, more, item_size) : NULL;
	if (!bigger) {
		emitter->no_memory = true;
		return array;
	}
	*room = more;
	return bigger;
}

static void label_room(struct emitter *emitter, u32 label)
{
	while (label >= emitter->room_labels && !emitter->no_memory)
		emitter->offsets = room_for(emitter, emitter->offsets, &emitter->room_labels,
					    emitter->room_labels, sizeof(*emitter->offsets));
}

void emit_pass_begin(struct emitter *emitter, u32 nr_insns)
{
	emitter->first_pass = emitter->nr_labels == 0;
	emitter->nr_insns = emitter->nr_labels = nr_insns;
	emitter->size = emitter->nr_relocations = emitter->slack = 0;
	emitter->moved = emitter->first_pass;
	label_room(emitter, nr_insns);
	for (u32 i = 0; i < nr_insns && emitter->first_pass && !emitter->no_memory; i++)
		emitter->offsets[i] = EMIT_UNKNOWN;
}

bool emit_pass_end(struct emitter *emitter)
{
	return !emitter->moved && !emitter->no_memory;
}

void emit_byte(struct emitter *emitter, u8 byte)
{
	emitter->bytes = room_for(emitter, emitter->bytes, &emitter->room, emitter->size, 1);
	if (likely(!emitter->no_memory))
		emitter->bytes[emitter->size++] = byte;
}

void emit_u32(struct emitter *emitter, u32 value)
{
	for (u32 i = 0; i < 4; i++)
		emit_byte(emitter, (u8)(value >> 8 * i));
}

void emit_u64(struct emitter *emitter, u64 value)
{
	emit_u32(emitter, (u32)value);
	emit_u32(emitter, (u32)(value >> 32));
}

u32 emit_label(struct emitter *emitter)
{
	u32 label = emitter->nr_labels;

	label_room(emitter, label);
	if (emitter->no_memory)
		return 0;
	if (emitter->first_pass)
		emitter->offsets[label] = EMIT_UNKNOWN;
	return emitter->nr_labels++;
}

void emit_bind(struct emitter *emitter, u32 label)
{
	if (emitter->no_memory)
		return;
	emitter->moved |= emitter->offsets[label] != emitter->size;
	emitter->slack = emitter->first_pass ? 0 : emitter->offsets[label] - emitter->size;
	emitter->offsets[label] = emitter->size;
}

/*
 * The displacement to a label from behind an instruction of size bytes that begins here. The place
 * of a label ahead is that of the pass before, less what this pass has saved so far.
 */
static s32 distance_to(struct emitter *emitter, u32 label, u32 size)
{
	u32 at = emitter->no_memory ? EMIT_UNKNOWN : emitter->offsets[label];

	if (at == EMIT_UNKNOWN) {
		emitter->moved = true;
		return S32_FAR;
	}
	if (at > emitter->size)
		at -= emitter->slack;
	return (s32)(at - (emitter->size + size));
}

static bool fits_short(struct emitter *emitter, u32 label, s32 *ret_distance)
{
	*ret_distance = distance_to(emitter, label, 2);
	return !emitter->only_long && *ret_distance == (s8)*ret_distance;
}

void emit_jump(struct emitter *emitter, u32 label)
{
	s32 distance;

	if (fits_short(emitter, label, &distance)) {
		emit_byte(emitter, 0xeb);
		emit_byte(emitter, (u8)distance);
		return;
	}
	distance = distance_to(emitter, label, 5);
	emit_byte(emitter, 0xe9);
	emit_u32(emitter, (u32)distance);
}

void emit_jump_if(struct emitter *emitter, enum x86_condition condition, u32 label)
{
	s32 distance;

	if (fits_short(emitter, label, &distance)) {
		emit_byte(emitter, (u8)(0x70 | condition));
		emit_byte(emitter, (u8)distance);
		return;
	}
	distance = distance_to(emitter, label, 6);
	emit_byte(emitter, 0x0f);
	emit_byte(emitter, (u8)(0x80 | condition));
	emit_u32(emitter, (u32)distance);
}

void emit_call(struct emitter *emitter, u32 label)
{
	s32 distance = distance_to(emitter, label, 5);

	emit_byte(emitter, 0xe8);
	emit_u32(emitter, (u32)distance);
}

/* Prefixes and opcode; reg, index and base are the registers whose fourth bits REX has. */
static void opcode_with(struct emitter *emitter, u32 flags, u32 opcode, u32 reg, u32 index,
			u32 base)
{
	u32 rex = (flags & X86_64 ? 8u : 0) | (reg & 8) >> 1 | (index & 8) >> 2 | (base & 8) >> 3;

	if (flags & X86_LOCK)
		emit_byte(emitter, 0xf0);
	if (flags & X86_16)
		emit_byte(emitter, 0x66);
	if (rex || flags & X86_BYTE)
		emit_byte(emitter, (u8)(0x40 | rex));
	if (opcode > 0xff)
		emit_byte(emitter, (u8)(opcode >> 8));
	emit_byte(emitter, (u8)opcode);
}

void x86_reg(struct emitter *emitter, u32 flags, u32 opcode, u32 reg, u32 rm)
{
	opcode_with(emitter, flags, opcode, reg, 0, rm);
	emit_byte(emitter, (u8)(0xc0 | (reg & 7) << 3 | (rm & 7)));
}

void x86_mem(struct emitter *emitter, u32 flags, u32 opcode, u32 reg, u32 base, s32 disp)
{
	u32 mode = disp == 0 && (base & 7) != RBP ? 0 : disp == (s8)disp ? 1 : 2;

	opcode_with(emitter, flags, opcode, reg, 0, base);
	emit_byte(emitter, (u8)(mode << 6 | (reg & 7) << 3 | (base & 7)));
	if ((base & 7) == RSP)
		emit_byte(emitter, 0x24); /* no index */
	if (mode == 1)
		emit_byte(emitter, (u8)disp);
	else if (mode == 2)
		emit_u32(emitter, (u32)disp);
}

void x86_index(struct emitter *emitter, u32 flags, u32 opcode, u32 reg, u32 base, u32 index,
	       u32 scale)
{
	bool disp = (base & 7) == RBP;

	opcode_with(emitter, flags, opcode, reg, index, base);
	emit_byte(emitter, (u8)((disp ? 0x44 : 0x04) | (reg & 7) << 3));
	emit_byte(emitter, (u8)(scale << 6 | (index & 7) << 3 | (base & 7)));
	if (disp)
		emit_byte(emitter, 0);
}

void x86_address(struct emitter *emitter, u32 flags, u32 opcode, u32 reg, u64 address, u32 trailing)
{
	opcode_with(emitter, flags, opcode, reg, 0, 0);
	emit_byte(emitter, (u8)(0x05 | (reg & 7) << 3));
	emitter->relocations = room_for(emitter, emitter->relocations, &emitter->room_relocations,
					emitter->nr_relocations, sizeof(*emitter->relocations));
	if (!emitter->no_memory)
		emitter->relocations[emitter->nr_relocations++] = (struct emit_relocation){
			.at = emitter->size,
			.behind = emitter->size + 4 + trailing,
			.target = address,
		};
	emit_u32(emitter, 0);
}

void x86_imm(struct emitter *emitter, u32 flags, enum x86_group op, u32 rm, s32 imm)
{
	bool is_short = imm == (s8)imm;

	x86_reg(emitter, flags, is_short ? 0x83 : 0x81, op, rm);
	if (is_short)
		emit_byte(emitter, (u8)imm);
	else
		emit_u32(emitter, (u32)imm);
}

void x86_shift_imm(struct emitter *emitter, u32 flags, enum x86_shift op, u32 rm, u32 count)
{
	x86_reg(emitter, flags, 0xc1, op, rm);
	emit_byte(emitter, (u8)count);
}

void x86_shift_by(struct emitter *emitter, u32 flags, enum x86_shift op, u32 dst, u32 src,
		  u32 count)
{
	/* Which of the three it is: the prefix that VEX stands for. */
	u32 prefix = op == X86_SHL ? 1 : op == X86_SHR ? 3 : 2;

	emit_byte(emitter, 0xc4);
	emit_byte(emitter, (u8)((dst & 8 ? 0 : 0x80) | 0x40 | (src & 8 ? 0 : 0x20) | 2));
	emit_byte(emitter, (u8)((flags & X86_64 ? 0x80 : 0) | (~count & 15) << 3 | prefix));
	emit_byte(emitter, 0xf7);
	emit_byte(emitter, (u8)(0xc0 | (dst & 7) << 3 | (src & 7)));
}

void x86_constant(struct emitter *emitter, u32 dst, u64 value)
{
	if (value == 0) {
		x86_reg(emitter, 0, 0x31, dst, dst);
	} else if (value == (u32)value) {
		if (dst >= R8)
			emit_byte(emitter, 0x41);
		emit_byte(emitter, (u8)(0xb8 | (dst & 7)));
		emit_u32(emitter, (u32)value);
	} else if (value == (u64)(s64)(s32)value) {
		x86_reg(emitter, X86_64, 0xc7, 0, dst);
		emit_u32(emitter, (u32)value);
	} else {
		emit_byte(emitter, (u8)(0x48 | (dst >= R8)));
		emit_byte(emitter, (u8)(0xb8 | (dst & 7)));
		emit_u64(emitter, value);
	}
}
