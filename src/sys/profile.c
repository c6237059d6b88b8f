/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hive that stands for an older kernel: what that one did not know is refused as it refused what
 * it did not know, EINVAL.
 */
#include "sys/hive.h"
#include "abi/profile.h"

#include <errno.h>
#include <linux/btf.h>
#include <string.h>

typedef u32 (*since_fn)(u32 flag);

/* Are all of the flags as old as the kernel? */
static bool has_flags(u32 kernel, u32 flags, since_fn since)
{
	for (; flags; flags &= flags - 1)
		if (since(flags & -flags) > kernel)
			return false;
	return true;
}

static bool has_arguments(u32 kernel, u32 cmd, const union abi_attr *attr)
{
	switch (cmd) {
	case BPF_MAP_CREATE:
		return abi_since_map_type(attr->map_type) <= kernel &&
		       has_flags(kernel, attr->map_flags, abi_since_map_flag);
	case BPF_PROG_LOAD:
		return abi_since_prog_type(attr->load.prog_type) <= kernel &&
		       has_flags(kernel, attr->load.prog_flags, abi_since_prog_flag);
	case BPF_PROG_ATTACH:
	case BPF_PROG_DETACH: return abi_since_attach_type(attr->attach.attach_type) <= kernel;
	case BPF_PROG_QUERY: return abi_since_attach_type(attr->query.attach_type) <= kernel;
	case BPF_LINK_CREATE: return abi_since_attach_type(attr->link_create.attach_type) <= kernel;
	default: return true;
	}
}

static bool is_zero(const union abi_attr *attr, u32 from)
{
	for (u32 i = from; i < sizeof(*attr); i++)
		if (((const u8 *)attr)[i])
			return false;
	return true;
}

int sys_profile_check(const struct sys_call *call)
{
	u32 kernel = call->hive->options.kernel;

	if (!kernel)
		return 0;
	return abi_since_command(call->cmd) <= kernel &&
			       is_zero(&call->attr, abi_command_end(call->cmd, kernel)) &&
			       has_arguments(kernel, call->cmd, &call->attr)
		       ? 0
		       : -EINVAL;
}

int sys_profile_check_btf(const struct sys_hive *hive, const struct btf *btf)
{
	u32 kernel = hive->options.kernel;

	for (u32 id = 1; kernel && id < btf_nr_types(btf); id++)
		if (abi_since_btf_kind(BTF_INFO_KIND(btf_type_by_id(btf, id)->info)) > kernel)
			return -EINVAL;
	return 0;
}
