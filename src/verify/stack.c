/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stack: spilled registers, zeroes, and bytes of which only that they were written is known.
 *
 * Byte index in a slot counts from the highest address down, as offsets from the frame pointer do.
 */
#include "verify/stack.h"

#include <errno.h>

#include "verify/backtrack.h"
#include "verify/fastcall.h"
#include "verify/history.h"
#include "verify/live_stack.h"
#include "verify/operand.h"
#include "verify/slots.h"

static u32 slot_of(int off)
{
	return (u32)(-off - 1) / REG_SIZE;
}

static u8 *byte_of(struct frame *frame, int off)
{
	return &frame_own_slot(frame, slot_of(off))->byte[(u32)(-off - 1) % REG_SIZE];
}

static u8 kind_of(const struct frame *frame, int off)
{
	return frame_slot(frame, slot_of(off))->byte[(u32)(-off - 1) % REG_SIZE];
}

static int grow(struct verify_env *env, u32 frameno, int bytes)
{
	const struct frame *frame = env->cur->frame[frameno];
	struct subprog *subprog = &env->subprog[frame->subprogno];
	u32 depth = ALIGN_UP((u32)bytes, REG_SIZE);

	if (depth > subprog->stack_depth)
		subprog->stack_depth = depth;
	if (depth / REG_SIZE <= frame->nr_slots)
		return 0;
	return frame_grow_stack(vstate_own_frame(env->cur, frameno), depth / REG_SIZE);
}

static int out_of_bounds(struct verify_env *env, u32 regno, int off, int size, const char *what,
			 int err)
{
	const struct reg *reg = &env_regs(env)[regno];
	char text[64];

	if (tnum_is_const(reg->s.var_off))
		verbose(env, "invalid%s stack R%u off=%d size=%d\n", what, regno, off, size);
	else
		verbose(env, "invalid variable-offset%s stack R%u var_off=%s off=%d size=%d\n",
			what, regno, log_tnum(text, reg->s.var_off), off, size);
	return err;
}

int stack_in_bounds(struct verify_env *env, u32 regno, int off, int size, bool write)
{
	const struct reg *reg = &env_regs(env)[regno];
	const struct frame *frame = env_frame_of(env, reg);
	const char *what = write ? " write to" : " read from";
	s64 min, max, lowest = -MAX_BPF_STACK;

	if (tnum_is_const(reg->s.var_off)) {
		min = (s64)reg->s.var_off.value + off;
		max = min + size;
	} else {
		if (reg->s.smax >= MAX_VAR_OFF || reg->s.smin <= -MAX_VAR_OFF) {
			verbose(env, "invalid unbounded variable-offset%s stack R%u\n", what,
				regno);
			return -EACCES;
		}
		min = reg->s.smin + off;
		max = reg->s.smax + off + size;
	}
	if (!write && !env->allow_uninit_stack)
		lowest = -(s64)frame->nr_slots * REG_SIZE;
	if (min < lowest || min > -1)
		return out_of_bounds(env, regno, off, size, what, -EACCES);
	if (max > 0)
		return out_of_bounds(env, regno, off, size, what, -EINVAL);
	if (size < 0)
		return out_of_bounds(env, regno, off, size, what, -EFAULT);
	return grow(env, reg->frameno, (int)-min);
}

/* A byte of a slot whose register, or object, is no more. */
static void scrub_byte(u8 *byte)
{
	if (*byte != SLOT_INVALID)
		*byte = SLOT_MISC;
}

/* A slot of which some bytes are overwritten: with them goes its register, and zeros beside it. */
static void scrub_slot(struct slot *slot)
{
	if (!slot_is_spill(slot) && !slot_is_object(slot))
		return;
	for (u32 i = 0; i < REG_SIZE; i++)
		scrub_byte(&slot->byte[i]);
}

static void spill(struct verify_env *env, struct slot *slot, const struct reg *reg, int size)
{
	u32 i = REG_SIZE;

	slot_set(slot, reg);
	for (; i > REG_SIZE - (u32)size; i--)
		slot->byte[i - 1] = SLOT_SPILL;
	/* The rest of the slot is no part of a register any more. */
	for (; i; i--) {
		u8 *byte = &slot->byte[i - 1];

		if (*byte == SLOT_ZERO || (env->allow_ptr_leaks && *byte == SLOT_INVALID))
			continue;
		*byte = SLOT_MISC;
	}
}

static bool is_store_immediate(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_ST && BPF_MODE(insn->code) == BPF_MEM;
}

static bool stores_zero(const struct verify_env *env, const struct reg *reg)
{
	const struct bpf_insn *insn = &env->insns[env->insn_idx];

	return reg ? reg_is_null(reg) : is_store_immediate(insn) && !insn->imm;
}

