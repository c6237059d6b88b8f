/* SPDX-License-Identifier: BSD-2-Clause */
/* The command that runs while programs are attached: forked early, executed when everything is in
 * place. */
#ifndef SKEP_CLI_WORKLOAD_H
#define SKEP_CLI_WORKLOAD_H

#include <stdbool.h>
#include <sys/types.h>

struct workload {
	pid_t pid;
	int go;	     /* writing end of a pipe: a byte starts the command, closing ends the child */
	int signals; /* signalfd: SIGCHLD, and what people send to end us */
	long long asked_ms; /* when the first signal of the latter kind came; 0: none did */
	bool ended;
	int status; /* of waitpid(2), once ended */
};

/*
 * Forks the child that will execute argv. From here on SIGINT, SIGTERM, SIGHUP and SIGCHLD arrive
 * at workload->signals. 0 or -errno.
 */
int workload_prepare(struct workload *workload, char *const argv[]);

/* Lets it execute. */
void workload_start(struct workload *workload);

/*
 * Handles what has arrived at workload->signals: notes the end of the command; passes on the first
 * signal that asks us to end (unless it came from the terminal, which gives it to the command too)
 * and kills at the second.
 */
void workload_signals(struct workload *workload);

/* Ends a child that was never started. */
void workload_cancel(struct workload *workload);

#endif
