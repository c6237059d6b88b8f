/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases: spin locks in map values. Map 12 has one at offset 8.
 */
#include "case.h"

#include <errno.h>

#define TRACEPOINT BPF_PROG_TYPE_TRACEPOINT
#define CLS	   BPF_PROG_TYPE_SCHED_CLS
#define SOCKET	   BPF_PROG_TYPE_SOCKET_FILTER

/* clang-format off */
const struct verify_case cases_lock[] = {
	{ "lock: taken and given back", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\nr1 = *(u64 *)(r6 +0)\nr1 += 1\n*(u64 *)(r6 +0) = r1\nr1 = r6\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", 0, NULL, 0 },
	{ "lock: not given back", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\nr0 = 0\nexit", -EINVAL, "BPF_EXIT instruction in main prog cannot be used inside bpf_spin_lock-ed region", 0 },
	{ "lock: not taken", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", -EINVAL, "bpf_spin_unlock without taking a lock", 0 },
	{ "lock: taken twice", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\nr1 = r6\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", -EINVAL, "function calls are not allowed while holding a lock", 0 },
	{ "lock: of another value", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\n*(u32 *)(r10 -8) = 2\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr7 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\nr1 = r7\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", -EINVAL, "bpf_spin_unlock of different lock", 0 },
	{ "lock: of the same key", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\n*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr7 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\nr1 = r7\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", -EINVAL, "bpf_spin_unlock of different lock", 0 },
	{ "lock: helper inside", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\ncall bpf_ktime_get_ns#5\nr1 = r6\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", -EINVAL, "function calls are not allowed while holding a lock", 0 },
	{ "lock: numbers inside", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\nr1 = r10\nr1 += -16\nr2 = 0\nr3 = 4\ncall kernel-function#{kfunc:bpf_iter_num_new}\nr1 = r10\nr1 += -16\ncall kernel-function#{kfunc:bpf_iter_num_destroy}\nr1 = r6\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", 0, NULL, 0 },
	{ "lock: other kernel function inside", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\ncall kernel-function#{kfunc:bpf_preempt_disable}\nr1 = r6\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", -EINVAL, "function calls are not allowed while holding a lock", 0 },
	{ "lock: read", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr0 = *(u32 *)(r6 +8)\nr0 = 0\nexit", -EACCES, "bpf_spin_lock cannot be accessed directly by load/store", 0 },
	{ "lock: written beside", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\n*(u32 *)(r6 +12) = 1\nr0 = 0\nexit", 0, NULL, 0 },
	{ "lock: written over", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\n*(u64 *)(r6 +8) = 1\nr0 = 0\nexit", -EACCES, "bpf_spin_lock cannot be accessed directly by load/store", 0 },
	{ "lock: filled by a helper", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr1 = r6\nr2 = 16\ncall bpf_get_current_comm#16\nr0 = 0\nexit", -EACCES, "bpf_spin_lock cannot be accessed directly by load/store", 0 },
	{ "lock: at another offset", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr1 = r6\ncall bpf_spin_lock#93\nr1 = r6\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", -EINVAL, "off 0 doesn't point to 'struct bpf_spin_lock' that is at 8", 0 },
	{ "lock: value without one", CLS, "r1 = map_value 7 + 0\ncall bpf_spin_lock#93\nr0 = 0\nexit", -EINVAL, "has to have BTF in order to use bpf_spin_lock", 0 },
	{ "lock: on the stack", CLS, "r1 = r10\nr1 += -8\ncall bpf_spin_lock#93\nr0 = 0\nexit", -EACCES, "R1 type=fp expected=map_value, ptr_", 0 },
	{ "lock: value that may be null", CLS, "r7 = *(u32 *)(r1 +0)\n*(u32 *)(r10 -8) = r7\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\nr1 = r6\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", -EACCES, "pointer arithmetic on map_value_or_null prohibited", 0 },
	{ "lock: value of an unknown key", CLS, "r7 = *(u32 *)(r1 +0)\n*(u32 *)(r10 -8) = r7\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+7\nr6 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\nr1 = r6\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", 0, NULL, 0 },
	{ "lock: in a socket filter", SOCKET, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\nr1 = r6\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", -EINVAL, "socket filter progs cannot use bpf_spin_lock yet", 0 },
	{ "lock: in a tracepoint", TRACEPOINT, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\nr1 = r6\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", -EINVAL, "tracing progs cannot use bpf_spin_lock yet", 0 },
	{ "lock: packet load inside", CLS, "r9 = r1\n*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\nr7 = r6\nr6 = r9\nr0 = *(u8 *)skb[0]\nr1 = r7\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", -EINVAL, "BPF_LD_[ABS|IND] cannot be used inside bpf_spin_lock-ed region", 0 },
	{ "lock: given back in one branch", CLS, "r8 = *(u32 *)(r1 +0)\n*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr6 = r0\nr1 = r6\nr1 += 8\ncall bpf_spin_lock#93\nif r8 == 0x0 goto pc+3\nr1 = r6\nr1 += 8\ncall bpf_spin_unlock#94\nr0 = 0\nexit", -EINVAL, "cannot be used inside bpf_spin_lock-ed region", 0 },
	{ 0 }
};