/* Bytes without register: zero, or just written. */
static int store_bytes(struct verify_env *env, struct frame *frame, int off, int size,
		       const struct reg *reg, int value)
{
	u8 kind = SLOT_MISC;

	scrub_slot(frame_own_slot(frame, slot_of(off)));
	if (stores_zero(env, reg)) {
		/* The bytes are zero only because that register is: its value matters. */
		int err = value >= 0 ? mark_precise(env, value) : 0;

		if (err)
			return err;
		kind = SLOT_ZERO;
	}
	for (int i = 0; i < size; i++)
		*byte_of(frame, off + i) = kind;
	return 0;
}

static int store_scalar(struct verify_env *env, struct frame *frame, int off, int size,
			struct reg *reg)
{
	struct slot *slot = frame_own_slot(frame, slot_of(off));
	bool fits = reg_width(reg) <= 8u * (u32)size;

	if (fits)
		link_before_copy(env, reg);
	spill(env, slot, reg, size);
	if (!fits)
		unlink_scalar(slot_write(slot));
	return 0;
}

static int store_fixed(struct verify_env *env, struct frame *frame, int off, int size, int value)
{
	const struct bpf_insn *insn = &env->insns[env->insn_idx];
	struct reg *reg = value >= 0 ? &env_regs(env)[value] : NULL, constant;
	u32 number = slot_of(off);
	struct slot *slot = frame_own_slot(frame, number);
	bool aligned = off % REG_SIZE == 0;
	int err;

	if (!env->allow_ptr_leaks && slot_is_spill(slot) && !slot_is_scalar(slot) &&
	    size != REG_SIZE) {
		verbose(env, "attempt to corrupt spilled pointer on stack\n");
		return -EACCES;
	}
	err = slots_overwrite(env, frame, number);
	if (err)
		return err;
	fastcall_stack_use(env, frame, off);
	scratch_slot(env, number);
	if (aligned && size == REG_SIZE)
		live_stack_write(env, frame->frameno, number);
	if (reg && aligned && reg->type == SCALAR_VALUE && env->capable) {
		store_scalar(env, frame, off, size, reg);
	} else if (!reg && aligned && is_store_immediate(insn) && env->capable) {
		reg_set_const(&constant, (u64)(s64)insn->imm);
		spill(env, slot, &constant, size);
	} else if (reg && reg->type != SCALAR_VALUE) {
		if (size != REG_SIZE) {
			log_source_line(env, env->insn_idx, "; ");
			verbose(env, "invalid size of register spill\n");
			return -EACCES;
		}
		if (frame != vstate_frame(env->cur) && reg->type == PTR_TO_STACK) {
			verbose(env,
				"cannot spill pointers to stack into stack frame of the caller\n");
			return -EINVAL;
		}
		spill(env, slot, reg, size);
	} else {
		return store_bytes(env, frame, off, size, reg, value);
	}
	return push_history(env, env->cur, HIST_STACK(frame->frameno, number), NULL);
}

/* One byte that may or may not be overwritten. */
static int store_maybe(struct verify_env *env, struct frame *frame, int off, bool zero,
		       bool *zero_used)
{
	struct slot *slot = frame_own_slot(frame, slot_of(off));
	u8 *byte = byte_of(frame, off), kind = SLOT_MISC;

	scratch_slot(env, slot_of(off));
	if (!env->allow_ptr_leaks && *byte != SLOT_MISC && *byte != SLOT_ZERO) {
		verbose(env, "spilled ptr in range of var-offset stack write; insn %u, ptr off: %d",
			env->insn_idx, off);
		return -EINVAL;
	}
	if (zero && *byte == SLOT_SPILL && slot_is_scalar(slot) && reg_is_null(slot->spilled)) {
		*zero_used = true;
		return 0;
	}
	scrub_slot(slot);
	if (zero && *byte == SLOT_ZERO) {
		kind = SLOT_ZERO;
		*zero_used = true;
	}
	if (*byte == SLOT_INVALID && !env->allow_uninit_stack) {
		verbose(env,
			"uninit stack in range of var-offset write prohibited for !root; insn %u, "
			"off: %d",
			env->insn_idx, off);
		return -EINVAL;
	}
	*byte = kind;
	return 0;
}

