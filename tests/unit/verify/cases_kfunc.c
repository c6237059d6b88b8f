/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases: calls of kernel functions, sections, open-coded iterators.
 */
#include "case.h"

#include <errno.h>

#include "abi/bpf_new.h"
#include "abi/context.h"

#define TRACEPOINT BPF_PROG_TYPE_TRACEPOINT
#define KPROBE	   BPF_PROG_TYPE_KPROBE
#define STRUCT_OPS BPF_PROG_TYPE_STRUCT_OPS
#define XDP	   BPF_PROG_TYPE_XDP
#define CLS	   BPF_PROG_TYPE_SCHED_CLS
#define SOCKET	   BPF_PROG_TYPE_SOCKET_FILTER
#define NETFILTER  CASE_ATTACH(ABI_NETFILTER)

/* clang-format off */
const struct verify_case cases_kfunc[] = {
	{ "kfunc: rcu section", TRACEPOINT, "call kernel-function#{kfunc:bpf_rcu_read_lock}\ncall kernel-function#{kfunc:bpf_rcu_read_unlock}\nr0 = 0\nexit", 0, NULL, 0 },
	{ "kfunc: rcu not left", TRACEPOINT, "call kernel-function#{kfunc:bpf_rcu_read_lock}\nr0 = 0\nexit", -EINVAL, "BPF_EXIT instruction in main prog cannot be used inside bpf_rcu_read_lock-ed region", 0 },
	{ "kfunc: rcu nested", TRACEPOINT, "call kernel-function#{kfunc:bpf_rcu_read_lock}\ncall kernel-function#{kfunc:bpf_rcu_read_lock}\ncall kernel-function#{kfunc:bpf_rcu_read_unlock}\nr0 = 0\nexit", -EINVAL, "nested rcu read lock", 0 },
	{ "kfunc: rcu not entered", TRACEPOINT, "call kernel-function#{kfunc:bpf_rcu_read_unlock}\nr0 = 0\nexit", -EINVAL, "unmatched rcu read unlock (kernel function bpf_rcu_read_unlock)", 0 },
	{ "kfunc: preemption off twice", TRACEPOINT, "call kernel-function#{kfunc:bpf_preempt_disable}\ncall kernel-function#{kfunc:bpf_preempt_disable}\ncall kernel-function#{kfunc:bpf_preempt_enable}\ncall kernel-function#{kfunc:bpf_preempt_enable}\nr0 = 0\nexit", 0, NULL, 0 },
	{ "kfunc: preemption left off", TRACEPOINT, "call kernel-function#{kfunc:bpf_preempt_disable}\ncall kernel-function#{kfunc:bpf_preempt_disable}\ncall kernel-function#{kfunc:bpf_preempt_enable}\nr0 = 0\nexit", -EINVAL, "bpf_preempt_disable-ed region", 0 },
	{ "kfunc: preemption not off", TRACEPOINT, "call kernel-function#{kfunc:bpf_preempt_enable}\nr0 = 0\nexit", -EINVAL, "unmatched attempt to enable preemption", 0 },
	{ "kfunc: interrupts off", TRACEPOINT, "r1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_local_irq_save}\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_local_irq_restore}\nr0 = 0\nexit", 0, NULL, 0 },
	{ "kfunc: interrupts off twice", TRACEPOINT, "r1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_local_irq_save}\nr1 = r10\nr1 += -16\ncall kernel-function#{kfunc:bpf_local_irq_save}\nr1 = r10\nr1 += -16\ncall kernel-function#{kfunc:bpf_local_irq_restore}\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_local_irq_restore}\nr0 = 0\nexit", 0, NULL, 0 },
	{ "kfunc: interrupts restored out of order", TRACEPOINT, "r1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_local_irq_save}\nr1 = r10\nr1 += -16\ncall kernel-function#{kfunc:bpf_local_irq_save}\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_local_irq_restore}\nr1 = r10\nr1 += -16\ncall kernel-function#{kfunc:bpf_local_irq_restore}\nr0 = 0\nexit", -EACCES, "cannot restore irq state out of order", 0 },
	{ "kfunc: interrupts left off", TRACEPOINT, "r1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_local_irq_save}\nr0 = 0\nexit", -EINVAL, "bpf_local_irq_save-ed region", 0 },
	{ "kfunc: interrupts saved over a saved state", TRACEPOINT, "r1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_local_irq_save}\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_local_irq_save}\nr0 = 0\nexit", -EINVAL, "expected uninitialized irq flag as arg#0", 0 },
	{ "kfunc: interrupts restored from nothing", TRACEPOINT, "r1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_local_irq_restore}\nr0 = 0\nexit", -EINVAL, "expected an initialized irq flag as arg#0", 0 },
	{ "kfunc: saved state overwritten", TRACEPOINT, "r1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_local_irq_save}\n*(u64 *)(r10 -8) = 1\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_local_irq_restore}\nr0 = 0\nexit", -EINVAL, "expected an initialized irq flag", 0 },
	{ "kfunc: saved state read", TRACEPOINT, "r1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_local_irq_save}\nr0 = *(u64 *)(r10 -8)\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_local_irq_restore}\nr0 = 0\nexit", -EACCES, "invalid read from stack", 0 },
	{ "kfunc: strings", TRACEPOINT, "*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -8\nr2 = r1\ncall kernel-function#{kfunc:bpf_strcmp}\nr6 = r0\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_strlen}\nr0 += r6\nexit", 0, NULL, 0 },
	{ "kfunc: strings of any number", TRACEPOINT, "r1 = 5\nr2 = 7\ncall kernel-function#{kfunc:bpf_strcmp}\nexit", 0, NULL, 0 },
	{ "kfunc: strings of nothing", TRACEPOINT, "r3 = r1\ncall kernel-function#{kfunc:bpf_strlen}\nexit", 0, NULL, 0 },
	{ "kfunc: a number that is a pointer", TRACEPOINT, "r1 = r10\nr2 = r10\nr3 = r10\ncall kernel-function#{kfunc:bpf_strnchr}\nexit", -EINVAL, "R2 is not a scalar", 0 },
	{ "kfunc: sleeps", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = 8\nr3 = 0\nr4 = 0\ncall kernel-function#{kfunc:bpf_copy_from_user_str}\nr0 = 0\nexit", -EACCES, "program must be sleepable to call sleepable kfunc bpf_copy_from_user_str", 0 },
	{ "kfunc: a sleeping one in a program that sleeps", KPROBE, "r1 = r10\nr1 += -8\nr2 = 8\nr3 = 0\nr4 = 0\ncall kernel-function#{kfunc:bpf_copy_from_user_str}\nr0 = 0\nexit", 0, NULL, CASE_SLEEPABLE },
	{ "kfunc: memory too short", KPROBE, "r1 = r10\nr1 += -8\nr2 = 16\nr3 = 0\nr4 = 0\ncall kernel-function#{kfunc:bpf_copy_from_user_str}\nr0 = 0\nexit", -EINVAL, "memory, len pair leads to invalid memory access", CASE_SLEEPABLE },
	{ "kfunc: a sleeping one in an RCU section", KPROBE, "call kernel-function#{kfunc:bpf_rcu_read_lock}\nr1 = r10\nr1 += -8\nr2 = 8\nr3 = 0\nr4 = 0\ncall kernel-function#{kfunc:bpf_copy_from_user_str}\ncall kernel-function#{kfunc:bpf_rcu_read_unlock}\nr0 = 0\nexit", -EACCES, "kernel func bpf_copy_from_user_str is sleepable within rcu_read_lock region", CASE_SLEEPABLE },
	{ "kfunc: one of the kernel's that is not here", XDP, "r1 = 1\ncall kernel-function#{kfunc:bpf_sock_destroy}\nr0 = 0\nexit", -EACCES, "user space has no such function: sockets of the kernel cannot be changed from outside of their process", CASE_OURS },
	{ "kfunc: not for this type", SOCKET, "r2 = 0\nr3 = r10\nr3 += -16\ncall kernel-function#{kfunc:bpf_dynptr_from_xdp}\nr0 = 0\nexit", -EACCES, "calling kernel function bpf_dynptr_from_xdp is not allowed", 0 },
	{ "kfunc: not GPL", TRACEPOINT, "call kernel-function#{kfunc:bpf_rcu_read_lock}\ncall kernel-function#{kfunc:bpf_rcu_read_unlock}\nr0 = 0\nexit", -EINVAL, "cannot call kernel function from non-GPL compatible program", CASE_NOT_GPL },
	{ "kfunc: no function", TRACEPOINT, "call kernel-function#1\nr0 = 0\nexit", -EINVAL, "kernel btf_id 1 is not a function", 0 },
	{ "kfunc: dead call of none", TRACEPOINT, "r0 = 0\nif r0 == 0x0 goto pc+1\ncall kernel-function#0\nexit", 0, NULL, 0 },
	{ "kfunc: call of none", TRACEPOINT, "call kernel-function#0\nr0 = 0\nexit", -EINVAL, "invalid kernel function call not eliminated in verifier pass", CASE_OWN_LOG },
	{ "cast: to a structure", TRACEPOINT, "r2 = *(u64 *)(r1 +8)\nr1 = r2\nr2 = {kstruct:task_struct}\ncall kernel-function#{kfunc:bpf_rdonly_cast}\nr0 = *(u32 *)(r0 +{task_struct.pid})\nexit", 0, NULL, 0 },
	{ "cast: to a number", TRACEPOINT, "r2 = {kfunc:bpf_rcu_read_lock}\ncall kernel-function#{kfunc:bpf_rdonly_cast}\nr0 = 0\nexit", -EINVAL, "kfunc bpf_rdonly_cast type ID argument must be of a struct or void", 0 },
	{ "cast: to void", TRACEPOINT, "r2 = 0\ncall kernel-function#{kfunc:bpf_rdonly_cast}\nr0 = *(u64 *)(r0 +8)\nexit", 0, NULL, 0 },
	{ "cast: to an unknown type", TRACEPOINT, "r2 = *(u64 *)(r1 +8)\ncall kernel-function#{kfunc:bpf_rdonly_cast}\nr0 = 0\nexit", -EINVAL, "R2 must be a known constant", 0 },
	{ "cast: written through", TRACEPOINT, "r2 = {kstruct:task_struct}\ncall kernel-function#{kfunc:bpf_rdonly_cast}\n*(u64 *)(r0 +8) = 0\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "iter: loop", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_next}\nif r0 == 0x0 goto pc+1\ngoto pc-5\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\nr0 = 0\nexit", 0, NULL, 0 },
	{ "iter: loop that sums", TRACEPOINT, "r6 = 0\nr1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_next}\nif r0 == 0x0 goto pc+3\nr1 = *(s32 *)(r0 +0)\nr6 += r1\ngoto pc-7\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\nr0 = r6\nexit", 0, NULL, 0 },
	{ "iter: index of an array", TRACEPOINT, "r6 = 0\nr1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_next}\nif r0 == 0x0 goto pc+8\nr1 = *(u32 *)(r0 +0)\nif r1 > 0x3 goto pc-6\nr1 <<= 3\nr2 = map_value 7 + 0\nr2 += r1\n*(u64 *)(r2 +0) = 1\ngoto pc-12\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\nr0 = r6\nexit", 0, NULL, 0 },
	{ "iter: an index that turns out to matter late", TRACEPOINT, "call bpf_get_prandom_u32#7\nr6 = r0\nr7 = 0\nr1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall kernel-function#{kfunc:bpf_iter_num_new}\nnext:\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_next}\nif r0 == 0x0 goto out\nif r6 != 0x2a goto use\nr7 = 4096\ncall bpf_get_prandom_u32#7\nr6 = r0\ngoto next\nuse:\nr1 = map_value 7 + 0\nr1 += r7\n*(u64 *)(r1 +0) = 1\ncall bpf_get_prandom_u32#7\nr6 = r0\ngoto next\nout:\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\nr0 = 0\nexit", -EINVAL, "math between map_value pointer and register with unbounded min value", 0 },
	{ "iter: not destroyed", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr0 = 0\nexit", -EINVAL, "Unreleased reference id=1 alloc_insn=4", 0 },
	{ "iter: next on nothing", TRACEPOINT, "r1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_next}\nr0 = 0\nexit", -EINVAL, "expected an initialized iter_num as arg #0", 0 },
	{ "iter: destroy on nothing", TRACEPOINT, "r1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\nr0 = 0\nexit", -EINVAL, "expected an initialized iter_num as arg #0", 0 },
	{ "iter: new twice", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\nr0 = 0\nexit", -EINVAL, "expected uninitialized iter_num as arg #0", 0 },
	{ "iter: state overwritten", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall kernel-function#{kfunc:bpf_iter_num_new}\n*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\nr0 = 0\nexit", -EINVAL, "expected an initialized iter_num", 0 },
	{ "iter: state read", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr0 = *(u64 *)(r10 -8)\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\nr0 = 0\nexit", -EACCES, "invalid read from stack off -8+0 size 8", 0 },
	{ "iter: not at a slot", TRACEPOINT, "r1 = r10\nr1 += -12\nr2 = 0\nr3 = 1\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr0 = 0\nexit", -EINVAL, "cannot pass in iter at an offset=-12", 0 },
	{ "iter: not on the stack", TRACEPOINT, "r1 = map_value 7 + 0\nr2 = 0\nr3 = 1\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr0 = 0\nexit", -EINVAL, "arg#0 expected pointer to an iterator on stack", 0 },
	{ "iter: element not checked", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_next}\nr0 = *(u32 *)(r0 +0)\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\nr0 = 0\nexit", -EACCES, "invalid mem access 'scalar'", 0 },
	{ "iter: element written", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_next}\nif r0 == 0x0 goto pc+1\n*(u32 *)(r0 +0) = 1\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\nr0 = 0\nexit", -EACCES, "R0 cannot write into rdonly_mem", 0 },
	{ "iter: element beyond its size", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_next}\nif r0 == 0x0 goto pc+1\nr1 = *(u64 *)(r0 +0)\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\nr0 = 0\nexit", -EACCES, "invalid access to memory, mem_size=4 off=0 size=8", 0 },
	{ "iter: element after the end", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = 0\nr3 = 10\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_next}\nr6 = r0\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\nif r6 == 0x0 goto pc+1\nr0 = *(u32 *)(r6 +0)\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "iter: nested", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = 0\nr3 = 3\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_next}\nif r0 == 0x0 goto pc+14\nr1 = r10\nr1 += -16\nr2 = 0\nr3 = 5\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr1 = r10\nr1 += -16\ncall kernel-function#{kfunc:bpf_iter_num_next}\nif r0 == 0x0 goto pc+1\ngoto pc-5\nr1 = r10\nr1 += -16\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\ngoto pc-18\nr1 = r10\nr1 += -8\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\nr0 = 0\nexit", 0, NULL, 0 },
	{ "iter: bits", TRACEPOINT, "*(u64 *)(r10 -8) = 5\nr1 = r10\nr1 += -24\nr2 = r10\nr2 += -8\nr3 = 1\ncall kernel-function#{kfunc:bpf_iter_bits_new}\nr1 = r10\nr1 += -24\ncall kernel-function#{kfunc:bpf_iter_bits_next}\nif r0 == 0x0 goto pc+1\ngoto pc-5\nr1 = r10\nr1 += -24\ncall kernel-function#{kfunc:bpf_iter_bits_destroy}\nr0 = 0\nexit", 0, NULL, 0 },
	{ "iter: bits as numbers", TRACEPOINT, "*(u64 *)(r10 -8) = 5\nr1 = r10\nr1 += -24\nr2 = r10\nr2 += -8\nr3 = 1\ncall kernel-function#{kfunc:bpf_iter_bits_new}\nr1 = r10\nr1 += -24\ncall kernel-function#{kfunc:bpf_iter_num_next}\nr0 = 0\nexit", -EINVAL, "expected an initialized iter_num", 0 },
	{ "iter: bits need two slots", TRACEPOINT, "r1 = r10\nr1 += -8\nr2 = r10\nr3 = 1\ncall kernel-function#{kfunc:bpf_iter_bits_new}\nr0 = 0\nexit", -EINVAL, "cannot pass in iter at an offset=-8", 0 },
	{ "throw: at once", TRACEPOINT, "r1 = 7\ncall kernel-function#{kfunc:bpf_throw}\nr0 = 0\nexit", 0, NULL, 0 },
	{ "throw: in a branch", TRACEPOINT, "r6 = *(u64 *)(r1 +8)\nif r6 == 0x0 goto pc+2\nr1 = 7\ncall kernel-function#{kfunc:bpf_throw}\nr0 = 0\nexit", 0, NULL, 0 },
	{ "throw: out of a function", CLS, "call pc+2\nr0 += 1\nexit\nr1 = 7\ncall kernel-function#{kfunc:bpf_throw}\nr0 = 2\nexit", 0, NULL, CASE_BTF },
	{ "throw: a pointer", TRACEPOINT, "r1 = r10\ncall kernel-function#{kfunc:bpf_throw}\nr0 = 0\nexit", -EINVAL, "R1 is not a scalar", 0 },
	{ "throw: the result of a cgroup program", BPF_PROG_TYPE_CGROUP_SKB, "r1 = 1\ncall kernel-function#{kfunc:bpf_throw}\nr0 = 0\nexit", 0, NULL, 0 },
	{ "throw: not a result of a cgroup program", BPF_PROG_TYPE_CGROUP_SKB, "r1 = 2\ncall kernel-function#{kfunc:bpf_throw}\nr0 = 0\nexit", -EINVAL, "At program exit the register R1 has smin=2 smax=2 should have been in [0, 1]", 0 },
	{ "throw: with a record", TRACEPOINT, "r1 = map_fd 2\nr2 = 8\nr3 = 0\ncall bpf_ringbuf_reserve#131\nif r0 == 0x0 goto pc+2\nr1 = 7\ncall kernel-function#{kfunc:bpf_throw}\nr0 = 0\nexit", -EINVAL, "bpf_throw would lead to reference leak", 0 },
	{ "throw: in an RCU section", TRACEPOINT, "call kernel-function#{kfunc:bpf_rcu_read_lock}\nr1 = 7\ncall kernel-function#{kfunc:bpf_throw}\nr0 = 0\nexit", -EINVAL, "bpf_throw cannot be used inside bpf_rcu_read_lock-ed region", 0 },
	{ "throw: in a function, with a record of its caller", TRACEPOINT, "r1 = map_fd 2\nr2 = 8\nr3 = 0\ncall bpf_ringbuf_reserve#131\nr6 = r0\nif r6 == 0x0 goto pc+4\ncall pc+5\nr1 = r6\nr2 = 0\ncall bpf_ringbuf_submit#132\nr0 = 0\nexit\nr1 = 7\ncall kernel-function#{kfunc:bpf_throw}\nr0 = 0\nexit", -EINVAL, "bpf_throw would lead to reference leak", CASE_BTF },
	{ "throw: not for this type", SOCKET, "r1 = 7\ncall kernel-function#{kfunc:bpf_throw}\nr0 = 0\nexit", -EACCES, "calling kernel function bpf_throw is not allowed", 0 },
	{ "netfilter: dynptr of the packet", ABI_PROG_TYPE_NETFILTER, "r1 = *(u64 *)(r1 +8)\nr2 = 0\nr3 = r10\nr3 += -16\ncall kernel-function#{kfunc:bpf_dynptr_from_skb}\nr0 = 0\nexit", 0, NULL, NETFILTER },
	{ "netfilter: dynptr of the context", ABI_PROG_TYPE_NETFILTER, "r2 = 0\nr3 = r10\nr3 += -16\ncall kernel-function#{kfunc:bpf_dynptr_from_skb}\nr0 = 0\nexit", -EINVAL, NULL, NETFILTER },
	{ "netfilter: dynptr of the state", ABI_PROG_TYPE_NETFILTER, "r1 = *(u64 *)(r1 +0)\nr2 = 0\nr3 = r10\nr3 += -16\ncall kernel-function#{kfunc:bpf_dynptr_from_skb}\nr0 = 0\nexit", -EINVAL, NULL, NETFILTER },
	{ "netfilter: dynptr of a number", ABI_PROG_TYPE_NETFILTER, "r1 = 7\nr2 = 0\nr3 = r10\nr3 += -16\ncall kernel-function#{kfunc:bpf_dynptr_from_skb}\nr0 = 0\nexit", -EINVAL, NULL, NETFILTER },
	{ "netfilter: dynptr of nothing", ABI_PROG_TYPE_NETFILTER, "r1 = 0\nr2 = 0\nr3 = r10\nr3 += -16\ncall kernel-function#{kfunc:bpf_dynptr_from_skb}\nr0 = 0\nexit", -EACCES, NULL, NETFILTER },
	{ "netfilter: dynptr of another packet", ABI_PROG_TYPE_NETFILTER, "r1 = *(u64 *)(r1 +8)\nr1 = *(u64 *)(r1 +{sk_buff.next})\nr2 = 0\nr3 = r10\nr3 += -16\ncall kernel-function#{kfunc:bpf_dynptr_from_skb}\nr0 = 0\nexit", -EINVAL, NULL, NETFILTER },
	{ "netfilter: dynptr of the packet's device", ABI_PROG_TYPE_NETFILTER, "r1 = *(u64 *)(r1 +8)\nr1 = *(u64 *)(r1 +{sk_buff.dev})\nr2 = 0\nr3 = r10\nr3 += -16\ncall kernel-function#{kfunc:bpf_dynptr_from_skb}\nr0 = 0\nexit", -EINVAL, NULL, NETFILTER },
	{ "netfilter: dynptr in the packet", ABI_PROG_TYPE_NETFILTER, "r1 = *(u64 *)(r1 +8)\nr1 += 8\nr2 = 0\nr3 = r10\nr3 += -16\ncall kernel-function#{kfunc:bpf_dynptr_from_skb}\nr0 = 0\nexit", -EACCES, "dereference of modified", NETFILTER | CASE_OURS },
	{ "netfilter: dynptr of the stack", ABI_PROG_TYPE_NETFILTER, "r1 = r10\nr1 += -64\nr2 = 0\nr3 = r10\nr3 += -16\ncall kernel-function#{kfunc:bpf_dynptr_from_skb}\nr0 = 0\nexit", -EINVAL, NULL, NETFILTER },
	{ "netfilter: dynptr written", ABI_PROG_TYPE_NETFILTER, "r1 = *(u64 *)(r1 +8)\nr2 = 0\nr3 = r10\nr3 += -16\ncall kernel-function#{kfunc:bpf_dynptr_from_skb}\nr1 = r10\nr1 += -16\nr2 = 0\nr3 = r10\nr3 += -32\nr4 = 8\ncall kernel-function#{kfunc:bpf_dynptr_slice_rdwr}\nr0 = 0\nexit", -EINVAL, "the prog does not allow writes to packet data", NETFILTER },
	{ "netfilter: dynptr read", ABI_PROG_TYPE_NETFILTER, "r1 = *(u64 *)(r1 +8)\nr2 = 0\nr3 = r10\nr3 += -16\ncall kernel-function#{kfunc:bpf_dynptr_from_skb}\n*(u64 *)(r10 -32) = 0\nr1 = r10\nr1 += -16\nr2 = 0\nr3 = r10\nr3 += -32\nr4 = 8\ncall kernel-function#{kfunc:bpf_dynptr_slice}\nif r0 == 0x0 goto pc+1\nr1 = *(u64 *)(r0 +0)\nr0 = 0\nexit", 0, NULL, NETFILTER },
	{ "stream: a format", SOCKET, "r1 = 1\nr2 = map_value 6 + 0\nr3 = r10\nr3 += -8\nr4 = 8\n*(u64 *)(r10 -8) = 1\ncall kernel-function#{kfunc:bpf_stream_vprintk_impl}\nexit", 0, NULL, 0 },
	{ "stream: no arguments", SOCKET, "r1 = 1\nr2 = map_value 6 + 0\nr3 = 0\nr4 = 0\ncall kernel-function#{kfunc:bpf_stream_vprintk_impl}\nexit", -EACCES, "Possibly NULL pointer passed to trusted arg2", 0 },
	{ "stream: a format that may change", SOCKET, "r1 = 1\nr2 = map_value 7 + 0\nr3 = r10\nr3 += -8\nr4 = 8\n*(u64 *)(r10 -8) = 1\ncall kernel-function#{kfunc:bpf_stream_vprintk_impl}\nexit", -EACCES, "R2 does not point to a readonly map", 0 },
	{ "stream: a format on the stack", SOCKET, "r1 = 1\nr2 = r10\nr2 += -8\nr3 = r10\nr3 += -8\nr4 = 8\n*(u64 *)(r10 -8) = 1\ncall kernel-function#{kfunc:bpf_stream_vprintk_impl}\nexit", -EINVAL, "arg#1 doesn't point to a const string", 0 },
	{ "stream: no format", SOCKET, "r1 = 1\nr2 = 0\nr3 = r10\nr3 += -8\nr4 = 8\n*(u64 *)(r10 -8) = 1\ncall kernel-function#{kfunc:bpf_stream_vprintk_impl}\nexit", -EACCES, "Possibly NULL pointer passed to trusted arg1", 0 },
	{ "stream: a pointer for a number", SOCKET, "r2 = map_value 6 + 0\nr3 = r10\nr3 += -8\nr4 = 8\n*(u64 *)(r10 -8) = 1\ncall kernel-function#{kfunc:bpf_stream_vprintk_impl}\nexit", -EINVAL, "R1 is not a scalar", 0 },
	{ "stream: too many arguments", SOCKET, "r1 = 1\nr2 = map_value 6 + 0\nr3 = r10\nr3 += -8\nr4 = 16\n*(u64 *)(r10 -8) = 1\ncall kernel-function#{kfunc:bpf_stream_vprintk_impl}\nexit", -EINVAL, NULL, 0 },
	{ "stream: arguments that nobody set", SOCKET, "r1 = 1\nr2 = map_value 6 + 0\nr3 = r10\nr3 += -8\nr4 = 8\ncall kernel-function#{kfunc:bpf_stream_vprintk_impl}\nexit", 0, NULL, 0 },
	{ "kfunc: congestion control", STRUCT_OPS, "r6 = *(u64 *)(r1 +0)\nr1 = r6\nr2 = 1\ncall kernel-function#{kfunc:tcp_slow_start}\nr1 = r6\nr2 = r0\nr3 = 1\ncall kernel-function#{kfunc:tcp_cong_avoid_ai}\nr1 = r6\ncall kernel-function#{kfunc:tcp_reno_ssthresh}\nr0 = 0\nexit", 0, NULL, CASE_OWN_LOG, "struct_ops/tcp_congestion_ops" },
	{ "kfunc: congestion control of a number", STRUCT_OPS, "r1 = 0\nr2 = 1\ncall kernel-function#{kfunc:tcp_slow_start}\nr0 = 0\nexit", -EINVAL, NULL, CASE_OWN_LOG, "struct_ops/tcp_congestion_ops" },
	{ "kfunc: congestion control elsewhere", XDP, "r1 = 0\nr2 = 1\ncall kernel-function#{kfunc:tcp_slow_start}\nr0 = 0\nexit", -EACCES, "calling kernel function tcp_slow_start is not allowed", 0 },
	{ "kfunc: acknowledgement from the stack", STRUCT_OPS, "r1 = *(u64 *)(r1 +0)\n*(u64 *)(r10 -16) = 0\n*(u64 *)(r10 -8) = 0\nr2 = r10\nr2 += -16\ncall kernel-function#{kfunc:cubictcp_acked}\nr0 = 0\nexit", 0, NULL, CASE_OWN_LOG, "struct_ops/tcp_congestion_ops" },
	{ "kfunc: device's metadata", XDP, "r0 = 2\ncall kernel-function#{kfunc:bpf_xdp_metadata_rx_hash}\nexit", -EINVAL, "metadata kfuncs require device-bound program", 0 },
	{ "kfunc: a trap", XDP, "call kernel-function#{kfunc:__bpf_trap}\nr0 = 2\nexit", -EFAULT, "unexpected __bpf_trap() due to uninitialized variable?", 0 },
	{ "kfunc: a function of tests", XDP, "r1 = 1\ncall kernel-function#{kfunc:bpf_modify_return_test_tp}\nr0 = 2\nexit", 0, NULL, 0 },
	{ "kfunc: user memory into a dynptr, awake", BPF_PROG_TYPE_RAW_TRACEPOINT, "call kernel-function#{kfunc:bpf_copy_from_user_dynptr}\nr0 = 2\nexit", -EACCES, "program must be sleepable to call sleepable kfunc bpf_copy_from_user_dynptr", 0 },
	{ "kfunc: user memory into a dynptr", BPF_PROG_TYPE_SYSCALL, "r1 = map_value 7 + 0\nr2 = 8\nr3 = 0\nr4 = r10\nr4 += -16\ncall bpf_dynptr_from_mem#197\nr1 = r10\nr1 += -16\nr2 = 0\nr3 = 8\nr4 = 0\ncall kernel-function#{kfunc:bpf_copy_from_user_str_dynptr}\nr0 = 0\nexit", 0, NULL, CASE_SLEEPABLE },
	{ 0 }
};
