/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Comparison of states for pruning. Ids are names: what counts is that equal ids in old are equal
 * ids in cur, so a map from old to current ids is built up while comparing.
 */
#include "verify/compare.h"

#include <string.h>

bool map_ids(struct id_map *map, u32 old, u32 cur)
{
	if (!old != !cur)
		return false;
	if (!old)
		return true;
	for (u32 i = 0; i < map->nr; i++) {
		if (map->pair[i].old == old)
			return map->pair[i].cur == cur;
		if (map->pair[i].cur == cur)
			return false;
	}
	if (map->nr == ID_MAP_SIZE)
		return false;
	map->pair[map->nr].old = old;
	map->pair[map->nr++].cur = cur;
	return true;
}

/* A scalar without id in old is related to nothing: more relations in cur do no harm. */
static bool map_scalar_ids(struct id_map *map, u32 old, u32 cur)
{
	if (!old)
		return true;
	if (!cur)
		cur = ++map->next_temporary;
	if (!map_ids(map, old, cur))
		return false;
	return !(old & ID_ADD_CONST) || map_ids(map, old & ~ID_ADD_CONST, cur & ~ID_ADD_CONST);
}

/*
 * Everything but numbers and ids. What slices belong to must be the same dynptr: the kernel takes
 * no other in its place.
 */
static bool same_kind(const struct reg *a, const struct reg *b)
{
	return a->type == b->type && a->off == b->off && a->map == b->map &&
	       a->map_uid == b->map_uid && a->range == b->range && a->subprogno == b->subprogno &&
	       a->btf == b->btf && a->btf_id == b->btf_id && a->dynptr == b->dynptr &&
	       a->dynptr_id == b->dynptr_id;
}

static bool same_reg(const struct reg *old, const struct reg *cur, struct id_map *map)
{
	return same_kind(old, cur) && scalar_equal(&old->s, &cur->s) &&
	       map_ids(map, old->id, cur->id) && map_ids(map, old->ref_id, cur->ref_id) &&
	       map_ids(map, old->dynptr_id, cur->dynptr_id);
}

static bool number_within(const struct reg *old, const struct reg *cur)
{
	return scalar_subset(&old->s, &cur->s);
}

static bool scalar_safe(const struct reg *old, const struct reg *cur, bool precise,
			struct id_map *map, enum compare_how how)
{
	if (!precise && how == COMPARE_LOOSE && !map->all_precise)
		return true;
	if (old->id && (old->id & ID_ADD_CONST) != (cur->id & ID_ADD_CONST))
		return false;
	if ((old->id & ID_ADD_CONST) && old->off != cur->off)
		return false;
	return map_scalar_ids(map, old->id, cur->id) && number_within(old, cur);
}

static bool packet_safe(const struct reg *old, const struct reg *cur, struct id_map *map)
{
	/* More known bytes are safer; comparisons with the end are equal or not. */
	if (old->range < 0 || cur->range < 0) {
		if (old->range != cur->range)
			return false;
	} else if (old->range > cur->range) {
		return false;
	}
	return old->off == cur->off && map_ids(map, old->id, cur->id) && number_within(old, cur);
}

/* precise: old, if it is a scalar. */
static bool reg_safe(const struct reg *old, const struct reg *cur, bool precise, struct id_map *map,
		     enum compare_how how)
{
	if (how == COMPARE_EXACT)
		return same_reg(old, cur, map) && old->frameno == cur->frameno;
	if (old->type == NOT_INIT && (how == COMPARE_LOOSE || cur->type == NOT_INIT))
		return true;
	if (old->type != cur->type)
		return false;
	switch (reg_base(old->type)) {
	case SCALAR_VALUE: return scalar_safe(old, cur, precise, map, how);
	case PTR_TO_MAP_KEY:
	case PTR_TO_MAP_VALUE:
	case PTR_TO_MEM:
	case PTR_TO_BUF:
		return same_kind(old, cur) && number_within(old, cur) &&
		       map_ids(map, old->id, cur->id) && map_ids(map, old->ref_id, cur->ref_id) &&
		       map_ids(map, old->dynptr_id, cur->dynptr_id);
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META: return packet_safe(old, cur, map);
	case PTR_TO_ARENA: return true;
	default: return same_reg(old, cur, map) && old->frameno == cur->frameno;
	}
}