static int store_variable(struct verify_env *env, struct frame *frame, const struct reg *pointer,
			  int off, int size, int value)
{
	const struct reg *reg = value >= 0 ? &env_regs(env)[value] : NULL;
	int min = (int)pointer->s.smin + off, max = (int)pointer->s.smax + off + size;
	bool zero = stores_zero(env, reg), zero_used = false;

	fastcall_stack_use(env, frame, min);
	for (int i = min; i < max; i++) {
		int err = slots_overwrite(env, frame, slot_of(i));

		if (err)
			return err;
	}
	for (int i = min; i < max; i++) {
		int err = store_maybe(env, frame, i, zero, &zero_used);

		if (err)
			return err;
	}
	return zero_used && value >= 0 ? mark_precise(env, value) : 0;
}

int stack_store(struct verify_env *env, u32 regno, int off, int size, int value)
{
	const struct reg *pointer = &env_regs(env)[regno];
	struct frame *frame = env_own_frame_of(env, pointer);

	if (tnum_is_const(pointer->s.var_off))
		return store_fixed(env, frame, off + (int)pointer->s.var_off.value, size, value);
	return store_variable(env, frame, pointer, off, size, value);
}

/* A register loaded from plain bytes: zero if all are. */
static void load_bytes(struct verify_env *env, const struct frame *frame, int min, int max, int dst)
{
	struct reg *reg = &env_regs(env)[dst];
	int i;

	for (i = min; i < max; i++) {
		scratch_slot(env, slot_of(i));
		if (kind_of(frame, i) != SLOT_ZERO)
			break;
	}
	if (i == max) {
		reg_set_const(reg, 0);
		reg->precise = !env->capable;
	} else {
		env_set_unknown(env, reg);
	}
}

static int check_byte(struct verify_env *env, u8 kind, int off, int i, int size)
{
	if (kind == SLOT_MISC || kind == SLOT_ZERO ||
	    (kind == SLOT_INVALID && env->allow_uninit_stack))
		return 0;
	verbose(env, "invalid read from stack off %d+%d size %d\n", off, i, size);
	return -EACCES;
}

/* Part of a spilled scalar, or bytes beside it. *ret_history: the register came from the spill. */
static int fill_partly(struct verify_env *env, const struct frame *frame, int off, int size,
		       int dst, u32 spill_size, bool *ret_history)
{
	const struct slot *slot = frame_slot(frame, slot_of(off));
	struct reg *reg = &env_regs(env)[dst];
	int spilled = 0, zeroes = 0;

	/* Little endian: a narrow load at the slot's low address gives the low bytes. */
	if ((u32)size <= spill_size && off % REG_SIZE == 0) {
		*reg = *slot->spilled;
		if (reg_width(slot->spilled) > 8u * (u32)size)
			unlink_scalar(reg);
		return 0;
	}
	for (int i = 0; i < size; i++) {
		u8 kind = kind_of(frame, off + i);
		int err = kind == SLOT_SPILL ? 0 : check_byte(env, kind, off, i, size);

		if (err)
			return err;
		spilled += kind == SLOT_SPILL;
		zeroes += kind == SLOT_ZERO;
	}
	if (spilled == size && reg_is_null(slot->spilled)) {
		reg_set_const(reg, 0);
		reg->precise = !env->capable;
		return 0;
	}
	*ret_history = false;
	if (zeroes == size) {
		reg_set_const(reg, 0);
		reg->precise = !env->capable;
	} else {
		env_set_unknown(env, reg);
	}
	return 0;
}

static int load_spill(struct verify_env *env, const struct frame *frame, int off, int size, int dst,
		      bool *ret_history)
{
	const struct slot *slot = frame_slot(frame, slot_of(off));
	u32 spill_size = 1;

	while (spill_size < REG_SIZE && slot->byte[REG_SIZE - 1 - spill_size] == SLOT_SPILL)
		spill_size++;
	if (size != REG_SIZE || spill_size != REG_SIZE) {
		if (slot->spilled->type != SCALAR_VALUE) {
			log_source_line(env, env->insn_idx, "; ");
			verbose(env, "invalid size of register fill\n");
			return -EACCES;
		}
		if (dst < 0) {
			*ret_history = false;
			return 0;
		}
		return fill_partly(env, frame, off, size, dst, spill_size, ret_history);
	}
	if (dst >= 0) {
		env_regs(env)[dst] = *slot->spilled;
	} else if (reg_is_secret(env, slot->spilled)) {
		verbose(env, "leaking pointer from stack off %d\n", off);
		return -EACCES;
	}
	return 0;
}

