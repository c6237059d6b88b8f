/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF Type Format, as clients hand it in with BPF_BTF_LOAD: parsed and checked once, with the
 * kernel's rules, errno and log text (kernel/bpf/btf.c), then constant. Everything that a checked
 * struct btf returns is in bounds: names end with NUL, type ids exist, references end.
 *
 * Types and strings are those of <linux/btf.h>. Type 0 is void.
 */
#ifndef SKEP_BTF_BTF_H
#define SKEP_BTF_BTF_H

#include <linux/btf.h>
#include "base/types.h"

struct btf;

/* Largest blob the kernel takes (BTF_MAX_SIZE). */
#define BTF_SIZE_MAX (16u << 20)

/* Where the report of a check goes; write is called only if level is not 0. */
struct btf_log {
	u32 level; /* btf_log_level */
	void (*write)(void *arg, const char *text, u64 size);
	void *arg;
};

/*
 * Parses and checks size bytes of untrusted BTF; data is copied. log may be NULL. 0 and *ret_btf,
 * or -errno: EINVAL for almost everything, ENOTSUPP (524) for a version, flag or encoding of the
 * future, E2BIG, EEXIST (a loop), ELOOP, ENOMEM.
 */
int btf_new(const void *data, u32 size, const struct btf_log *log, struct btf **ret_btf);

/* Takes NULL, returns NULL. */
struct btf *btf_free(struct btf *btf);

/* The blob as it was given. */
const void *btf_data(const struct btf *btf, u32 *ret_size);

/* Number of types with void: ids are 0 … nr - 1. */
u32 btf_nr_types(const struct btf *btf);

/* NULL if there is no type of this id. For id 0 a type of kind BTF_KIND_UNKN named "". */
const struct btf_type *btf_type_by_id(const struct btf *btf, u32 id);

/* NULL if offset is outside of the string section. */
const char *btf_string(const struct btf *btf, u32 offset);

/* Name of a type: "" when it has none, NULL when there is no such type. */
const char *btf_type_name(const struct btf *btf, u32 id);

/* The smallest id of a type of this kind with this name; 0 if there is none. */
u32 btf_find(const struct btf *btf, const char *name, u32 kind);

/*
 * Follows typedef, const, volatile, restrict and type tags. Returns the type and writes its id to
 * *ret_id (may be NULL); NULL if id does not exist.
 */
const struct btf_type *btf_skip_modifiers(const struct btf *btf, u32 id, u32 *ret_id);

/*
 * Size in bytes of a value of this type (modifiers and variables are followed). -EINVAL for a type
 * without a size: void, forward, function, tag.
 */
int btf_size_of(const struct btf *btf, u32 id, u32 *ret_size);

/* As btf_size_of(), and says what sized type was found behind modifiers: the kernel's
 * btf_type_id_size(). */
const struct btf_type *btf_sized_type(const struct btf *btf, u32 *id, u32 *ret_size);

/* A type's kind as the verifier's log names it: "INT", "PTR", …, "UNKNOWN". */
const char *btf_kind_text(const struct btf_type *type);

/* A member of a struct or union by name; anonymous members are not searched. NULL: no such member.
 */
const struct btf_member *btf_find_member(const struct btf *btf, const struct btf_type *type,
					 const char *name);

/*
 * Where the member path of the structure of this name lies: a name, or names with dots for nested
 * ones; anonymous members are searched. false: there is no such member.
 */
bool btf_find_path(const struct btf *btf, const char *structure, const char *path,
		   u32 *ret_bit_offset, u32 *ret_bits);

/* The prototype of a type of kind FUNC; NULL for any other. */
const struct btf_type *btf_func_proto(const struct btf *btf, u32 func_id);

/* Linkage of a function (enum btf_func_linkage), or -EINVAL if id is no function. */
int btf_func_linkage(const struct btf *btf, u32 func_id);

/* Parts of a type's info word and what follows it in memory. */
static inline u32 btf_kind_of(const struct btf_type *type)
{
	return BTF_INFO_KIND(type->info);
}

static inline u32 btf_vlen_of(const struct btf_type *type)
{
	return BTF_INFO_VLEN(type->info);
}

static inline bool btf_kflag_of(const struct btf_type *type)
{
	return BTF_INFO_KFLAG(type->info);
}

/* Does type->size mean anything? */
static inline bool btf_has_size(const struct btf_type *type)
{
	switch (btf_kind_of(type)) {
	case BTF_KIND_INT:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_FLOAT:
	case BTF_KIND_DATASEC: return true;
	default: return false;
	}
}

static inline u32 btf_int_data(const struct btf_type *type)
{
	return *(const u32 *)(type + 1);
}

static inline const struct btf_array *btf_array_of(const struct btf_type *type)
{
	return (const struct btf_array *)(type + 1);
}

static inline const struct btf_member *btf_members_of(const struct btf_type *type)
{
	return (const struct btf_member *)(type + 1);
}

static inline const struct btf_param *btf_params_of(const struct btf_type *type)
{
	return (const struct btf_param *)(type + 1);
}

static inline const struct btf_enum *btf_enums_of(const struct btf_type *type)
{
	return (const struct btf_enum *)(type + 1);
}

static inline const struct btf_var_secinfo *btf_secinfos_of(const struct btf_type *type)
{
	return (const struct btf_var_secinfo *)(type + 1);
}

/* Offset of a member in bits, and the width of a bit field (0: none). */
static inline u32 btf_member_offset(const struct btf_type *type, const struct btf_member *member)
{
	return btf_kflag_of(type) ? BTF_MEMBER_BIT_OFFSET(member->offset) : member->offset;
}

static inline u32 btf_member_bits(const struct btf_type *type, const struct btf_member *member)
{
	return btf_kflag_of(type) ? BTF_MEMBER_BITFIELD_SIZE(member->offset) : 0;
}

#endif
