/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the verified program to the one that runs.
 */
#ifndef SKEP_VERIFY_FIXUP_H
#define SKEP_VERIFY_FIXUP_H

#include "verify/env.h"

/*
 * Removes code that no path reaches, makes what clients see of the program, and rewrites context
 * accesses; env->insns, env->aux, env->subprog, env->line_info are changed in place. 0 or -errno.
 */
int fixup_program(struct verify_env *env, struct verify_shown *ret_shown);

#endif
