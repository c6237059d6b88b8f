/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that are attached to a function: one of the kernel's BTF (fentry, fexit, fmod_ret, LSM),
 * or one of another program (fentry, fexit, and extensions, which replace it).
 */
#ifndef SKEP_VERIFY_BTF_TARGET_H
#define SKEP_VERIFY_BTF_TARGET_H

#include "verify/env.h"

/*
 * The function that attach_btf_id names: type is it, name its name. 0 or -errno; afterwards
 * env->attach_proto is what the context follows (NULL: five numbers).
 */
int btf_target_check(struct verify_env *env, const struct btf_type *type, const char *name);

/* As the kernel's log words them: "FENTRY/FEXIT" programs of which the target is no kernel
 * function. */
int btf_target_find(struct verify_env *env, const char *name, u32 *ret_func);

/* Does the extension's main function have the prototype of the one that it replaces? */
int btf_extension_check(struct verify_env *env, const struct btf_type *type);

/* What an LSM hook may return; false: anything. */
bool btf_target_lsm_range(const struct verify_env *env, struct ret_range *range);
/* Are the pointers that the hook passes always valid? */
bool btf_target_lsm_trusted(const char *name);

/* Does it run where one may sleep? */
bool btf_target_lsm_may_sleep(const char *name);

/* The structure of the kernel's BTF that programs of this type get as their context, or 0. */
u32 btf_target_kernel_ctx(const struct btf *btf, u32 prog_type);

#endif
