/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helper prototypes as data: number, name, arguments, result, who may call it, and with what
 * capability. The kernel's source of each fact is the `const struct bpf_func_proto` of the helper
 * and the get_func_proto callbacks of the program types.
 */
#ifndef SKEP_ABI_HELPER_H
#define SKEP_ABI_HELPER_H

#include <linux/bpf.h>
#include "base/types.h"

/* As the kernel's enum bpf_arg_type: base types, then flags. */
enum abi_arg_type {
	ARG_NONE, /* ARG_DONTCARE */
	ARG_CONST_MAP_PTR,
	ARG_PTR_TO_MAP_KEY,
	ARG_PTR_TO_MAP_VALUE,
	ARG_PTR_TO_MEM,
	ARG_PTR_TO_ARENA,
	ARG_CONST_SIZE,
	ARG_CONST_SIZE_OR_ZERO,
	ARG_PTR_TO_CTX,
	ARG_ANYTHING,
	ARG_PTR_TO_SPIN_LOCK,
	ARG_PTR_TO_SOCK_COMMON,
	ARG_PTR_TO_SOCKET,
	ARG_PTR_TO_BTF_ID,
	ARG_PTR_TO_RINGBUF_MEM,
	ARG_CONST_ALLOC_SIZE_OR_ZERO,
	ARG_PTR_TO_BTF_ID_SOCK_COMMON,
	ARG_PTR_TO_PERCPU_BTF_ID,
	ARG_PTR_TO_FUNC,
	ARG_PTR_TO_STACK,
	ARG_PTR_TO_CONST_STR,
	ARG_PTR_TO_TIMER,
	ARG_KPTR_XCHG_DEST,
	ARG_PTR_TO_DYNPTR,
	ABI_ARG_BASE_MASK = 0xff,
	ABI_ARG_MAYBE_NULL = 1 << 8,
	ABI_ARG_MEM_UNINIT = 1 << 9, /* the helper fills it */
	ABI_ARG_MEM_RDONLY = 1 << 10,
	ABI_ARG_MEM_WRITE = 1 << 11,  /* the helper reads and writes it */
	ABI_ARG_FIXED_SIZE = 1 << 12, /* size in abi_helper.arg_size */
	ABI_ARG_RELEASE = 1 << 13,    /* releases the reference */
	ABI_ARG_ALIGNED = 1 << 14,
};

enum abi_ret_type {
	RET_INTEGER,
	RET_VOID,
	RET_PTR_TO_MAP_VALUE,
	RET_PTR_TO_SOCKET,
	RET_PTR_TO_TCP_SOCK,
	RET_PTR_TO_SOCK_COMMON,
	RET_PTR_TO_RINGBUF_MEM, /* the kernel's RET_PTR_TO_RINGBUF_MEM_OR_NULL with MAYBE_NULL */
	RET_PTR_TO_MEM,
	RET_PTR_TO_MEM_OR_BTF_ID,
	RET_PTR_TO_BTF_ID,
	RET_PTR_TO_DYNPTR_MEM,
	ABI_RET_BASE_MASK = 0xff,
	ABI_RET_MAYBE_NULL = 1 << 8,
	ABI_RET_TRUSTED = 1 << 9,
};

/* Which program types may call it: a set of enum bpf_prog_type. */
typedef u64 abi_prog_set;
#define ABI_PROG(type) (1ULL << (type))

/* A set of enum bpf_attach_type. */
typedef u64 abi_attach_set;
#define ABI_ATTACH(type) (1ULL << (type))

struct abi_helper {
	const char *name; /* without "bpf_" */
	u16 ret;
	u16 arg[5];
	u16 arg_size[5];
	const char *arg_struct[5]; /* ARG_PTR_TO_BTF_ID: the structure's name */
	abi_prog_set progs;
	abi_prog_set fastcall;	   /* for these it leaves alone all but r0 and its arguments */
	abi_attach_set not_attach; /* not with these expected attach types */
	bool gpl_only;
	bool might_sleep;
	bool iter;		  /* for iterators' programs, too */
	bool iter_only;		  /* for iterators' programs, and for none else */
	bool pkt_access;	  /* may be given packet pointers */
	bool packet_data_changes; /* invalidates packet pointers */
	bool acquires;		  /* the result is a reference that must be released */
	bool casts; /* the result is its argument under another type, and shares its reference */
	const char *ret_struct; /* RET_PTR_TO_BTF_ID: the kernel's structure */
	bool available;		/* the data plane has it; false: refused by the verifier */
	const char *refused;	/* why not; NULL if and only if it is available */
	abi_prog_set not_here;	/* ... but not for these, whose context is another */
};

/* NULL if func_id is no helper of Linux 6.18. */
const struct abi_helper *abi_helper_find(u32 func_id);

/*
 * The prototype for programs of this type: a few helpers differ by type. NULL as above.
 */
const struct abi_helper *abi_helper_for(u32 func_id, u32 prog_type);

/* Does the data plane have it for programs of this type? */
static inline bool abi_helper_available(const struct abi_helper *helper, u32 prog_type)
{
	return helper->available && !(prog_type < 64 && helper->not_here & ABI_PROG(prog_type));
}

/* May programs of this type (and attach type) call it? */
bool abi_helper_allowed(u32 func_id, u32 prog_type, u32 expected_attach_type);

#endif
