/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside src/sys: maps of type struct_ops. Such a map is one structure of functions; filling it, or
 * linking it, registers it with its subsystem. No socket of a hive uses what is registered; the
 * life of the objects is the kernel's.
 */
#ifndef SKEP_SYS_STRUCT_OPS_H
#define SKEP_SYS_STRUCT_OPS_H

#include "rt/elem.h"
#include "sys/hive.h"

/* What a map of this type needs: 0, -ENOTSUPP, -EINVAL, -ENOMEM. */
int sys_struct_ops_new(struct sys_call *call, struct sys_map *map);
/* Takes one without. */
void sys_struct_ops_free(struct sys_map *map);

/* A command on its one element, key and value in elem's rooms. */
long sys_struct_ops_elem(struct sys_call *call, struct sys_map *map, struct rt_elem *elem);

/* The hive ends: nothing stays registered. */
void sys_struct_ops_end(struct sys_hive *hive);

/* LINK_CREATE, LINK_UPDATE and LINK_DETACH of such maps; sys_struct_ops_unlink() when it goes. */
long sys_struct_ops_link(struct sys_call *call);
long sys_struct_ops_update(struct sys_call *call, struct sys_link *link);
void sys_struct_ops_unlink(struct sys_link *link);

#endif
