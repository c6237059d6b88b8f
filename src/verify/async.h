/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions that a program leaves behind to be called later, by a timer or a work queue in a map's
 * value. Such a callback is an entry of its own: it is explored from a fresh state, for each place
 * that sets it, and nothing of the setter's path is known there.
 */
#ifndef SKEP_VERIFY_ASYNC_H
#define SKEP_VERIFY_ASYNC_H

#include "btf/fields.h"
#include "verify/env.h"

/* Does this helper (func_id), or the call at instruction i, take a function that is called later?
 */
bool async_is_helper(s32 func_id);
bool async_is_call(const struct verify_env *env, u32 i);

/* Does a value of this map hold anything whose callbacks are given the map? */
static inline bool async_in_map(const struct verify_map *map)
{
	return map->fields && map->fields->kinds & (BTF_FIELD_BIT(BTF_FIELD_TIMER) |
						    BTF_FIELD_BIT(BTF_FIELD_WORKQUEUE) |
						    BTF_FIELD_BIT(BTF_FIELD_TASK_WORK));
}

/*
 * regno points to a map's value or an object: does it, at a known offset, point to its field of
 * this kind? 0 or -EINVAL.
 */
int field_check_place(struct verify_env *env, u32 regno, enum btf_field_kind kind);

/*
 * The second argument of an initialisation is the map that the first one's value is in. what:
 * "timer", "workqueue". 0 or -EINVAL.
 */
int async_check_same_map(struct verify_env *env, const struct verify_map *map, u32 uid, u32 regno,
			 const char *what);

/* Has the callback of a field explored later; it may sleep or not. map: the field's. 0 or -errno.
 */
int async_push(struct verify_env *env, const struct verify_map *map, u32 uid, u32 subprog,
	       bool sleepable);

#endif
