/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types of objects that programs allocate: what the data plane is told of a program's structures.
 */
#ifndef SKEP_SYS_OBJECT_TYPE_H
#define SKEP_SYS_OBJECT_TYPE_H

#include "sys/hive.h"

struct btf_field;
struct rt_map_field;

#define SYS_OBJECT_NO_NODE UINT32_MAX

/*
 * The number of the structure id of a program's BTF (RT_OBJECT_ARG_TYPE of rt/object.h), with the
 * node of its collection at node_offset, or none. 0: there is no room in the arena. It stays while
 * the BTF does.
 */
u32 sys_object_type(struct sys_hive *hive, const struct btf *btf, u32 id, u32 node_offset);

/* A special field of a value, as the data plane has it. False: there is no room in the arena. */
bool sys_object_field(struct sys_hive *hive, const struct btf_field *field,
		      struct rt_map_field *ret_field);

/* The BTF goes. */
void sys_object_types_forget(struct sys_hive *hive, const struct btf *btf);

/* The hive ends: there are no programs and maps any more. */
void sys_object_heap_end(struct sys_hive *hive);

#endif
