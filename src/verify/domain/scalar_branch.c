/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a comparison of two scalars decides, and what its outcome teaches.
 *
 * "Greater" is "less" with the operands exchanged, and "a cmp b fails" is another comparison that
 * holds, so only EQ, NE, LT, LE, their signed forms and the two outcomes of the bit test are worked
 * out.
 */
#include "verify/domain/parts.h"

/* One operand as the comparison sees it: 32-bit ones widened, which keeps both orders. */
struct view {
	struct tnum bits;
	struct range64 range;
};

static struct view view_of(const struct scalar *a, bool is32)
{
	struct view v;

	v.bits = a->var_off;
	v.range = scalar_range64(a);
	if (is32) {
		v.bits = tnum_subreg(a->var_off);
		v.range.umin = (u64)a->umin32;
		v.range.umax = (u64)a->umax32;
		v.range.smin = (s64)a->smin32;
		v.range.smax = (s64)a->smax32;
	}
	return v;
}

static bool disjoint64(const struct range64 *a, const struct range64 *b)
{
	return a->umin > b->umax || a->umax < b->umin || a->smin > b->smax || a->smax < b->smin;
}

static enum scalar_truth equal(bool is32, const struct scalar *a, const struct scalar *b)
{
	struct view x = view_of(a, is32), y = view_of(b, is32);
	struct view low_x = view_of(a, true), low_y = view_of(b, true);

	if (tnum_is_const(x.bits) && tnum_is_const(y.bits))
		return x.bits.value == y.bits.value ? SCALAR_ALWAYS : SCALAR_NEVER;
	if (!tnum_overlap(x.bits, y.bits))
		return SCALAR_NEVER;
	if (disjoint64(&x.range, &y.range) || disjoint64(&low_x.range, &low_y.range))
		return SCALAR_NEVER;
	return SCALAR_MAYBE;
}

static enum scalar_truth bits_common(const struct view *a, const struct view *b)
{
	const struct view *x = a, *k = b;

	if (!tnum_is_const(k->bits)) {
		x = b;
		k = a;
	}
	if (!tnum_is_const(k->bits))
		return SCALAR_MAYBE;
	if ((x->bits.value & k->bits.value) != 0)
		return SCALAR_ALWAYS;
	if (((x->bits.value | x->bits.mask) & k->bits.value) == 0)
		return SCALAR_NEVER;
	return SCALAR_MAYBE;
}

/* always, never: both are tests on the ends of the ranges. */
static enum scalar_truth truth(bool always, bool never)
{
	return always ? SCALAR_ALWAYS : never ? SCALAR_NEVER : SCALAR_MAYBE;
}

static enum scalar_truth negate(enum scalar_truth t)
{
	return t == SCALAR_MAYBE ? t : t == SCALAR_NEVER ? SCALAR_ALWAYS : SCALAR_NEVER;
}

enum scalar_truth scalar_compare(enum scalar_cmp cmp, bool is32, const struct scalar *a,
				 const struct scalar *b)
{
	struct view va = view_of(a, is32), vb = view_of(b, is32);
	const struct range64 *x = &va.range, *y = &vb.range;

	switch (cmp) {
	case SCALAR_EQ: return equal(is32, a, b);
	case SCALAR_NE: return negate(equal(is32, a, b));
	case SCALAR_GT: return truth(x->umin > y->umax, x->umax <= y->umin);
	case SCALAR_GE: return truth(x->umin >= y->umax, x->umax < y->umin);
	case SCALAR_LT: return truth(x->umax < y->umin, x->umin >= y->umax);
	case SCALAR_LE: return truth(x->umax <= y->umin, x->umin > y->umax);
	case SCALAR_SGT: return truth(x->smin > y->smax, x->smax <= y->smin);
	case SCALAR_SGE: return truth(x->smin >= y->smax, x->smax < y->smin);
	case SCALAR_SLT: return truth(x->smax < y->smin, x->smin >= y->smax);
	case SCALAR_SLE: return truth(x->smax <= y->smin, x->smin > y->smax);
	case SCALAR_SET: return bits_common(&va, &vb);
	}
	return SCALAR_MAYBE;
}

static void refine_equal(bool is32, struct scalar *a, struct scalar *b)
{
	if (is32) {
		struct range32 r = scalar_range32(a);
		struct tnum t = tnum_intersect(tnum_subreg(a->var_off), tnum_subreg(b->var_off));

		range32_meet_unsigned(&r, b->umin32, b->umax32);
		range32_meet_signed(&r, b->smin32, b->smax32);
		scalar_set_range32(a, r);
		scalar_set_range32(b, r);
		a->var_off = tnum_with_subreg(a->var_off, t);
		b->var_off = tnum_with_subreg(b->var_off, t);
	} else {
		struct range64 r = scalar_range64(a);

		range64_meet_unsigned(&r, b->umin, b->umax);
		range64_meet_signed(&r, b->smin, b->smax);
		scalar_set_range64(a, r);
		scalar_set_range64(b, r);
		a->var_off = tnum_intersect(a->var_off, b->var_off);
		b->var_off = a->var_off;
	}
}

