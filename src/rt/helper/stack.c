/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_get_stackid() and bpf_get_stack(): user stacks of the current task. The kernel's own stack is
 * nobody's here: asking for it gives -EFAULT, the kernel's answer where there is none to be had.
 */
#include "rt/helper/families.h"
#include "rt/mem.h"
#include "rt/stack.h"
#include "rt/task_model.h"

_Static_assert(RT_STACK_DEPTH_MAX * sizeof(u64) <= sizeof((struct rt_vcpu *)0)->format,
	       "a stack fits");

/* Up to depth addresses after those that flags skip, in vcpu->format; *ret_nr of them. */
static long collect(struct rt_vcpu *vcpu, u32 depth, u64 flags, u64 **ret_ips, u32 *ret_nr)
{
	u32 skip = flags & BPF_F_SKIP_FIELD_MASK;
	u64 *ips = (u64 *)(void *)vcpu->format;
	long nr;

	depth = depth + skip < RT_STACK_DEPTH_MAX ? depth + skip : RT_STACK_DEPTH_MAX;
	if (!(flags & BPF_F_USER_STACK))
		return -EFAULT;
	nr = rt_stack_of_user(vcpu, ips, depth);
	if (nr < 0)
		return nr;
	if (nr < skip)
		return -EFAULT;
	*ret_ips = ips + skip;
	*ret_nr = (u32)nr - skip;
	return 0;
}

/* (ctx, map, flags) */
RT_HELPER(get_stackid)
{
	const struct rt_map *map = (const struct rt_map *)r2;
	u64 flags = r3, *ips;
	long error;
	u32 nr;

	if (flags & ~(u64)(BPF_F_SKIP_FIELD_MASK | BPF_F_USER_STACK | BPF_F_FAST_STACK_CMP |
			   BPF_F_REUSE_STACKID))
		return (u64)-EINVAL;
	error = collect(vcpu, rt_stack_depth(map), flags, &ips, &nr);
	if (!error && !nr)
		error = -EFAULT;
	return error ? (u64)error : (u64)rt_stack_store(map, ips, nr, flags, vcpu);
}

static void put_build_ids(struct bpf_stack_build_id *to, const u64 *ips, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		struct bpf_stack_build_id id = { .status = BPF_STACK_BUILD_ID_IP, .ip = ips[i] };

		memcpy(&to[i], &id, sizeof(id));
	}
}

/* other: of a task that is not the current one, whose user stack nobody reads. */
static u64 give_stack(struct rt_vcpu *vcpu, u8 *buffer, u32 size, u64 flags, bool other)
{
	bool build_id = flags & BPF_F_USER_BUILD_ID;
	u32 each = build_id ? sizeof(struct bpf_stack_build_id) : sizeof(u64), nr = 0, used;
	u64 *ips = NULL;
	long error;

	if (flags & ~(u64)(BPF_F_SKIP_FIELD_MASK | BPF_F_USER_STACK | BPF_F_USER_BUILD_ID) ||
	    (build_id && !(flags & BPF_F_USER_STACK)) || size % each)
		error = -EINVAL;
	else if (other && flags & BPF_F_USER_STACK)
		error = -EOPNOTSUPP;
	else
		error = collect(vcpu, size / each, flags, &ips, &nr);
	if (error) {
		memset(buffer, 0, size);
		return (u64)error;
	}
	/* Skipped frames and the limit leave at most size / each. */
	used = nr * each;
	if (build_id)
		put_build_ids((struct bpf_stack_build_id *)(void *)buffer, ips, nr);
	else
		memcpy(buffer, ips, used);
	memset(buffer + used, 0, size - used);
	return used;
}

/* (ctx, buffer, size, flags) */
RT_HELPER(get_stack)
{
	return give_stack(vcpu, (u8 *)r2, (u32)r3, r4, false);
}

/* (task, buffer, size, flags) */
RT_HELPER(get_task_stack)
{
	return give_stack(vcpu, (u8 *)r2, (u32)r3, r4, r1 != rt_task_model(vcpu));
}
