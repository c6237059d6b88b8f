/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's structures behind the contexts of test runs (bpf_cast_to_kern_ctx()): images, laid
 * out by the kernel's BTF, of what the context and its packet say. All else in them is 0; what is
 * written to the context afterwards shows when a program asks again.
 */
#ifndef SKEP_SYS_CONTEXT_IMAGE_H
#define SKEP_SYS_CONTEXT_IMAGE_H

#include "base/types.h"

/* The offset of an skb's header that nobody has looked for. */
#define CONTEXT_NO_HEADER 0xffffu

struct model;

/* A rt_cast_fn whose argument is the hive. */
u64 context_image(void *hive, u32 prog_type, const void *ctx);

/* The loopback as a struct net_device; NULL as of model_object(). */
void *context_device(struct model *model);

#endif
