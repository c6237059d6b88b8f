/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tristate numbers: which bits of a word are known, and what they are.
 *
 * A tnum (value, mask) stands for the set { x : (x & ~mask) == value }; it is well formed when
 * value & mask == 0. Every operation is pure and sound: the result contains f(x, y) for all x in a
 * and y in b. Precision is that of the kernel's kernel/bpf/tnum.c (6.18), because the ranges that
 * logs print depend on it.
 */
#ifndef SKEP_VERIFY_DOMAIN_TNUM_H
#define SKEP_VERIFY_DOMAIN_TNUM_H

#include "verify/domain/width.h"

struct tnum {
	u64 value, mask;
};

struct tnum tnum_make(u64 value, u64 mask);
struct tnum tnum_unknown(void);
struct tnum tnum_const(u64 value);

/* The smallest tnum that has every x with min <= x <= max, unsigned. */
struct tnum tnum_range(u64 min, u64 max);

/* The smallest member of a that is larger than x; the largest member if there is none. */
u64 tnum_next(struct tnum a, u64 x);

static inline bool tnum_is_const(struct tnum a)
{
	return a.mask == 0;
}

static inline bool tnum_equal(struct tnum a, struct tnum b)
{
	return a.value == b.value && a.mask == b.mask;
}

/* Every bit of every member is 0. */
static inline bool tnum_is_zero(struct tnum a)
{
	return a.value == 0 && a.mask == 0;
}

struct tnum tnum_lshift(struct tnum a, unsigned shift);
struct tnum tnum_rshift(struct tnum a, unsigned shift);
/* Arithmetic shift of the low `bits` bits (WORD_BITS or HALF_BITS); a 32-bit result is
 * zero-extended. */
struct tnum tnum_arshift(struct tnum a, unsigned shift, int bits);
struct tnum tnum_add(struct tnum a, struct tnum b);
struct tnum tnum_sub(struct tnum a, struct tnum b);
struct tnum tnum_and(struct tnum a, struct tnum b);
struct tnum tnum_or(struct tnum a, struct tnum b);
struct tnum tnum_xor(struct tnum a, struct tnum b);
struct tnum tnum_mul(struct tnum a, struct tnum b);

/* The members common to a and b. When there is none the result is meaningless but well formed. */
struct tnum tnum_intersect(struct tnum a, struct tnum b);
/* The smallest tnum that contains a and b. */
struct tnum tnum_union(struct tnum a, struct tnum b);
/* Can a and b share a member? */
bool tnum_overlap(struct tnum a, struct tnum b);
/* Is every member of b one of a? */
bool tnum_in(struct tnum a, struct tnum b);

/* Keeps the low size bytes, size 1, 2, 4 or 8; the rest becomes zero. */
struct tnum tnum_cast(struct tnum a, int size);
/* Reverses the order of the low size bytes, size 2, 4 or 8; the rest becomes zero. */
struct tnum tnum_bswap(struct tnum a, int size);
/* The low half of a, zero-extended; a with its low half cleared; and a with b's low half in place
 * of its own. */
struct tnum tnum_subreg(struct tnum a);
struct tnum tnum_clear_subreg(struct tnum a);
struct tnum tnum_with_subreg(struct tnum a, struct tnum b);
/* Is the low half of a known? */
bool tnum_subreg_is_const(struct tnum a);

/* Are all members multiples of size, a power of two? */
bool tnum_is_aligned(struct tnum a, u64 size);

#endif
