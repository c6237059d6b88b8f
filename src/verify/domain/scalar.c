/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scalars: making them, asking them, and letting their five domains learn from each other.
 *
 * scalar_sync() is where precision comes from. Its steps and their order are those whose results
 * the kernel's log shows (reg_bounds_sync of 6.18): each only intersects with something implied, so
 * none can lose a word.
 */
#include "verify/domain/parts.h"

struct scalar scalar_unknown(void)
{
	struct scalar a;

	a.var_off = tnum_unknown();
	scalar_forget_ranges(&a);
	return a;
}

struct scalar scalar_const(u64 value)
{
	struct scalar a;

	a.var_off = tnum_const(value);
	a.umin = a.umax = value;
	a.smin = a.smax = (s64)value;
	a.umin32 = a.umax32 = (u32)value;
	a.smin32 = a.smax32 = (s32)(u32)value;
	return a;
}

void scalar_forget_ranges(struct scalar *a)
{
	a->umin = 0;
	a->umax = DOMAIN_U64_MAX;
	a->smin = DOMAIN_S64_MIN;
	a->smax = DOMAIN_S64_MAX;
	a->umin32 = 0;
	a->umax32 = DOMAIN_U32_MAX;
	a->smin32 = DOMAIN_S32_MIN;
	a->smax32 = DOMAIN_S32_MAX;
}

bool scalar_is_const(const struct scalar *a)
{
	return tnum_is_const(a->var_off);
}

bool scalar_is_const32(const struct scalar *a)
{
	return tnum_subreg_is_const(a->var_off);
}

bool scalar_equal(const struct scalar *a, const struct scalar *b)
{
	return tnum_equal(a->var_off, b->var_off) && a->umin == b->umin && a->umax == b->umax &&
	       a->smin == b->smin && a->smax == b->smax && a->umin32 == b->umin32 &&
	       a->umax32 == b->umax32 && a->smin32 == b->smin32 && a->smax32 == b->smax32;
}

bool scalar_subset(const struct scalar *a, const struct scalar *b)
{
	return tnum_in(a->var_off, b->var_off) && a->umin <= b->umin && a->umax >= b->umax &&
	       a->smin <= b->smin && a->smax >= b->smax && a->umin32 <= b->umin32 &&
	       a->umax32 >= b->umax32 && a->smin32 <= b->smin32 && a->smax32 >= b->smax32;
}

bool scalar_is_empty(const struct scalar *a)
{
	return a->umin > a->umax || a->smin > a->smax || a->umin32 > a->umax32 ||
	       a->smin32 > a->smax32;
}

const char *scalar_violation(const struct scalar *a)
{
	struct scalar known = scalar_const(a->var_off.value);

	if (scalar_is_empty(a))
		return "range bounds violation";
	if (scalar_is_const(a) && (a->umin != known.umin || a->umax != known.umax ||
				   a->smin != known.smin || a->smax != known.smax))
		return "const tnum out of sync with range bounds";
	if (scalar_is_const32(a) && (a->umin32 != known.umin32 || a->umax32 != known.umax32 ||
				     a->smin32 != known.smin32 || a->smax32 != known.smax32))
		return "const subreg tnum out of sync with range bounds";
	return NULL;
}

static void set_half(struct scalar *a, u32 value)
{
	a->var_off = tnum_with_subreg(a->var_off, tnum_const((u64)value));
	a->umin32 = a->umax32 = value;
	a->smin32 = a->smax32 = (s32)value;
}

bool scalar_split(const struct scalar *a, struct scalar *ret_zero, struct scalar *ret_ones)
{
	if (a->smin == -1 && a->smax == 0) {
		*ret_zero = scalar_const(0);
		*ret_ones = scalar_const(DOMAIN_U64_MAX);
		return true;
	}
	if (a->smin32 == -1 && a->smax32 == 0) {
		*ret_zero = *ret_ones = *a;
		set_half(ret_zero, 0);
		set_half(ret_ones, DOMAIN_U32_MAX);
		return true;
	}
	return false;
}

bool scalar_has(const struct scalar *a, u64 x)
{
	u32 low = (u32)x;

	return (x & ~a->var_off.mask) == a->var_off.value && a->umin <= x && x <= a->umax &&
	       a->smin <= (s64)x && (s64)x <= a->smax && a->umin32 <= low && low <= a->umax32 &&
	       a->smin32 <= (s32)low && (s32)low <= a->smax32;
}

