/* SPDX-License-Identifier: BSD-2-Clause */
/* Which helper takes maps of which types. */
#ifndef SKEP_VERIFY_MAP_USE_H
#define SKEP_VERIFY_MAP_USE_H

#include "verify/env.h"

/* May this helper (name without "bpf_") be given map (NULL: none)? 0, or -EINVAL with the reason.
 */
int check_map_use(struct verify_env *env, const struct verify_map *map, const char *name,
		  u32 func_id);

#endif
