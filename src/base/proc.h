/* SPDX-License-Identifier: BSD-2-Clause */
/* What /proc tells of a process. */
#ifndef SKEP_BASE_PROC_H
#define SKEP_BASE_PROC_H

#include "base/types.h"

/* When the process or thread began, in ticks of the clock that runs during sleep. False: it is not
 * there, or not to be seen. */
bool base_start_ticks(u32 pid, u64 *ret_ticks);

/* The CPU where the thread runs, or ran last. False as above. */
bool base_last_cpu(u32 tid, u32 *ret_cpu);

#endif
