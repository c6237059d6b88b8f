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
 * possible and online. 0 or -errno.
 */
int facade_make(const char *directory, u32 nr_cpus);

/*
 * Makes tracing/events and tracing/available_events from the catalogue of src/hook. They are the
 * same for every hive, so they are made once for a user, in the cache directory, and linked;
 * without a cache directory they are made here.
 */
int facade_make_events(int tracing_fd);

#endif
