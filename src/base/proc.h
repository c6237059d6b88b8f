/* SPDX-License-Identifier: BSD-2-Clause */
/* What /proc tells of a process. */
#ifndef SKEP_BASE_PROC_H
#define SKEP_BASE_PROC_H

#include <stddef.h>

#include "base/types.h"

/* Reads the beginning of /proc/PID/name into text, which has room bytes, and ends it with a zero.
 * How many there are; 0: the process is not there, or not to be seen. */
size_t base_read_proc(u32 pid, const char *name, char *text, size_t room);

/* When the process or thread began, in ticks of the clock that runs during sleep. False: it is not
 * there, or not to be seen. */
bool base_start_ticks(u32 pid, u64 *ret_ticks);

/* The CPU where the thread runs, or ran last. False as above. */
bool base_last_cpu(u32 tid, u32 *ret_cpu);

#endif
