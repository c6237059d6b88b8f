/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verifier states: creation, copying, and the elementary operations on registers and references.
 * Nothing here judges a program.
 */
#include "verify/state.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "verify/async.h"
#include "verify/verify.h"

void reg_set_not_init(struct reg *reg)
{
	*reg = (struct reg){ .type = NOT_INIT, .s = scalar_unknown() };
}

void reg_set_unknown(struct reg *reg)
{
	*reg = (struct reg){ .type = SCALAR_VALUE, .s = scalar_unknown() };
}

void reg_set_const(struct reg *reg, u64 value)
{
	*reg = (struct reg){ .type = SCALAR_VALUE, .s = scalar_const(value) };
}

void reg_set_not_null(struct reg *reg)
{
	reg->type &= ~(u32)PTR_MAYBE_NULL;
	if (reg->type != PTR_TO_MAP_VALUE)
		return;
	if (reg->map->inner) {
		reg->type = CONST_PTR_TO_MAP;
		reg->map = reg->map->inner;
		if (async_in_map(reg->map))
			reg->map_uid = reg->id;
		return;
	}
	switch (reg->map->type) {
	case BPF_MAP_TYPE_XSKMAP: reg->type = PTR_TO_XDP_SOCK; break;
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_SOCKHASH: reg->type = PTR_TO_SOCKET; break;
	}
}

void reg_set_pointer(struct reg *reg, u32 type)
{
	*reg = (struct reg){ .type = type, .s = scalar_const(0) };
}

/* A register on a stack, and how many slots of all states have it. */
struct shared_reg {
	struct reg reg;
	u32 users; /* of `nothing`: not counted */
};

static const struct shared_reg nothing = { .reg = { .type = NOT_INIT } };

static struct shared_reg *shared_of(const struct slot *slot)
{
	return (struct shared_reg *)((uintptr_t)slot->spilled - offsetof(struct shared_reg, reg));
}

static void slot_drop(const struct slot *slot)
{
	struct shared_reg *shared = shared_of(slot);

	if (shared != &nothing && !--shared->users)
		base_free(shared);
}

/* Its own register, with any contents; NULL: no memory. */
static struct reg *slot_own(struct slot *slot)
{
	struct shared_reg *shared = shared_of(slot);

	if (shared->users == 1)
		return &shared->reg;
	shared = base_alloc(sizeof(*shared));
	if (!shared)
		return NULL;
	slot_drop(slot);
	shared->users = 1;
	slot->spilled = &shared->reg;
	return &shared->reg;
}

struct reg *slot_write(struct slot *slot)
{
	static _Thread_local struct reg lost;
	const struct reg *before = slot->spilled;
	struct reg *reg = slot_own(slot);

	if (!reg)
		reg = &lost;
	/* If others have the one before, it is still there. */
	if (reg != before)
		*reg = *before;
	return reg;
}

void slot_set(struct slot *slot, const struct reg *reg)
{
	struct reg *own = slot_own(slot);

	if (own && own != reg)
		*own = *reg;
}

void slot_forget(struct slot *slot)
{
	slot_drop(slot);
	slot->spilled = &nothing.reg;
	memset(slot->byte, SLOT_INVALID, sizeof(slot->byte));
}

static void drop_slots(struct frame *frame)
{
	for (u32 i = 0; i < frame->nr_slots; i++)
		slot_drop(&frame->slots[i]);
}

struct frame *frame_new(u32 callsite, u32 frameno, u32 subprogno)
{
	struct frame *frame = base_zalloc(1, sizeof(*frame));

	if (!frame)
		return NULL;
	frame->callsite = callsite;
	frame->frameno = frameno;
	frame->subprogno = subprogno;
	for (int i = 0; i < MAX_REG; i++)
		reg_set_not_init(&frame->regs[i]);
	reg_set_pointer(&frame->regs[BPF_REG_10], PTR_TO_STACK);
	frame->regs[BPF_REG_10].frameno = frameno;
	return frame;
}

struct frame *frame_free(struct frame *frame)
{
	if (frame) {
		drop_slots(frame);
		base_free(frame->slots);
	}
	base_free(frame);
	return NULL;
}

