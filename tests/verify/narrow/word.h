/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Narrow words for the domain sources: u64 and s64 of SKEP_DOMAIN_WORD_BITS bits, u32 and s32 of
 * half as many.
 *
 * Included before any file of src/verify/domain, instead of base/types.h. Arithmetic wraps as that
 * of the real words does; mixing words of different kinds without a cast does not compile.
 */
#ifndef SKEP_TESTS_NARROW_WORD_H
#define SKEP_TESTS_NARROW_WORD_H

#define SKEP_BASE_TYPES_H
#include <stddef.h>
#include <stdint.h>

template <int BITS, bool SIGNED> struct word {
	int v; /* in the range of the word */

	static constexpr int wrap(int x)
	{
		x &= (1 << BITS) - 1;
		return SIGNED && (x >> (BITS - 1)) ? x - (1 << BITS) : x;
	}
	word() = default;
	word(int x) : v(wrap(x))
	{
	}
	template <int B, bool S> explicit word(word<B, S> other) : v(wrap(other.v))
	{
	}
	explicit operator int() const
	{
		return v;
	}
	explicit operator bool() const
	{
		return v != 0;
	}
	friend word operator+(word a, word b)
	{
		return word(a.v + b.v);
	}
	friend word operator-(word a, word b)
	{
		return word(a.v - b.v);
	}
	friend word operator*(word a, word b)
	{
		return word(a.v * b.v);
	}
	friend word operator/(word a, word b)
	{
		return word(a.v / b.v);
	}
	friend word operator&(word a, word b)
	{
		return word(a.v & b.v);
	}
	friend word operator|(word a, word b)
	{
		return word(a.v | b.v);
	}
	friend word operator^(word a, word b)
	{
		return word(a.v ^ b.v);
	}
	friend word operator~(word a)
	{
		return word(~a.v);
	}
	friend word operator-(word a)
	{
		return word(-a.v);
	}
	friend word operator<<(word a, int n)
	{
		return word((int)((unsigned)a.v << n));
	}
	friend word operator>>(word a, int n)
	{
		return word(a.v >> n);
	}
	friend bool operator==(word a, word b)
	{
		return a.v == b.v;
	}
	friend bool operator!=(word a, word b)
	{
		return a.v != b.v;
	}
	friend bool operator<(word a, word b)
	{
		return a.v < b.v;
	}
	friend bool operator<=(word a, word b)
	{
		return a.v <= b.v;
	}
	friend bool operator>(word a, word b)
	{
		return a.v > b.v;
	}
	friend bool operator>=(word a, word b)
	{
		return a.v >= b.v;
	}
};

typedef word<SKEP_DOMAIN_WORD_BITS, false> u64;
typedef word<SKEP_DOMAIN_WORD_BITS, true> s64;
typedef word<SKEP_DOMAIN_WORD_BITS / 2, false> u32;
typedef word<SKEP_DOMAIN_WORD_BITS / 2, true> s32;

#endif
