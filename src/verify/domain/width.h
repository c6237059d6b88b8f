/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The width of the words that the abstract domains reason about: 64 bits with 32-bit halves.
 *
 * The domain sources name their words u64, s64, u32, s32 and their widths only by the constants
 * below, so that tests can compile the same sources for other words: 8 bits with 4-bit halves
 * (small enough to try every value) or symbolic 64-bit words (for a prover). Such a test defines
 * SKEP_DOMAIN_WORD_BITS and the word types itself, before it includes any domain file.
 */
#ifndef SKEP_VERIFY_DOMAIN_WIDTH_H
#define SKEP_VERIFY_DOMAIN_WIDTH_H

#include "base/types.h"

#ifndef SKEP_DOMAIN_WORD_BITS
#define SKEP_DOMAIN_WORD_BITS 64
#endif

#define WORD_BITS ((int)SKEP_DOMAIN_WORD_BITS)
#define HALF_BITS (WORD_BITS / 2)
/* Bits of one "byte": what an access of size 1 of 8 covers. */
#define BYTE_BITS (WORD_BITS / 8)

#define DOMAIN_U64_MAX (~(u64)0)
#define DOMAIN_S64_MIN ((s64)((u64)1 << (WORD_BITS - 1)))
#define DOMAIN_S64_MAX ((s64)(DOMAIN_U64_MAX >> 1))
#define DOMAIN_U32_MAX (~(u32)0)
#define DOMAIN_S32_MIN ((s32)((u32)1 << (HALF_BITS - 1)))
#define DOMAIN_S32_MAX ((s32)(DOMAIN_U32_MAX >> 1))

/* A choice of values rather than of ways through the code: a prover replaces it by a term. */
#ifndef DOMAIN_SELECT
#define DOMAIN_SELECT(condition, a, b) ((condition) ? (a) : (b))
#endif
#define DOMAIN_MIN(a, b) DOMAIN_SELECT((a) < (b), a, b)
#define DOMAIN_MAX(a, b) DOMAIN_SELECT((a) > (b), a, b)

#endif
