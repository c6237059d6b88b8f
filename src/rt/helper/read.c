/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that read memory which may not be there: r1 is the destination, r2 its size, r3 the
 * address. On failure the destination is zeroed (kernel/trace/bpf_trace.c).
 */
#include "rt/helper/families.h"

RT_HELPER(probe_read)
{
	return (u64)rt_read_any(vcpu, (void *)r1, (u32)r2, r3);
}

RT_HELPER(probe_read_str)
{
	return (u64)rt_read_any_str(vcpu, (void *)r1, (u32)r2, r3);
}

RT_HELPER(probe_read_user)
{
	return (u64)rt_read_user(vcpu, (void *)r1, (u32)r2, r3);
}

RT_HELPER(probe_read_user_str)
{
	return (u64)rt_read_user_str(vcpu, (void *)r1, (u32)r2, r3);
}

RT_HELPER(probe_read_kernel)
{
	return (u64)rt_read_kernel(vcpu, (void *)r1, (u32)r2, r3);
}

RT_HELPER(probe_read_kernel_str)
{
	return (u64)rt_read_kernel_str(vcpu, (void *)r1, (u32)r2, r3);
}

/* The kernel's may wait for a page; here what is not there fails at once. */
RT_HELPER(copy_from_user)
{
	return (u64)rt_read_user(vcpu, (void *)r1, (u32)r2, r3);
}
