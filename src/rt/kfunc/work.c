/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_wq: the verifier has checked that the first argument is one.
 */
#include "rt/async.h"
#include "rt/kfunc/families.h"

/* (wq, map, flags) */
RT_KFUNC(bpf_wq_init)
{
	return rt_kfunc_int(
		rt_work_init((struct rt_async *)r1, (const struct rt_map *)r2, (u32)r3));
}

/* (wq, callback, flags, aux): aux is the program, which runs. */
RT_KFUNC(bpf_wq_set_callback_impl)
{
	if ((u32)r3)
		return rt_kfunc_int(-EINVAL);
	return rt_kfunc_int(rt_async_set_callback((struct rt_async *)r1, (u32)r2, vcpu));
}

/* (wq, flags) */
RT_KFUNC(bpf_wq_start)
{
	return rt_kfunc_int(rt_work_start((struct rt_async *)r1, (u32)r2, vcpu));
}
