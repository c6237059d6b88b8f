/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which attributes BPF_MAP_CREATE takes for which map type, and in which order it looks at them.
 */
#ifndef SKEP_SYS_MAP_RULES_H
#define SKEP_SYS_MAP_RULES_H

#include "sys/hive.h"

/* Each function gives 0 or the kernel's -errno. */
struct map_rules {
	int (*check)(const union abi_attr *attr); /* map_alloc_check(); NULL: it has none */
	/* What is looked at in allocating, after everything else; or NULL. */
	int (*check_last)(const union abi_attr *attr);
	/* The BTF types of keys (NULL: none is given) and values. NULL: a key type is needed, and
	 * nothing else is looked at. */
	int (*check_btf)(const union abi_attr *attr, const struct btf *btf,
			 const struct btf_type *key, const struct btf_type *value);
};

/* NULL: there are no maps of this type here. */
const struct map_rules *sys_map_rules(u32 type);

/* May values of such a map have a field of this kind (BTF_FIELD_*)? */
bool sys_map_may_have(u32 kind, u32 map_type);

/* Is a certain NUMA node asked for? */
bool sys_map_wants_node(const union abi_attr *attr);

bool sys_map_is_lru(u32 type);

#endif
