/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * L3: pruning loses nothing.
 *
 * States: where states_equal(old, cur) says that cur needs no exploration of its own, each concrete
 * state of cur is one of old, as far as old's proof depended on it. Random pairs; of cur's concrete
 * states a sample. Membership is decided here by definition: ranges, equal numbers where ids are
 * equal, zero bytes, pointers null together.
 *
 * Paths: of random programs (generate.h) the verdict is the same when every path is walked to its
 * end. Programs that need more than MAX_INSNS that way are left out and counted. A quarter as many
 * are about nothing but loops of callbacks: of these none is accepted that is not that way, where
 * numbers that change from call to call are not widened.
 *
 * Usage: pruning [pairs [programs [seed]]]
 */
#include "base/pool.h"
#include "harness/tap.h"
#include "verify/compare.h"
#include "verify/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NR_REGS = 6, NR_STACK = 3, SAMPLES = 8, TRIES = 40, NR_IDS = 3, MAX_INSNS = 30000 };

/* What one register or slot holds: a number, or a pointer at a variable distance, or null. */
struct word {
	u64 value;
	bool is_null;
};

struct point {
	struct word reg[NR_REGS];
	struct word spilled[NR_STACK];
	u8 byte[NR_STACK][REG_SIZE];
};

static u64 random_state;
static const struct verify_map map;

static u64 next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static unsigned pick(unsigned n)
{
	return (unsigned)(next() >> 20) % n;
}

static u64 number(void)
{
	switch (pick(4)) {
	case 0: return pick(8);
	case 1: return (u64)(s64)(s8)next();
	case 2: return next() >> pick(64);
	default: return next();
	}
}

/* Something known of x, and of others. */
static struct scalar around(u64 x)
{
	struct scalar a = scalar_unknown();
	u64 below = number(), above = number();

	if (pick(4) == 0)
		return scalar_const(x);
	if (pick(2)) {
		a.umin = below > x ? 0 : x - below;
		a.umax = above > ~x ? ~0ULL : x + above;
	}
	if (pick(3) == 0)
		a.var_off = (struct tnum){ .value = x & ~below, .mask = below };
	if (pick(3) == 0) {
		a.smin = (s64)x < INT64_MIN + (s64)(below >> 1) ? INT64_MIN
								: (s64)x - (s64)(below >> 1);
		a.smax = (s64)x > INT64_MAX - (s64)(above >> 1) ? INT64_MAX
								: (s64)x + (s64)(above >> 1);
	}
	scalar_sync(&a);
	return a;
}

/* A register that contains word. */
static struct reg draw_reg(struct word *word)
{
	struct reg reg = { .type = SCALAR_VALUE, .precise = pick(3) != 0 };

	word->is_null = false;
	switch (pick(8)) {
	case 0: reg_set_not_init(&reg); return reg;
	case 1:
	case 2:
		reg_set_pointer(&reg, PTR_TO_MAP_VALUE);
		reg.map = &map;
		reg.off = 8 * (s32)pick(2);
		if (pick(2)) {
			reg.type |= PTR_MAYBE_NULL;
			reg.id = 1 + pick(NR_IDS);
			word->value = 0;
			return reg;
		}
		word->value &= 63;
		break;
	case 3:
		reg_set_pointer(&reg, PTR_TO_PACKET);
		reg.range = (s32)pick(3) * 8;
		reg.id = 1 + pick(NR_IDS);
		word->value &= 63;
		break;
	default: break;
	}
	reg.s = around(word->value);
	return reg;
}

/* Of the states here every slot has a register of its own. */
static struct reg *spilled_in(struct slot *slot)
{
	return (struct reg *)slot->spilled;
}

