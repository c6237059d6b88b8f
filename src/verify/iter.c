/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open-coded iterators and saved interrupt states. A loop over an iterator ends because next gives
 * nothing more at some time: at each call of next one path leaves with nothing, another goes on
 * with an element until it comes back with nothing new (prune.c). Facts and messages of Linux 6.18:
 * process_iter_arg(), process_iter_next_call(), process_irq_flag() in kernel/bpf/verifier.c.
 */
#include "verify/slots.h"

#include <errno.h>
#include <string.h>

#include "abi/kfunc.h"
#include "verify/callback.h"
#include "verify/explore.h"
#include "verify/live_stack.h"
#include "verify/section.h"
#include "verify/slot_object.h"

static int iter_slot(struct verify_env *env, u32 regno, u32 iter)
{
	return slot_object_find(env, &env_regs(env)[regno], "iter", abi_iter_kind(iter)->slots);
}

static int check_on_stack(struct verify_env *env, u32 regno)
{
	if (env_regs(env)[regno].type == PTR_TO_STACK)
		return 0;
	verbose(env, "arg#%u expected pointer to an iterator on stack\n", regno - 1);
	return -EINVAL;
}

/* Is there room, with no iterator in it? */
static bool has_room(struct verify_env *env, u32 regno, u32 iter)
{
	const struct frame *frame = env_frame_of(env, &env_regs(env)[regno]);
	int slot = iter_slot(env, regno, iter);

	if (slot < 0)
		return slot == -ERANGE;
	for (u32 i = 0; i < abi_iter_kind(iter)->slots; i++)
		if (memchr(frame_slot(frame, (u32)slot - i)->byte, SLOT_ITER, REG_SIZE))
			return false;
	return true;
}

int iter_new(struct verify_env *env, u32 regno, u32 iter, bool rcu)
{
	const struct abi_iter_kind *kind = abi_iter_kind(iter);
	const struct reg *reg = &env_regs(env)[regno];
	int err = check_on_stack(env, regno), slot;
	struct frame *frame;
	struct reg object;

	if (err)
		return err;
	if (!has_room(env, regno, iter)) {
		verbose(env, "expected uninitialized iter_%s as arg #%u\n", kind->name, regno - 1);
		return -EINVAL;
	}
	err = slot_object_prepare(env, regno, kind->slots);
	if (err)
		return err;
	slot = iter_slot(env, regno, iter);
	if (slot < 0)
		return slot;
	frame = env_own_frame_of(env, reg);
	reg_set_pointer(&object, PTR_TO_STACK);
	if (rcu)
		object.type |= section_in_rcu(env) ? MEM_RCU : PTR_UNTRUSTED;
	object.iter = (u8)iter;
	object.iter_state = ITER_STATE_ACTIVE;
	slot_object_mark(env, frame, (u32)slot, kind->slots, &object, SLOT_ITER);
	slot_write(frame_own_slot(frame, (u32)slot))->ref_id = ++env->id_gen;
	for (u32 i = 0; i < kind->slots; i++)
		scratch_slot(env, (u32)slot - i);
	return vstate_acquire_ref(env->cur, env->insn_idx, env->id_gen);
}

static bool is_iterator(const struct frame *frame, u32 slot, u32 iter)
{
	for (u32 i = 0; i < abi_iter_kind(iter)->slots; i++) {
		const struct slot *s = frame_slot(frame, slot - i);

		if (!s->spilled->ref_id != (i != 0) || s->spilled->iter != iter)
			return false;
		for (u32 b = 0; b < REG_SIZE; b++)
			if (s->byte[b] != SLOT_ITER)
				return false;
	}
	return true;
}

