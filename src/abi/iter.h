/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Targets of BPF iterators: what a program of attach type BPF_TRACE_ITER walks over. It names its
 * target by the kernel function bpf_iter_TARGET, whose parameters are the program's context. The
 * kernel's source of a row is the target's `struct bpf_iter_reg`.
 */
#ifndef SKEP_ABI_ITER_H
#define SKEP_ABI_ITER_H

#include "base/types.h"

#define ABI_ITER_PREFIX	  "bpf_iter_"
#define ABI_ITER_ARGS_MAX 4

enum abi_iter_arg {
	ABI_ITER_PLAIN,	  /* what a tracepoint's argument would be: a number, a valid pointer */
	ABI_ITER_OBJECT,  /* a pointer that is null at the end of the walk */
	ABI_ITER_TRUSTED, /* the same, trusted */
	ABI_ITER_RDONLY,  /* a buffer, null at the end: its size is known when a link is made */
	ABI_ITER_RDWR,
};

enum abi_iter_walk {
	ABI_WALK_BPF_MAP,
	ABI_WALK_BPF_PROG,
	ABI_WALK_BPF_LINK,
	ABI_WALK_BPF_MAP_ELEM,
	ABI_WALK_TASK,
	ABI_WALK_TASK_FILE,
	ABI_WALK_TASK_VMA,
	ABI_WALK_OTHERS, /* those that a hive does not have */
};

struct abi_iter_target {
	const char *target;
	u8 id;			   /* enum abi_iter_walk */
	u8 arg[ABI_ITER_ARGS_MAX]; /* enum abi_iter_arg */
	bool may_sleep;		   /* its programs may be sleepable (BPF_ITER_RESCHED) */
	bool has_options;	   /* ... and ask for and set options of sockets */
};

/* The row of a target by its function's name (bpf_iter_task), NULL if there is none. */
const struct abi_iter_target *abi_iter_find(const char *function);

#endif
