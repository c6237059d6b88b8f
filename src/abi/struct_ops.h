/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The structures of functions that BPF programs can implement (struct_ops), as far as 6.18 without
 * modules has them. Where their members lie is the kernel's BTF's to say.
 */
#ifndef SKEP_ABI_STRUCT_OPS_H
#define SKEP_ABI_STRUCT_OPS_H

#include "base/types.h"

/* A member that programs may write. */
struct abi_struct_ops_member {
	const char *name;
	bool inside; /* also parts that do not begin with it */
	u32 limit;   /* only so many bytes of it; 0: all */
};

struct abi_struct_ops {
	const char *name;
	const char *unsupported; /* a member that no program can be; NULL: none */
	const char *sleepable;	 /* the only member whose programs may sleep; NULL: all */
	bool helpers;		 /* its programs may call some */
	bool registers;		 /* else: only for test runs, and no map of it can be filled */
	/*
	 * The only structure that its programs write to, the members that they may write, and what
	 * pointers to `promoted` are to them.
	 */
	const char *written, *promoted;
	const struct abi_struct_ops_member *members;
	u32 nr_members;
};

/* NULL if there is none of this name. */
const struct abi_struct_ops *abi_struct_ops_find(const char *name);

/* May a program that implements this member call the helper? */
bool abi_struct_ops_helper(const char *member, u32 func_id);

#endif
