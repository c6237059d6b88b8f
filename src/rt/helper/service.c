/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers of programs that are run by hand in the supervisor and act there for their client: the
 * supervisor does the work (src/sys/test_run_syscall.c).
 */
#include "rt/helper/families.h"

static u64 ask(struct rt_vcpu *vcpu, u32 func_id, u64 r1, u64 r2, u64 r3, u64 r4)
{
	const u64 args[5] = { r1, r2, r3, r4 };

	return vcpu->service ? vcpu->service(vcpu, func_id, args) : (u64)-EPERM;
}

RT_HELPER(sys_bpf)
{
	return ask(vcpu, BPF_FUNC_sys_bpf, r1, r2, r3, 0);
}

RT_HELPER(sys_close)
{
	return ask(vcpu, BPF_FUNC_sys_close, r1, 0, 0, 0);
}

RT_HELPER(btf_find_by_name_kind)
{
	return ask(vcpu, BPF_FUNC_btf_find_by_name_kind, r1, r2, r3, r4);
}

/* A hive's kernel has no symbols with an address. */
RT_HELPER(kallsyms_lookup_name)
{
	const char *name = (const char *)r1;

	*(u64 *)r4 = 0;
	if (r3 || (u32)r2 <= 1 || name[(u32)r2 - 1])
		return (u64)-EINVAL;
	return (u64)-ENOENT;
}
