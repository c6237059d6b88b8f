/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The running kernel as the judge of verdicts and logs.
 */
#ifndef SKEP_TESTS_VERIFY_ORACLE_H
#define SKEP_TESTS_VERIFY_ORACLE_H

#include "case.h"

#define ORACLE_LOG_MAX (16u << 20)

struct text {
	char *text; /* ORACLE_LOG_MAX bytes */
	u64 length;
};

/* Makes the test maps in the kernel; false if it takes no programs from us. */
struct btf;

bool oracle_open(void);

/* Loads the program of a case (its text is not looked at). Verdict, and the log of this level. */
int oracle_skep(const struct verify_case *c, const struct bpf_insn *insns, u32 nr, u32 level,
		struct text *log);
int oracle_kernel(const struct verify_case *c, const struct bpf_insn *insns, u32 nr, u32 level,
		  struct text *log);

/* Are the logs the same, addresses and the kernel's private lines apart? Says where they part. */
bool oracle_same(struct text *ours, struct text *kernel, bool show_logs);

/* The running kernel's BTF; NULL if it shows none. */
const struct btf *oracle_kernel_btf(void);

#endif
