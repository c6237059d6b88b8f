/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ranges of a scalar as values of their own: struct range64 and struct range32 with the
 * operations of range.h. Internal to the domain: scalar.c, scalar_alu.c and scalar_branch.c.
 */
#ifndef SKEP_VERIFY_DOMAIN_PARTS_H
#define SKEP_VERIFY_DOMAIN_PARTS_H

#include "verify/domain/scalar.h"

#define RANGE	       range64
#define RANGE_FN(name) range64_##name
#define RANGE_U	       u64
#define RANGE_S	       s64
#define RANGE_BITS     WORD_BITS
#include "verify/domain/range.h"

#define RANGE	       range32
#define RANGE_FN(name) range32_##name
#define RANGE_U	       u32
#define RANGE_S	       s32
#define RANGE_BITS     HALF_BITS
#include "verify/domain/range.h"

static inline struct range64 scalar_range64(const struct scalar *a)
{
	struct range64 r;

	r.umin = a->umin;
	r.umax = a->umax;
	r.smin = a->smin;
	r.smax = a->smax;
	return r;
}

static inline struct range32 scalar_range32(const struct scalar *a)
{
	struct range32 r;

	r.umin = a->umin32;
	r.umax = a->umax32;
	r.smin = a->smin32;
	r.smax = a->smax32;
	return r;
}

static inline void scalar_set_range64(struct scalar *a, struct range64 r)
{
	a->umin = r.umin;
	a->umax = r.umax;
	a->smin = r.smin;
	a->smax = r.smax;
}

static inline void scalar_set_range32(struct scalar *a, struct range32 r)
{
	a->umin32 = r.umin;
	a->umax32 = r.umax;
	a->smin32 = r.smin;
	a->smax32 = r.smax;
}

#endif
