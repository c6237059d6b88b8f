/* SPDX-License-Identifier: BSD-2-Clause */
/* The iterator targets of Linux 6.18, and what it says of their arguments (asked of its verifier).
 */
#include "abi/iter.h"

#include <string.h>

#define OBJECT	ABI_ITER_OBJECT
#define TRUSTED ABI_ITER_TRUSTED

static const struct abi_iter_target targets[] = {
	{ "bpf_map", ABI_WALK_BPF_MAP, { 0, TRUSTED }, false, false },
	{ "bpf_prog", ABI_WALK_BPF_PROG, { 0, OBJECT }, false, false },
	{ "bpf_link", ABI_WALK_BPF_LINK, { 0, OBJECT }, false, false },
	{ "bpf_map_elem",
	  ABI_WALK_BPF_MAP_ELEM,
	  { 0, 0, ABI_ITER_RDONLY, ABI_ITER_RDWR },
	  false,
	  false },
	{ "task", ABI_WALK_TASK, { 0, TRUSTED }, true, false },
	{ "task_file", ABI_WALK_TASK_FILE, { 0, OBJECT, 0, OBJECT }, true, false },
	{ "task_vma", ABI_WALK_TASK_VMA, { 0, OBJECT, OBJECT }, true, false },
	{ "bpf_sk_storage_map", ABI_WALK_OTHERS, { 0, 0, OBJECT, ABI_ITER_RDWR }, false, false },
	{ "cgroup", ABI_WALK_OTHERS, { 0, TRUSTED }, true, false },
	{ "dmabuf", ABI_WALK_OTHERS, { 0, OBJECT }, true, false },
	{ "ipv6_route", ABI_WALK_OTHERS, { 0, OBJECT }, false, false },
	{ "kmem_cache", ABI_WALK_OTHERS, { 0, TRUSTED }, true, false },
	{ "ksym", ABI_WALK_OTHERS, { 0, OBJECT }, true, false },
	{ "netlink", ABI_WALK_OTHERS, { 0, OBJECT }, false, false },
	{ "sockmap", ABI_WALK_OTHERS, { 0, 0, ABI_ITER_RDONLY, OBJECT }, false, false },
	{ "tcp", ABI_WALK_OTHERS, { 0, TRUSTED }, false, true },
	{ "udp", ABI_WALK_OTHERS, { 0, TRUSTED }, false, false },
	{ "unix", ABI_WALK_OTHERS, { 0, OBJECT }, false, true },
};

const struct abi_iter_target *abi_iter_find(const char *function)
{
	size_t prefix = sizeof(ABI_ITER_PREFIX) - 1;

	if (!function || strncmp(function, ABI_ITER_PREFIX, prefix) != 0)
		return NULL;
	for (u32 i = 0; i < ARRAY_SIZE(targets); i++)
		if (!strcmp(targets[i].target, function + prefix))
			return &targets[i];
	return NULL;
}
