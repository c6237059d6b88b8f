/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of the kernel's functions that a program's instructions call when they are shown
 * (BPF_OBJ_GET_INFO_BY_FD, /proc/kallsyms): a kernel shows calls as distances from
 * __bpf_call_base, which clients look up in kallsyms. Each name has an address of its own here;
 * nothing lies there. All are near the kernel's own: bpftool compares addresses as 32-bit numbers.
 */
#ifndef SKEP_ABI_KSYM_H
#define SKEP_ABI_KSYM_H

#include "base/types.h"

#define ABI_KSYM_BASE 0xffffffffd0000000ULL /* __bpf_call_base */

/* A function of a program: distinct for the ids that a hive is likely to give. */
#define ABI_KSYM_PROGRAM(id, function) \
	(ABI_KSYM_BASE + 0x1000000ULL + ((u64)(id)&0xfffff) * 256 + (function))
/* Any other function of the kernel's, by its id in BTF: nobody is told its name. */
#define ABI_KSYM_FUNCTION(btf_id) (ABI_KSYM_BASE + 0x12000000ULL + ((u64)(btf_id)&0xfffff) * 16)
#define ABI_KSYM_NAME		  64

/* How many there are; some numbers below that have no name. */
u32 abi_ksym_count(void);

/* Name and address of the one with this number: false if there is none. */
bool abi_ksym(u32 number, char ret_name[ABI_KSYM_NAME], u64 *ret_address);

/* What a call of it shows; 0 if the name is not known. */
s32 abi_ksym_call(const char *name);
/* The same of a helper in programs of this type, which may have a function of their own. */
s32 abi_ksym_helper(u32 func_id, u32 prog_type);
/* ... and of a row of abi/kfunc.h. */
s32 abi_ksym_kfunc(u32 id);

/* An address by name, as abi_ksym() gives it; 0: not known. */
u64 abi_ksym_address(const char *name);

#endif