int iter_check(struct verify_env *env, u32 regno, u32 iter, const char *user, u32 *ret_frame,
	       u32 *ret_slot)
{
	const struct abi_iter_kind *kind = abi_iter_kind(iter);
	const struct reg *reg = &env_regs(env)[regno];
	int err = check_on_stack(env, regno), slot;

	if (err)
		return err;
	slot = iter_slot(env, regno, iter);
	if (slot < 0 || !is_iterator(env_frame_of(env, reg), (u32)slot, iter)) {
		verbose(env, "expected an initialized iter_%s as arg #%u\n", kind->name, regno - 1);
		return -EINVAL;
	}
	if (frame_slot(env_frame_of(env, reg), slot)->spilled->type & PTR_UNTRUSTED) {
		verbose(env, "expected an RCU CS when using %s\n", user);
		return -EPROTO;
	}
	for (u32 i = 0; i < kind->slots; i++) {
		live_stack_read(env, reg->frameno, (u32)slot - i);
		scratch_slot(env, (u32)slot - i);
	}
	*ret_frame = reg->frameno;
	*ret_slot = (u32)slot;
	return 0;
}

void iter_leave_rcu(struct vstate *state)
{
	for (u32 f = 0; f <= state->curframe; f++) {
		u32 nr_slots = state->frame[f]->nr_slots;

		for (u32 s = 0; s < nr_slots; s++) {
			const struct slot *slot = frame_slot(state->frame[f], s);
			struct frame *frame;

			if (slot->byte[0] != SLOT_ITER || !(slot->spilled->type & MEM_RCU))
				continue;
			frame = vstate_own_frame(state, f);
			slot_write(frame_own_slot(frame, s))->type ^= MEM_RCU | PTR_UNTRUSTED;
		}
	}
}

int iter_destroy(struct verify_env *env, u32 frameno, u32 slot, u32 iter)
{
	const struct slot *first = frame_slot(env->cur->frame[frameno], slot);
	int err = slots_release_reference(env, first->spilled->ref_id);

	if (err)
		return verify_bug(env, "an iterator's reference is not held");
	slot_object_clear(env, vstate_own_frame(env->cur, frameno), slot,
			  abi_iter_kind(iter)->slots);
	return 0;
}

int iter_next(struct verify_env *env, u32 frameno, u32 slot)
{
	const struct slot *iter = frame_slot(env->cur->frame[frameno], slot);
	struct vstate *state;
	struct frame *frame;

	if (iter->spilled->iter_state == ITER_STATE_ACTIVE) {
		state = explore_push(env, env->insn_idx + 1, env->insn_idx);
		if (!state)
			return -ENOMEM; /* the kernel's answer here, also where it is too complex */
		frame = vstate_own_frame(state, frameno);
		slot_write(frame_own_slot(frame, (u32)slot))->iter_depth++;
		callback_widen_loop(env, state);
		reg_set_not_null(&vstate_frame(state)->regs[BPF_REG_0]);
	}
	frame = vstate_own_frame(env->cur, frameno);
	slot_write(frame_own_slot(frame, (u32)slot))->iter_state = ITER_STATE_DRAINED;
	reg_set_const(&env_regs(env)[BPF_REG_0], 0);
	return 0;
}

bool iter_is_active(const struct vstate *state)
{
	const struct reg *reg = &vstate_frame(state)->regs[BPF_REG_1];
	const struct frame *frame;
	u32 slot;

	if (reg->type != PTR_TO_STACK)
		return false;
	frame = state->frame[reg->frameno];
	slot = (u32)(-(reg->off + (int)reg->s.var_off.value) - 1) / REG_SIZE;
	return slot < frame->nr_slots && frame_slot(frame, slot)->byte[0] == SLOT_ITER &&
	       frame_slot(frame, slot)->spilled->iter_state == ITER_STATE_ACTIVE;
}

bool iter_depths_differ(const struct vstate *old, const struct vstate *cur)
{
	for (u32 f = 0; f <= old->curframe; f++) {
		const struct frame *a = old->frame[f], *b = cur->frame[f];

		for (u32 s = 0; s < a->nr_slots && s < b->nr_slots; s++) {
			const struct slot *x = frame_slot(a, s), *y = frame_slot(b, s);

			if (x->byte[0] != SLOT_ITER || y->byte[0] != SLOT_ITER ||
			    x->spilled->iter_state != ITER_STATE_ACTIVE)
				continue;
			if (x->spilled->iter_depth != y->spilled->iter_depth)
				return true;
		}
	}
	return false;
}

