/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the declaration tags of a global function say about its arguments: "arg:ctx", "arg:nonnull",
 * "arg:nullable", "arg:trusted", "arg:untrusted" and "arg:arena" (libbpf's __arg_ctx and so on).
 */
#ifndef SKEP_VERIFY_GLOBAL_TAGS_H
#define SKEP_VERIFY_GLOBAL_TAGS_H

#include "verify/env.h"

#define GLOBAL_TAG_CTX	     1u
#define GLOBAL_TAG_NONNULL   2u
#define GLOBAL_TAG_NULLABLE  4u
#define GLOBAL_TAG_TRUSTED   8u
#define GLOBAL_TAG_UNTRUSTED 16u
#define GLOBAL_TAG_ARENA     32u

/* The tags of argument arg of the function. 0 or -errno with a message: tags that are not known. */
int global_tags(struct verify_env *env, struct subprog *subprog, u32 arg, u32 *ret_tags);

/* An argument tagged as context, a pointer to type pointee: is that a type for it? 0 or -EINVAL. */
int global_tagged_ctx(struct verify_env *env, const struct btf *btf, u32 arg, u32 pointee);

/* An argument tagged as (un)trusted: the kernel's structure of the pointee's name. 0 or -errno. */
int global_kernel_type(struct verify_env *env, struct subprog *subprog, u32 arg, u32 pointee,
		       u32 *ret_btf_id);

/* Does a static function have tagged arguments, which tags have no meaning for? Says so. */
bool global_tags_on_static(struct verify_env *env, struct subprog *subprog);

#endif
