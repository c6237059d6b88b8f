/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers on strings: numbers in text (kernel/bpf/helpers.c, lib/kstrtox.c) and comparison.
 */
#include "rt/helper/families.h"

#define BASE_MASK  0x1full /* BPF_STRTOX_BASE_MASK */
#define DIGITS_MAX 63	   /* the kernel parses a copy of at most that many bytes */

/* A text of which each byte is read once; beyond its end there are NULs. */
struct text {
	const char *bytes;
	u32 length;
};

static char at(const struct text *text, u32 index)
{
	return index < text->length ? READ_ONCE(text->bytes[index]) : '\0';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static u32 digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (u32)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (u32)(c - 'a') + 10 : 16;
}

/* Skips a 0x if base allows one and settles base 0. Returns the index of the first digit. */
static u32 radix(const struct text *text, u32 index, u32 *base)
{
	bool hex = at(text, index) == '0' && (at(text, index + 1) | 0x20) == 'x';

	if (*base == 0) {
		*base = 10;
		if (at(text, index) == '0')
			*base = hex && digit_of(at(text, index + 2)) < 16 ? 16 : 8;
	}
	return *base == 16 && hex ? index + 2 : index;
}

/* Bytes consumed, or -errno. */
static long parse(const char *bytes, u32 length, u64 flags, u64 *ret_value, bool *ret_negative)
{
	struct text text = { bytes, length };
	u32 base = (u32)(flags & BASE_MASK), i = 0, first;
	u64 value = 0;
	bool overflow = false;

	if (!length || (flags & ~BASE_MASK) || (base != 0 && base != 8 && base != 10 && base != 16))
		return -EINVAL;
	while (i < length && is_space(at(&text, i)))
		i++;
	*ret_negative = at(&text, i) == '-' && i < length;
	if (*ret_negative)
		i++;
	if (i >= length)
		return -EINVAL;
	if (length - i > DIGITS_MAX)
		text.length = i + DIGITS_MAX;
	i = radix(&text, i, &base);
	for (first = i;; i++) {
		u32 digit = digit_of(at(&text, i));

		if (digit >= base)
			break;
		overflow |= __builtin_mul_overflow(value, (u64)base, &value);
		overflow |= __builtin_add_overflow(value, (u64)digit, &value);
	}
	if (overflow)
		return -ERANGE;
	if (i == first)
		return -EINVAL;
	*ret_value = value;
	return i;
}

/* (buf, buf_len, flags, res) */
RT_HELPER(strtol)
{
	s64 *result = (s64 *)r4;
	bool negative = false;
	u64 value = 0;
	long used = parse((const char *)r1, (u32)r2, r3, &value, &negative);

	*result = 0;
	if (used < 0)
		return (u64)used;
	if (value > (u64)INT64_MAX + negative)
		return (u64)-ERANGE;
	*result = negative ? (s64)-value : (s64)value;
	return (u64)used;
}

RT_HELPER(strtoul)
{
	u64 *result = (u64 *)r4, value = 0;
	bool negative = false;
	long used = parse((const char *)r1, (u32)r2, r3, &value, &negative);

	*result = 0;
	if (used < 0)
		return (u64)used;
	if (negative)
		return (u64)-EINVAL;
	*result = value;
	return (u64)used;
}

/* (s1, s1_size, s2) */
RT_HELPER(strncmp)
{
	const char *a = (const char *)r1, *b = (const char *)r3;

	for (u32 i = 0; i < (u32)r2; i++) {
		u8 x = (u8)READ_ONCE(a[i]), y = (u8)READ_ONCE(b[i]);

		if (x != y)
			return x < y ? (u64)-1 : 1;
		if (x == '\0')
			break;
	}
	return 0;
}
