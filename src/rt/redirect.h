/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_redirect_map(), as net/core/filter.c and kernel/bpf/devmap.c of Linux 6.18 answer it. */
#ifndef SKEP_RT_REDIRECT_H
#define SKEP_RT_REDIRECT_H

#include "rt/map.h"

/* XDP_REDIRECT, what flags say for a key that is not there, or XDP_ABORTED for bad flags. */
u64 rt_redirect_map(const struct rt_map *map, u64 key, u64 flags, struct rt_vcpu *vcpu);

#endif
