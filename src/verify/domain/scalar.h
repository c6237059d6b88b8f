/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a number in a register: known bits and four ranges (signed and unsigned, of the
 * word and of its low half).
 *
 * A scalar stands for the set of words that satisfy all five at once. All functions are pure and
 * sound: no word that the operation can produce is lost. The ranges agree with the kernel's (6.18),
 * bound for bound, so that log lines and verdicts do; tests/verify checks soundness exhaustively on
 * narrow words and precision against the running kernel.
 *
 * Struct fields bear the names of the kernel's log (smin, umax32, ...).
 */
#ifndef SKEP_VERIFY_DOMAIN_SCALAR_H
#define SKEP_VERIFY_DOMAIN_SCALAR_H

#include "verify/domain/tnum.h"

struct scalar {
	struct tnum var_off;
	s64 smin, smax;
	u64 umin, umax;
	s32 smin32, smax32;
	u32 umin32, umax32;
};

/* Arithmetic and logic of two operands. */
enum scalar_op {
	SCALAR_ADD,
	SCALAR_SUB,
	SCALAR_MUL,
	SCALAR_DIV, /* unsigned; x / 0 = 0 */
	SCALAR_MOD, /* unsigned; x % 0 = x */
	SCALAR_SDIV,
	SCALAR_SMOD,
	SCALAR_AND,
	SCALAR_OR,
	SCALAR_XOR,
	SCALAR_LSH,
	SCALAR_RSH,
	SCALAR_ARSH,
};

/* Comparisons, as in BPF's conditional jumps. */
enum scalar_cmp {
	SCALAR_EQ,
	SCALAR_NE,
	SCALAR_GT,
	SCALAR_GE,
	SCALAR_LT,
	SCALAR_LE,
	SCALAR_SGT,
	SCALAR_SGE,
	SCALAR_SLT,
	SCALAR_SLE,
	SCALAR_SET, /* a & b != 0 */
};

enum scalar_truth {
	SCALAR_MAYBE = -1,
	SCALAR_NEVER = 0,
	SCALAR_ALWAYS = 1,
};

enum scalar_swap {
	SCALAR_SWAP, /* reverse the bytes: bswap, and to_be on a little-endian host */
	SCALAR_KEEP, /* to_le on a little-endian host: only truncates */
};

struct scalar scalar_unknown(void);
struct scalar scalar_const(u64 value);

bool scalar_is_const(const struct scalar *a);
/* Is the low half known? */
bool scalar_is_const32(const struct scalar *a);
bool scalar_equal(const struct scalar *a, const struct scalar *b);
/* Is every word of b one of a (sufficient test, each domain on its own, as the kernel's
 * range_within)? */
bool scalar_subset(const struct scalar *a, const struct scalar *b);
/* Do the domains contradict each other visibly (some range is empty)? Such a state is unreachable.
 */
bool scalar_is_empty(const struct scalar *a);
/*
 * Which invariant a contradictory (unreachable) state breaks, in the kernel's words, or NULL. The
 * kernel then forgets the ranges, and so must the caller after each ALU instruction and refinement:
 * scalar_forget_ranges().
 */
const char *scalar_violation(const struct scalar *a);
/* All ranges become unknown; the known bits stay. */
void scalar_forget_ranges(struct scalar *a);
/*
 * If a (or its low half) is 0 or -1, as a comparison's result often is: the two cases apart. The
 * kernel explores both, separately, when such a register is the destination of AND or OR with a
 * constant.
 */
bool scalar_split(const struct scalar *a, struct scalar *ret_zero, struct scalar *ret_ones);
/* Is the word x one of a? */
bool scalar_has(const struct scalar *a, u64 x);

/* Lets the five domains learn from each other. Loses no word. */
void scalar_sync(struct scalar *a);

/*
 * *dst = *dst op *src. is32: on the low halves, the result zero-extended. For division by a known
 * zero the result follows BPF. The result is in sync. Shifts by a known amount >= the width must
 * have been refused before.
 */
void scalar_alu(enum scalar_op op, bool is32, struct scalar *dst, const struct scalar *src);
void scalar_neg(struct scalar *dst, bool is32);
/* Zero-extends the low half (a 32-bit mov). */
void scalar_zext32(struct scalar *dst);
/* Keeps the low size bytes (1, 2, 4, 8), zero-extended: narrow load of a spilled register. */
void scalar_truncate(struct scalar *dst, int size);
/* movsx: sign-extends the low size bytes (1, 2; 4 if not is32) to the word, or (is32) to the half
 * and zero. */
void scalar_movsx(struct scalar *dst, int size, bool is32);
/* le/be/bswap on the low bits (16, 32, 64), zero-extended. */
void scalar_bswap(struct scalar *dst, enum scalar_swap swap, int bits);

/* Does a cmp b hold for no pair, for all pairs, or is it open? is32: compares the low halves. */
enum scalar_truth scalar_compare(enum scalar_cmp cmp, bool is32, const struct scalar *a,
				 const struct scalar *b);

/*
 * Refines *a and *b by the knowledge that a cmp b is `holds`. Loses no pair that satisfies it; the
 * results are in sync. a and b may not alias. A contradiction shows in scalar_violation() at most.
 */
void scalar_refine(enum scalar_cmp cmp, bool is32, bool holds, struct scalar *a, struct scalar *b);

#endif
