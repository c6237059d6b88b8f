/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tristate arithmetic. A bit of a result is known only if it is the same for all members of the
 * operands.
 *
 * Carries decide the arithmetic ones: the smallest and the largest sum that the operands allow
 * agree in exactly those bit positions whose incoming carry is certain (H. Vishwanathan et al., CGO
 * 2022, prove this optimal).
 */
#include "verify/domain/tnum.h"

struct tnum tnum_make(u64 value, u64 mask)
{
	struct tnum t;

	t.value = value & ~mask;
	t.mask = mask;
	return t;
}

struct tnum tnum_unknown(void)
{
	return tnum_make(0, DOMAIN_U64_MAX);
}

struct tnum tnum_const(u64 value)
{
	return tnum_make(value, 0);
}

/* x's highest set bit and all bits below it. */
static u64 fill_down(u64 x)
{
	for (int shift = 1; shift < WORD_BITS; shift *= 2)
		x = x | (x >> shift);
	return x;
}

struct tnum tnum_range(u64 min, u64 max)
{
	/* From the highest bit in which the ends differ downwards, every combination may occur. */
	return tnum_make(min, fill_down(min ^ max));
}

u64 tnum_next(struct tnum a, u64 x)
{
	/* The known bits that x has wrong; the highest of them decides. */
	u64 wrong = (x ^ a.value) & ~a.mask, below = fill_down(wrong), next;

	/* x lacks it: setting it goes up, and everything below may be as small as it gets. */
	if ((a.value & wrong) > (x & wrong))
		return (x & a.mask & ~below) | a.value;
	/* Else count upwards in the unknown bits above it: carries pass over the known ones. */
	next = (x | ~a.mask | below) + 1;
	return next == 0 ? a.value | a.mask : (next & a.mask) | a.value;
}

struct tnum tnum_lshift(struct tnum a, unsigned shift)
{
	return tnum_make(a.value << shift, a.mask << shift);
}

struct tnum tnum_rshift(struct tnum a, unsigned shift)
{
	return tnum_make(a.value >> shift, a.mask >> shift);
}

struct tnum tnum_arshift(struct tnum a, unsigned shift, int bits)
{
	/* An unknown sign bit spreads as unknown, a known one as itself: both words shift alike. */
	if (bits == HALF_BITS) {
		s32 value = (s32)(u32)a.value, mask = (s32)(u32)a.mask;

		return tnum_make((u64)(u32)(value >> shift), (u64)(u32)(mask >> shift));
	}
	return tnum_make((u64)((s64)a.value >> shift), (u64)((s64)a.mask >> shift));
}

struct tnum tnum_add(struct tnum a, struct tnum b)
{
	u64 low = a.value + b.value;
	u64 high = (a.value + a.mask) + (b.value + b.mask);

	return tnum_make(low, (low ^ high) | a.mask | b.mask);
}

struct tnum tnum_sub(struct tnum a, struct tnum b)
{
	u64 low = a.value - (b.value + b.mask);
	u64 high = (a.value + a.mask) - b.value;

	return tnum_make(a.value - b.value, (low ^ high) | a.mask | b.mask);
}

struct tnum tnum_and(struct tnum a, struct tnum b)
{
	u64 certain = a.value & b.value;
	u64 possible = (a.value | a.mask) & (b.value | b.mask);

	return tnum_make(certain, possible ^ certain);
}

struct tnum tnum_or(struct tnum a, struct tnum b)
{
	u64 certain = a.value | b.value;

	return tnum_make(certain, (a.mask | b.mask) & ~certain);
}

struct tnum tnum_xor(struct tnum a, struct tnum b)
{
	return tnum_make(a.value ^ b.value, a.mask | b.mask);
}

struct tnum tnum_union(struct tnum a, struct tnum b)
{
	return tnum_make(a.value, (a.value ^ b.value) | a.mask | b.mask);
}

/* One digit of the multiplication: sum += a's lowest bit * b; a and b move on. An unknown digit
 * adds b or nothing. */
static void mul_digit(struct tnum *sum, struct tnum *a, struct tnum *b)
{
	if (a->value & 1)
		*sum = tnum_add(*sum, *b);
	else if (a->mask & 1)
		*sum = tnum_union(*sum, tnum_add(*sum, *b));
	*a = tnum_rshift(*a, 1);
	*b = tnum_lshift(*b, 1);
}

struct tnum tnum_mul(struct tnum a, struct tnum b)
{
	struct tnum sum = tnum_const(0);

	while (a.value | a.mask)
		mul_digit(&sum, &a, &b);
	return sum;
}

struct tnum tnum_intersect(struct tnum a, struct tnum b)
{
	return tnum_make(a.value | b.value, a.mask & b.mask);
}

bool tnum_overlap(struct tnum a, struct tnum b)
{
	return ((a.value ^ b.value) & ~a.mask & ~b.mask) == 0;
}

bool tnum_in(struct tnum a, struct tnum b)
{
	return ((b.mask | (a.value ^ b.value)) & ~a.mask) == 0;
}

struct tnum tnum_cast(struct tnum a, int size)
{
	u64 keep = DOMAIN_U64_MAX >> (WORD_BITS - size * BYTE_BITS);

	return tnum_make(a.value & keep, a.mask & keep);
}

static u64 reverse_bytes(u64 x, int size)
{
	u64 byte = (DOMAIN_U64_MAX >> (WORD_BITS - BYTE_BITS)), reversed = 0;

	for (int i = 0; i < size; i++) {
		reversed = (reversed << BYTE_BITS) | (x & byte);
		x = x >> BYTE_BITS;
	}
	return reversed;
}

struct tnum tnum_bswap(struct tnum a, int size)
{
	return tnum_make(reverse_bytes(a.value, size), reverse_bytes(a.mask, size));
}

struct tnum tnum_subreg(struct tnum a)
{
	return tnum_make((u64)(u32)a.value, (u64)(u32)a.mask);
}

struct tnum tnum_clear_subreg(struct tnum a)
{
	u64 upper = DOMAIN_U64_MAX << HALF_BITS;

	return tnum_make(a.value & upper, a.mask & upper);
}

struct tnum tnum_with_subreg(struct tnum a, struct tnum b)
{
	return tnum_or(tnum_clear_subreg(a), tnum_subreg(b));
}

bool tnum_subreg_is_const(struct tnum a)
{
	return (u32)a.mask == 0;
}

bool tnum_is_aligned(struct tnum a, u64 size)
{
	return ((a.value | a.mask) & (size - 1)) == 0;
}
