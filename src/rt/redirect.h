/* SPDX-License-Identifier: BSD-2-Clause */
/* Where packets go by a map, as net/core/filter.c and kernel/bpf/devmap.c of Linux 6.18 answer it.
 */
#ifndef SKEP_RT_REDIRECT_H
#define SKEP_RT_REDIRECT_H

#include "rt/map.h"

/* XDP_REDIRECT, what flags say for a key that is not there, or XDP_ABORTED for bad flags. */
u64 rt_redirect_map(const struct rt_map *map, u64 key, u64 flags, struct rt_vcpu *vcpu);

/*
 * Messages and packets to a socket of a map of sockets (net/core/sock_map.c): SK_PASS if it may be
 * sent to, SK_DROP. message: of a sk_msg program.
 */
u64 rt_sock_redirect(const struct rt_map *map, const void *key, u64 flags, bool message,
		     struct rt_vcpu *vcpu);

/* The number by which a map of sockets knows one, which is described in control. */
u64 rt_sock_number(const void *sock);

#endif
