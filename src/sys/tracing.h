/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside src/sys: programs attached to functions (tracing.c), and the kernel's functions that run.
 */
#ifndef SKEP_SYS_TRACING_H
#define SKEP_SYS_TRACING_H

#include "rt/trampoline.h"
#include "sys/hive.h"

/* A function with what is attached to it; lives as long as anything is. */
struct sys_function;

/*
 * Attaches prog (fentry, fexit, fmod_ret, LSM, extension) to the function that it was loaded for,
 * or to function btf_id of the program behind target_fd: bpf_tracing_prog_attach(). A descriptor or
 * -errno.
 */
long sys_tracing_attach(struct sys_call *call, struct sys_prog *prog, u32 target_fd, u32 btf_id,
			u64 cookie, u32 attach_type);

/* A link of it goes. */
void sys_tracing_detach(struct sys_link *link);

/* What programs of other programs' functions are told of their target's parts, before the load. */
void sys_tracing_target(const struct sys_prog *target, bool extends,
			struct verify_target *ret_target);

/* Object and type that a tracing link is on, for its info. */
void sys_tracing_place(const struct sys_link *link, u32 *ret_object_id, u32 *ret_btf_id);

/* A test function of the kernel as programs see it: NULL if nothing is attached to it. */
const struct rt_trampoline *sys_tracing_of_kernel(struct sys_hive *hive, u32 btf_id);

/* test_run_tracing.c: is it one of the kernel's functions that test runs call? */
bool sys_test_function(const char *name);

#endif