static int irq_slot(struct verify_env *env, u32 regno)
{
	return slot_object_find(env, &env_regs(env)[regno], "irq_flag", 1);
}

static int check_irq_place(struct verify_env *env, u32 regno)
{
	if (env_regs(env)[regno].type == PTR_TO_STACK)
		return 0;
	verbose(env, "arg#%u doesn't point to an irq flag on stack\n", regno - 1);
	return -EINVAL;
}

int irq_save(struct verify_env *env, u32 regno, bool by_lock)
{
	const struct reg *reg = &env_regs(env)[regno];
	struct reference ref = { .kind = REFERENCE_IRQ, .insn_idx = env->insn_idx };
	int err = check_irq_place(env, regno), slot;
	struct reg object;

	if (err)
		return err;
	slot = irq_slot(env, regno);
	if ((slot < 0 && slot != -ERANGE) ||
	    (slot >= 0 &&
	     memchr(frame_slot(env_frame_of(env, reg), slot)->byte, SLOT_IRQ, REG_SIZE))) {
		verbose(env, "expected uninitialized irq flag as arg#%u\n", regno - 1);
		return -EINVAL;
	}
	err = slot_object_prepare(env, regno, 1);
	if (err)
		return err;
	slot = irq_slot(env, regno);
	if (slot < 0)
		return slot;
	reg_set_pointer(&object, PTR_TO_STACK);
	object.ref_id = ref.id = ++env->id_gen;
	object.irq_by_lock = by_lock;
	slot_object_mark(env, env_own_frame_of(env, reg), (u32)slot, 1, &object, SLOT_IRQ);
	scratch_slot(env, (u32)slot);
	env->cur->active_irq = ref.id;
	return vstate_acquire(env->cur, &ref);
}

/* Gives the newest saved state back; the one before it is then the newest. */
static int release_irq(struct verify_env *env, u32 id)
{
	struct vstate *state = env->cur;
	u32 before = 0, insn = 0;

	for (u32 i = 0; i < state->nr_refs; i++) {
		if (state->refs[i].kind != REFERENCE_IRQ)
			continue;
		if (state->refs[i].id == id && state->active_irq == id) {
			state->nr_refs--;
			memmove(&state->refs[i], &state->refs[i + 1],
				(state->nr_refs - i) * sizeof(*state->refs));
			state->active_irq = before;
			return 0;
		}
		before = state->refs[i].id;
		if (before == state->active_irq)
			insn = state->refs[i].insn_idx;
	}
	verbose(env,
		"cannot restore irq state out of order, expected id=%u acquired at insn_idx=%u\n",
		state->active_irq, insn);
	return -EACCES;
}

int irq_restore(struct verify_env *env, u32 regno, bool by_lock)
{
	const struct reg *reg = &env_regs(env)[regno];
	int err = check_irq_place(env, regno), slot;
	const struct frame *frame;

	if (err)
		return err;
	frame = env_frame_of(env, reg);
	slot = irq_slot(env, regno);
	if (slot < 0 || frame_slot(frame, slot)->byte[0] != SLOT_IRQ ||
	    frame_slot(frame, slot)->byte[REG_SIZE - 1] != SLOT_IRQ) {
		verbose(env, "expected an initialized irq flag as arg#%u\n", regno - 1);
		return -EINVAL;
	}
	live_stack_read(env, reg->frameno, (u32)slot);
	if (frame_slot(frame, slot)->spilled->irq_by_lock != by_lock) {
		verbose(env, "irq flag acquired by %s kfuncs cannot be restored with %s kfuncs\n",
			by_lock ? "native" : "lock", by_lock ? "lock" : "native");
		return -EINVAL;
	}
	err = release_irq(env, frame_slot(frame, slot)->spilled->ref_id);
	if (err)
		return err;
	slot_object_clear(env, env_own_frame_of(env, reg), (u32)slot, 1);
	scratch_slot(env, (u32)slot);
	return 0;
}
