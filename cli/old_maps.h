/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of old style: structures of numbers in sections "maps" and "maps/…", as libbpf took them
 * before 1.0, and iproute2, gobpf and the kernel's samples did. libbpf now wants them in BTF.
 */
#ifndef SKEP_CLI_OLD_MAPS_H
#define SKEP_CLI_OLD_MAPS_H

#include <stdbool.h>
#include "object_file.h"

/*
 * Makes of the mapped object one that has the same maps in a section .maps, described by BTF; of
 * the object's own BTF what can stay does. An object without such maps, or one in which they are
 * not understood, is left alone. Offsets of sections must have been checked
 * (object_file_problem()).
 */
void old_maps_renew(struct object_file *file);

#endif
