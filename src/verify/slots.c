/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynptrs, and what all objects on the stack have in common. Facts and messages of Linux 6.18:
 * process_dynptr_func() and its neighbours in kernel/bpf/verifier.c.
 */
#include "verify/slots.h"

#include <errno.h>

#include "verify/live_stack.h"
#include "verify/mem.h"
#include "verify/slot_object.h"

const char *dynptr_kind_name(u32 kind)
{
	switch (kind) {
	case DYNPTR_ARGUMENT:
	case DYNPTR_LOCAL: return "local";
	case DYNPTR_RINGBUF: return "ringbuf";
	case DYNPTR_SKB: return "skb";
	case DYNPTR_XDP: return "xdp";
	case DYNPTR_META: return "skb_meta";
	default: return "<invalid>";
	}
}

int slot_object_find(struct verify_env *env, const struct reg *reg, const char *what, u32 nr_slots)
{
	int off, slot;

	if (!tnum_is_const(reg->s.var_off)) {
		verbose(env, "%s has to be at a constant offset\n", what);
		return -EINVAL;
	}
	off = reg->off + (int)reg->s.var_off.value;
	if (off % REG_SIZE) {
		verbose(env, "cannot pass in %s at an offset=%d\n", what, off);
		return -EINVAL;
	}
	/* Directly above the stack: writing there is refused, in the words for that. */
	if (!off && nr_slots == 1)
		return -ERANGE;
	slot = (-off - 1) / REG_SIZE;
	if (off >= 0 || slot + 1 < (int)nr_slots) {
		verbose(env, "cannot pass in %s at an offset=%d\n", what, off);
		return -EINVAL;
	}
	return slot < (int)env_frame_of(env, reg)->nr_slots ? slot : -ERANGE;
}

void slot_object_clear(struct verify_env *env, struct frame *frame, u32 slot, u32 nr_slots)
{
	for (u32 i = 0; i < nr_slots; i++) {
		struct slot *s = frame_own_slot(frame, slot - i);

		slot_forget(s);
		live_stack_write(env, frame->frameno, slot - i);
	}
}

void slot_object_mark(struct verify_env *env, struct frame *frame, u32 slot, u32 nr_slots,
		      const struct reg *object, u8 kind)
{
	for (u32 i = 0; i < nr_slots; i++) {
		struct slot *s = frame_own_slot(frame, slot - i);

		slot_set(s, object);
		slot_write(s)->first_slot = i == 0;
		for (u32 b = 0; b < REG_SIZE; b++)
			s->byte[b] = kind;
		live_stack_write(env, frame->frameno, slot - i);
	}
}

int slot_object_prepare(struct verify_env *env, u32 regno, u32 nr_slots)
{
	int err = 0;

	for (u32 i = 0; i < nr_slots && !err; i++)
		err = mem_access(env, regno, (int)(i * REG_SIZE), REG_SIZE, true, -1, false, false);
	return err;
}

static bool is_dynptr(const struct slot *slot)
{
	return slot->byte[0] == SLOT_DYNPTR;
}

struct forget_slices {
	struct verify_env *env;
	u32 id;
};

static bool is_slice(const struct reg *reg, const void *arg)
{
	const struct forget_slices *forget = arg;

	return reg_base(reg->type) == PTR_TO_MEM && reg->dynptr_id == forget->id;
}

static void forget_slice(struct reg *reg, const void *arg)
{
	reg_invalidate(((const struct forget_slices *)arg)->env, reg);
}

int slots_overwrite(struct verify_env *env, struct frame *frame, u32 slot)
{
	struct forget_slices forget = { env, 0 };

	if (!is_dynptr(frame_slot(frame, slot)))
		return 0;
	if (!frame_slot(frame, slot)->spilled->first_slot)
		slot++;
	if (frame_slot(frame, slot)->spilled->dynptr == DYNPTR_RINGBUF) {
		verbose(env, "cannot overwrite referenced dynptr\n");
		return -EINVAL;
	}
	scratch_slot(env, slot);
	scratch_slot(env, slot - 1);
	forget.id = frame_slot(frame, slot)->spilled->id;
	slot_object_clear(env, frame, slot, DYNPTR_SLOTS);
	vstate_change_regs(env->cur, is_slice, forget_slice, &forget);
	return 0;
}

static int dynptr_slot(struct verify_env *env, const struct reg *reg)
{
	return slot_object_find(env, reg, "dynptr", DYNPTR_SLOTS);
}

const struct reg *dynptr_of(struct verify_env *env, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];
	int slot;

	if (reg->type == CONST_PTR_TO_DYNPTR)
		return reg;
	slot = dynptr_slot(env, reg);
	return slot < 0 ? NULL : frame_slot(env_frame_of(env, reg), slot)->spilled;
}

static int check_place(struct verify_env *env, u32 regno)
{
	u32 type = env_regs(env)[regno].type;

	if (type == PTR_TO_STACK || type == CONST_PTR_TO_DYNPTR)
		return 0;
	verbose(env, "arg#%u expected pointer to stack or const struct bpf_dynptr\n", regno - 1);
	return -EINVAL;
}

