/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside src/btf: the object, and the state of one check, which goes through three files in turn:
 * parse.c (header, sections, strings), meta.c (each type by itself), resolve.c (references between
 * types). Nothing may be followed before the step that proves it has run.
 */
#ifndef SKEP_BTF_CHECK_H
#define SKEP_BTF_CHECK_H

#include "btf/btf.h"

/* Facts of the kernel's btf.c. */
#define BTF_RESOLVE_DEPTH_MAX 32
#define BTF_ENOTSUPP	      524

struct btf {
	u8 *memory; /* data, shifted so that the type section is aligned */
	u8 *data;
	u32 size;
	struct btf_header header;
	const char *strings;
	const struct btf_type **types;
	u32 nr_types, types_room;
	/* Of types that refer to others: the type they end at, and an array's size. */
	u32 *resolved_id, *resolved_size;
	u32 *by_name; /* open addressing, ids; 0 is empty */
	u32 by_name_mask;
	struct btf_objects *objects; /* objects.c; NULL: not looked for */
};

/* A declaration tag "contains:…": what a list head or tree root has in it. */
struct btf_contains {
	u32 type;      /* the structure, or the variable */
	s32 component; /* the member, -1 for a variable */
	u32 tag;       /* id of the tag */
};

struct btf_object {
	u32 id;
	struct btf_fields *fields;
};

struct btf_objects {
	const struct btf *kernel; /* NULL: not needed, or it cannot be had */
	struct btf_contains *contains;
	u32 nr_contains;
	struct btf_object *object; /* by id */
	u32 nr;
};

struct btf_fields;

/* Takes NULL. */
void btf_objects_free(struct btf_objects *objects);

/* A tagged pointer: the kind of special field that it is (enum btf_field_kind), -1: none, or
 * -errno. */
int btf_pointer_field(const struct btf *btf, const struct btf_type *type, u32 *ret_pointee);

/* The tag of a list head or tree root; NULL: there is none, or more than one. */
const char *btf_contains_of(const struct btf *btf, u32 type, s32 component);

enum btf_resolve_mode {
	BTF_RESOLVE_ANY,
	BTF_RESOLVE_POINTER,   /* structs, arrays and functions end the walk */
	BTF_RESOLVE_AGGREGATE, /* pointers end the walk */
};

struct btf_check {
	struct btf *btf;
	const struct btf_log *log;
	u32 log_id;
	bool shape_known; /* meta.c has passed every type and dumped it to the log */
	u8 *visit;
	enum btf_resolve_mode mode;
	u32 depth;
	struct {
		u32 id, next;
	} stack[BTF_RESOLVE_DEPTH_MAX];
};

int btf_check_sections(struct btf_check *check);
int btf_check_metas(struct btf_check *check);
int btf_check_references(struct btf_check *check);
int btf_check_type_tags(struct btf_check *check);

/* May the string be the name of a C object? Up to 511 letters, digits, '_' and '.'. */
bool btf_is_identifier(const struct btf *btf, u32 offset);

/* Name for a log line: never NULL. */
const char *btf_log_name(const struct btf *btf, u32 offset);

/* One piece of text, cut at 1023 characters as the kernel does. */
void btf_say(struct btf_check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* "[id] KIND name details message\n"; format NULL: no message. */
void btf_say_type(struct btf_check *check, const struct btf_type *type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same without details, for a type whose body is not there. */
void btf_say_basic(struct btf_check *check, const struct btf_type *type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void btf_say_member(struct btf_check *check, const struct btf_type *type,
		    const struct btf_member *member, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void btf_say_secinfo(struct btf_check *check, const struct btf_type *type,
		     const struct btf_var_secinfo *secinfo, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static inline bool btf_is_modifier(const struct btf_type *type)
{
	switch (btf_kind_of(type)) {
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG: return true;
	default: return false;
	}
}

static inline bool btf_is_aggregate(const struct btf_type *type)
{
	return btf_kind_of(type) == BTF_KIND_STRUCT || btf_kind_of(type) == BTF_KIND_UNION;
}

/* An integer that a load of 1, 2, 4, 8 or 16 bytes reads whole. Its type's size may be larger. */
static inline bool btf_int_is_regular(const struct btf_type *type)
{
	u32 data = btf_int_data(type), bytes = BTF_INT_BITS(data) / 8;

	return BTF_INT_BITS(data) % 8 == 0 && BTF_INT_OFFSET(data) == 0 && bytes != 0 &&
	       bytes <= 16 && (bytes & (bytes - 1)) == 0;
}

#endif
