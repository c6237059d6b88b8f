/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside src/sys: what the families of PROG_TEST_RUN share (test_run.c has it). */
#ifndef SKEP_SYS_TEST_RUN_H
#define SKEP_SYS_TEST_RUN_H

#include "abi/context.h"
#include "sys/hive.h"

#define TEST_PAGE	4096u
#define TEST_ETH_HEADER 14u
#define TEST_TAILROOM	320u /* SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) */

/* What goes back to the client as data: two pieces behind each other. */
struct test_data {
	const void *data, *frags;
	u32 size, frags_size;
};

/*
 * Runs prog attr.test.repeat times (0 means once) for the client's task; retval and duration (the
 * average time in ns) go into attr. -EINTR, with a sentence, when it took too long.
 */
int test_run(struct sys_call *call, struct sys_prog *prog, const void *ctx);

/* A vCPU for the client's task with a limit on its time; NULL: all are taken. */
struct rt_vcpu *test_vcpu_begin(struct sys_call *call);
/* Gives it back; true if a loop had to be ended. */
bool test_vcpu_end(struct rt_vcpu *vcpu);

/* What else belongs to a run. */
struct test_how {
	void (*begin)(void *ctx); /* comes before each run; NULL: nothing */
	rt_service_fn service;	  /* answers what helpers ask of the supervisor; NULL: nobody */
	void *service_arg;
	const struct abi_rt_skb *skb; /* of a netfilter program */
};

int test_run_as(struct sys_call *call, struct sys_prog *prog, void *ctx,
		const struct test_how *how);

/*
 * A context of known bytes, if the client gives (its tail beyond known must be zero) or wants one:
 * *ret_given. ctx is zeroed first. 0, -E2BIG, -EFAULT.
 */
int test_ctx_init(struct sys_call *call, void *ctx, u32 known, bool *ret_given);

/*
 * What helpers tell of a socket that a program is run with: a cookie of its own, the client's
 * cgroup and the network namespace.
 */
void test_sock_init(struct sys_call *call, struct abi_rt_sock *sock);

/* Hands data, sizes, retval and duration back: 0, -EFAULT, -ENOSPC when the room was too small. */
int test_finish(struct sys_call *call, const struct test_data *data);

/* Hands the context back, if the client wants it: 0, -EFAULT, -ENOSPC. */
int test_ctx_finish(struct sys_call *call, const void *ctx, u32 size);

/*
 * The client's data from offset on, as fragments with room for the last one to grow; to be freed,
 * also on failure. 0, -EFAULT, -ENOMEM (also for more fragments than the kernel has).
 */
#define TEST_FRAGS_MAX (17u * TEST_PAGE) /* MAX_SKB_FRAGS */
int test_read_frags(struct sys_call *call, u32 offset, void **ret_frags, u32 *ret_size);

/* The families: results of the command. */
long test_run_skb(struct sys_call *call, struct sys_prog *prog);
long test_run_xdp(struct sys_call *call, struct sys_prog *prog);
long test_run_function(struct sys_call *call, struct sys_prog *prog);
long test_run_struct_ops(struct sys_call *call, struct sys_prog *prog);
long test_run_hook(struct sys_call *call, struct sys_prog *prog);
long test_run_syscall(struct sys_call *call, struct sys_prog *prog);
long test_run_ctx(struct sys_call *call, struct sys_prog *prog);
long test_run_flow_dissector(struct sys_call *call, struct sys_prog *prog);
long test_run_netfilter(struct sys_call *call, struct sys_prog *prog);
long test_run_sk_lookup(struct sys_call *call, struct sys_prog *prog);

#endif
