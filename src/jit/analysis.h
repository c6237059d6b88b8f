/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the compiler finds out before it emits anything: the functions and what each needs, where
 * jumps go, and which map a register holds the address of at a call.
 */
#ifndef SKEP_JIT_ANALYSIS_H
#define SKEP_JIT_ANALYSIS_H

#include "base/types.h"
#include "jit/jit.h"

struct analysis_function {
	u32 start, end;
	u32 saved;	 /* mask of r6 to r9 that it writes */
	bool may_goto;	 /* it has a loop budget */
	bool tail_calls; /* ... and calls bpf_tail_call() */
};

struct analysis {
	struct analysis_function *functions;
	u32 nr_functions;
	u32 *maps;   /* by instruction, of calls: the map in r1, as an index into the input's + 1 */
	bool *parts; /* by instruction: is it the second half of a ld_imm64? */
	bool tail_calls; /* some function does */
};

/* 0, -ENOMEM or -EOPNOTSUPP with *ret_refusal. */
int analysis_run(const struct jit_input *input, struct analysis *ret_analysis,
		 const char **ret_refusal);
void analysis_done(struct analysis *analysis);

#endif
