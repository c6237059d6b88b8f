/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks in map values and allocated objects: bpf_spin_lock, bpf_res_spin_lock, and what may happen
 * while they are held. Of two pointers to values of one map, or to objects of one BTF, the id tells
 * whether they are the same.
 */
#ifndef SKEP_VERIFY_LOCK_H
#define SKEP_VERIFY_LOCK_H

#include "verify/object.h"

/* Does the value or object that reg points to, or might, hold a lock? Then its id must stay. */
static inline bool reg_may_have_lock(const struct reg *reg)
{
	const struct btf_fields *fields = reg_fields(reg);

	return fields && fields->kinds & BTF_FIELDS_LOCK;
}

/*
 * The argument, in regno, of a call that takes a lock or, with unlock, gives it back; kind is the
 * REFERENCE_*LOCK* that it is then. 0 or -errno.
 */
int lock_check_argument(struct verify_env *env, u32 regno, u32 kind, bool unlock);

/* Is a lock in the value or object that reg points to held? Says what not. */
bool lock_is_held_for(struct verify_env *env, const struct reg *reg);

/* With a lock held: is the call allowed? 0 or -errno. */
int lock_check_call(struct verify_env *env, const struct bpf_insn *insn);

/* May programs of this type have a map with such values? 0 or -errno. */
int lock_check_map(struct verify_env *env, const struct verify_map *map);

#endif
