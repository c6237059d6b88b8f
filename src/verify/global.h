/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Global functions: verified once with arguments of which only the types are known, then any call
 * whose arguments have these types is good.
 */
#ifndef SKEP_VERIFY_GLOBAL_H
#define SKEP_VERIFY_GLOBAL_H

#include "verify/env.h"

/* Do the current frame's r1 to r5 fit the prototype? 0 or -errno. */
int global_check_call(struct verify_env *env, u32 subprog);

/*
 * A static function is followed into whatever its prototype says, so that may be wrong: then it is
 * marked unreliable, for those who attach to it.
 */
void global_look_at_call(struct verify_env *env, u32 subprog);

/* The main program's prototype binds nobody; what is odd about it goes to the log. */
void global_look_at_main(struct verify_env *env);

/* Sets up the arguments in frame, for verifying the body. 0 or -errno. */
int global_set_arguments(struct verify_env *env, u32 subprog, struct frame *frame);

#endif
