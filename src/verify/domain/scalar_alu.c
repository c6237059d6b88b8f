/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transfer functions of arithmetic, shifts, extensions and truncations.
 *
 * Bitwise and additive operations work on both widths at once: the low half of a 64-bit result is
 * the 32-bit result. Shifts do not have that property and recompute the half from the known bits. A
 * 32-bit operation ends with the zero extension of its half.
 */
#include "verify/domain/parts.h"

/* The word's ranges follow from the half's: the upper half is zero. */
static void assign_half_to_word(struct scalar *a)
{
	a->var_off = tnum_subreg(a->var_off);
	a->umin = (u64)a->umin32;
	a->umax = (u64)a->umax32;
	if (a->smin32 >= 0 && a->smax32 >= 0) {
		a->smin = (s64)a->smin32;
		a->smax = (s64)a->smax32;
	} else {
		a->smin = 0;
		a->smax = (s64)(u64)DOMAIN_U32_MAX;
	}
}

/* Addition, subtraction, multiplication, and, or, xor: *dst = *dst op *src in both widths. */
static void both_widths(enum scalar_op op, struct scalar *dst, const struct scalar *src)
{
	struct range64 a = scalar_range64(dst), b = scalar_range64(src);
	struct range32 c = scalar_range32(dst), d = scalar_range32(src);
	struct tnum t = dst->var_off;

	switch (op) {
	case SCALAR_ADD:
		t = tnum_add(t, src->var_off);
		range64_add(&a, &b);
		range32_add(&c, &d);
		break;
	case SCALAR_SUB:
		t = tnum_sub(t, src->var_off);
		range64_sub(&a, &b);
		range32_sub(&c, &d);
		break;
	case SCALAR_MUL:
		t = tnum_mul(t, src->var_off);
		range64_mul(&a, &b);
		range32_mul(&c, &d);
		break;
	case SCALAR_AND:
		t = tnum_and(t, src->var_off);
		range64_and(&a, &b, t.value);
		range32_and(&c, &d, (u32)t.value);
		break;
	case SCALAR_OR:
		t = tnum_or(t, src->var_off);
		range64_or(&a, &b, t.value | t.mask);
		range32_or(&c, &d, (u32)(t.value | t.mask));
		break;
	default: /* SCALAR_XOR */
		t = tnum_xor(t, src->var_off);
		range64_xor(&a, t.value, t.value | t.mask);
		range32_xor(&c, (u32)t.value, (u32)(t.value | t.mask));
		break;
	}
	dst->var_off = t;
	scalar_set_range64(dst, a);
	scalar_set_range32(dst, c);
}

static void shift_half(enum scalar_op op, struct scalar *dst, unsigned shift)
{
	struct tnum t = tnum_subreg(dst->var_off);
	struct range32 half = scalar_range32(dst);

	if (op == SCALAR_LSH) {
		t = tnum_subreg(tnum_lshift(t, shift));
		range32_lsh(&half, shift);
	} else if (op == SCALAR_RSH) {
		t = tnum_rshift(t, shift);
		range32_rsh(&half, shift);
	} else {
		t = tnum_arshift(t, shift, HALF_BITS);
		range32_arsh(&half, shift);
	}
	range32_meet_bits(&half, (u32)t.value, (u32)t.mask);
	dst->var_off = t;
	scalar_set_range32(dst, half);
}

/*
 * A left shift by the width of the half makes the half's signed range the word's; compilers
 * sign-extend that way (lsh 32, arsh 32).
 */
static void lsh_by_half(struct range64 *word, const struct range32 *half)
{
	word->smax = (s64)((u64)half->smax << HALF_BITS);
	word->smin = (s64)((u64)half->smin << HALF_BITS);
}

static void shift_word(enum scalar_op op, struct scalar *dst, unsigned shift)
{
	struct tnum t = dst->var_off;
	struct range64 word = scalar_range64(dst);
	struct range32 half = scalar_range32(dst);

	if (op == SCALAR_LSH) {
		t = tnum_lshift(t, shift);
		range64_lsh(&word, shift);
		if (shift == (unsigned)HALF_BITS)
			lsh_by_half(&word, &half);
		range32_lsh(&half, shift);
	} else if (op == SCALAR_RSH) {
		t = tnum_rshift(t, shift);
		range64_rsh(&word, shift);
		range32_forget(&half);
	} else {
		t = tnum_arshift(t, shift, WORD_BITS);
		range64_arsh(&word, shift);
		range32_forget(&half);
	}
	dst->var_off = t;
	scalar_set_range64(dst, word);
	scalar_set_range32(dst, half);
}

/* The shift amount if it is known and allowed, else -1. */
static int known_shift(bool is32, const struct scalar *src)
{
	int bits = is32 ? HALF_BITS : WORD_BITS;

	if (!(is32 ? scalar_is_const32(src) : scalar_is_const(src)) || src->umax >= (u64)bits)
		return -1;
	return (int)src->umax;
}

