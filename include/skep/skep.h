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

/* An instruction that had to do with a rejection. Strings are never NULL. */
struct skep_cause {
	unsigned insn;	    /* its number in the program */
	const char *text;   /* disassembled */
	const char *value;  /* registers that it uses, as they were; "" where not told */
	const char *source; /* its line of source, "": not known */
	const char *file;
	unsigned line;
};

/* What the verifier took to judge a program, and why it rejected it. */
struct skep_verification {
	size_t sz;	  /* of this structure, as the library knows it */
	const char *name; /* of the program, 15 bytes at most; valid during the call */
	int error;	  /* 0: it was accepted; or -errno */
	unsigned insns;	  /* processed, on all paths */
	unsigned states, peak_states;
	size_t memory; /* bytes, at its most */
	/*
	 * Of a rejection whose program was loaded with a log level: the rejected instruction, then
	 * those that made the values that it was rejected for, the latest first. Valid during the
	 * call; nr_causes may be 0.
	 */
	const struct skep_cause *causes;
	unsigned nr_causes;
};

struct skep_hive_options {
	size_t sz; /* sizeof(struct skep_hive_options) */
	/*
	 * One sentence without newline: a refusal and its reason, a drop, a process that cannot be
	 * entered. May be NULL.
	 */
	void (*message)(void *arg, const char *text);
	void *message_arg;
	/*
	 * NULL, or what skep_hive_open() finds it by: a letter, then letters, digits and "._-", 31
	 * bytes at most. skep_hive_new() gives -EINVAL for another name, -EEXIST if this user has
	 * a living hive of that name, and -EBUSY to a caller who lives in a hive.
	 */
	const char *name;
	/*
	 * NULL, or an absolute path: a directory of the caller's, made if it is not there, in which
	 * pinned maps are kept. They are read when the hive is made and written when pins change,
	 * at the end, and every save_every_s seconds if that is not 0. A file that is not whole
	 * makes skep_hive_new() fail, after a sentence.
	 */
	const char *state;
	unsigned save_every_s;
	/*
	 * NULL for the newest, or the Linux that the hive stands for, one of skep_kernels(): what
	 * is younger (program, map and attach types, commands, helpers, kfuncs, instructions,
	 * fields of contexts) is refused as that one refused it. skep_hive_new() gives -EINVAL for
	 * another.
	 */
	const char *kernel;
	/*
	 * NULL, or called while the hive is served, after each program that the verifier judged.
	 * Not called for a hive that the caller joined or opened: its supervisor is another
	 * process.
	 */
	void (*verified)(void *arg, const struct skep_verification *verification);
	void *verified_arg;
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

/* The kernels that a hive can stand for, oldest first, NULL at the end: "5.4", … Static memory. */
const char *const *skep_kernels(void);

/* Is it a name that a hive can have? */
int skep_hive_name_valid(const char *name);

/*
 * Serves a hive of the caller's own until somebody calls skep_hive_down() or the caller gets
 * SIGINT, SIGTERM or SIGHUP. Then skep_hive_free() ends it.
 */
int skep_hive_stay(struct skep_hive *hive);

/*
 * The living hive of this user with that name, whose supervisor is another process: processes that
 * skep_hive_spawn() and skep_hive_exec() start there share its objects, pins and events with all
 * others. -ENOENT: there is none; -EBUSY: the caller lives in another hive, from which no way leads
 * into this one; -ETIMEDOUT: its supervisor does not answer. skep_hive_free() gives back what the
 * caller holds and does not end the hive.
 */
int skep_hive_open(const char *name, const struct skep_hive_options *opts,
		   struct skep_hive **ret_hive);

/*
 * The calling process, which must have one thread, becomes argv (searched in PATH) in a hive that
 * it opened or lives in: its process id, terminal, descriptors and working directory stay. Returns
 * only on failure, -errno: -EINVAL for a hive of the caller's own; -ECONNREFUSED when the
 * supervisor died. After a failure the caller may live in the hive already, and should end.
 */
int skep_hive_exec(struct skep_hive *hive, char *const argv[], char *const envp[]);

struct skep_hive_info {
	size_t sz;
	const char *name;      /* empty: it has none, and lives as long as a command */
	const char *directory; /* its own; a hive of "skep up" has its messages in the file "log"
				  there */
	int error;	       /* -errno when its supervisor did not answer; then the rest is 0 */
	pid_t pid;	       /* of the supervisor */
	unsigned long long age_ns;
	unsigned processes; /* that were entered, and that the caller may look into */
	unsigned maps, progs, links;
	const char *state; /* as in the options; empty: it keeps nothing */
};

/* Calls each for every living hive of this user until it returns nonzero; returns that. */
int skep_hive_list(int (*each)(void *arg, const struct skep_hive_info *info), void *arg);

/*
 * Ends the hive of that name and waits until its supervisor is gone: -ENOENT, -ETIMEDOUT, and
 * -EPERM for one that nobody serves with skep_hive_stay(). Processes there go on without it; with
 * SKEP_DOWN_KILL those that were entered are killed first. A hive whose state cannot be written
 * stays, and the error is why; with SKEP_DOWN_DISCARD it ends without.
 */
#define SKEP_DOWN_KILL	  1u
#define SKEP_DOWN_DISCARD 2u
int skep_hive_down(const char *name, unsigned flags);

/*
 * Directory that stands for /sys/kernel/tracing, /sys/fs/bpf, … in this hive; valid while it lives.
 * tracing/events and the like come into it when a process of the hive first looks for them.
 */
const char *skep_hive_facade(const struct skep_hive *hive);

const char *skep_version(void);

#ifdef __cplusplus
}
#endif

#endif
