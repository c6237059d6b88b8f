/* SPDX-License-Identifier: BSD-2-Clause */
/* What execwatch.bpf.c sends and execwatch.c prints. */
#ifndef EXECWATCH_H
#define EXECWATCH_H

enum execwatch_kind { EXECWATCH_EXEC = 1, EXECWATCH_EXIT };

struct execwatch_event {
	unsigned int kind; /* enum execwatch_kind */
	unsigned int pid;
	unsigned long long time_ns; /* CLOCK_MONOTONIC */
	char comm[16];
	char filename[128]; /* of an exec */
};

#endif
