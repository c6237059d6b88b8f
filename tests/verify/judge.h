/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two judges of a generated program: the running kernel and skep's verifier, with the same maps.
 */
#ifndef SKEP_TESTS_VERIFY_JUDGE_H
#define SKEP_TESTS_VERIFY_JUDGE_H

#include "verify/generate.h"
#include "verify/verify.h"

struct verdict {
	int error;     /* 0 accepted, else the positive errno */
	u32 processed; /* instructions, from the log's last line; 0 if it has none */
	char why[256]; /* the log's last line but the count */
	char *log;     /* whole, when asked for; owned by the judge, valid until its next verdict */
};

/* Opens the maps in the kernel: 0 or -errno. Without them only skep can judge. */
int judge_open_kernel_maps(int *ret_fds);

/* log_level as in bpf_attr; at 0 only the error is filled. */
void judge_by_kernel(const struct gen_program *program, const int *map_fds, u32 log_level,
		     struct verdict *ret_verdict);

/* As in struct verify_input. */
struct judge_options {
	void (*observe)(void *arg, u32 insn_idx, const struct vstate *state);
	void *observe_arg;
	bool all_precise, all_paths, no_widening;
	u32 max_insns;
};

/* options may be NULL. Map "descriptors" are 1000 + index. */
void judge_by_skep(const struct gen_program *program, u32 log_level,
		   const struct judge_options *options, struct verdict *ret_verdict);

#endif
