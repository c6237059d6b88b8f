/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases: contexts of the program types.
 */
#include "case.h"

#include <errno.h>

#define SOCKET	   BPF_PROG_TYPE_SOCKET_FILTER
#define KPROBE	   BPF_PROG_TYPE_KPROBE
#define TRACEPOINT BPF_PROG_TYPE_TRACEPOINT
#define XDP	   BPF_PROG_TYPE_XDP
#define PERF	   BPF_PROG_TYPE_PERF_EVENT
#define RAW_TP	   BPF_PROG_TYPE_RAW_TRACEPOINT

/* clang-format off */
const struct verify_case cases_context[] = {
	{ "tracepoint fields", TRACEPOINT, "r0 = *(u64 *)(r1 +8)\nr2 = *(u32 *)(r1 +16)\nr3 = *(u16 *)(r1 +10)\nr4 = *(u8 *)(r1 +8191)\nexit", 0, NULL, 0 },
	{ "tracepoint too far", TRACEPOINT, "r0 = *(u64 *)(r1 +8192)\nexit", -EACCES, "invalid bpf_context access off=8192 size=8", 0 },
	{ "tracepoint misaligned", TRACEPOINT, "r0 = *(u64 *)(r1 +12)\nexit", -EACCES, "invalid bpf_context access off=12 size=8", 0 },
	{ "tracepoint common part", TRACEPOINT, "r0 = *(u16 *)(r1 +2)\nexit", -EACCES, "invalid bpf_context access off=2 size=2", 0 },
	/* 6.18 compares the offset unsigned and lets this through. */
	{ "tracepoint before", TRACEPOINT, "r0 = *(u64 *)(r1 -8)\nexit", -EACCES, "invalid bpf_context access off=-8 size=8", CASE_OURS },
	{ "tracepoint written", TRACEPOINT, "r0 = 0\n*(u64 *)(r1 +8) = r0\nexit", -EACCES, "invalid bpf_context access off=8 size=8", 0 },
	{ "context at a variable offset", TRACEPOINT, "r2 = *(u64 *)(r1 +8)\nr2 &= 7\nr1 += r2\nr0 = *(u8 *)(r1 +0)\nexit", -EACCES, "variable ctx access var_off=(0x0; 0x7) disallowed", 0 },
	{ "context moved", TRACEPOINT, "r1 += 8\nr0 = *(u64 *)(r1 +0)\nexit", -EACCES, "dereference of modified ctx ptr R1 off=8 disallowed", 0 },
	{ "context moved back", TRACEPOINT, "r1 += -8\nr0 = *(u64 *)(r1 +8)\nexit", -EACCES, "negative offset ctx ptr R1 off=-8 disallowed", 0 },
	{ "raw tracepoint arguments", RAW_TP, "r0 = *(u64 *)(r1 +0)\nr2 = *(u64 *)(r1 +88)\nr3 = *(u32 *)(r1 +4)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "raw tracepoint too far", RAW_TP, "r0 = *(u64 *)(r1 +96)\nexit", -EACCES, "invalid bpf_context access off=96 size=8", 0 },
	{ "raw tracepoint result", RAW_TP, "r0 = 17\nexit", 0, NULL, 0 },
	{ "kprobe registers", KPROBE, "r0 = *(u64 *)(r1 +112)\nr2 = *(u32 *)(r1 +160)\nexit", 0, NULL, 0 },
	{ "kprobe too far", KPROBE, "r0 = *(u64 *)(r1 +168)\nexit", -EACCES, "invalid bpf_context access off=168 size=8", 0 },
	{ "perf event", PERF, "r0 = *(u64 *)(r1 +128)\nr2 = *(u64 *)(r1 +168)\nr3 = *(u32 *)(r1 +168)\nr4 = *(u64 *)(r1 +176)\nexit", 0, NULL, 0 },
	{ "perf event narrow register", PERF, "r0 = *(u32 *)(r1 +128)\nexit", -EACCES, "invalid bpf_context access off=128 size=4", 0 },
	{ "skb fields", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = *(u16 *)(r1 +16)\nr3 = *(u8 *)(r1 +8)\nr4 = *(u32 *)(r1 +68)\nr5 = *(u32 *)(r1 +164)\nexit", 0, NULL, 0 },
	{ "skb control block", SOCKET, "r0 = 7\n*(u32 *)(r1 +48) = r0\n*(u8 *)(r1 +67) = r0\nr0 = *(u64 *)(r1 +56)\nexit", 0, NULL, 0 },
	{ "skb control block end", SOCKET, "r0 = *(u64 *)(r1 +64)\nexit", -EACCES, "invalid bpf_context access off=64 size=8", 0 },
	{ "skb mark written", SOCKET, "r0 = 7\n*(u32 *)(r1 +8) = r0\nexit", -EACCES, "invalid bpf_context access off=8 size=4", 0 },
	{ "skb data", SOCKET, "r0 = *(u32 *)(r1 +76)\nexit", -EACCES, "invalid bpf_context access off=76 size=4", 0 },
	{ "skb address family", SOCKET, "r0 = *(u32 *)(r1 +88)\nexit", -EACCES, "invalid bpf_context access off=88 size=4", 0 },
	{ "skb wide", SOCKET, "r0 = *(u64 *)(r1 +0)\nexit", -EACCES, "invalid bpf_context access off=0 size=8", 0 },
	{ "skb time", SOCKET, "r0 = *(u64 *)(r1 +152)\nexit", -EACCES, "invalid bpf_context access off=152 size=8", 0 },
	{ "skb misaligned part", SOCKET, "r0 = *(u16 *)(r1 +1)\nexit", -EACCES, "invalid bpf_context access off=1 size=2", 0 },
	{ "xdp fields", XDP, "r0 = *(u32 *)(r1 +12)\nr2 = *(u32 *)(r1 +16)\nexit", 0, NULL, 0 },
	{ "xdp egress", XDP, "r0 = *(u32 *)(r1 +20)\nexit", -EACCES, "invalid bpf_context access off=20 size=4", 0 },
	{ "xdp narrow", XDP, "r0 = *(u16 *)(r1 +12)\nexit", -EACCES, "invalid bpf_context access off=12 size=2", 0 },
	{ "xdp written", XDP, "r0 = 0\n*(u32 *)(r1 +12) = r0\nexit", -EACCES, "invalid bpf_context access off=12 size=4", 0 },
	{ "packet loads", SOCKET, "r6 = r1\nr0 = *(u8 *)skb[9]\nr7 = r0\nr0 = *(u16 *)skb[r7 + 2]\nexit", 0, NULL, 0 },
	{ "packet load below the packet", SOCKET, "r6 = r1\nr0 = *(u8 *)skb[-4096]\nexit", 0, NULL, 0 },
	{ "packet load without context", SOCKET, "r6 = 0\nr0 = *(u8 *)skb[9]\nexit", -EINVAL, "at the time of BPF_LD_ABS|IND R6 != pointer to skb", 0 },
	{ "packet load clobbers", SOCKET, "r6 = r1\nr2 = 1\nr0 = *(u8 *)skb[9]\nr0 = r2\nexit", -EACCES, "R2 !read_ok", 0 },
	{ "packet load in another type", XDP, "r6 = r1\nr0 = *(u8 *)skb[9]\nexit", -EINVAL, "BPF_LD_[ABS|IND] instructions not allowed for this program type", 0 },
	{ "one instruction, two pointers", TRACEPOINT, "r2 = *(u64 *)(r1 +8)\nif r2 == 0x0 goto pc+2\nr1 = map_value 7 + 0\nr0 = *(u64 *)(r1 +8)\nexit", -EINVAL, "same insn cannot be used with different pointers", 0 },
	{ "atomic on the context", SOCKET, "r0 = 1\nlock *(u32 *)(r1 +48) += r0\nexit", -EACCES, "BPF_ATOMIC stores into R1 ctx is not allowed", 0 },
	{ 0 }
};