/* a is not the constant k: an end of a range that is k moves inwards. */
static void refine_unequal(bool is32, struct scalar *a, u64 k)
{
	if (is32) {
		struct range32 r = scalar_range32(a);

		range32_exclude(&r, (u32)k);
		scalar_set_range32(a, r);
	} else {
		struct range64 r = scalar_range64(a);

		range64_exclude(&r, k);
		scalar_set_range64(a, r);
	}
}

/* a & k != 0: teaches something only when k is a single bit. */
static void refine_some_bit(bool is32, struct scalar *a, u64 k)
{
	struct tnum t = is32 ? tnum_subreg(a->var_off) : a->var_off;

	if (k == 0 || (k & (k - 1)) != 0)
		return;
	t = tnum_or(t, tnum_const(k));
	a->var_off = is32 ? tnum_with_subreg(a->var_off, t) : t;
}

/* a & k == 0. The ranges start anew, from the bits, as the kernel's do. */
static void refine_no_bit(bool is32, struct scalar *a, u64 k)
{
	struct tnum t = is32 ? tnum_subreg(a->var_off) : a->var_off;

	scalar_forget_ranges(a);
	t = tnum_and(t, tnum_const(~k));
	a->var_off = is32 ? tnum_with_subreg(a->var_off, t) : t;
}

static void refine_unsigned_less(bool is32, bool strict, struct scalar *a, struct scalar *b)
{
	if (is32) {
		u32 gap = strict ? 1 : 0;
		u32 max = b->umax32 - gap, min = a->umin32 + gap;

		a->umax32 = DOMAIN_MIN(max, a->umax32);
		b->umin32 = DOMAIN_MAX(min, b->umin32);
	} else {
		u64 gap = strict ? 1 : 0;
		u64 max = b->umax - gap, min = a->umin + gap;

		a->umax = DOMAIN_MIN(max, a->umax);
		b->umin = DOMAIN_MAX(min, b->umin);
	}
}

static void refine_signed_less(bool is32, bool strict, struct scalar *a, struct scalar *b)
{
	if (is32) {
		u32 gap = strict ? 1 : 0;
		s32 max = (s32)((u32)b->smax32 - gap), min = (s32)((u32)a->smin32 + gap);

		a->smax32 = DOMAIN_MIN(max, a->smax32);
		b->smin32 = DOMAIN_MAX(min, b->smin32);
	} else {
		u64 gap = strict ? 1 : 0;
		s64 max = (s64)((u64)b->smax - gap), min = (s64)((u64)a->smin + gap);

		a->smax = DOMAIN_MIN(max, a->smax);
		b->smin = DOMAIN_MAX(min, b->smin);
	}
}

/* The operand that is known, if any, comes second. */
static bool const_second(bool is32, struct scalar **a, struct scalar **b)
{
	struct scalar *first = *a;

	if (is32 ? scalar_is_const32(*b) : scalar_is_const(*b))
		return true;
	*a = *b;
	*b = first;
	return is32 ? scalar_is_const32(first) : scalar_is_const(first);
}

static u64 const_value(bool is32, const struct scalar *a)
{
	return is32 ? tnum_subreg(a->var_off).value : a->var_off.value;
}

static void refine_by_const(enum scalar_cmp cmp, bool is32, bool holds, struct scalar *a,
			    struct scalar *b)
{
	u64 k;

	if (!const_second(is32, &a, &b))
		return;
	k = const_value(is32, b);
	if (cmp != SCALAR_SET)
		refine_unequal(is32, a, k);
	else if (holds)
		refine_some_bit(is32, a, k);
	else
		refine_no_bit(is32, a, k);
}

void scalar_refine(enum scalar_cmp cmp, bool is32, bool holds, struct scalar *a, struct scalar *b)
{
	switch (cmp) {
	case SCALAR_EQ:
	case SCALAR_NE:
		if (holds == (cmp == SCALAR_EQ))
			refine_equal(is32, a, b);
		else
			refine_by_const(cmp, is32, holds, a, b);
		break;
	case SCALAR_SET: refine_by_const(cmp, is32, holds, a, b); break;
	case SCALAR_LT:
	case SCALAR_GE:
		if (holds == (cmp == SCALAR_LT))
			refine_unsigned_less(is32, true, a, b);
		else
			refine_unsigned_less(is32, false, b, a);
		break;
	case SCALAR_LE:
	case SCALAR_GT:
		if (holds == (cmp == SCALAR_LE))
			refine_unsigned_less(is32, false, a, b);
		else
			refine_unsigned_less(is32, true, b, a);
		break;
	case SCALAR_SLT:
	case SCALAR_SGE:
		if (holds == (cmp == SCALAR_SLT))
			refine_signed_less(is32, true, a, b);
		else
			refine_signed_less(is32, false, b, a);
		break;
	case SCALAR_SLE:
	case SCALAR_SGT:
		if (holds == (cmp == SCALAR_SLE))
			refine_signed_less(is32, false, a, b);
		else
			refine_signed_less(is32, true, b, a);
		break;
	}
	scalar_sync(a);
	scalar_sync(b);
}
