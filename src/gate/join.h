/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entering a hive whose supervisor is another process: the caller puts itself under the hive's
 * filter and hands the listener over.
 */
#ifndef SKEP_GATE_JOIN_H
#define SKEP_GATE_JOIN_H

#include <sys/types.h>
#include "gate/control.h"
#include "gate/program.h"

/* Asks the supervisor of the hive in path about it: 0 or -errno. */
int join_ask(const char *path, struct control_answer *ret_answer);

/* Asks it to end and waits until it has; CONTROL_DISCARD in flags. 0 or -errno. */
int join_down(const char *path, u32 flags);

/*
 * The calling process becomes program in the hive that answer describes; GATE_SPAWN_CLIENT in
 * flags. Returns only on failure, -errno: *ret_entered tells whether the process lives in the hive
 * by then, and can do nothing better than to end. Makes system calls only.
 */
int join_execute(const struct control_answer *answer, const struct program *program, unsigned flags,
		 bool *ret_entered);

/*
 * Writes the processes that have the hive's arena mapped, supervisor and keeper excepted, as far as
 * there is room; returns how many there are.
 */
u32 join_processes(const struct control_answer *answer, pid_t *ret_pids, u32 nr_pids);

#endif
