/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loops of each subprogram's control flow: its strongly connected components of more than one
 * instruction, or of one that follows itself. Numbered as the kernel's verifier does since 6.16,
 * which prints the numbers.
 */
#ifndef SKEP_VERIFY_SCC_H
#define SKEP_VERIFY_SCC_H

#include "verify/env.h"

/* Sets scc of each instruction's aux, and how many there are. 0 or -ENOMEM. */
int scc_find(struct verify_env *env);

#endif
