/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kfuncs that the data plane has, by number.
 */
#include "rt/kfunc/families.h"

const rt_helper_fn rt_kfuncs[ABI_NR_KFUNCS] = {
#define ABI_KFUNC(name) [ABI_KFUNC_##name] = rt_kfunc_##name,
#include "abi/kfunc_names.h"
#undef ABI_KFUNC
};
