/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs on a function ask about it. Their context is the arguments, then the result, and
 * the number of arguments stands before it (rt/trampoline.h).
 */
#include "rt/helper/families.h"
#include "rt/prog.h"
#include "rt/trampoline.h"

RT_HELPER(get_func_arg)
{
	const u64 *ctx = (const u64 *)r1;
	u64 *value = (u64 *)r3;

	if (r2 >= ctx[RT_TRAMPOLINE_NR_ARGS]) {
		*value = 0;
		return (u64)-EINVAL;
	}
	*value = ctx[r2];
	return 0;
}

RT_HELPER(get_func_ret)
{
	const u64 *ctx = (const u64 *)r1;

	/* Before the function there is none. */
	if (vcpu->prog->expected_attach_type == BPF_TRACE_FENTRY)
		return (u64)-EOPNOTSUPP;
	*(u64 *)r2 = ctx[ctx[RT_TRAMPOLINE_NR_ARGS]];
	return 0;
}

/* No probe is on a kernel's function here: programs for those are run by hand. */
RT_HELPER(get_func_ip)
{
	return vcpu->prog->type == BPF_PROG_TYPE_TRACING ? ((const u64 *)r1)[RT_TRAMPOLINE_IP] : 0;
}

RT_HELPER(get_func_arg_cnt)
{
	return ((const u64 *)r1)[RT_TRAMPOLINE_NR_ARGS];
}
