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

#include "base/pool.h"
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

/* Where the thread's states lie. */
static _Thread_local struct pool *memory;

struct pool *state_memory(void)
{
	return memory;
}

struct pool *state_memory_set(struct pool *pool)
{
	struct pool *before = memory;

	memory = pool;
	return before;
}

/* A register on a stack, and how many slots of all states have it: what counting them reads is the
 * line that comparing numbers reads. */
struct shared_reg {
	u32 users; /* of `nothing`: not counted */
	struct reg reg;
};

_Static_assert(sizeof(struct shared_reg) == 2 * POOL_LINE &&
		       offsetof(struct shared_reg, reg.s.smin32) == POOL_LINE,
	       "two lines, the second of what is looked at less");

static const struct shared_reg nothing = { .reg = { .type = NOT_INIT } };

static struct shared_reg *shared_of(const struct slot *slot)
{
	return (struct shared_reg *)((uintptr_t)slot->spilled - offsetof(struct shared_reg, reg));
}

static void slot_drop(const struct slot *slot)
{
	struct shared_reg *shared = shared_of(slot);

	if (shared != &nothing && !--shared->users)
		pool_free(memory, shared, sizeof(*shared));
}

/* Its own register, with any contents; NULL: no memory. */
static struct reg *slot_own(struct slot *slot)
{
	struct shared_reg *shared = shared_of(slot);

	if (shared->users == 1)
		return &shared->reg;
	shared = pool_alloc(memory, sizeof(*shared));
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

static struct slot_group *group_new(void)
{
	struct slot_group *group = pool_alloc(memory, sizeof(*group));

	if (!group)
		return NULL;
	group->users = 1;
	for (u32 i = 0; i < GROUP_SLOTS; i++)
		group->slot[i] = (struct slot){ .spilled = &nothing.reg };
	return group;
}

static void group_drop(struct slot_group *group)
{
	if (--group->users)
		return;
	for (u32 i = 0; i < GROUP_SLOTS; i++)
		slot_drop(&group->slot[i]);
	pool_free(memory, group, sizeof(*group));
}

struct slot *frame_own_slot(struct frame *frame, u32 i)
{
	struct slot_group **group = &frame->group[i / GROUP_SLOTS], *copy;

	if ((*group)->users > 1) {
		copy = pool_alloc(memory, sizeof(*copy));
		if (copy) {
			*copy = **group;
			copy->users = 1;
			for (u32 s = 0; s < GROUP_SLOTS; s++)
				if (copy->slot[s].spilled != &nothing.reg)
					shared_of(&copy->slot[s])->users++;
			(*group)->users--;
			*group = copy;
		}
	}
	return &(*group)->slot[i % GROUP_SLOTS];
}

static u32 nr_groups(u32 nr_slots)
{
	return (nr_slots + GROUP_SLOTS - 1) / GROUP_SLOTS;
}

struct frame *frame_new(u32 callsite, u32 frameno, u32 subprogno)
{
	struct frame *frame = pool_zalloc(memory, sizeof(*frame));

	if (!frame)
		return NULL;
	frame->users = 1;
	frame->callsite = callsite;
	frame->frameno = frameno;
	frame->subprogno = subprogno;
	for (int i = 0; i < MAX_REG; i++)
		reg_set_not_init(&frame->regs[i]);
	reg_set_pointer(&frame->regs[BPF_REG_10], PTR_TO_STACK);
	frame->regs[BPF_REG_10].frameno = frameno;
	return frame;
}

const struct frame *frame_share(const struct frame *frame)
{
	/* Frames of a pool are all writable: const says who may. */
	((struct frame *)frame)->users++;
	return frame;
}

struct frame *frame_drop(const struct frame *dropped)
{
	struct frame *frame = (struct frame *)dropped;