static bool slot_all_misc(const struct verify_env *env, const struct slot *slot)
{
	for (u32 i = 0; i < REG_SIZE; i++)
		if (slot->byte[i] != SLOT_MISC &&
		    !(slot->byte[i] == SLOT_INVALID && env->allow_uninit_stack))
			return false;
	return true;
}

/* The scalar that a full load of the slot gives, if it gives one: a spilled one, or an unknown one.
 */
static const struct reg *slot_as_scalar(const struct verify_env *env, const struct slot *slot,
					struct reg *unknown)
{
	if (slot_is_scalar64(slot))
		return slot->spilled;
	if (!slot_all_misc(env, slot))
		return NULL;
	reg_set_unknown(unknown);
	return unknown;
}

/* One byte of a slot: 1 fits, 0 does not, -1 fits and the byte's kind must be looked at further. */
static int byte_safe(const struct verify_env *env, u8 old, u8 cur)
{
	if (old == SLOT_INVALID || (old == SLOT_MISC && env->allow_uninit_stack))
		return 1;
	if (old == SLOT_MISC && cur == SLOT_ZERO)
		return 1;
	return old == cur ? -1 : 0;
}

/* Two slots of the same kind of object (slots.h). The depth of an iterator is not compared. */
static bool object_safe(const struct reg *old, const struct reg *cur, struct id_map *map)
{
	return old->type == cur->type && old->dynptr == cur->dynptr &&
	       old->first_slot == cur->first_slot && old->iter == cur->iter &&
	       old->iter_state == cur->iter_state && old->irq_by_lock == cur->irq_by_lock &&
	       map_ids(map, old->id, cur->id) && map_ids(map, old->ref_id, cur->ref_id);
}

_Static_assert((SLOT_DYNPTR & SLOT_ITER & SLOT_IRQ) == SLOT_DYNPTR &&
		       !((SLOT_SPILL | SLOT_MISC | SLOT_ZERO) & SLOT_DYNPTR),
	       "a bit tells bytes of objects from others");

/* All bytes of a slot as one word, and what it is if all are of one kind. */
#define SLOT_ALL(kind) ((kind)*0x0101010101010101ULL)

static u64 slot_word(const struct slot *slot)
{
	u64 word;

	_Static_assert(sizeof(word) == sizeof(slot->byte), "a slot's bytes fit into a word");
	memcpy(&word, slot->byte, sizeof(word));
	return word;
}

/* Does a slot of a proven state say nothing that counts? */
static bool slot_is_free(const struct verify_env *env, const struct slot *slot)
{
	_Static_assert(!SLOT_INVALID && !(SLOT_MISC & (SLOT_MISC - 1)), "a mask tells them");
	return !(slot_word(slot) & ~(env->allow_uninit_stack ? SLOT_ALL(SLOT_MISC) : 0));
}

u64 compare_count_slots(const struct verify_env *env, const struct frame *frame, u64 *ret_scalar)
{
	u64 counting = 0;

	*ret_scalar = 0;
	for (u32 s = 0; s < frame->nr_slots; s++) {
		const struct slot *slot = frame_slot(frame, s);

		if (slot_is_free(env, slot))
			continue;
		counting |= 1ULL << s;
		if (slot_is_scalar(slot))
			*ret_scalar |= 1ULL << s;
	}
	return counting;
}

void compare_prepare(const struct verify_env *env, struct vstate *state)
{
	for (u32 f = 0; f <= state->curframe; f++) {
		/* Shared frames too: it follows from what is in them, for whoever has them. */
		struct frame *frame = (struct frame *)state->frame[f];

		if (frame->prepared)
			continue;
		frame->counting_slots = compare_count_slots(env, frame, &frame->scalar_slots);
		frame->prepared = true;
	}
}

/* Of a checkpoint's slot with a scalar. */
static bool slot_counts_precisely(const struct verify_env *env, const struct frame *frame, u32 i)
{
	return env->capable ? frame->precise_slots >> i & 1
			    : frame_slot(frame, i)->spilled->precise;
}

