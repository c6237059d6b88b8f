/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rejection as data: which instruction, which values, and by walking the path backwards the
 * instructions that made them so. The log says what the kernel says; this is what a person asks
 * next.
 */
#ifndef SKEP_VERIFY_DIAGNOSE_H
#define SKEP_VERIFY_DIAGNOSE_H

#include "verify/env.h"

/* The current instruction was refused with err; what was said about it begins at pos of the log. */
void diagnose_insn(struct verify_env *env, int err, u64 pos);

/* The program was refused, perhaps not for an instruction: keeps the last line of the log, if
 * nothing is known yet. */
void diagnose_program(struct verify_env *env);

#endif
