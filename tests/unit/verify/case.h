/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One program and what becomes of it. Programs are in the assembler's syntax (isa/asm.h); map_fd N
 * means the test map number N of maps.c. Each case runs on skep's verifier against its expectation,
 * and, where the running kernel takes programs, on both with the whole log compared.
 */
#ifndef SKEP_TESTS_VERIFY_CASE_H
#define SKEP_TESTS_VERIFY_CASE_H

#include <linux/bpf.h>
#include "base/types.h"
#include "verify/verify.h"

/* Tables leave out the fields that most cases do not need. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

enum test_map {
	MAP_HASH,    /* 4 → 8 bytes, 16 entries */
	MAP_ARRAY,   /* 4 → 48 bytes, 4 entries */
	MAP_RINGBUF, /* 4096 bytes */
	MAP_PERF,
	MAP_PROGS,	    /* 4 programs */
	MAP_PERCPU_ARRAY,   /* 4 → 8 bytes, 4 entries */
	MAP_FROZEN,	    /* read-only and frozen: one value of 32 bytes, "n=%d\n" and numbers */
	MAP_SINGLE,	    /* one value of 64 bytes, for direct access */
	MAP_PROG_READ_ONLY, /* BPF_F_RDONLY_PROG, 8 bytes */
	MAP_PROG_WRITE_ONLY,
	MAP_PERCPU_HASH, /* 8 → 16 bytes */
	MAP_FROZEN_TWO,	 /* read-only and frozen: two values, the first as above */
	MAP_LOCKED,	 /* array, 4 → 16 bytes, 4 entries: a number, then a bpf_spin_lock at 8 */
	MAP_TIMER,	 /* hash, 4 → 24 bytes: a number, then a bpf_timer at 8 */
	MAP_WORKQUEUE,	 /* array, 4 → 24 bytes: a number, then a bpf_wq at 8 */
	MAP_SOCKMAP,	 /* 4 entries */
	MAP_SOCKHASH,	 /* 4 → a socket, 4 entries */
	NR_TEST_MAPS
};

#define CASE_NOT_GPL	  1u
#define CASE_STRICT	  2u
#define CASE_OURS	  4u /* skep refuses what the kernel takes, or the other way round, with reason */
#define CASE_STATE_FREQ	  8u
#define CASE_LONG	  16u /* the level 2 log is too long */
#define CASE_OWN_LOG	  32u /* same verdict; our log has a reason to differ */
/* With BTF: every function is static and returns an int; type 6 is a structure of two pointers. */
#define CASE_BTF	  64u
#define CASE_SLEEPABLE	  128u
#define CASE_ATTACH(type) ((u32)(type) << 16) /* expected_attach_type */

struct verify_case {
	const char *name;
	u32 prog_type;
	const char *text;
	int err;	     /* 0: accepted */
	const char *message; /* must be in the level 2 log; NULL: any */
	u32 flags;
	/*
	 * Programs of type tracing: the tracepoint, or an iterator (iter/NAME). Any text may say
	 * {struct.member} for an offset and {kfunc:name} for a function's id.
	 */
	const char *tracepoint;
};

/* Descriptions of the test maps for the verifier. */
const struct verify_map *test_map(u32 index);
/* The same maps in the running kernel: descriptors. 0 or -errno. */
int test_maps_in_kernel(int fds[NR_TEST_MAPS]);

/* The tables, each ended by a case without name. */
extern const struct verify_case cases_structure[], cases_alu[], cases_jump[], cases_stack[],
	cases_memory[], cases_helper[], cases_call[], cases_context[], cases_loop[], cases_btf[],
	cases_socket[], cases_kfunc[], cases_dynptr[], cases_iter[], cases_lock[], cases_async[],
	cases_kernel_object[];

#endif