	/* A frame may have been cleaned of more and more: a chain, of which the others end with it.
	 */
	while (frame && !--frame->users) {
		struct frame *next = NULL;

		for (u32 i = 0; i < nr_groups(frame->nr_slots); i++)
			group_drop(frame->group[i]);
		if (frame->cleaned)
			next = (struct frame *)frame->cleaned->frame;
		pool_free(memory, frame->cleaned, sizeof(*frame->cleaned));
		pool_free(memory, frame, sizeof(*frame));
		frame = next;
	}
	return NULL;
}

int frame_grow_stack(struct frame *frame, u32 nr)
{
	if (nr <= frame->nr_slots)
		return 0;
	for (u32 i = nr_groups(frame->nr_slots); i < nr_groups(nr); i++) {
		frame->group[i] = group_new();
		if (!frame->group[i])
			return -ENOMEM;
		frame->nr_slots = (i + 1) * GROUP_SLOTS;
	}
	frame->nr_slots = nr;
	return 0;
}

/* NULL: no memory. */
static struct frame *frame_copy(const struct frame *frame)
{
	struct frame *copy = pool_alloc(memory, sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *frame;
	copy->users = 1;
	copy->prepared = false;
	copy->cleaned = NULL;
	for (u32 i = 0; i < nr_groups(frame->nr_slots); i++)
		frame->group[i]->users++;
	return copy;
}

struct vstate *vstate_new(void)
{
	return pool_zalloc(memory, sizeof(struct vstate));
}

void vstate_done(struct vstate *state)
{
	for (u32 i = 0; i < MAX_FRAMES; i++)
		state->frame[i] = frame_drop(state->frame[i]);
	pool_free(memory, state->refs, state->cap_refs * sizeof(*state->refs));
	pool_free(memory, state->history, state->cap_history * sizeof(*state->history));
	memset(state, 0, sizeof(*state));
}

struct vstate *vstate_free(struct vstate *state)
{
	if (state)
		vstate_done(state);
	return pool_free(memory, state, sizeof(*state));
}

int vstate_copy(struct vstate *dst, const struct vstate *src)
{
	if (src->nr_refs) {
		dst->refs = pool_alloc(memory, src->nr_refs * sizeof(*dst->refs));
		if (!dst->refs)
			return -ENOMEM;
		dst->nr_refs = dst->cap_refs = src->nr_refs;
		memcpy(dst->refs, src->refs, src->nr_refs * sizeof(*dst->refs));
	}
	for (u32 i = 0; i < src->curframe; i++)
		dst->frame[i] = frame_share(src->frame[i]);
	dst->frame[src->curframe] = frame_copy(vstate_frame(src));
	if (!dst->frame[src->curframe])
		return -ENOMEM;
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
	return 0;
}

struct frame *vstate_own_frame(struct vstate *state, u32 f)
{
	struct frame *frame = (struct frame *)state->frame[f], *copy;

	if (frame->users > 1) {
		copy = frame_copy(frame);
		if (copy) {
			frame_drop(frame);
			state->frame[f] = frame = copy;
		}
	}
	frame->prepared = false;
	return frame;
}

int vstate_copy_history(struct vstate *dst, const struct vstate *src)
{
	size_t size = src->nr_history * sizeof(*src->history);

	if (!size)
		return 0;
	dst->history = pool_alloc(memory, size);
	if (!dst->history)
		return -ENOMEM;
	memcpy(dst->history, src->history, size);
	dst->nr_history = dst->cap_history = src->nr_history;
	return 0;
}

/* Twice as many elements: at first so many. NULL: there is no memory, and the array is as it was.
 */
static void *grow(void *array, u32 *capacity, u32 first, size_t size)
{
	u32 wanted = *capacity ? *capacity * 2 : first;
	void *grown = pool_resize(memory, array, *capacity * size, wanted * size);

	if (grown)
		*capacity = wanted;
	return grown;
}

struct history *vstate_add_history(struct vstate *state)
{
	if (state->nr_history == state->cap_history) {
		struct history *history =
			grow(state->history, &state->cap_history, 16, sizeof(*history));

		if (!history)
			return NULL;
		state->history = history;
	}
	return &state->history[state->nr_history++];
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
	if (state->nr_refs == state->cap_refs) {
		struct reference *refs = grow(state->refs, &state->cap_refs, 4, sizeof(*refs));

		if (!refs)
			return -ENOMEM;
		state->refs = refs;
	}
	state->refs[state->nr_refs++] = *ref;
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
		const struct frame *frame = state->frame[i];
		u32 nr_slots = frame->nr_slots;

		/* What fits makes the frame another one. */
		for (u32 r = 0; r < MAX_REG; r++)
			if (fits(&state->frame[i]->regs[r], arg))
				change(&vstate_own_frame(state, i)->regs[r], arg);
		for (u32 s = 0; s < nr_slots; s++)
			if (slot_is_spill(frame_slot(state->frame[i], s)) &&
			    fits(frame_slot(state->frame[i], s)->spilled, arg))
				change(slot_write(frame_own_slot(vstate_own_frame(state, i), s)),
				       arg);
	}
}