int frame_grow_stack(struct frame *frame, u32 nr)
{
	struct slot *slots;

	if (nr <= frame->nr_slots)
		return 0;
	slots = base_realloc(frame->slots, nr, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (u32 i = frame->nr_slots; i < nr; i++)
		slots[i] = (struct slot){ .spilled = &nothing.reg };
	frame->slots = slots;
	frame->nr_slots = nr;
	return 0;
}

static int frame_copy(struct frame *dst, const struct frame *src)
{
	struct slot *slots = dst->slots;
	u32 nr = src->nr_slots;

	if (nr > dst->nr_slots || !slots) {
		slots = nr ? base_realloc(slots, nr, sizeof(*slots)) : slots;
		if (nr && !slots)
			return -ENOMEM;
		dst->slots = slots;
	}
	drop_slots(dst);
	*dst = *src;
	dst->slots = slots;
	for (u32 i = 0; i < nr; i++) {
		slots[i] = src->slots[i];
		if (slots[i].spilled != &nothing.reg)
			shared_of(&slots[i])->users++;
	}
	return 0;
}

struct vstate *vstate_new(void)
{
	return base_zalloc(1, sizeof(struct vstate));
}

void vstate_done(struct vstate *state)
{
	for (u32 i = 0; i < MAX_FRAMES; i++)
		state->frame[i] = frame_free(state->frame[i]);
	base_free(state->refs);
	base_free(state->history);
	memset(state, 0, sizeof(*state));
}

struct vstate *vstate_free(struct vstate *state)
{
	if (state)
		vstate_done(state);
	base_free(state);
	return NULL;
}

static int copy_refs(struct vstate *dst, const struct vstate *src)
{
	struct reference *refs = NULL;

	if (src->nr_refs) {
		refs = base_alloc(src->nr_refs * sizeof(*refs));
		if (!refs)
			return -ENOMEM;
		memcpy(refs, src->refs, src->nr_refs * sizeof(*refs));
	}
	base_free(dst->refs);
	dst->refs = refs;
	dst->nr_refs = src->nr_refs;
	return 0;
}

int vstate_copy(struct vstate *dst, const struct vstate *src)
{
	if (copy_refs(dst, src))
		return -ENOMEM;
	for (u32 i = src->curframe + 1; i < MAX_FRAMES; i++)
		dst->frame[i] = frame_free(dst->frame[i]);
	for (u32 i = 0; i <= src->curframe; i++) {
		if (!dst->frame[i])
			dst->frame[i] = base_zalloc(1, sizeof(struct frame));
		if (!dst->frame[i] || frame_copy(dst->frame[i], src->frame[i]))
			return -ENOMEM;
	}
	dst->parent = src->parent;
	dst->curframe = src->curframe;
	dst->insn_idx = src->insn_idx;
	dst->branches = src->branches;
	dst->first_insn_idx = src->first_insn_idx;
	dst->last_insn_idx = src->last_insn_idx;
	dst->callback_unroll_depth = src->callback_unroll_depth;
	dst->may_goto_depth = src->may_goto_depth;
	dst->sleepable = src->sleepable;
	dst->cleaned = src->cleaned;
	dst->active_rcu = src->active_rcu;
	dst->active_preempt = src->active_preempt;
	dst->active_locks = src->active_locks;
	dst->active_irq = src->active_irq;
	dst->nr_history = 0;
	return 0;
}

int vstate_copy_history(struct vstate *dst, const struct vstate *src)
{
	struct history *history;

	dst->nr_history = 0;
	if (!src->nr_history)
		return 0;
	history = base_realloc(dst->history, src->nr_history, sizeof(*history));
	if (!history)
		return -ENOMEM;
	memcpy(history, src->history, src->nr_history * sizeof(*history));
	dst->history = history;
	dst->nr_history = dst->cap_history = src->nr_history;
	return 0;
}

bool vstate_same_callsites(const struct vstate *a, const struct vstate *b)
{
	if (a->curframe != b->curframe)
		return false;
	for (u32 i = 0; i <= a->curframe; i++)
		if (a->frame[i]->callsite != b->frame[i]->callsite)
			return false;
	return true;
}

int vstate_acquire(struct vstate *state, const struct reference *ref)
{
	struct reference *refs = base_realloc(state->refs, (state->nr_refs + 1), sizeof(*refs));

	if (!refs)
		return -ENOMEM;
	refs[state->nr_refs++] = *ref;
	state->refs = refs;
	return 0;
}

int vstate_acquire_ref(struct vstate *state, u32 insn_idx, u32 id)
{
	return vstate_acquire(state, &(struct reference){ .id = id, .insn_idx = insn_idx });
}

int vstate_release_ref(struct vstate *state, u32 id)
{
	for (u32 i = 0; i < state->nr_refs; i++) {
		if (state->refs[i].id != id || state->refs[i].kind != REFERENCE_POINTER)
			continue;
		/* The others keep their order: interrupt states are given back by it. */
		state->nr_refs--;
		memmove(&state->refs[i], &state->refs[i + 1],
			(state->nr_refs - i) * sizeof(*state->refs));
		return 0;
	}
	return -EINVAL;
}

bool vstate_has_ref(const struct vstate *state, u32 id)
{
	for (u32 i = 0; i < state->nr_refs; i++)
		if (state->refs[i].id == id)
			return true;
	return false;
}

void vstate_change_regs(struct vstate *state, reg_fits_fn fits, reg_change_fn change,
			const void *arg)
{
	for (u32 i = 0; i <= state->curframe; i++) {
		struct frame *frame = state->frame[i];

		for (u32 r = 0; r < MAX_REG; r++)
			if (fits(&frame->regs[r], arg))
				change(&frame->regs[r], arg);
		for (u32 s = 0; s < frame->nr_slots; s++)
			if (slot_is_spill(&frame->slots[s]) && fits(frame->slots[s].spilled, arg))
				change(slot_write(&frame->slots[s]), arg);
	}
}
