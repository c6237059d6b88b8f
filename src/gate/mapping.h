/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that a process has mapped. A mapping keeps its object as a descriptor does, but nobody
 * says when it goes: munmap(2) is the process's own. So of objects without descriptors it is looked
 * up, now and then, whether the process still has their memory mapped.
 */
#ifndef SKEP_GATE_MAPPING_H
#define SKEP_GATE_MAPPING_H

#include <sys/types.h>
#include "base/types.h"
#include "object/object.h"

struct mapping;

/* The process maps size bytes of the arena from address on. Holds a reference. 0 or -ENOMEM. */
int mapping_add(struct mapping **list, struct object *object, u64 address, u64 size);

/* The process has ended or executes a program. */
void mapping_drop_all(struct mapping **list);

/*
 * Drops those that process pid does not have any more and that nothing but the mapping kept the
 * last time: its agent may not have made yet what was just granted. True: others are to be looked
 * at again.
 */
bool mapping_sweep(struct mapping **list, pid_t pid);

#endif
