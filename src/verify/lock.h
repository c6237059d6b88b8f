/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spin locks in map values: bpf_spin_lock(), bpf_spin_unlock(), and what may happen between them.
 * Of two pointers to values of one map the id tells whether they are the same value.
 */
#ifndef SKEP_VERIFY_LOCK_H
#define SKEP_VERIFY_LOCK_H

#include "btf/fields.h"
#include "verify/env.h"

/* Does the value that reg points to, or might, hold a lock? Then its id must stay. */
static inline bool reg_may_have_lock(const struct reg *reg)
{
	u32 locks = BTF_FIELD_BIT(BTF_FIELD_SPIN_LOCK) | BTF_FIELD_BIT(BTF_FIELD_RES_SPIN_LOCK);

	return reg_base(reg->type) == PTR_TO_MAP_VALUE && reg->map->fields &&
	       reg->map->fields->kinds & locks;
}

/* The argument of bpf_spin_lock() or, with unlock, bpf_spin_unlock() in regno. 0 or -errno. */
int lock_check_argument(struct verify_env *env, u32 regno, bool unlock);

/* With a lock held: is the call allowed? 0 or -errno. */
int lock_check_call(struct verify_env *env, const struct bpf_insn *insn);

/* May programs of this type have a map with such values? 0 or -errno. */
int lock_check_map(struct verify_env *env, const struct verify_map *map);

#endif
