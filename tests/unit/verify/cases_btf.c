/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases: programs on BTF-typed tracepoints, and loads through the pointers that they are given.
 */
#include "case.h"

#include <errno.h>

#define TP(name, tracepoint, text, err, message, flags)                            \
	{                                                                          \
		name, BPF_PROG_TYPE_TRACING, text, err, message, flags, tracepoint \
	}

/* clang-format off */
const struct verify_case cases_btf[] = {
	TP("tracepoint arguments by BTF", "sched_switch", "r2 = *(u64 *)(r1 +0)\nr3 = *(u64 *)(r1 +8)\nr4 = *(u32 *)(r1 +24)\nr0 = 0\nexit", 0, "func 'sched_switch' arg1 has btf_id", 0),
	TP("load with order from a structure", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr0 = load_acquire((u32 *)(r2 +{task_struct.pid}))\nexit", 0, "R2=trusted_ptr_task_struct()", 0),
	TP("pointer loaded with order", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr2 = load_acquire((u64 *)(r2 +{task_struct.group_leader}))\nr0 = *(u32 *)(r2 +{task_struct.pid})\nexit", 0, NULL, 0),
	TP("load with order from a member's middle", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr0 = load_acquire((u32 *)(r2 +{task_struct.group_leader}))\nexit", -EACCES, "cannot access ptr member group_leader", 0),
	TP("store with order to a structure", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr0 = 0\nstore_release((u32 *)(r2 +{task_struct.pid}), r0)\nexit", -EACCES, "only read is supported", 0),
	TP("load with order from the context", "sched_switch", "r0 = load_acquire((u64 *)(r1 +8))\nr0 = 0\nexit", -EACCES, "BPF_ATOMIC loads from R1 ctx is not allowed", 0),
	TP("load with order from the context, which 6.18 looks at too late", "sched_switch", "r1 = load_acquire((u64 *)(r1 +8))\nr0 = 0\nexit", -EACCES, "BPF_ATOMIC loads from R1 ctx is not allowed", CASE_OURS),
	TP("tracepoint argument that is not there", "sched_switch", "r2 = *(u64 *)(r1 +32)\nr0 = 0\nexit", -EACCES, "func 'sched_switch' doesn't have 5-th argument", 0),
	TP("tracepoint argument far behind", "sched_switch", "r2 = *(u64 *)(r1 +88)\nr0 = 0\nexit", -EACCES, NULL, 0),
	TP("tracepoint argument beyond all", "sched_switch", "r2 = *(u64 *)(r1 +96)\nr0 = 0\nexit", -EACCES, "invalid bpf_context access off=96 size=8", 0),
	TP("half a pointer argument", "sched_switch", "r2 = *(u32 *)(r1 +8)\nr0 = 0\nexit", -EACCES, "func 'sched_switch' size 4 must be 8", 0),
	TP("upper half of an argument", "sched_switch", "r2 = *(u32 *)(r1 +12)\nr0 = 0\nexit", -EACCES, "offset 12 is not multiple of 8", 0),
	TP("tracepoint argument written", "sched_switch", "r2 = 0\n*(u64 *)(r1 +8) = r2\nr0 = 0\nexit", -EACCES, "invalid bpf_context access off=8 size=8", 0),
	TP("member of a task", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr0 = *(u32 *)(r2 +{task_struct.pid})\nexit", 0, "R2=trusted_ptr_task_struct()", 0),
	TP("member by signed load", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr0 = *(s32 *)(r2 +{task_struct.pid})\nexit", 0, NULL, 0),
	TP("member through arithmetic", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr2 += {task_struct.pid}\nr0 = *(u32 *)(r2 +0)\nexit", 0, NULL, 0),
	TP("member after a register copy and spill", "sched_switch", "r2 = *(u64 *)(r1 +8)\n*(u64 *)(r10 -8) = r2\nr3 = *(u64 *)(r10 -8)\nr0 = *(u32 *)(r3 +{task_struct.pid})\nexit", 0, NULL, 0),
	TP("parent of a task", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr3 = *(u64 *)(r2 +{task_struct.real_parent})\nr0 = *(u32 *)(r3 +{task_struct.pid})\nexit", 0, "R3=rcu_ptr_task_struct()", 0),
	TP("pointer with nothing known", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr3 = *(u64 *)(r2 +{task_struct.mm})\nr0 = *(u64 *)(r3 +{mm_struct.pgd})\nexit", 0, "R3=ptr_mm_struct()", 0),
	TP("chain of three pointers", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr3 = *(u64 *)(r2 +{task_struct.real_parent})\nr3 = *(u64 *)(r3 +{task_struct.group_leader})\nr3 = *(u64 *)(r3 +{task_struct.mm})\nr0 = 0\nexit", 0, NULL, 0),
	TP("half of a pointer member", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr3 = *(u32 *)(r2 +{task_struct.mm})\nr0 = 0\nexit", -EACCES, "cannot access ptr member mm", 0),
	TP("string member", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr3 = *(u64 *)(r2 +{task_struct.comm})\nr3 = *(u8 *)(r2 +{task_struct.comm})\nr0 = 0\nexit", 0, NULL, 0),
	TP("behind the end of a structure", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr3 = *(u64 *)(r2 +32000)\nr0 = 0\nexit", -EACCES, "access beyond struct task_struct at off 32000 size 8", 0),
	TP("before a structure", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr3 = *(u64 *)(r2 -8)\nr0 = 0\nexit", -EACCES, "R2 is ptr_task_struct invalid negative access: off=-8", 0),
	TP("structure at a variable offset", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr3 = *(u64 *)(r1 +24)\nr3 &= 8\nr2 += r3\nr3 = *(u64 *)(r2 +0)\nr0 = 0\nexit", -EACCES, "R2 is ptr_task_struct invalid variable offset", 0),
	TP("structure written", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr0 = 0\n*(u32 *)(r2 +{task_struct.pid}) = r0\nexit", -EACCES, "only read is supported", 0),
	TP("structure changed atomically", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr0 = 0\nlock *(u32 *)(r2 +{task_struct.pid}) += r0\nexit", -EACCES, NULL, CASE_OURS),
	TP("program that is not under the GPL", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr0 = *(u32 *)(r2 +{task_struct.pid})\nexit", -EINVAL, "Cannot access kernel 'struct task_struct' from non-GPL compatible program", CASE_NOT_GPL),
	TP("argument that may be null", "kfree_skb", "r2 = *(u64 *)(r1 +24)\nr0 = *(u64 *)(r2 +0)\nexit", -EACCES, "R2 invalid mem access 'trusted_ptr_or_null_'", 0),
	TP("argument that may be null, checked", "kfree_skb", "r2 = *(u64 *)(r1 +24)\nr0 = 0\nif r2 == 0x0 goto pc+1\nr0 = *(u64 *)(r2 +0)\nexit", 0, NULL, 0),
	TP("socket of a packet", "kfree_skb", "r2 = *(u64 *)(r1 +0)\nr3 = *(u64 *)(r2 +{sk_buff.sk})\nr0 = *(u64 *)(r3 +0)\nexit", -EACCES, "R3 invalid mem access 'rcu_ptr_or_null_'", 0),
	TP("pointer that is no structure's", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr3 = *(u64 *)(r2 +{task_struct.stack})\nr0 = *(u64 *)(r3 +64)\nexit", 0, "R3=rdonly_untrusted_mem(sz=0)", 0),
	TP("such a pointer that may be null", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr3 = *(u64 *)(r2 +{task_struct.stack})\nr0 = 0\nif r3 != 0 goto end\nr0 = *(u64 *)(r0 +0)\nend:\nexit", -EACCES, "R0 invalid mem access 'scalar'", 0),
	TP("atomic on a structure of the kernel", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr0 = 0\nlock *(u32 *)(r2 +{task_struct.flags}) += r0\nexit", -EACCES, "only read is supported", 0),
	TP("atomic exchange on a structure of the kernel", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr0 = 0\nr0 = atomic64_xchg((u64 *)(r2 +{task_struct.stack}), r0)\nexit", -EACCES, "only read is supported", 0),
	{ "atomic on what a congestion control may write", BPF_PROG_TYPE_STRUCT_OPS, "r1 = *(u64 *)(r1 +0)\nr0 = 0\nr2 = 1\nr0 = atomic_cmpxchg((u32 *)(r1 +{sock.sk_pacing_status}), r0, r2)\nexit", 0, NULL, CASE_ATTACH(1), "struct_ops/tcp_congestion_ops" },
	{ "atomic on what it may not", BPF_PROG_TYPE_STRUCT_OPS, "r1 = *(u64 *)(r1 +0)\nr0 = 0\nr2 = 1\nr0 = atomic_cmpxchg((u32 *)(r1 +{sock.sk_mark}), r0, r2)\nexit", -EACCES, "no write support to tcp_sock at off", CASE_ATTACH(1), "struct_ops/tcp_congestion_ops" },
	{ "options of a congestion control's socket", BPF_PROG_TYPE_STRUCT_OPS, "r1 = *(u64 *)(r1 +0)\n*(u64 *)(r10 -8) = 0\nr2 = 6\nr3 = 13\nr4 = r10\nr4 += -8\nr5 = 8\ncall bpf_setsockopt#49\nr0 = 0\nexit", 0, NULL, CASE_ATTACH(16), "struct_ops/tcp_congestion_ops" },
	{ "it asks for options", BPF_PROG_TYPE_STRUCT_OPS, "r1 = *(u64 *)(r1 +0)\n*(u64 *)(r10 -8) = 0\nr2 = 6\nr3 = 13\nr4 = r10\nr4 += -8\nr5 = 8\ncall bpf_getsockopt#57\nr0 = 0\nexit", 0, NULL, CASE_ATTACH(16), "struct_ops/tcp_congestion_ops" },
	{ "options when it is released", BPF_PROG_TYPE_STRUCT_OPS, "r1 = *(u64 *)(r1 +0)\n*(u64 *)(r10 -8) = 0\nr2 = 6\nr3 = 13\nr4 = r10\nr4 += -8\nr5 = 8\ncall bpf_setsockopt#49\nr0 = 0\nexit", -EINVAL, "unknown func bpf_setsockopt#49", CASE_ATTACH(17) | CASE_OWN_LOG, "struct_ops/tcp_congestion_ops" },
	{ "a congestion control's helper without arguments", BPF_PROG_TYPE_STRUCT_OPS, "r2 = *(u64 *)(r1 +0)\nr3 = 0\nif r2 == 0x0 goto pc+1\nr3 = 1\ncall bpf_jiffies64#118\nr0 = 0\nexit", 0, NULL, CASE_ATTACH(1), "struct_ops/tcp_congestion_ops" },
	TP("what equals a structure may still be null", "sched_switch", "r6 = *(u64 *)(r1 +8)\n*(u64 *)(r10 -8) = 0\nr2 = r10\nr2 += -8\nr1 = map_fd 0\ncall 1\nif r0 != r6 goto end\nr0 = *(u64 *)(r0 +0)\nend: r0 = 0\nexit", -EACCES, "R0 invalid mem access 'map_value_or_null'", 0),
	{ "what equals plain memory that was read", BPF_PROG_TYPE_TRACING, "r6 = *(u64 *)(r1 +8)\n*(u64 *)(r10 -8) = 0\nr2 = r10\nr2 += -8\nr1 = map_fd 0\ncall 1\nr6 = *(u64 *)(r6 +{task_struct.stack})\nif r0 == r6 goto end\nr0 = 0\nexit\nend: r0 = *(u64 *)(r0 +0)\nr0 = 0\nexit", -EACCES, "R0 invalid mem access 'map_value_or_null'", CASE_OURS, "sched_switch" },
	TP("such a pointer written through", "sched_switch", "r2 = *(u64 *)(r1 +8)\nr3 = *(u64 *)(r2 +{task_struct.stack})\nr0 = 0\n*(u64 *)(r3 +0) = r0\nexit", -EACCES, "R3 cannot write into rdonly_untrusted_mem", 0),
	TP("registers of a system call", "sys_enter", "r2 = *(u64 *)(r1 +0)\nr3 = *(u64 *)(r1 +8)\nr0 = *(u64 *)(r2 +{pt_regs.di})\nexit", 0, "R2=trusted_ptr_pt_regs()", 0),
	TP("structure given to probe_read_kernel", "sched_switch", "r3 = *(u64 *)(r1 +8)\nr1 = r10\nr1 += -8\nr2 = 8\ncall 113\nr0 = 0\nexit", 0, NULL, 0),
	TP("structure as memory of a helper", "sched_switch", "r4 = *(u64 *)(r1 +8)\nr2 = map_fd 3\nr3 = 0\nr5 = 8\ncall 25\nr0 = 0\nexit", 0, NULL, 0),
	TP("one load, two kinds of pointer", "sched_switch", "r2 = *(u64 *)(r1 +24)\nr3 = *(u64 *)(r1 +8)\nr4 = r10\nr4 += -8\n*(u64 *)(r4 +0) = r2\nif r2 == 0x0 goto pc+1\nr4 = r3\nr0 = *(u64 *)(r4 +0)\nexit", -EINVAL, "same insn cannot be used with different pointers", 0),
	{ "tracing without a target", BPF_PROG_TYPE_TRACING, "r0 = 0\nexit", -EINVAL, "Tracing programs must provide btf_id", CASE_OURS },
	{ 0 }
};