/* The frame of a state around a point, whose equal numbers may be linked. */
static void draw_state(struct frame *frame, struct point *point)
{
	u64 shared = number();

	for (u32 i = 0; i < NR_REGS; i++) {
		bool linked = pick(2);

		point->reg[i].value = linked ? shared + 4 * (i / 4) : number();
		frame->regs[i] = draw_reg(&point->reg[i]);
		if (!linked || frame->regs[i].type != SCALAR_VALUE)
			continue;
		frame->regs[i].id = NR_IDS + 1;
		if (i / 4) {
			frame->regs[i].id |= ID_ADD_CONST64;
			frame->regs[i].off = 4;
		}
	}
	for (u32 i = 0; i < NR_STACK; i++) {
		struct slot *slot = frame_own_slot(frame, i);
		u8 kind = (u8)pick(4);

		reg_set_not_init(spilled_in(slot));
		for (u32 b = 0; b < REG_SIZE; b++)
			slot->byte[b] = kind == SLOT_SPILL || pick(4) ? kind : (u8)pick(4);
		for (u32 b = 0; b < REG_SIZE && kind != SLOT_SPILL; b++)
			if (slot->byte[b] == SLOT_SPILL)
				slot->byte[b] = SLOT_MISC;
		if (kind != SLOT_SPILL)
			continue;
		point->spilled[i].value = pick(3) ? number() : shared;
		do
			*spilled_in(slot) = draw_reg(&point->spilled[i]);
		while (slot->spilled->type == NOT_INIT);
		if (slot->spilled->type == SCALAR_VALUE && point->spilled[i].value == shared)
			spilled_in(slot)->id = NR_IDS + 1;
	}
}

/* old: the register made wider, narrower or something else. */
static void change_reg(struct reg *reg, const struct word *word)
{
	struct word other = { number(), false };

	switch (pick(12)) {
	case 0: *reg = draw_reg(&other); return;
	case 1: reg->id = reg->id ? 0 : 1 + pick(NR_IDS + 1); return;
	case 2: reg->id = reg->id ? 1 + pick(NR_IDS + 1) : 0; return;
	case 3: reg->off += 4; return;
	case 4: reg->precise = !reg->precise; return;
	case 5: reg->range += 8 * (s32)pick(3) - 8; return;
	case 6:
	case 7:
		if (reg->type == SCALAR_VALUE)
			reg->s = around(word->value);
		return;
	case 8:
		if (reg->type == SCALAR_VALUE)
			reg->s = scalar_unknown();
		return;
	default: return;
	}
}

static void change_state(struct frame *old, const struct point *point)
{
	u32 shift = pick(2) ? 10 : 0; /* ids are names: other ones mean the same */
	struct slot *slot;

	for (u32 n = pick(3); n; n--) {
		u32 i = pick(NR_REGS + NR_STACK);

		if (i < NR_REGS) {
			change_reg(&old->regs[i], &point->reg[i]);
			continue;
		}
		slot = frame_own_slot(old, i - NR_REGS);
		if (slot_is_spill(slot) && pick(2)) {
			change_reg(spilled_in(slot), &point->spilled[i - NR_REGS]);
			continue;
		}
		if (slot_is_spill(slot)) /* a spill is whole, or none */
			memset(slot->byte, SLOT_MISC, sizeof(slot->byte));
		slot->byte[pick(REG_SIZE)] = pick(3) ? SLOT_MISC : SLOT_ZERO;
	}
	for (u32 i = 0; i < NR_REGS + NR_STACK; i++) {
		struct reg *reg =
			i < NR_REGS ? &old->regs[i] : spilled_in(frame_own_slot(old, i - NR_REGS));

		if (reg->id)
			reg->id += shift;
	}
}

static bool reg_has(const struct reg *reg, const struct word *word)
{
	if (reg->type & PTR_MAYBE_NULL)
		return word->is_null || scalar_has(&reg->s, word->value);
	return !word->is_null && scalar_has(&reg->s, word->value);
}

/* A number of the register's, if one is found. */
static bool draw_word(const struct reg *reg, struct word *ret)
{
	for (int i = 0; i < TRIES; i++) {
		u64 x = pick(2) ? reg->s.umin + number() : reg->s.umax - number();

		x = (x & reg->s.var_off.mask) | reg->s.var_off.value;
		ret->value = x;
		ret->is_null = reg->type & PTR_MAYBE_NULL && pick(2);
		if (reg_has(reg, ret))
			return true;
	}
	return false;
}

static const struct reg *reg_at(const struct frame *frame, u32 i)
{
	if (i < NR_REGS)
		return &frame->regs[i];
	return slot_is_spill(frame_slot(frame, i - NR_REGS))
		       ? frame_slot(frame, i - NR_REGS)->spilled
		       : NULL;
}

static struct word *word_at(struct point *point, u32 i)
{
	return i < NR_REGS ? &point->reg[i] : &point->spilled[i - NR_REGS];
}

