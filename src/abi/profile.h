/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel profiles as data: for everything that programs and clients may use, the first Linux that
 * has it. A profile is a version; what is younger is not there. Sources: include/uapi/linux/bpf.h
 * of the releases, and for 6.1, 6.12 and 6.18 what these kernels answered (tools/profiles/).
 *
 * What came before 5.4 counts as always there, and what lies between two profiles is told by the
 * older one not to be there.
 */
#ifndef SKEP_ABI_PROFILE_H
#define SKEP_ABI_PROFILE_H

#include <linux/bpf.h>
#include "base/types.h"

/* A version of Linux, to be compared with others. */
#define ABI_LINUX(major, minor) ((u32)(major) << 8 | (u32)(minor))
#define ABI_LINUX_NEWEST	ABI_LINUX(6, 18)
#define ABI_LINUX_ALWAYS	0u
#define ABI_LINUX_NEVER		(~0u) /* no version that is known here */

struct abi_profile {
	const char *name; /* "6.1" */
	u32 version;	  /* ABI_LINUX(6, 1) */
};

/* The profiles there are, oldest first; NULL at the end. */
const struct abi_profile *abi_profile_at(u32 index);
/* NULL: there is none of that name. */
const struct abi_profile *abi_profile_find(const char *name);

/* The first version with it; ABI_LINUX_NEVER for what 6.18 has not. */
u32 abi_since_command(u32 cmd);
/* Where its last field ends in union abi_attr, in that version; 0: it has no such command. */
u32 abi_command_end(u32 cmd, u32 version);
u32 abi_since_map_type(u32 map_type);
u32 abi_since_prog_type(u32 prog_type);
u32 abi_since_attach_type(u32 attach_type);
u32 abi_since_prog_flag(u32 flag);
u32 abi_since_map_flag(u32 flag);
u32 abi_since_btf_kind(u32 kind);
/* By programs of that type. */
u32 abi_since_helper(u32 func_id, u32 prog_type);
u32 abi_since_kfunc(const char *name);
/* An access to the context of programs of that type. */
u32 abi_since_context(u32 prog_type, u32 offset);
/* An instruction of a program that no other field (calls, wide loads) makes younger. */
u32 abi_since_insn(const struct bpf_insn *insn);

#endif
