/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate: serves the processes of a hive. Owns the seccomp filter and its listener, object
 * descriptors in clients, the façade's files, trace_pipe, and the supervisor's loop.
 */
#ifndef SKEP_GATE_GATE_H
#define SKEP_GATE_GATE_H

#include <sys/types.h>
#include "base/types.h"

struct arena;
struct hook;
struct sys_hive;
struct gate;

struct gate_options {
	struct arena *arena;
	struct hook *hook;
	struct sys_hive *sys;
	const char *name;  /* NULL: none */
	const char *state; /* directory, NULL: nothing is kept */
	u32 save_every_s;
	void (*message)(void *arg, const char *text);
	void *message_arg;
};

int gate_new(const struct gate_options *options, struct gate **ret_gate);
struct gate *gate_free(struct gate *gate);

/* See skep_hive_spawn() and skep_hive_serve(). */
#define GATE_SPAWN_CLIENT 1u /* SKEP_SPAWN_CLIENT */
pid_t gate_spawn(struct gate *gate, char *const argv[], char *const envp[], unsigned flags);
int gate_serve(struct gate *gate, pid_t pid, int *ret_status);
/* Serves until CONTROL_DOWN or a signal of the set says that it is enough. */
void gate_stay(struct gate *gate);
const char *gate_facade_dir(const struct gate *gate);

#endif