/*
 * Known bits and unsigned range may leave a single word: umin, the largest that the bits allow, or
 * one between. If they leave none, a need not say so.
 */
static void meet_single(struct scalar *a)
{
	u64 first = tnum_next(a->var_off, a->umin), last = a->var_off.value | a->var_off.mask;
	bool umin_fits = (a->umin & ~a->var_off.mask) == a->var_off.value;

	if (umin_fits) {
		if (first > a->umax)
			*a = scalar_const(a->umin);
	} else if (first == last || (first <= a->umax && tnum_next(a->var_off, first) > a->umax)) {
		*a = scalar_const(first);
	}
}

/* The ranges learn from the known bits. */
static void meet_bits(struct scalar *a)
{
	struct range64 word = scalar_range64(a);
	struct range32 half = scalar_range32(a);

	range64_meet_bits(&word, a->var_off.value, a->var_off.mask);
	range32_meet_bits(&half, (u32)a->var_off.value, (u32)a->var_off.mask);
	scalar_set_range64(a, word);
	scalar_set_range32(a, half);
	meet_single(a);
}

/*
 * What the ends of a range of words say of the low halves. If the upper halves of the ends agree,
 * the low halves run from one end to the other, in the order (signed, unsigned) in which that is a
 * range at all. If they differ by one, the low halves wrap once: a signed range if they pass from
 * negative to non-negative.
 */
static void half_from_word(struct range32 *half, u64 min, u64 max, bool ordered)
{
	u32 low = (u32)min, high = (u32)max;
	u32 upper_low = (u32)(min >> HALF_BITS), upper_high = (u32)(max >> HALF_BITS);
	u32 upper_next = upper_low + 1;

	if (upper_low == upper_high) {
		if (ordered || low <= high)
			range32_meet_unsigned(half, low, high);
		if ((s32)low <= (s32)high)
			range32_meet_signed(half, (s32)low, (s32)high);
	} else if (upper_next == upper_high && (s32)low < 0 && (s32)high >= 0) {
		range32_meet_signed(half, (s32)low, (s32)high);
	}
}

static void deduce_half(struct scalar *a)
{
	struct range32 half = scalar_range32(a);

	half_from_word(&half, a->umin, a->umax, true);
	half_from_word(&half, (u64)a->smin, (u64)a->smax, false);
	range32_meet_signs(&half);
	range32_meet_one_side(&half);
	scalar_set_range32(a, half);
}

static void deduce_word(struct scalar *a)
{
	struct range64 word = scalar_range64(a);

	range64_meet_signs(&word);
	range64_meet_one_side(&word);
	scalar_set_range64(a, word);
}

static u64 with_low_half(u64 word, u32 half)
{
	return (word & (DOMAIN_U64_MAX << HALF_BITS)) | (u64)half;
}

/* The word's ends cannot have a low half outside the half's range. */
static void deduce_word_from_half(struct scalar *a)
{
	struct range64 word = scalar_range64(a);

	range64_meet_unsigned(&word, with_low_half(word.umin, a->umin32),
			      with_low_half(word.umax, a->umax32));
	range64_meet_signed(&word, (s64)with_low_half((u64)word.smin, a->umin32),
			    (s64)with_low_half((u64)word.smax, a->umax32));
	/*
	 * A sign-extended half that is not negative: a word with upper bits set would, its low half
	 * being positive, lie below the range.
	 */
	if (a->smin32 >= 0 && word.smin >= (s64)DOMAIN_S32_MIN &&
	    word.smax <= (s64)DOMAIN_S32_MAX) {
		word.smin = (s64)a->smin32;
		word.smax = (s64)a->smax32;
		word.umin = (u64)word.smin;
		word.umax = (u64)word.smax;
		a->var_off = tnum_intersect(a->var_off, tnum_range(word.umin, word.umax));
	}
	scalar_set_range64(a, word);
}

static void deduce_bits(struct scalar *a)
{
	struct tnum word = tnum_intersect(a->var_off, tnum_range(a->umin, a->umax));
	struct tnum half = tnum_range((u64)a->umin32, (u64)a->umax32);

	a->var_off = tnum_with_subreg(word, tnum_intersect(tnum_subreg(word), half));
}

void scalar_sync(struct scalar *a)
{
	meet_bits(a);
	/* Two rounds reach nearly all there is to learn, a third what the first learned of the
	 * halves. */
	for (int round = 0; round < 3; round++) {
		deduce_half(a);
		deduce_word(a);
		deduce_word_from_half(a);
	}
	deduce_bits(a);
	meet_bits(a);
}
