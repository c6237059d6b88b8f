/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic on the ranges of one word size; included once for the word and once for its half.
 *
 * The includer defines RANGE (the type's name), RANGE_FN(name), RANGE_U, RANGE_S (the unsigned and
 * signed word) and RANGE_BITS. A range holds the words between umin and umax unsigned that are also
 * between smin and smax signed. Each operation leaves a range that contains every result modulo
 * 2^RANGE_BITS; a bound that may wrap on one side only becomes unknown. All sums are formed
 * unsigned: wrapping is meant.
 */

#define RANGE_UMAX (~(RANGE_U)0)
#define RANGE_SIGN ((RANGE_U)1 << (RANGE_BITS - 1))
#define RANGE_SMIN ((RANGE_S)RANGE_SIGN)
#define RANGE_SMAX ((RANGE_S)(RANGE_UMAX >> 1))

struct RANGE {
	RANGE_U umin, umax;
	RANGE_S smin, smax;
};

static inline void RANGE_FN(forget_unsigned)(struct RANGE *r)
{
	r->umin = 0;
	r->umax = RANGE_UMAX;
}

static inline void RANGE_FN(forget_signed)(struct RANGE *r)
{
	r->smin = RANGE_SMIN;
	r->smax = RANGE_SMAX;
}

static inline void RANGE_FN(forget)(struct RANGE *r)
{
	RANGE_FN(forget_unsigned)(r);
	RANGE_FN(forget_signed)(r);
}

/* *sum = a + b; does the signed sum not fit? */
static inline bool RANGE_FN(add_wraps)(RANGE_S a, RANGE_S b, RANGE_S *sum)
{
	RANGE_U x = (RANGE_U)a, y = (RANGE_U)b, z = x + y;

	*sum = (RANGE_S)z;
	return ((x ^ z) & (y ^ z) & RANGE_SIGN) != 0;
}

/* *difference = a - b; does it not fit? */
static inline bool RANGE_FN(sub_wraps)(RANGE_S a, RANGE_S b, RANGE_S *difference)
{
	RANGE_U x = (RANGE_U)a, y = (RANGE_U)b, z = x - y;

	*difference = (RANGE_S)z;
	return ((x ^ y) & (x ^ z) & RANGE_SIGN) != 0;
}

/* Does the unsigned product not fit? */
static inline bool RANGE_FN(umul_wraps)(RANGE_U a, RANGE_U b)
{
	return a != 0 && b > RANGE_UMAX / a;
}

/* *product = a * b; does the signed product not fit? Decided on magnitudes. */
static inline bool RANGE_FN(mul_wraps)(RANGE_S a, RANGE_S b, RANGE_S *product)
{
	RANGE_U x = a < 0 ? (RANGE_U)0 - (RANGE_U)a : (RANGE_U)a;
	RANGE_U y = b < 0 ? (RANGE_U)0 - (RANGE_U)b : (RANGE_U)b;
	RANGE_U limit = (a < 0) != (b < 0) ? RANGE_SIGN : RANGE_SIGN - 1;

	*product = (RANGE_S)((RANGE_U)a * (RANGE_U)b);
	return RANGE_FN(umul_wraps)(x, y) || x * y > limit;
}

static inline void RANGE_FN(add)(struct RANGE *dst, const struct RANGE *src)
{
	RANGE_U low = dst->umin + src->umin, high = dst->umax + src->umax;
	bool low_wraps = low < dst->umin, high_wraps = high < dst->umax;

	/* If both ends wrap, every sum does, and the order is kept. */
	if (high_wraps && !low_wraps) {
		RANGE_FN(forget_unsigned)(dst);
	} else {
		dst->umin = low;
		dst->umax = high;
	}
	if (RANGE_FN(add_wraps)(dst->smin, src->smin, &dst->smin) ||
	    RANGE_FN(add_wraps)(dst->smax, src->smax, &dst->smax))
		RANGE_FN(forget_signed)(dst);
}

static inline void RANGE_FN(sub)(struct RANGE *dst, const struct RANGE *src)
{
	bool low_wraps = dst->umin < src->umax, high_wraps = dst->umax < src->umin;

	if (low_wraps && !high_wraps) {
		RANGE_FN(forget_unsigned)(dst);
	} else {
		dst->umin = dst->umin - src->umax;
		dst->umax = dst->umax - src->umin;
	}
	if (RANGE_FN(sub_wraps)(dst->smin, src->smax, &dst->smin) ||
	    RANGE_FN(sub_wraps)(dst->smax, src->smin, &dst->smax))
		RANGE_FN(forget_signed)(dst);
}

static inline void RANGE_FN(mul)(struct RANGE *dst, const struct RANGE *src)
{
	RANGE_S a[2] = { dst->smin, dst->smax }, b[2] = { src->smin, src->smax };
	RANGE_S low = RANGE_SMAX, high = RANGE_SMIN;

	if (RANGE_FN(umul_wraps)(dst->umax, src->umax)) {
		RANGE_FN(forget_unsigned)(dst);
	} else {
		dst->umin = dst->umin * src->umin;
		dst->umax = dst->umax * src->umax;
	}
	/* The extremes of a product lie at the corners. */
	for (int i = 0; i < 4; i++) {
		RANGE_S corner;

		if (RANGE_FN(mul_wraps)(a[i / 2], b[i % 2], &corner)) {
			RANGE_FN(forget_signed)(dst);
			return;
		}
		low = DOMAIN_MIN(corner, low);
		high = DOMAIN_MAX(corner, high);
	}
	dst->smin = low;
	dst->smax = high;
}