/* Of two registers that an id links: what does it say of their words? */
static bool link_holds(const struct reg *a, const struct word *x, const struct reg *b,
		       const struct word *y)
{
	if (!a->id || (a->id & ~ID_ADD_CONST) != (b->id & ~ID_ADD_CONST) || a->type != b->type)
		return true;
	if (a->type == SCALAR_VALUE)
		return x->value - (a->id & ID_ADD_CONST ? (u64)(s64)a->off : 0) ==
		       y->value - (b->id & ID_ADD_CONST ? (u64)(s64)b->off : 0);
	if (a->type & PTR_MAYBE_NULL)
		return x->is_null == y->is_null;
	/* Packet pointers with an id share their variable part. */
	return reg_base(a->type) != PTR_TO_PACKET || x->value == y->value;
}

/* A point of cur: of linked registers the first one decides. */
static bool draw_point(const struct frame *cur, struct point *point)
{
	for (u32 i = 0; i < NR_REGS + NR_STACK; i++) {
		const struct reg *reg = reg_at(cur, i), *other;
		struct word *word = word_at(point, i);

		if (!reg || reg->type == NOT_INIT)
			continue;
		if (!draw_word(reg, word))
			return false;
		for (u32 j = 0; j < i; j++) {
			other = reg_at(cur, j);
			if (!other || link_holds(other, word_at(point, j), reg, word))
				continue;
			*word = *word_at(point, j);
			if (other->id & ID_ADD_CONST)
				word->value -= (u64)(s64)other->off;
			if (reg->id & ID_ADD_CONST)
				word->value += (u64)(s64)reg->off;
		}
		if (!reg_has(reg, word))
			return false;
	}
	for (u32 i = 0; i < NR_STACK; i++)
		for (u32 b = 0; b < REG_SIZE; b++)
			point->byte[i][b] =
				frame_slot(cur, i)->byte[b] == SLOT_ZERO ? 0 : (u8)next();
	return true;
}

/* Does what old's proof depended on allow a number that it may not have said anything about? */
static bool counts(const struct reg *reg)
{
	return reg->type != NOT_INIT && (reg->type != SCALAR_VALUE || reg->precise);
}

/* NULL, or what of the point is not in old; cur says which words are pointers of what kind. */
static const char *missing(const struct frame *old, const struct frame *cur, struct point *point)
{
	for (u32 i = 0; i < NR_REGS + NR_STACK; i++) {
		const struct reg *a = reg_at(old, i), *b = reg_at(cur, i);

		if (!a || !counts(a))
			continue;
		if (!b) {
			/* Bytes of a number are one; of a pointer they are none. */
			if (a->type != SCALAR_VALUE)
				return "a pointer";
			memcpy(&word_at(point, i)->value, point->byte[i - NR_REGS], REG_SIZE);
			word_at(point, i)->is_null = false;
		} else if (a->type != b->type || a->map != b->map ||
			   (a->type != SCALAR_VALUE && a->off != b->off) ||
			   (a->type == PTR_TO_PACKET && a->range > b->range)) {
			return "another kind";
		}
		if (!reg_has(a, word_at(point, i)))
			return "a number";
		for (u32 j = 0; j < i; j++) {
			const struct reg *other = reg_at(old, j);

			if (other && counts(other) &&
			    !link_holds(other, word_at(point, j), a, word_at(point, i)))
				return "an equality";
		}
	}
	for (u32 i = 0; i < NR_STACK; i++)
		for (u32 b = 0; b < REG_SIZE; b++)
			if (frame_slot(old, i)->byte[b] == SLOT_ZERO &&
			    (frame_slot(cur, i)->byte[b] != SLOT_ZERO || point->byte[i][b]) &&
			    !(slot_is_spill(frame_slot(cur, i)) &&
			      !(word_at(point, NR_REGS + i)->value >> 8 * (7 - b) & 0xff)))
				return "a zero";
	return NULL;
}

/* A state whose slots have these registers; *ret_shared: the one they had. */
static struct vstate *state_new(struct reg *spilled, const struct reg **ret_shared)
{
	struct vstate *state = vstate_new();

	if (!state)
		abort();
	state->frame[0] = frame_new(CALLSITE_MAIN, 0, 0);
	if (!state->frame[0] || frame_grow_stack(vstate_frame(state), NR_STACK))
		abort();
	*ret_shared = frame_slot(state->frame[0], 0)->spilled;
	for (u32 i = 0; i < NR_STACK; i++)
		frame_own_slot(vstate_frame(state), i)->spilled = &spilled[i];
	return state;
}

static void state_free(struct vstate *state, const struct reg *shared)
{
	for (u32 i = 0; i < NR_STACK; i++) {
		struct slot *slot = frame_own_slot(vstate_frame(state), i);

		memset(slot->byte, SLOT_INVALID, REG_SIZE);
		slot->spilled = shared;
	}
	vstate_free(state);
}

