/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers of sysctl programs over a struct abi_rt_sysctl; results as in kernel/bpf/cgroup.c.
 */
#include "abi/context.h"
#include "rt/helper/families.h"
#include "rt/mem.h"

/* As much as there is room for, with its end: the length, or -E2BIG if that is not all. */
static u64 copy_name(char *to, u32 room, const char *name, u32 size)
{
	u32 length = size < room ? size : room - 1;

	if (!room)
		return (u64)-E2BIG;
	memcpy(to, name, length);
	to[length] = '\0';
	return length < size ? (u64)-E2BIG : length;
}

/* (ctx, buf, size, flags) */
RT_HELPER(sysctl_get_name)
{
	const struct abi_rt_sysctl *run = (const struct abi_rt_sysctl *)r1;
	const char *name = (const char *)run->name;
	u32 from = run->name_size;

	if (!r2)
		return (u64)-EINVAL;
	while (r4 & BPF_F_SYSCTL_BASE_NAME && from && name[from - 1] != '/')
		from--;
	if (!(r4 & BPF_F_SYSCTL_BASE_NAME))
		from = 0;
	return copy_name((char *)r2, (u32)r3, name + from, run->name_size - from);
}

static u64 copy_value(u8 *to, u32 room, u64 value, u32 size)
{
	if (!to)
		return (u64)-EINVAL;
	if (!room)
		return (u64)-E2BIG;
	if (!size) {
		memset(to, 0, room);
		return (u64)-EINVAL;
	}
	memcpy(to, (const void *)value, size < room ? size : room);
	if (room > size) {
		memset(to + size, 0, room - size);
		return size;
	}
	to[room - 1] = 0;
	return (u64)-E2BIG;
}

/* (ctx, buf, size) */
RT_HELPER(sysctl_get_current_value)
{
	const struct abi_rt_sysctl *run = (const struct abi_rt_sysctl *)r1;

	return copy_value((u8 *)r2, (u32)r3, run->current, run->current_size);
}

RT_HELPER(sysctl_get_new_value)
{
	const struct abi_rt_sysctl *run = (const struct abi_rt_sysctl *)r1;

	if (run->sysctl.write)
		return copy_value((u8 *)r2, (u32)r3, run->value, run->value_size);
	memset((void *)r2, 0, (u32)r3);
	return (u64)-EINVAL;
}

RT_HELPER(sysctl_set_new_value)
{
	struct abi_rt_sysctl *run = (struct abi_rt_sysctl *)r1;

	if (!run->sysctl.write || !run->value_size || !r2 || !(u32)r3)
		return (u64)-EINVAL;
	if ((u32)r3 > ABI_SYSCTL_MAX)
		return (u64)-E2BIG;
	memcpy((void *)run->value, (const void *)r2, (u32)r3);
	run->value_size = (u32)r3;
	return 0;
}
