/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What slots.c and iter.c share: finding, marking and clearing the slots of an object.
 */
#ifndef SKEP_VERIFY_SLOT_OBJECT_H
#define SKEP_VERIFY_SLOT_OBJECT_H

#include "verify/env.h"

/*
 * The first slot (that of the lowest address) of an object of nr_slots slots at reg. -EINVAL with a
 * message that calls it `what`, or -ERANGE where the frame has no slots yet.
 */
int slot_object_find(struct verify_env *env, const struct reg *reg, const char *what, u32 nr_slots);

/* The slots from slot on up to higher addresses. */
void slot_object_mark(struct verify_env *env, struct frame *frame, u32 slot, u32 nr_slots,
		      const struct reg *object, u8 kind);
void slot_object_clear(struct verify_env *env, struct frame *frame, u32 slot, u32 nr_slots);

/* Room for an object through regno: the call writes it. 0 or -errno. */
int slot_object_prepare(struct verify_env *env, u32 regno, u32 nr_slots);

#endif
