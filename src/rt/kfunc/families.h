/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kfuncs, one family a file; table.c gives them their numbers. RT_KFUNC declares or defines
 * one: arguments are r1 … r5 and vcpu, as for helpers. What the verifier checked is not checked
 * again; arguments that it ignores (__ign) may be anything. Results of type int have no upper half.
 */
#ifndef SKEP_RT_KFUNC_FAMILIES_H
#define SKEP_RT_KFUNC_FAMILIES_H

#include <linux/bpf.h>
#include <linux/errno.h>
#include "rt/kfunc.h"
#include "rt/vcpu.h"

#define RT_KFUNC(name) \
	u64 rt_kfunc_##name(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5, struct rt_vcpu *vcpu)

#define ABI_KFUNC(name) RT_KFUNC(name);
#include "abi/kfunc_names.h"
#undef ABI_KFUNC

/* An int as the program sees it. */
static inline u64 rt_kfunc_int(long value)
{
	return (u32)value;
}

#endif