static int load_fixed(struct verify_env *env, const struct frame *frame, int off, int size, int dst)
{
	u32 number = slot_of(off);
	bool history = true;
	int err = 0;

	fastcall_stack_use(env, frame, off);
	scratch_slot(env, number);
	live_stack_read(env, frame->frameno, number);
	if (slot_is_spill(frame_slot(frame, number))) {
		err = load_spill(env, frame, off, size, dst, &history);
	} else {
		history = false;
		for (int i = 0; i < size && !err; i++)
			err = check_byte(env, kind_of(frame, off + i), off, i, size);
		if (!err && dst >= 0)
			load_bytes(env, frame, off, off + size, dst);
	}
	if (err || !history)
		return err;
	return push_history(env, env->cur, HIST_STACK(frame->frameno, number), NULL);
}

int stack_load(struct verify_env *env, u32 regno, int off, int size, int dst)
{
	const struct reg *pointer = &env_regs(env)[regno];
	char text[64];
	int min, max, err;

	if (tnum_is_const(pointer->s.var_off))
		return load_fixed(env, env_frame_of(env, pointer),
				  off + (int)pointer->s.var_off.value, size, dst);
	if (dst < 0) {
		verbose(env,
			"variable offset stack pointer cannot be passed into helper function; "
			"var_off=%s off=%d size=%d\n",
			log_tnum(text, pointer->s.var_off), off, size);
		return -EACCES;
	}
	err = stack_initialized(env, regno, off, size, false, false, NULL);
	if (err)
		return err;
	min = (int)pointer->s.smin + off;
	max = (int)pointer->s.smax + off + size;
	load_bytes(env, env_frame_of(env, pointer), min, max, dst);
	return 0;
}

/* Bytes that are no part of a register, and that may be read. */
static bool is_plain(const struct verify_env *env, u8 kind)
{
	return kind == SLOT_MISC || kind == SLOT_ZERO ||
	       (kind == SLOT_INVALID && env->allow_uninit_stack);
}

/* One byte of a range that is read. */
static bool byte_readable(const struct verify_env *env, const struct frame *frame, int off)
{
	const struct slot *slot = frame_slot(frame, slot_of(off));

	return is_plain(env, kind_of(frame, off)) ||
	       (slot_is_spill(slot) &&
		(slot->spilled->type == SCALAR_VALUE || env->allow_ptr_leaks));
}

/* A helper may also overwrite it. */
static void clobber_byte(struct verify_env *env, struct frame *frame, int off)
{
	struct slot *slot = frame_own_slot(frame, slot_of(off));
	u8 *byte = byte_of(frame, off);

	if (is_plain(env, *byte)) {
		*byte = SLOT_MISC;
		return;
	}
	env_set_unknown(env, slot_write(slot));
	for (u32 i = 0; i < REG_SIZE; i++)
		scrub_byte(&slot->byte[i]);
}

int stack_initialized(struct verify_env *env, u32 regno, int off, int size, bool zero_allowed,
		      bool write, bool *fills)
{
	const struct reg *pointer = &env_regs(env)[regno];
	bool fixed = tnum_is_const(pointer->s.var_off);
	const struct frame *frame;
	int min, max, err;
	char text[64];

	if (!size && !zero_allowed) {
		verbose(env, "invalid zero-sized read\n");
		return -EACCES;
	}
	err = stack_in_bounds(env, regno, off, size, write);
	if (err)
		return err;
	if (fixed) {
		min = max = (int)pointer->s.var_off.value + off;
	} else {
		if (!env->allow_ptr_leaks) {
			verbose(env,
				"R%u variable offset stack access prohibited for !root, "
				"var_off=%s\n",
				regno, log_tnum(text, pointer->s.var_off));
			return -EACCES;
		}
		/* Uncertain where it is filled: all of it must be there before. */
		fills = NULL;
		min = (int)pointer->s.smin + off;
		max = (int)pointer->s.smax + off;
	}
	frame = write ? env_own_frame_of(env, pointer) : env_frame_of(env, pointer);
	fastcall_stack_use(env, frame, min);
	/* What a helper fills it does not look at; but an object is no room to be filled. */
	for (int i = min; fills && i < max + size; i++) {
		if (kind_of(frame, i) != SLOT_DYNPTR)
			continue;
		verbose(env, "potential write to dynptr at off=%d disallowed\n", i);
		return -EACCES;
	}
	if (fills) {
		*fills = true;
		return 0;
	}
	for (int i = min; i < max + size; i++) {
		if (!byte_readable(env, frame, i)) {
			if (fixed)
				verbose(env, "invalid read from stack R%u off %d+%d size %d\n",
					regno, min, i - min, size);
			else
				verbose(env, "invalid read from stack R%u var_off %s+%d size %d\n",
					regno, log_tnum(text, pointer->s.var_off), i - min, size);
			return -EACCES;
		}
		if (write)
			clobber_byte(env, env_own_frame_of(env, pointer), i);
		live_stack_read(env, frame->frameno, slot_of(i));
	}
	return 0;
}
