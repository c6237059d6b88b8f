/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs see of a map through its pointer: the kernel's structure of its type, in its
 * descriptor (rt_map.image), laid out as the kernel's BTF says. Filled are the members that follow
 * from how the map was made, and whether it is frozen; all others are 0. They are made when a
 * program is loaded that reads one, of all maps there are, and of each map made later.
 */
#ifndef SKEP_SYS_MAP_IMAGE_H
#define SKEP_SYS_MAP_IMAGE_H

#include "sys/hive.h"

/* A program that reads maps was loaded. */
void sys_map_images(struct sys_hive *hive);

/* A map was made, or has been frozen. */
void sys_map_image(struct sys_map *map);

#endif
