/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The façade's files: what stands in the hive's directory for tracefs, bpffs and the few files of
 * sysfs that clients read (agent/facade.h has the rules by which their paths get there).
 */
#ifndef SKEP_GATE_FACADE_H
#define SKEP_GATE_FACADE_H

#include "base/types.h"

/*
 * Makes the hive's own files below directory, except the FIFOs of tracing/. nr_cpus is what clients
 * see as possible and online. 0 or -errno.
 */
int facade_make(const char *directory, u32 nr_cpus);

/*
 * Gives directory what is the same in every hive: links to it where it is in the user's cache, or
 * copies where there is no cache directory (facade_cache.c). Most processes never look there, so
 * this is done when the first one does.
 */
int facade_link_constants(const char *directory);

/* Writes all of it below dir_fd. */
int facade_write_constants(int dir_fd);

/* A hash of all that facade_write_constants() writes. */
u64 facade_hash_constants(void);

#endif
