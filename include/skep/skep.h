/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libskep: hives. A hive is one arena, one supervisor (the calling process) and one tree of
 * processes in which bpf(2) works and events fire.
 *
 * Functions return 0 or a positive value on success and -errno on failure. The library does not
 * print, does not exit and installs no signal handler; sentences for people go to the message
 * callback.
 */
#ifndef SKEP_SKEP_H
#define SKEP_SKEP_H

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SKEP_VERSION "0.1.0"

struct skep_hive;

struct skep_hive_options {
	size_t sz; /* sizeof(struct skep_hive_options) */
	/*
	 * One sentence without newline: a refusal and its reason, a drop, a process that cannot be
	 * entered. May be NULL.
	 */
	void (*message)(void *arg, const char *text);
	void *message_arg;
};

/* Makes a hive. opts may be NULL. One hive a process. */
int skep_hive_new(const struct skep_hive_options *opts, struct skep_hive **ret_hive);

/* Ends it: workloads that still run go on without it. Takes NULL, returns NULL. */
struct skep_hive *skep_hive_free(struct skep_hive *hive);

/*
 * Starts argv in the hive (searched in PATH, environment envp or the caller's when NULL) with the
 * caller's standard descriptors. Returns its process id, or -ENOENT, -EACCES, … when it cannot be
 * executed. Flags: SKEP_SPAWN_CLIENT: no events fire for this process itself (its children are
 * traced as usual).
 */
#define SKEP_SPAWN_CLIENT 1u
pid_t skep_hive_spawn(struct skep_hive *hive, char *const argv[], char *const envp[],
		      unsigned flags);

/*
 * Serves the hive until process pid has ended (its wait status goes to *ret_status); -EINTR when a
 * signal of the set {SIGINT, SIGTERM, SIGHUP} was sent to the caller twice. The first one is passed
 * on to pid, and those of the terminal reach the tree by themselves, so that it ends in order.
 * Between skep_hive_new() and skep_hive_free() these signals and SIGCHLD are blocked in the calling
 * thread, and the library takes the wait statuses of all children of the process. All functions on
 * a hive are called by one thread.
 */
int skep_hive_serve(struct skep_hive *hive, pid_t pid, int *ret_status);

/* Directory that stands for /sys/kernel/tracing, /sys/fs/bpf, … in this hive; valid while it lives.
 */
const char *skep_hive_facade(const struct skep_hive *hive);

const char *skep_version(void);

#ifdef __cplusplus
}
#endif

#endif
