/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that programs allocate (MEM_ALLOC), and pointers that are kept in map values and objects
 * (kptrs). An object belongs to whoever holds its reference: the program, a map value, a list, a
 * tree. Where it lies no process can be kept from writing: what the verifier proves of an object is
 * where it is and how large, never what is in it; the data plane looks at each pointer that it
 * takes out of shared memory (rt/object.h).
 */
#ifndef SKEP_VERIFY_OBJECT_H
#define SKEP_VERIFY_OBJECT_H

#include "btf/fields.h"
#include "verify/env.h"

/* A pointer to an allocated object, owned or not. */
static inline bool reg_is_object(const struct reg *reg)
{
	return reg_base(reg->type) == PTR_TO_BTF_ID && reg->type & MEM_ALLOC;
}

/* The special fields of the map value or object that reg points to; NULL: none. */
static inline const struct btf_fields *reg_fields(const struct reg *reg)
{
	if (reg_base(reg->type) == PTR_TO_MAP_VALUE)
		return reg->map->fields;
	return reg_is_object(reg) ? btf_fields_of_object(reg->btf, reg->btf_id) : NULL;
}

/* The field of one of the kinds (a set) at offset; NULL: none. */
const struct btf_field *fields_at(const struct btf_fields *fields, s64 offset, u32 kinds);

/* Is the field's pointee an object of a program? */
static inline bool field_is_local(const struct btf_field *field)
{
	return btf_is_program(field->btf);
}

/*
 * A load or store of size bytes through regno that touches a map value's kptr at field, as
 * mem_access() has it. 0 or -errno.
 */
int kptr_access(struct verify_env *env, const struct btf_field *field, bool write, int value);

/* May the pointer in regno be kept in field? 0 or -EINVAL. */
int kptr_match(struct verify_env *env, const struct btf_field *field, u32 regno);

/* The destination of bpf_kptr_xchg() in regno: 0 and the field that it is, or -errno. */
int kptr_check_destination(struct verify_env *env, u32 regno, const struct btf_field **ret_field);

/* What bpf_kptr_xchg() makes of the reference that it is given. 0, or -EINVAL: it is not held. */
int kptr_give_away(struct verify_env *env, u32 ref_id);

/* Nothing that is only owned by a collection is known any more: its lock is given back. */
void object_forget_unowned(struct verify_env *env);

/*
 * The type of the objects that the instruction at env->insn_idx loads, takes or gives (btf NULL:
 * none), and where in them the node of its collection is: the data plane is told. 0, or -EINVAL
 * when not all paths agree on it.
 */
#define OBJECT_NO_NODE UINT32_MAX
#define OBJECT_PERCPU  (UINT32_MAX - 1) /* there is no node, and one object for each CPU */
int object_note_type(struct verify_env *env, const struct btf *btf, u32 id, u32 node_offset);

/* The same for an instruction that takes objects of any types: what it needs stands with them. */
void object_note_any(struct verify_env *env, const struct btf *btf, u32 id);

/* Tells the accepted instruction i, which is about objects, their type. 0 or -errno. */
int object_fix(struct verify_env *env, u32 i);

#endif
