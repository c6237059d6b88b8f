/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads through a pointer to a map (CONST_PTR_TO_MAP): to a program it points to the kernel's
 * structure of the map's type, of which it may read every member. A map's descriptor carries such a
 * structure (verify_input.map_image).
 */
#ifndef SKEP_VERIFY_MAP_PTR_H
#define SKEP_VERIFY_MAP_PTR_H

#include "verify/env.h"

/* An access through regno at off; value as in mem_access(). 0 or -errno. */
int map_ptr_access(struct verify_env *env, u32 regno, int off, int size, bool write, int value);

#endif