static void copy_state(struct frame *to, const struct frame *from)
{
	memcpy(to->regs, from->regs, sizeof(from->regs));
	for (u32 i = 0; i < NR_STACK; i++) {
		struct slot *slot = frame_own_slot(to, i);

		memcpy(slot->byte, frame_slot(from, i)->byte, REG_SIZE);
		*spilled_in(slot) = *frame_slot(from, i)->spilled;
	}
}

static void check_pairs(long pairs)
{
	static struct insn_aux aux = { .live_regs = (1u << NR_REGS) - 1 };
	static const struct verify_input input;
	struct verify_env *env = calloc(1, sizeof(*env));
	struct reg spilled[2][NR_STACK];
	const struct reg *shared[2];
	struct vstate *old = state_new(spilled[0], &shared[0]),
		      *cur = state_new(spilled[1], &shared[1]);
	long equal = 0, points = 0, lost = 0;

	if (!env)
		abort();
	env->aux = &aux;
	env->input = &input;
	env->allow_uninit_stack = true;
	env->precise_now = true;
	env->id_gen = 1000;
	for (long i = 0; i < pairs; i++) {
		struct mismatch where = { .kind = MISMATCH_NONE };
		struct point point = { 0 };
		const char *what = NULL;

		draw_state(vstate_frame(cur), &point);
		copy_state(vstate_frame(old), vstate_frame(cur));
		change_state(vstate_frame(old), &point);
		vstate_frame(old)->prepared = false;
		compare_prepare(env, old);
		if (!states_equal(env, old, cur, COMPARE_LOOSE, &where))
			continue;
		equal++;
		for (int n = 0; n < SAMPLES && !what; n++) {
			if (!draw_point(cur->frame[0], &point))
				continue;
			points++;
			what = missing(old->frame[0], cur->frame[0], &point);
		}
		if (what && lost++ < 5)
			tap_note("pair %ld: %s is lost", i, what);
	}
	tap_ok(equal * 20 > pairs && points > equal,
	       "%ld of %ld pairs are equal, %ld concrete states of them", equal, pairs, points);
	tap_ok(lost == 0, "each of these is one of the older state: %ld pairs where not", lost);
	state_free(old, shared[0]);
	state_free(cur, shared[1]);
	free(env);
}

static void check_paths(const char *what, void (*gen)(u64 seed, struct gen_program *),
			long programs, u64 seed)
{
	bool same = gen == gen_program;
	struct judge_options pruned = { .max_insns = MAX_INSNS }, all = { .max_insns = MAX_INSNS,
									  .all_paths = true,
									  .no_widening = !same };
	long different = 0, accepted = 0, left_out = 0, walked = 0, shorter = 0;

	for (long i = 0; i < programs; i++) {
		struct gen_program program;
		struct verdict with, without;

		gen(seed + (u64)i, &program);
		judge_by_skep(&program, 4, &pruned, &with);
		judge_by_skep(&program, 4, &all, &without);
		if (with.processed > MAX_INSNS || without.processed > MAX_INSNS) {
			left_out++;
			continue;
		}
		accepted += !without.error;
		walked += without.processed;
		shorter += with.processed < without.processed;
		/* Widening finds callbacks wrong that are right. */
		if (with.error != without.error && (same || !with.error) && different++ < 5)
			tap_note("seed %llu: %d with pruning, %d without",
				 (unsigned long long)seed + (u64)i, with.error, without.error);
	}
	tap_note("%ld %s from seed %llu: %ld accepted, %ld left out, %ld instructions on all "
		 "paths; pruning spares some in %ld programs",
		 programs, what, (unsigned long long)seed, accepted, left_out, walked, shorter);
	tap_ok(different == 0 && shorter * 20 > programs, "%s: %s: %ld are not", what,
	       same ? "verdicts with and without pruning are the same"
		    : "what pruning accepts is accepted without it",
	       different);
}

int main(int argc, char **argv)
{
	long pairs = argc > 1 ? atol(argv[1]) : 200000, programs = argc > 2 ? atol(argv[2]) : 6000;
	u64 seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;
	struct pool states = { 0 };

	random_state = seed * 0x9e3779b97f4a7c15ULL | 1;
	state_memory_set(&states);
	check_pairs(pairs);
	state_memory_set(NULL);
	pool_done(&states);
	check_paths("programs", gen_program, programs, seed);
	check_paths("loops of callbacks", gen_callbacks, programs / 4, seed);
	return tap_done();
}