/* The signed bounds of a range of which only the unsigned ones are known. */
static inline void RANGE_FN(signed_from_unsigned)(struct RANGE *r)
{
	RANGE_FN(forget_signed)(r);
	if ((RANGE_S)r->umin <= (RANGE_S)r->umax) {
		r->smin = (RANGE_S)r->umin;
		r->smax = (RANGE_S)r->umax;
	}
}

/* certain, possible: the bits that are set in every, in some result of the operation, from the tnum
 * domain. */
static inline void RANGE_FN (and)(struct RANGE *dst, const struct RANGE *src, RANGE_U certain)
{
	dst->umin = certain;
	dst->umax = DOMAIN_MIN(dst->umax, src->umax);
	RANGE_FN(signed_from_unsigned)(dst);
}

static inline void RANGE_FN(or)(struct RANGE *dst, const struct RANGE *src, RANGE_U possible)
{
	dst->umin = DOMAIN_MAX(dst->umin, src->umin);
	dst->umax = possible;
	RANGE_FN(signed_from_unsigned)(dst);
}

static inline void RANGE_FN (xor)(struct RANGE *dst, RANGE_U certain, RANGE_U possible)
{
	dst->umin = certain;
	dst->umax = possible;
	RANGE_FN(signed_from_unsigned)(dst);
}

/* Unsigned bounds of a left shift; the sign is lost. Any shift is allowed. */
static inline void RANGE_FN(lsh)(struct RANGE *r, unsigned shift)
{
	RANGE_FN(forget_signed)(r);
	if (shift >= RANGE_BITS || r->umax > RANGE_SIGN >> shift) {
		RANGE_FN(forget_unsigned)(r);
		return;
	}
	r->umin = r->umin << shift;
	r->umax = r->umax << shift;
}

static inline void RANGE_FN(rsh)(struct RANGE *r, unsigned shift)
{
	RANGE_FN(forget_signed)(r);
	r->umin = r->umin >> shift;
	r->umax = r->umax >> shift;
}

static inline void RANGE_FN(arsh)(struct RANGE *r, unsigned shift)
{
	RANGE_FN(forget_unsigned)(r);
	r->smin = r->smin >> shift;
	r->smax = r->smax >> shift;
}

/* Narrows r to the words whose certain bits are set and whose impossible bits are not. */
static inline void RANGE_FN(meet_bits)(struct RANGE *r, RANGE_U value, RANGE_U mask)
{
	RANGE_S low = (RANGE_S)(value | (mask & RANGE_SIGN));
	RANGE_S high = (RANGE_S)(value | (mask & ~RANGE_SIGN));

	r->smin = DOMAIN_MAX(low, r->smin);
	r->smax = DOMAIN_MIN(high, r->smax);
	r->umin = DOMAIN_MAX(value, r->umin);
	r->umax = DOMAIN_MIN(value | mask, r->umax);
}

static inline void RANGE_FN(meet_unsigned)(struct RANGE *r, RANGE_U min, RANGE_U max)
{
	r->umin = DOMAIN_MAX(min, r->umin);
	r->umax = DOMAIN_MIN(max, r->umax);
}

static inline void RANGE_FN(meet_signed)(struct RANGE *r, RANGE_S min, RANGE_S max)
{
	r->smin = DOMAIN_MAX(min, r->smin);
	r->smax = DOMAIN_MIN(max, r->smax);
}

/* Where one view of the range does not cross its sign boundary, both views have the same order:
 * learn from it. */
static inline void RANGE_FN(meet_signs)(struct RANGE *r)
{
	if ((RANGE_S)r->umin <= (RANGE_S)r->umax)
		RANGE_FN(meet_signed)(r, (RANGE_S)r->umin, (RANGE_S)r->umax);
	if ((RANGE_U)r->smin <= (RANGE_U)r->smax)
		RANGE_FN(meet_unsigned)(r, (RANGE_U)r->smin, (RANGE_U)r->smax);
}

/*
 * A signed range that crosses zero is two pieces, unsigned: [0, smax] and [smin, max]. If the
 * unsigned range touches one of them only, it is that one.
 */
static inline void RANGE_FN(meet_one_side)(struct RANGE *r)
{
	RANGE_U negative = (RANGE_U)r->smin, positive = (RANGE_U)r->smax;

	if (negative <= positive)
		return;
	if (r->umax < negative) {
		r->smin = (RANGE_S)r->umin;
		r->umax = DOMAIN_MIN(r->umax, positive);
	} else if (positive < r->umin) {
		r->smax = (RANGE_S)r->umax;
		r->umin = DOMAIN_MAX(r->umin, negative);
	}
}

/* The word k is not in the range: an end that is k moves inwards. */
static inline void RANGE_FN(exclude)(struct RANGE *r, RANGE_U k)
{
	RANGE_U step = 1;

	if (r->umin == k)
		r->umin = r->umin + step;
	if (r->umax == k)
		r->umax = r->umax - step;
	if (r->smin == (RANGE_S)k)
		r->smin = (RANGE_S)((RANGE_U)r->smin + step);
	if (r->smax == (RANGE_S)k)
		r->smax = (RANGE_S)((RANGE_U)r->smax - step);
}

#undef RANGE_UMAX
#undef RANGE_SIGN
#undef RANGE_SMIN
#undef RANGE_SMAX
#undef RANGE
#undef RANGE_FN
#undef RANGE_U
#undef RANGE_S
#undef RANGE_BITS
