/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_snprintf_btf() and bpf_seq_printf_btf(): a value in words, by the kernel's BTF. The
 * supervisor has put that into control, checked, when the first program was loaded that calls one
 * of them.
 */
#ifndef SKEP_RT_SHOW_H
#define SKEP_RT_SHOW_H

#include "base/types.h"

struct rt_vcpu;

/* The kernel's BTF: types as they stand in the file, by id (from 1), and strings. */
struct rt_btf {
	u32 nr_types; /* with void */
	u32 strings_size;
	const u32 *offsets; /* of each type, in types */
	const u8 *types;
	const char *strings;
};

/* Where the text goes: what does not fit only counts. */
struct rt_show_text {
	char *text;
	u64 room;
	u64 length;
};

/*
 * The value of this type at address (of the kernel's, as bpf_probe_read_kernel() reads it). flags:
 * BTF_F_*. 0; -EINVAL: unknown flags, no type, or there is no BTF; -ENOENT: no such type; -EFAULT;
 * -E2BIG: the type says that it has more than a million parts.
 */
long rt_show(u64 address, u32 type_id, u64 flags, struct rt_show_text *text, struct rt_vcpu *vcpu);

#endif
