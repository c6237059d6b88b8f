/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate's part in entering processes: telling the hook module of executions before they happen,
 * and of what wait(2) says about the threads it traces.
 */
#ifndef SKEP_GATE_EXEC_H
#define SKEP_GATE_EXEC_H

#include <sys/types.h>
#include "base/types.h"

struct gate;

#define EXEC_PENDING_MAX 256

/* Executions that were let go on and have neither succeeded nor failed yet. */
struct exec_pending {
	u32 nr;
	pid_t tids[EXEC_PENDING_MAX];
};

/* Thread tid is about to execute a program: its call is notified and not answered yet. */
void exec_begin(struct gate *gate, pid_t tid);

/*
 * Thread tid makes a system call. If it was about to execute a program, and has not, then that has
 * failed and the hook module lets the thread go.
 */
void exec_check(struct gate *gate, pid_t tid);

/* Takes every status that wait(2) has. */
void exec_collect(struct gate *gate);

#endif
