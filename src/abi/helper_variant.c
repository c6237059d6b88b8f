/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers whose prototype differs by program type (the get_func_proto callbacks of Linux 6.18's
 * net/core/filter.c): rows that stand before those of helper_table.h. Whom they are for at all is
 * told there.
 */
#include "abi/helper.h"

#define PROG_CLS (ABI_PROG(BPF_PROG_TYPE_SCHED_CLS) | ABI_PROG(BPF_PROG_TYPE_SCHED_ACT))
#define PROG_LWT                                                            \
	(ABI_PROG(BPF_PROG_TYPE_LWT_IN) | ABI_PROG(BPF_PROG_TYPE_LWT_OUT) | \
	 ABI_PROG(BPF_PROG_TYPE_LWT_XMIT) | ABI_PROG(BPF_PROG_TYPE_LWT_SEG6LOCAL))

#define PROG_TYPED                                                       \
	(ABI_PROG(BPF_PROG_TYPE_TRACING) | ABI_PROG(BPF_PROG_TYPE_LSM) | \
	 ABI_PROG(BPF_PROG_TYPE_SYSCALL))
#define PROG_PROBING (ABI_PROG(BPF_PROG_TYPE_TRACING) | ABI_PROG(BPF_PROG_TYPE_SYSCALL))

#define INITIAL_VALUE (ARG_PTR_TO_MAP_VALUE | ABI_ARG_MAYBE_NULL | ABI_ARG_MEM_RDONLY)

static const struct variant {
	u32 func_id;
	abi_prog_set progs;
	struct abi_helper helper;
} variants[] = {
	/* kernel/trace/bpf_trace.c has one of its own for sampled stacks: for any license. */
	{ BPF_FUNC_get_stackid,
	  ABI_PROG(BPF_PROG_TYPE_PERF_EVENT),
	  { .name = "get_stackid",
	    .ret = RET_INTEGER,
	    .arg = { ARG_PTR_TO_CTX, ARG_CONST_MAP_PTR, ARG_ANYTHING },
	    .available = true } },
	{ BPF_FUNC_get_cgroup_classid,
	  PROG_CLS | PROG_LWT,
	  { .name = "get_cgroup_classid",
	    .ret = RET_INTEGER,
	    .arg = { ARG_PTR_TO_CTX },
	    .available = true } },
	{ BPF_FUNC_get_socket_cookie,
	  ABI_PROG(BPF_PROG_TYPE_SK_REUSEPORT) | PROG_TYPED,
	  { .name = "get_socket_cookie",
	    .ret = RET_INTEGER,
	    .arg = { ARG_PTR_TO_BTF_ID_SOCK_COMMON | ABI_ARG_MAYBE_NULL },
	    .available = true } },
	{ BPF_FUNC_xdp_get_buff_len,
	  PROG_TYPED,
	  { .name = "xdp_get_buff_len",
	    .ret = RET_INTEGER,
	    .arg = { ARG_PTR_TO_BTF_ID },
	    .arg_struct = { "xdp_buff" },
	    .available = true } },
	{ BPF_FUNC_sk_storage_get,
	  ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCK),
	  { .name = "sk_storage_get",
	    .ret = RET_PTR_TO_MAP_VALUE | ABI_RET_MAYBE_NULL,
	    .arg = { ARG_CONST_MAP_PTR, ARG_PTR_TO_CTX, INITIAL_VALUE, ARG_ANYTHING },
	    .available = true } },
	{ BPF_FUNC_sk_storage_get,
	  PROG_PROBING,
	  { .name = "sk_storage_get",
	    .ret = RET_PTR_TO_MAP_VALUE | ABI_RET_MAYBE_NULL,
	    .arg = { ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID | ABI_ARG_MAYBE_NULL, INITIAL_VALUE,
		     ARG_ANYTHING },
	    .arg_struct = { [1] = "sock_common" },
	    .available = true } },
	{ BPF_FUNC_sk_storage_delete,
	  PROG_PROBING,
	  { .name = "sk_storage_delete",
	    .ret = RET_INTEGER,
	    .arg = { ARG_CONST_MAP_PTR, ARG_PTR_TO_BTF_ID | ABI_ARG_MAYBE_NULL },
	    .arg_struct = { [1] = "sock_common" },
	    .available = true } },
	{ BPF_FUNC_setsockopt,
	  ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCKOPT) | ABI_PROG(BPF_PROG_TYPE_TRACING) |
		  ABI_PROG(BPF_PROG_TYPE_STRUCT_OPS),
	  { .name = "setsockopt",
	    .ret = RET_INTEGER,
	    .arg = { ARG_PTR_TO_BTF_ID_SOCK_COMMON, ARG_ANYTHING, ARG_ANYTHING,
		     ARG_PTR_TO_MEM | ABI_ARG_MEM_RDONLY, ARG_CONST_SIZE },
	    .available = true } },
	{ BPF_FUNC_getsockopt,
	  ABI_PROG(BPF_PROG_TYPE_CGROUP_SOCKOPT) | ABI_PROG(BPF_PROG_TYPE_TRACING) |
		  ABI_PROG(BPF_PROG_TYPE_STRUCT_OPS),
	  { .name = "getsockopt",
	    .ret = RET_INTEGER,
	    .arg = { ARG_PTR_TO_BTF_ID_SOCK_COMMON, ARG_ANYTHING, ARG_ANYTHING,
		     ARG_PTR_TO_MEM | ABI_ARG_MEM_UNINIT, ARG_CONST_SIZE },
	    .available = true } },
	{ BPF_FUNC_sk_assign,
	  ABI_PROG(BPF_PROG_TYPE_SK_LOOKUP),
	  { .name = "sk_assign",
	    .ret = RET_INTEGER,
	    .arg = { ARG_PTR_TO_CTX, ARG_PTR_TO_SOCKET | ABI_ARG_MAYBE_NULL, ARG_ANYTHING },
	    .available = true } },
};

const struct abi_helper *abi_helper_for(u32 func_id, u32 prog_type)
{
	for (u32 i = 0; prog_type < 64 && i < ARRAY_SIZE(variants); i++)
		if (variants[i].func_id == func_id && variants[i].progs & ABI_PROG(prog_type))
			return &variants[i].helper;
	return abi_helper_find(func_id);
}
