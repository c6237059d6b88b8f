/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic whose C form would be undefined or is not what RFC 9669 says: division by zero gives
 * 0, its remainder the dividend, the quotient of the smallest number by -1 itself; shifts use the
 * low bits.
 */
#ifndef SKEP_RT_ALU_H
#define SKEP_RT_ALU_H

#include "base/types.h"

static inline u64 alu_div64(u64 a, u64 b)
{
	return b ? a / b : 0;
}

static inline u64 alu_mod64(u64 a, u64 b)
{
	return b ? a % b : a;
}

static inline u64 alu_sdiv64(u64 a, u64 b)
{
	if (b == 0)
		return 0;
	return b == ~0UL ? 0 - a : (u64)((s64)a / (s64)b);
}

static inline u64 alu_smod64(u64 a, u64 b)
{
	if (b == 0)
		return a;
	return b == ~0UL ? 0 : (u64)((s64)a % (s64)b);
}

static inline u32 alu_div32(u32 a, u32 b)
{
	return b ? a / b : 0;
}

static inline u32 alu_mod32(u32 a, u32 b)
{
	return b ? a % b : a;
}

static inline u32 alu_sdiv32(u32 a, u32 b)
{
	if (b == 0)
		return 0;
	return b == ~0U ? 0 - a : (u32)((s32)a / (s32)b);
}

static inline u32 alu_smod32(u32 a, u32 b)
{
	if (b == 0)
		return a;
	return b == ~0U ? 0 : (u32)((s32)a % (s32)b);
}

static inline u64 alu_arsh64(u64 a, u64 b)
{
	return (u64)((s64)a >> (b & 63));
}

static inline u32 alu_arsh32(u32 a, u32 b)
{
	return (u32)((s32)a >> (b & 31));
}

/* BPF_END of the opcode class BPF_ALU on a little-endian host, and bswap. */
static inline u64 alu_truncate(u64 value, s32 width)
{
	return width == 16 ? (u16)value : width == 32 ? (u32)value : value;
}

static inline u64 alu_swap(u64 value, s32 width)
{
	return width == 16   ? __builtin_bswap16((u16)value)
	       : width == 32 ? __builtin_bswap32((u32)value)
			     : __builtin_bswap64(value);
}

#endif
