/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lies at an offset of a structure: a number, a pointer to a structure, or another pointer.
 * Rules and wording are those of btf_struct_access() in Linux 6.18 (kernel/bpf/btf.c).
 */
#ifndef SKEP_BTF_WALK_H
#define SKEP_BTF_WALK_H

#include "btf/btf.h"

enum btf_place_kind {
	BTF_PLACE_NUMBER,
	BTF_PLACE_STRUCT_PTR, /* a pointer to a structure or union */
	BTF_PLACE_OTHER_PTR,
};

#define BTF_PLACE_IN_UNION 1u /* reached through a union: may be something else in truth */
#define BTF_PLACE_USER	   2u /* the pointer's type tags */
#define BTF_PLACE_PERCPU   4u
#define BTF_PLACE_RCU	   8u

/* The type tags right behind a pointer: BTF_PLACE_USER, _PERCPU or _RCU, or 0. */
u32 btf_pointer_tags(const struct btf *btf, const struct btf_type *pointer);

struct btf_place {
	u8 kind;	   /* enum btf_place_kind */
	u32 flags;	   /* BTF_PLACE_* */
	u32 pointee;	   /* BTF_PLACE_STRUCT_PTR: id of the structure that it points to */
	const char *field; /* BTF_PLACE_STRUCT_PTR: name of the member */
};

/*
 * The place of size bytes at off in the structure id. 0 and *ret_place, or -EACCES, -EINVAL,
 * -EFAULT with a line for the log in reason (reason_size bytes with the NUL).
 */
int btf_place_find(const struct btf *btf, u32 id, u32 off, u32 size, struct btf_place *ret_place,
		   char *reason, u32 reason_size);

/* Is the type a structure or a union? */
bool btf_is_struct(const struct btf_type *type);

#endif
