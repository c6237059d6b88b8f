/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helper functions as the engines call them. The table is indexed by helper number (enum
 * bpf_func_id); NULL means that the data plane does not have it, and then the verifier (by
 * src/abi's table) never lets a call to it through.
 */
#ifndef SKEP_RT_HELPER_H
#define SKEP_RT_HELPER_H

#include "base/types.h"

struct rt_vcpu;

typedef u64 (*rt_helper_fn)(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5, struct rt_vcpu *vcpu);

#define RT_HELPER_MAX 256

extern const rt_helper_fn rt_helpers[RT_HELPER_MAX];

/*
 * Copies that never fault (rt/access.c): 0, or -EFAULT with the destination's rest zeroed. "user"
 * means the current task's memory (vcpu->task), "kernel" what the modelled kernel shows programs:
 * the arena. The str forms copy up to a NUL and return the length with it.
 */
long rt_read_user(struct rt_vcpu *vcpu, void *dst, u64 size, u64 user_address);
long rt_read_user_str(struct rt_vcpu *vcpu, void *dst, u64 size, u64 user_address);
long rt_read_kernel(struct rt_vcpu *vcpu, void *dst, u64 size, u64 address);
long rt_read_kernel_str(struct rt_vcpu *vcpu, void *dst, u64 size, u64 address);
/*
 * The same of the task whose struct task_struct is at image: that of an iterator, or the current
 * one; -EFAULT for any other. -EFAULT leaves the destination alone.
 */
long rt_read_task(struct rt_vcpu *vcpu, u64 image, void *dst, u64 size, u64 user_address);
long rt_read_task_str(struct rt_vcpu *vcpu, u64 image, void *dst, u64 size, u64 user_address);
/* The memory of the process that the program runs in, whoever the task is. */
long rt_read_own(void *dst, u64 size, u64 address);
/* bpf_probe_read(), _str(): whichever of the two the address belongs to. */
long rt_read_any(struct rt_vcpu *vcpu, void *dst, u64 size, u64 address);
long rt_read_any_str(struct rt_vcpu *vcpu, void *dst, u64 size, u64 address);
/* -EFAULT also for any address in the arena. */
long rt_write_user(struct rt_vcpu *vcpu, u64 user_address, const void *src, u64 size);

/* Signals that bpf_send_signal() and its like have noted in a vCPU, now sent to the task. */
struct rt_task;
void rt_signals_send(const struct rt_task *task, const u8 *signals, u32 nr);

/*
 * The exception table: where execution goes on when the instruction at ip in the data plane faults.
 * Returns 0 when ip is not one of those that may fault. The agent's SIGSEGV/SIGBUS handler asks it.
 */
u64 rt_exception_fixup(u64 ip);

/*
 * bpf_trace_printk's and bpf_snprintf's formatter (kernel/bpf/helpers.c bpf_bprintf_prepare and
 * lib/vsprintf.c). Returns the length that the whole text has, including the NUL, or -errno.
 */
long rt_format(char *out, u32 out_size, const char *fmt, u32 fmt_size, const u64 *args, u32 nr_args,
	       struct rt_vcpu *vcpu);

#endif