/* Slots of several kinds, or of different ones. */
static bool mixed_slot_safe(struct verify_env *env, const struct slot *old, const struct slot *cur,
			    bool precise, enum compare_how how)
{
	struct reg unknown_old, unknown_cur;
	const struct reg *old_scalar, *cur_scalar;
	bool tried = false;

	for (u32 i = 0; i < REG_SIZE; i++) {
		int fits;

		if (how != COMPARE_LOOSE && (!cur || old->byte[i] != cur->byte[i]))
			return false;
		if (old->byte[i] == SLOT_INVALID ||
		    (old->byte[i] == SLOT_MISC && env->allow_uninit_stack))
			continue;
		if (!cur)
			return false;
		if (!tried) {
			tried = true;
			old_scalar = slot_as_scalar(env, old, &unknown_old);
			cur_scalar = slot_as_scalar(env, cur, &unknown_cur);
			if (old_scalar && cur_scalar)
				return reg_safe(old_scalar, cur_scalar,
						precise && old_scalar == old->spilled, &env->id_map,
						how);
		}
		fits = byte_safe(env, old->byte[i], cur->byte[i]);
		if (!fits)
			return false;
		if (fits < 0 && i == REG_SIZE - 1 && old->byte[i] == SLOT_SPILL)
			return reg_safe(old->spilled, cur->spilled, precise, &env->id_map, how);
		if (fits < 0 && i == REG_SIZE - 1 && old->byte[i] >= SLOT_DYNPTR)
			return object_safe(old->spilled, cur->spilled, &env->id_map);
	}
	return true;
}

static bool slot_safe(struct verify_env *env, const struct slot *old, const struct slot *cur,
		      bool precise, enum compare_how how)
{
	u64 word = slot_word(old);

	if (cur && word == slot_word(cur)) {
		/* A register, whole or its low part with the same bytes beside it. */
		if (slot_is_spill(old))
			return reg_safe(old->spilled, cur->spilled, precise, &env->id_map, how);
		/* Bytes that say all there is to say. */
		if (old->byte[0] != SLOT_SPILL && !(word & SLOT_ALL(SLOT_DYNPTR)))
			return true;
	} else if (word == SLOT_ALL(SLOT_SPILL) && old->spilled->type != SCALAR_VALUE) {
		return false;
	}
	return mixed_slot_safe(env, old, cur, precise, how);
}

/* Slot number i; cur may have fewer. */
static bool slot_number_safe(struct verify_env *env, const struct frame *old,
			     const struct frame *cur, u32 i, enum compare_how how)
{
	const struct slot *a = frame_slot(old, i),
			  *b = i < cur->nr_slots ? frame_slot(cur, i) : NULL;
	bool precise = slot_counts_precisely(env, old, i);

	/* Of most numbers it does not matter which they are: nor have they to be looked at. */
	if (!precise && how == COMPARE_LOOSE && !env->id_map.all_precise &&
	    (old->scalar_slots & (1ULL << i)) && b && slot_word(a) == slot_word(b))
		return b->spilled->type == SCALAR_VALUE;
	return slot_safe(env, a, b, precise, how);
}

/* The number of a slot that does not fit, or -1. */
static int find_unsafe_slot(struct verify_env *env, const struct frame *old,
			    const struct frame *cur, enum compare_how how)
{
	u64 left = old->counting_slots;

	if (how != COMPARE_LOOSE)
		left = old->nr_slots < MAX_SLOTS ? (1ULL << old->nr_slots) - 1 : ~0ULL;
	for (; left; left &= left - 1) {
		u32 i = (u32)__builtin_ctzll(left);

		if (!slot_number_safe(env, old, cur, i, how))
			return (int)i;
	}
	return -1;
}

static bool refs_safe(struct verify_env *env, const struct vstate *old, const struct vstate *cur)
{
	if (old->nr_refs != cur->nr_refs || old->active_rcu != cur->active_rcu ||
	    old->active_preempt != cur->active_preempt || old->active_locks != cur->active_locks ||
	    !map_ids(&env->id_map, old->active_irq, cur->active_irq))
		return false;
	for (u32 i = 0; i < old->nr_refs; i++)
		if (old->refs[i].kind != cur->refs[i].kind ||
		    old->refs[i].ptr != cur->refs[i].ptr ||
		    !map_ids(&env->id_map, old->refs[i].id, cur->refs[i].id))
			return false;
	return true;
}

static struct mismatch mismatch_at(u8 kind, const struct frame *frame, u32 index,
				   const struct reg *reg, bool precise)
{
	return (struct mismatch){
		.kind = kind,
		.frame = (u8)frame->frameno,
		.index = (u8)index,
		.is_number = precise && reg->type == SCALAR_VALUE,
		.umin = reg->s.umin,
		.umax = reg->s.umax,
	};
}

