/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's structures behind maps, which programs may read through a map's pointer: the
 * map_btf_id of each type's struct bpf_map_ops in Linux 6.18. All of them begin with a struct
 * bpf_map.
 */
#ifndef SKEP_ABI_MAP_STRUCT_H
#define SKEP_ABI_MAP_STRUCT_H

#include "base/types.h"

/* Its name; NULL: there is no such type of map. */
const char *abi_map_struct(u32 map_type);

#endif
