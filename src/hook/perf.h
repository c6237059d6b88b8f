/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Perf event objects: tracepoints that programs attach to, and buffers that programs write to.
 */
#ifndef SKEP_HOOK_PERF_H
#define SKEP_HOOK_PERF_H

#include "hook/hook.h"

/* Why an event of the catalogue cannot fire, as a sentence; valid until the next call. */
const char *hook_refusal(const struct hook_event *event);

/* A perf event takes one program: claims its place, false if it is taken; and gives it back. */
bool hook_perf_claim(struct object *perf, u32 prog_id);
void hook_perf_unclaim(struct object *perf);

/* See struct sys_attach_ops. */
int hook_perf_target(void *arg, struct object *perf, void **ret_target);
int hook_perf_info(void *arg, struct object *perf, struct sys_perf_info *ret_info);

#endif
