/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the declaration tags of a global function say about its arguments: "arg:ctx" and
 * "arg:nonnull" (libbpf's __arg_ctx and __arg_nonnull).
 */
#ifndef SKEP_VERIFY_GLOBAL_TAGS_H
#define SKEP_VERIFY_GLOBAL_TAGS_H

#include "verify/env.h"

#define GLOBAL_TAG_CTX	   1u
#define GLOBAL_TAG_NONNULL 2u

/* The tags of argument arg of the function. 0 or -errno with a message: tags that are not known. */
int global_tags(struct verify_env *env, struct subprog *subprog, u32 arg, u32 *ret_tags);

/* An argument tagged as context, a pointer to type pointee: is that a type for it? 0 or -EINVAL. */
int global_tagged_ctx(struct verify_env *env, const struct btf *btf, u32 arg, u32 pointee);

#endif
