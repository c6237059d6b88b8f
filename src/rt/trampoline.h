/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs on functions of programs: what runs before and after a function (fentry, fexit), or in
 * its place (an extension). A program that has any points to an array of these, one for each of its
 * functions (rt_prog.trampolines); supervisors change it while programs run, so each is read once.
 */
#ifndef SKEP_RT_TRAMPOLINE_H
#define SKEP_RT_TRAMPOLINE_H

#include <linux/bpf.h>
#include "base/types.h"

struct rt_prog;
struct rt_vcpu;

#define RT_TRAMPOLINE_LINKS   38   /* BPF_MAX_TRAMP_LINKS: 38 programs on a function at most */
#define RT_TRAMPOLINE_ARGS    12   /* MAX_BPF_FUNC_ARGS */
#define RT_TRAMPOLINE_NR_ARGS (-1) /* place of the number of arguments in the context */
#define RT_TRAMPOLINE_IP      (-2) /* ... and of the function's address */

struct rt_trampoline_link {
	const struct rt_prog *prog;
	u64 cookie;
};

/* In the control segment; never changed once it is published. */
struct rt_trampoline {
	const struct rt_prog *extension; /* runs in the function's place; NULL: the function does */
	u64 ip;				 /* what the function is called at, for programs to see */
	u32 nr_args;
	u32 hides_ctx; /* the first argument is a context, of which there is no kernel's form */
	u32 nr_entry, nr_modify, nr_exit;
	/* fentry, then fmod_ret, then fexit, each in the order in which they run. */
	struct rt_trampoline_link links[RT_TRAMPOLINE_LINKS];
};

/* The function that they are on: what it does with its arguments. */
typedef u64 (*rt_traced_fn)(void *arg, const u64 *args);

/* Runs what is on a function, and the function. */
u64 rt_trampoline_run(const struct rt_trampoline *trampoline, struct rt_vcpu *vcpu, const u64 *args,
		      rt_traced_fn function, void *arg);

#endif
