/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel functions as the engines call them: by the numbers of abi/kfunc.h, which the verifier has
 * put into the call instruction. They are called like helpers. A row that is NULL is one that the
 * engines never meet (the verifier refuses it).
 */
#ifndef SKEP_RT_KFUNC_H
#define SKEP_RT_KFUNC_H

#include "abi/kfunc.h"
#include "rt/helper.h"

extern const rt_helper_fn rt_kfuncs[ABI_NR_KFUNCS];

#endif