static bool frame_safe(struct verify_env *env, const struct frame *old, const struct frame *cur,
		       u16 live_regs, enum compare_how how, struct mismatch *ret_where)
{
	int slot;

	if (old->callback_depth > cur->callback_depth)
		return false;
	for (u32 i = 0; i < MAX_REG; i++) {
		if ((live_regs & (1u << i)) && !reg_safe(&old->regs[i], &cur->regs[i],
							 old->regs[i].precise, &env->id_map, how)) {
			*ret_where = mismatch_at(MISMATCH_REG, old, i, &old->regs[i],
						 old->regs[i].precise);
			return false;
		}
	}
	slot = find_unsafe_slot(env, old, cur, how);
	if (slot >= 0)
		*ret_where =
			mismatch_at(MISMATCH_SLOT, old, (u32)slot, frame_slot(old, slot)->spilled,
				    slot_is_scalar64(frame_slot(old, slot)) &&
					    slot_counts_precisely(env, old, (u32)slot));
	return slot < 0;
}

static void begin(struct verify_env *env)
{
	env->id_map.nr = 0;
	env->id_map.all_precise = env->input->test_all_precise;
	env->id_map.next_temporary = env->id_gen;
}

/* Does the number there lie outside of what it was in the checkpoint? Looks at the current state
 * only. */
static bool number_differs_there(const struct vstate *cur, const struct mismatch *where)
{
	const struct frame *frame = cur->frame[where->frame];
	const struct reg *reg;

	if (where->kind == MISMATCH_REG) {
		reg = &frame->regs[where->index];
	} else {
		if (where->index >= frame->nr_slots ||
		    !slot_is_scalar64(frame_slot(frame, where->index)))
			return false;
		reg = frame_slot(frame, where->index)->spilled;
	}
	return reg->type == SCALAR_VALUE &&
	       (reg->s.umin < where->umin || reg->s.umax > where->umax);
}

/*
 * Where two states differed before they mostly do again. What does not fit by itself does not fit
 * beside others: those only add pairs of ids.
 */
static bool differs_there(struct verify_env *env, const struct vstate *old,
			  const struct vstate *cur, enum compare_how how,
			  const struct mismatch *where)
{
	const struct frame *a, *b;
	u32 i = where->index;

	if (where->kind == MISMATCH_NONE)
		return false;
	if (where->is_number && number_differs_there(cur, where))
		return true;
	a = old->frame[where->frame];
	b = cur->frame[where->frame];
	begin(env);
	if (where->kind == MISMATCH_REG)
		return !reg_safe(&a->regs[i], &b->regs[i], a->regs[i].precise, &env->id_map, how);
	return (how != COMPARE_LOOSE || a->counting_slots & (1ULL << i)) &&
	       !slot_number_safe(env, a, b, i, how);
}

bool states_equal(struct verify_env *env, const struct vstate *old, const struct vstate *cur,
		  enum compare_how how, struct mismatch *where)
{
	if (old->curframe != cur->curframe || old->sleepable != cur->sleepable ||
	    differs_there(env, old, cur, how, where))
		return false;
	begin(env);
	if (!refs_safe(env, old, cur))
		return false;
	for (u32 i = 0; i <= old->curframe; i++) {
		u16 live = env->aux[vstate_frame_insn(old, i)].live_regs;

		if (old->frame[i]->callsite != cur->frame[i]->callsite ||
		    old->frame[i]->in_callback != cur->frame[i]->in_callback ||
		    old->frame[i]->in_async != cur->frame[i]->in_async)
			return false;
		if (!frame_safe(env, old->frame[i], cur->frame[i], live, how, where))
			return false;
	}
	return true;
}

u64 state_digest(const struct vstate *state)
{
	const struct frame *frame = vstate_frame(state);
	u64 digest = state->curframe;

	for (u32 i = 0; i < MAX_REG; i++) {
		const struct reg *reg = &frame->regs[i];

		digest = digest * 31 + (reg->s.var_off.value ^ (u64)reg->id << 32) +
			 (reg->s.umax ^ reg->type) + (u64)(u32)reg->off;
	}
	return digest | 1;
}

bool states_look_same(const struct vstate *old, const struct vstate *cur)
{
	const struct frame *a, *b;

	if (old->curframe != cur->curframe)
		return false;
	a = vstate_frame(old);
	b = vstate_frame(cur);
	for (u32 i = 0; i < MAX_REG; i++) {
		const struct reg *x = &a->regs[i], *y = &b->regs[i];

		if (!same_kind(x, y) || !scalar_equal(&x->s, &y->s) || x->id != y->id ||
		    x->ref_id != y->ref_id)
			return false;
	}
	return true;
}