void scalar_alu(enum scalar_op op, bool is32, struct scalar *dst, const struct scalar *src)
{
	int shift;

	switch (op) {
	case SCALAR_ADD:
	case SCALAR_SUB:
	case SCALAR_MUL:
	case SCALAR_AND:
	case SCALAR_OR:
	case SCALAR_XOR: both_widths(op, dst, src); break;
	case SCALAR_LSH:
	case SCALAR_RSH:
	case SCALAR_ARSH:
		shift = known_shift(is32, src);
		if (shift < 0) {
			*dst = scalar_unknown();
			return;
		}
		if (is32)
			shift_half(op, dst, (unsigned)shift);
		else
			shift_word(op, dst, (unsigned)shift);
		break;
	default: /* quotients and remainders: the kernel of 6.18 knows nothing of them */
		*dst = scalar_unknown();
		return;
	}
	if (is32)
		assign_half_to_word(dst);
	scalar_sync(dst);
}

void scalar_neg(struct scalar *dst, bool is32)
{
	struct scalar negative = scalar_const(0);

	scalar_alu(SCALAR_SUB, is32, &negative, dst);
	*dst = negative;
}

void scalar_zext32(struct scalar *dst)
{
	assign_half_to_word(dst);
	scalar_sync(dst);
}

void scalar_truncate(struct scalar *dst, int size)
{
	u64 keep = DOMAIN_U64_MAX >> (WORD_BITS - size * BYTE_BITS);

	if (size == 8)
		return;
	dst->var_off = tnum_cast(dst->var_off, size);
	if ((dst->umin & ~keep) == (dst->umax & ~keep)) {
		dst->umin = dst->umin & keep;
		dst->umax = dst->umax & keep;
	} else {
		dst->umin = 0;
		dst->umax = keep;
	}
	dst->smin = (s64)dst->umin;
	dst->smax = (s64)dst->umax;
	if (size < 4) {
		struct range32 half;

		range32_forget(&half);
		scalar_set_range32(dst, half);
	}
	scalar_sync(dst);
}

/* x's low size bytes as a signed number. */
static s64 sign_extend(u64 x, int size)
{
	int shift = WORD_BITS - size * BYTE_BITS;

	return (s64)(x << shift) >> shift;
}

/*
 * The signed range of the low size bytes of words between min and max: exact if the bits above are
 * the same in both ends and the sign bit too, else all that size bytes can say. Returns whether it
 * is exact.
 */
static bool sign_extended_range(s64 min, s64 max, int size, s64 *low, s64 *high)
{
	u64 above = DOMAIN_U64_MAX << (size * BYTE_BITS);

	*low = sign_extend((u64)min, size);
	*high = sign_extend((u64)max, size);
	if (((u64)min & above) == ((u64)max & above) && (*low >= 0) == (*high >= 0))
		return true;
	*high = (s64)(DOMAIN_U64_MAX >> (WORD_BITS - size * BYTE_BITS + 1));
	*low = -*high - 1;
	return false;
}

static void movsx_word(struct scalar *dst, int size)
{
	s64 low, high;
	bool exact = sign_extended_range(dst->smin, dst->smax, size, &low, &high);

	scalar_forget_ranges(dst);
	dst->smin = low;
	dst->smax = high;
	dst->smin32 = (s32)low;
	dst->smax32 = (s32)high;
	dst->var_off = tnum_unknown();
	if (exact) {
		dst->umin = (u64)low;
		dst->umax = (u64)high;
		dst->umin32 = (u32)low;
		dst->umax32 = (u32)high;
		dst->var_off = tnum_range(dst->umin, dst->umax);
	}
}

static void movsx_half(struct scalar *dst, int size)
{
	s64 low, high;
	bool exact = sign_extended_range((s64)dst->smin32, (s64)dst->smax32, size, &low, &high);

	scalar_forget_ranges(dst);
	dst->smin32 = (s32)low;
	dst->smax32 = (s32)high;
	dst->var_off = tnum_subreg(tnum_unknown());
	if (exact) {
		dst->umin32 = (u32)low;
		dst->umax32 = (u32)high;
		dst->var_off = tnum_subreg(tnum_range((u64)low, (u64)high));
	}
}

void scalar_movsx(struct scalar *dst, int size, bool is32)
{
	if (scalar_is_const(dst)) {
		u64 value = (u64)sign_extend(dst->var_off.value, size);

		*dst = scalar_const(is32 ? (u64)(u32)value : value);
		return;
	}
	/* The kernel derives nothing further from a 64-bit extension. */
	if (!is32) {
		movsx_word(dst, size);
		return;
	}
	movsx_half(dst, size);
	scalar_zext32(dst);
}

void scalar_bswap(struct scalar *dst, enum scalar_swap swap, int bits)
{
	int size = bits / 8;

	/* A permutation of bytes leaves nothing of a range but what the known bits say. */
	if (swap == SCALAR_SWAP) {
		dst->var_off = tnum_bswap(dst->var_off, size);
		scalar_forget_ranges(dst);
	}
	if (size < 8)
		scalar_truncate(dst, size);
	else
		scalar_sync(dst);
}