static bool is_initialised(struct verify_env *env, const struct reg *reg)
{
	const struct frame *frame;
	int slot;

	if (reg->type == CONST_PTR_TO_DYNPTR)
		return true;
	slot = dynptr_slot(env, reg);
	frame = env_frame_of(env, reg);
	return slot >= 0 && is_dynptr(frame_slot(frame, slot)) &&
	       frame_slot(frame, slot)->spilled->first_slot;
}

int dynptr_check(struct verify_env *env, u32 regno, u32 kind)
{
	const struct reg *reg = &env_regs(env)[regno], *dynptr;
	int err = check_place(env, regno), slot;

	if (err)
		return err;
	if (!is_initialised(env, reg)) {
		verbose(env, "Expected an initialized dynptr as arg #%u\n", regno - 1);
		return -EINVAL;
	}
	dynptr = dynptr_of(env, regno);
	if (kind != DYNPTR_ANY && dynptr->dynptr != kind) {
		verbose(env, "Expected a dynptr of type %s as arg #%u\n", dynptr_kind_name(kind),
			regno - 1);
		return -EINVAL;
	}
	if (reg->type == CONST_PTR_TO_DYNPTR)
		return 0;
	slot = dynptr_slot(env, reg);
	for (u32 i = 0; i < DYNPTR_SLOTS; i++) {
		live_stack_read(env, reg->frameno, (u32)slot - i);
		scratch_slot(env, (u32)slot - i);
	}
	return 0;
}

int dynptr_make(struct verify_env *env, u32 regno, u32 kind, u32 clone_ref)
{
	const struct reg *reg = &env_regs(env)[regno];
	struct reg object;
	struct frame *frame;
	int err = check_place(env, regno), slot = -EINVAL;

	if (!err && reg->type == PTR_TO_STACK)
		slot = dynptr_slot(env, reg);
	if (!err && slot < 0 && slot != -ERANGE) {
		verbose(env, "Dynptr has to be an uninitialized dynptr\n");
		return -EINVAL;
	}
	if (!err)
		err = slot_object_prepare(env, regno, DYNPTR_SLOTS);
	if (err)
		return err;
	slot = dynptr_slot(env, reg);
	if (slot < 0)
		return slot;
	frame = env_own_frame_of(env, reg);
	reg_set_pointer(&object, CONST_PTR_TO_DYNPTR);
	object.dynptr = (u8)kind;
	object.id = ++env->id_gen;
	if (kind == DYNPTR_RINGBUF) {
		object.ref_id = clone_ref ? clone_ref : ++env->id_gen;
		if (!clone_ref)
			err = vstate_acquire_ref(env->cur, env->insn_idx, object.ref_id);
	}
	slot_object_mark(env, frame, (u32)slot, DYNPTR_SLOTS, &object, SLOT_DYNPTR);
	return err;
}

int dynptr_check_release(struct verify_env *env, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];
	int slot;

	if (reg->type != PTR_TO_STACK) {
		verbose(env, "cannot release unowned const bpf_dynptr\n");
		return -EINVAL;
	}
	slot = dynptr_slot(env, reg);
	if (slot >= 0 && frame_slot(env_frame_of(env, reg), slot)->spilled->ref_id)
		return 0;
	verbose(env, "arg %u is an unacquired reference\n", regno);
	return -EINVAL;
}

struct release {
	struct verify_env *env;
	u32 ref_id;
};

static bool is_released(const struct reg *reg, const void *arg)
{
	return reg->ref_id == ((const struct release *)arg)->ref_id;
}

static void invalidate_released(struct reg *reg, const void *arg)
{
	reg_invalidate(((const struct release *)arg)->env, reg);
}

int slots_release_reference(struct verify_env *env, u32 ref_id)
{
	struct release release = { env, ref_id };

	if (vstate_release_ref(env->cur, ref_id))
		return -EINVAL;
	vstate_change_regs(env->cur, is_released, invalidate_released, &release);
	return 0;
}

int dynptr_release(struct verify_env *env, u32 regno)
{
	const struct reg *dynptr = dynptr_of(env, regno);
	struct forget_slices forget = { env, 0 };
	u32 ref_id = dynptr ? dynptr->ref_id : 0;

	if (!ref_id || slots_release_reference(env, ref_id))
		return -EINVAL;
	/*
	 * With the reference all of its clones end, in whatever frame they are, and with each its
	 * slices. Those of bpf_dynptr_slice() have no reference of their own: 6.18 lets them be
	 * used on.
	 */
	for (u32 f = 0; f <= env->cur->curframe; f++) {
		const struct frame *frame = env->cur->frame[f];

		for (u32 s = 1; s < frame->nr_slots; s++) {
			if (!is_dynptr(frame_slot(frame, s)) ||
			    !frame_slot(frame, s)->spilled->first_slot ||
			    frame_slot(frame, s)->spilled->ref_id != ref_id)
				continue;
			forget.id = frame_slot(frame, s)->spilled->id;
			slot_object_clear(env, vstate_own_frame(env->cur, f), s, DYNPTR_SLOTS);
			vstate_change_regs(env->cur, is_slice, forget_slice, &forget);
			frame = env->cur->frame[f];
		}
	}
	return 0;
}
