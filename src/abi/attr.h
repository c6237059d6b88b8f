/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2)'s commands as data: the name of each, and where the last field that it knows ends in
 * union bpf_attr. The kernel (kernel/bpf/syscall.c, the *_LAST_FIELD macros behind CHECK_ATTR)
 * answers EINVAL when a byte after it is not zero.
 */
#ifndef SKEP_ABI_ATTR_H
#define SKEP_ABI_ATTR_H

#include "abi/bpf_new.h"

struct abi_command {
	const char *name; /* without "BPF_" */
	u32 end;	  /* bytes of union abi_attr that the command reads */
};

/* NULL if cmd is no command of Linux 6.18. */
const struct abi_command *abi_command_find(u32 cmd);

/* CHECK_ATTR: is everything after the command's last field zero? */
bool abi_attr_tail_is_zero(u32 cmd, const union abi_attr *attr);

/* Names for messages: "tracepoint", "ringbuf"; NULL if there is no such type in 6.18. */
const char *abi_prog_type_name(u32 type);
const char *abi_map_type_name(u32 type);

#endif
