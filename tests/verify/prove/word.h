/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Symbolic words for the domain sources: u64, s64, u32, s32 of the real widths, as terms of the Z3
 * prover.
 *
 * A comparison used as a condition splits the run in two: the engine runs the code again and again
 * until every feasible combination of outcomes has been seen (see prove.cpp). Included before any
 * file of src/verify/domain, instead of base/types.h.
 */
#ifndef SKEP_TESTS_PROVE_WORD_H
#define SKEP_TESTS_PROVE_WORD_H

#define SKEP_BASE_TYPES_H
#define SKEP_DOMAIN_WORD_BITS 64
#include <stddef.h>
#include <stdint.h>
#include <z3++.h>

/* Which way to go where both are possible. */
bool prove_choose(const z3::expr &condition);
z3::context &prove_context(void);

struct condition {
	z3::expr e;

	operator bool() const
	{
		return prove_choose(e);
	}
};

template <int BITS, bool SIGNED> struct word {
	z3::expr e;

	word() : e(prove_context().bv_val(0, BITS))
	{
	}
	word(int x) : e(prove_context().bv_val((int64_t)x, BITS))
	{
	}
	explicit word(const z3::expr &term) : e(term)
	{
	}
	template <int B, bool S>
	explicit word(const word<B, S> &other)
	    : e(B > BITS    ? other.e.extract(BITS - 1, 0)
		: B == BITS ? other.e
		: S	    ? z3::sext(other.e, BITS - B)
			    : z3::zext(other.e, BITS - B))
	{
	}
	explicit operator int() const
	{
		return (int)e.simplify().get_numeral_uint64();
	}
	explicit operator bool() const
	{
		return prove_choose(e != prove_context().bv_val(0, BITS));
	}
	friend word operator+(const word &a, const word &b)
	{
		return word(a.e + b.e);
	}
	friend word operator-(const word &a, const word &b)
	{
		return word(a.e - b.e);
	}
	friend word operator*(const word &a, const word &b)
	{
		return word(a.e * b.e);
	}
	friend word operator/(const word &a, const word &b)
	{
		return word(SIGNED ? a.e / b.e : z3::udiv(a.e, b.e));
	}
	friend word operator&(const word &a, const word &b)
	{
		return word(a.e & b.e);
	}
	friend word operator|(const word &a, const word &b)
	{
		return word(a.e | b.e);
	}
	friend word operator^(const word &a, const word &b)
	{
		return word(a.e ^ b.e);
	}
	friend word operator~(const word &a)
	{
		return word(~a.e);
	}
	friend word operator-(const word &a)
	{
		return word(-a.e);
	}
	friend word operator<<(const word &a, int n)
	{
		return word(z3::shl(a.e, prove_context().bv_val((int64_t)n, BITS)));
	}
	friend word operator>>(const word &a, int n)
	{
		z3::expr by = prove_context().bv_val((int64_t)n, BITS);

		return word(SIGNED ? z3::ashr(a.e, by) : z3::lshr(a.e, by));
	}
	friend condition operator==(const word &a, const word &b)
	{
		return { a.e == b.e };
	}
	friend condition operator!=(const word &a, const word &b)
	{
		return { a.e != b.e };
	}
	friend condition operator<(const word &a, const word &b)
	{
		return { SIGNED ? a.e < b.e : z3::ult(a.e, b.e) };
	}
	friend condition operator<=(const word &a, const word &b)
	{
		return { SIGNED ? a.e <= b.e : z3::ule(a.e, b.e) };
	}
	friend condition operator>(const word &a, const word &b)
	{
		return b < a;
	}
	friend condition operator>=(const word &a, const word &b)
	{
		return b <= a;
	}
};

template <int BITS, bool SIGNED>
word<BITS, SIGNED> prove_select(const condition &c, const word<BITS, SIGNED> &a,
				const word<BITS, SIGNED> &b)
{
	return word<BITS, SIGNED>(z3::ite(c.e, a.e, b.e));
}

#define DOMAIN_SELECT(c, a, b) prove_select(c, a, b)

typedef word<64, false> u64;
typedef word<64, true> s64;
typedef word<32, false> u32;
typedef word<32, true> s32;

#endif
