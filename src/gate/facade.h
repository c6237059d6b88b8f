/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The façade's files: what stands in the hive's directory for tracefs, bpffs and the few files of
 * sysfs that clients read (agent/facade.h has the rules by which their paths get there).
 */
#ifndef SKEP_GATE_FACADE_H
#define SKEP_GATE_FACADE_H

#include "base/types.h"

/*
 * Makes everything below directory except the FIFOs of tracing/. nr_cpus is what clients see as
 * possible and online. What never changes is shared with the user's other hives (facade_cache.c). 0
 * or -errno.
 */
int facade_make(const char *directory, u32 nr_cpus);

/*
 * Gives directory dir_fd what is the same in every hive, in the user's cache: links to it where
 * names begin in links, or copies where there is no cache directory.
 */
int facade_link_constants(int dir_fd, u32 nr_cpus);

/* Writes all of it below dir_fd. */
int facade_write_constants(int dir_fd, u32 nr_cpus);

/* A hash of all that facade_write_constants() writes. */
u64 facade_hash_constants(u32 nr_cpus);

#endif
