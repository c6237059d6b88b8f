/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks of the current task's user code, by frame pointers, and the maps in which they are kept
 * (BPF_MAP_TYPE_STACK_TRACE). The results are those of kernel/bpf/stackmap.c of Linux 6.18.
 */
#ifndef SKEP_RT_STACK_H
#define SKEP_RT_STACK_H

#include "rt/map.h"
#include "rt/vcpu.h"

#define RT_STACK_DEPTH_MAX 127 /* kernel.perf_event_max_stack, as it is by default */

/*
 * Return addresses of the current task, innermost first, the first being where it is: their number,
 * at most max, or -EFAULT when the event did not come from user code.
 */
long rt_stack_of_user(struct rt_vcpu *vcpu, u64 *ips, u32 max);

/*
 * Keeps a stack of nr addresses (1 … as many as the map's values hold): its number, or -EEXIST,
 * -ENOMEM, -EBUSY. flags: BPF_F_FAST_STACK_CMP, BPF_F_REUSE_STACKID.
 */
long rt_stack_store(const struct rt_map *map, const u64 *ips, u32 nr, u64 flags,
		    struct rt_vcpu *vcpu);

/* As many addresses as one value of the map holds. */
u32 rt_stack_depth(const struct rt_map *map);

#endif
