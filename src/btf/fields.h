/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Special fields: parts of a value that the kernel manages itself (locks, timers, pointers to
 * kernel objects, …). Which ones a type has, where they are, and what is wrong with them; rules and
 * errno of btf_parse_fields() in Linux 6.18 (kernel/bpf/btf.c).
 */
#ifndef SKEP_BTF_FIELDS_H
#define SKEP_BTF_FIELDS_H

#include "btf/btf.h"

enum btf_field_kind {
	BTF_FIELD_SPIN_LOCK,
	BTF_FIELD_RES_SPIN_LOCK,
	BTF_FIELD_TIMER,
	BTF_FIELD_WORKQUEUE,
	BTF_FIELD_TASK_WORK,
	BTF_FIELD_LIST_HEAD,
	BTF_FIELD_LIST_NODE,
	BTF_FIELD_RB_ROOT,
	BTF_FIELD_RB_NODE,
	BTF_FIELD_REFCOUNT,
	BTF_FIELD_KPTR_UNREF,
	BTF_FIELD_KPTR_REF,
	BTF_FIELD_KPTR_PERCPU,
	BTF_FIELD_UPTR,
	BTF_FIELD_NR_KINDS,
};

#define BTF_FIELD_BIT(kind) (1u << (kind))

/* Kinds that may stand in a map's value. */
#define BTF_FIELDS_OF_VALUES                                                          \
	(BTF_FIELD_BIT(BTF_FIELD_NR_KINDS) - 1 - BTF_FIELD_BIT(BTF_FIELD_LIST_NODE) - \
	 BTF_FIELD_BIT(BTF_FIELD_RB_NODE))

#define BTF_FIELDS_MAX 11

/* What a program may have in a structure that it allocates. */
#define BTF_FIELDS_OF_OBJECTS                                                          \
	(BTF_FIELD_BIT(BTF_FIELD_SPIN_LOCK) | BTF_FIELD_BIT(BTF_FIELD_RES_SPIN_LOCK) | \
	 BTF_FIELD_BIT(BTF_FIELD_LIST_HEAD) | BTF_FIELD_BIT(BTF_FIELD_LIST_NODE) |     \
	 BTF_FIELD_BIT(BTF_FIELD_RB_ROOT) | BTF_FIELD_BIT(BTF_FIELD_RB_NODE) |         \
	 BTF_FIELD_BIT(BTF_FIELD_REFCOUNT) | BTF_FIELDS_KPTR)

#define BTF_FIELDS_KPTR                                                            \
	(BTF_FIELD_BIT(BTF_FIELD_KPTR_UNREF) | BTF_FIELD_BIT(BTF_FIELD_KPTR_REF) | \
	 BTF_FIELD_BIT(BTF_FIELD_KPTR_PERCPU))
#define BTF_FIELDS_ROOT (BTF_FIELD_BIT(BTF_FIELD_LIST_HEAD) | BTF_FIELD_BIT(BTF_FIELD_RB_ROOT))
#define BTF_FIELDS_NODE (BTF_FIELD_BIT(BTF_FIELD_LIST_NODE) | BTF_FIELD_BIT(BTF_FIELD_RB_NODE))
#define BTF_FIELDS_LOCK \
	(BTF_FIELD_BIT(BTF_FIELD_SPIN_LOCK) | BTF_FIELD_BIT(BTF_FIELD_RES_SPIN_LOCK))

struct btf_field {
	u32 kind; /* enum btf_field_kind */
	u32 offset, size;
	/* kptrs: what they point to; list heads and tree roots: what is in them. */
	u32 type_id;
	const struct btf *btf; /* where type_id counts: the kernel's, or the program's own */
	u32 node_offset;       /* list heads and tree roots: of the node in the structure */
};

struct btf_fields {
	u32 nr, kinds;				/* kinds: set of those that are there */
	struct btf_field field[BTF_FIELDS_MAX]; /* by offset */
};

/*
 * The fields of a structure or section of value_size bytes. 0 or -errno: EEXIST for two of a kind
 * that may be there once, E2BIG for too many, EINVAL for what cannot be.
 */
int btf_fields_parse(const struct btf *btf, u32 id, u32 kinds, u32 value_size,
		     struct btf_fields *ret_fields);

/*
 * Finds what special fields the structures of a program's BTF have, once, when it is loaded: the
 * answers are btf_fields_of_object()'s. kernel is asked for the kernel's BTF (which may be NULL)
 * if there are tagged pointers: what it knows by name is the kernel's. 0 or -errno of
 * btf_parse_struct_metas(): ELOOP for structures that may own each other in a circle.
 */
int btf_find_objects(struct btf *btf, const struct btf *(*kernel)(void *arg), void *arg);

/* The special fields of a structure that programs may allocate; NULL: it has none. */
const struct btf_fields *btf_fields_of_object(const struct btf *btf, u32 id);

/* Is this the BTF of a program? */
bool btf_is_program(const struct btf *btf);

/* Are the two alike, to what they lead to? */
bool btf_fields_equal(const struct btf_fields *a, const struct btf_fields *b);

/* As logs call it. */
const char *btf_field_name(u32 kind);

/* The first field of this kind; NULL: there is none. */
const struct btf_field *btf_field_of(const struct btf_fields *fields, u32 kind);

#endif
