/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases: subprograms.
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
const struct verify_case cases_call[] = {
	{ "call", SOCKET, "r1 = 5\nr2 = 6\ncall f\nexit\nf: r0 = r1\nr0 += r2\nexit", 0, NULL, 0 },
	{ "callee-saved stay", SOCKET, "r6 = r1\nr7 = 3\ncall f\nr0 = *(u32 *)(r6 +0)\nr0 += r7\nexit\nf: r0 = 0\nexit", 0, NULL, 0 },
	{ "arguments do not come back", SOCKET, "r1 = 5\ncall f\nr0 = r1\nexit\nf: r0 = 0\nexit", -EACCES, "R1 !read_ok", 0 },
	{ "callee has no r6", SOCKET, "r6 = 5\ncall f\nexit\nf: r0 = r6\nexit", -EACCES, "R6 !read_ok", 0 },
	{ "callee without result", SOCKET, "call f\nexit\nf: r1 = 0\nexit", -EACCES, "R0 !read_ok", 0 },
	{ "caller's stack", SOCKET, "*(u64 *)(r10 -8) = 7\nr1 = r10\nr1 += -8\ncall f\nr0 = *(u64 *)(r10 -8)\nexit\nf: r0 = *(u64 *)(r1 +0)\nr0 += 1\n*(u64 *)(r1 +0) = r0\nr0 = 0\nexit", 0, NULL, 0 },
	{ "callee spills its own pointer up", SOCKET, "r1 = r10\nr1 += -8\ncall f\nr0 = 0\nexit\nf: r2 = r10\n*(u64 *)(r1 +0) = r2\nr0 = 0\nexit", -EINVAL, "cannot spill pointers to stack into stack frame of the caller", 0 },
	{ "callee returns its stack", SOCKET, "call f\nr0 = 0\nexit\nf: r0 = r10\nexit", -EINVAL, "cannot return stack pointer to the caller", 0 },
	{ "pointer returned", SOCKET, "call f\nr0 = *(u32 *)(r0 +0)\nexit\nf: r0 = r1\nexit", 0, NULL, 0 },
	{ "two calls, two results", SOCKET, "r6 = r1\nr1 = 1\ncall f\nr7 = r0\nr1 = 2\ncall f\nr0 += r7\nexit\nf: r0 = r1\nr0 *= 3\nexit", 0, NULL, 0 },
	{ "precision through a call", SOCKET, "r1 = 8\ncall f\nr2 = r10\nr2 -= r0\nexit\nf: r0 = r1\nr0 += 8\nexit", -EACCES, "R2 subtraction from stack pointer prohibited", 0 },
	{ "precision of an argument", SOCKET, "r1 = -8\ncall f\nr2 = r10\nr2 += r0\n*(u64 *)(r2 +0) = 1\nr0 = 0\nexit\nf: r0 = r1\nr0 += -8\nexit", 0, NULL, 0 },
	{ "precision inside the callee", SOCKET, "r6 = -16\nr1 = r6\ncall f\nr1 = r6\nr1 += 8\ncall f\nexit\nf: r2 = r10\nr2 += r1\n*(u64 *)(r2 +0) = 1\nr0 = 0\nexit", 0, NULL, 0 },
	{ "nested", SOCKET, "r1 = 1\ncall f\nexit\nf: r1 += 1\ncall g\nr0 += 1\nexit\ng: r0 = r1\nexit", 0, NULL, 0 },
	{ "combined stack", SOCKET, "*(u64 *)(r10 -304) = 0\ncall f\nexit\nf: *(u64 *)(r10 -304) = 0\nr0 = 0\nexit", -EACCES, "combined stack size of 2 calls is 608. Too large", 0 },
	{ "private stacks of tracing", KPROBE, "*(u64 *)(r10 -304) = 0\ncall f\nexit\nf: *(u64 *)(r10 -304) = 0\nr0 = 0\nexit", 0, NULL, 0 },
	{ "eight frames", SOCKET, "call a\nexit\na: call b\nexit\nb: call c\nexit\nc: call d\nexit\nd: call e\nexit\ne: call f\nexit\nf: call g\nexit\ng: r0 = 0\nexit", 0, NULL, 0 },
	{ "nine frames", SOCKET, "call a\nexit\na: call b\nexit\nb: call c\nexit\nc: call d\nexit\nd: call e\nexit\ne: call f\nexit\nf: call g\nexit\ng: call h\nexit\nh: r0 = 0\nexit", -E2BIG, "the call stack of 9 frames is too deep", 0 },
	{ "record released in the callee", TRACEPOINT, "r1 = map_fd 2\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve#131\nif r0 == 0x0 goto pc+2\nr1 = r0\ncall f\nr0 = 0\nexit\nf: r2 = 0\ncall bpf_ringbuf_submit#132\nr0 = 0\nexit", 0, NULL, 0 },
	{ "branch in the callee", SOCKET, "r6 = r1\nr1 = *(u32 *)(r6 +0)\ncall f\nr2 = r10\nr2 += r0\n*(u64 *)(r2 +0) = 1\nr0 = 0\nexit\nf: r0 = -8\nif r1 > 0x5 goto pc+1\nr0 = -16\nexit", 0, NULL, 0 },
	{ "tail call in a subprogram", TRACEPOINT, "call f\nr0 = 0\nexit\nf: r2 = map_fd 4\nr3 = 1\ncall bpf_tail_call#12\nr0 = 0\nexit", -EINVAL, "tail_call is not allowed in subprogs without BTF", 0 },
	{ "tail call returns for its subprogram", TRACEPOINT, "r6 = map_value 7 + 0\ncall f\nr6 += r0\nr0 = *(u8 *)(r6 +0)\nexit\nf: r2 = map_fd 4\nr3 = 1\ncall bpf_tail_call#12\nr0 = 1\nexit", -EINVAL, "math between map_value pointer and register with unbounded min value", CASE_BTF },
	{ "tail call before a store for the caller", TRACEPOINT, "*(u64 *)(r10 -8) = 4096\nr2 = r10\nr2 += -8\ncall f\nr6 = map_value 7 + 0\nr1 = *(u64 *)(r10 -8)\nr6 += r1\nr0 = *(u8 *)(r6 +0)\nexit\nf: r7 = r2\nr2 = map_fd 4\nr3 = 1\ncall bpf_tail_call#12\n*(u64 *)(r7 +0) = 4\nr0 = 1\nexit", -EACCES, NULL, CASE_BTF },
	{ "tail call in a subprogram with BTF", TRACEPOINT, "*(u64 *)(r10 -8) = 8\nr2 = r10\nr2 += -8\ncall f\nr6 = map_value 7 + 0\nr1 = *(u64 *)(r10 -8)\nr6 += r1\nr0 &= 31\nr6 += r0\nr0 = *(u8 *)(r6 +0)\nexit\nf: r7 = r2\nr2 = map_fd 4\nr3 = 1\ncall bpf_tail_call#12\n*(u64 *)(r7 +0) = 4\nr0 = 1\nexit", 0, NULL, CASE_BTF | CASE_OWN_LOG },
	{ "packet load returns for its subprogram", SOCKET, "call f\nr6 = map_value 7 + 0\nr6 += -64\nr6 += r0\nr0 = *(u8 *)(r6 +0)\nexit\nf: r6 = r1\nr0 = *(u8 *)skb[9]\nr0 = 64\nexit", -EACCES, "min value is outside of the allowed memory range", CASE_BTF },
	{ "packet load in a subprogram with BTF", SOCKET, "r6 = 5\ncall f\nr6 = map_value 7 + 0\nr6 += r0\nr0 = *(u8 *)(r6 +0)\nexit\nf: r6 = r1\nr0 = *(u8 *)skb[9]\nr0 = 8\nexit", 0, NULL, CASE_BTF },
	{ "tail call in a callback", TRACEPOINT, "r6 = r1\n*(u64 *)(r10 -8) = r1\nr1 = 4\nr2 = func f\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\nf: r1 = *(u64 *)(r2 +0)\nr2 = map_fd 4\nr3 = 1\ncall bpf_tail_call#12\nr0 = 0\nexit", -EFAULT, NULL, CASE_BTF },
	{ "cyclic calls", SOCKET, "call a\nexit\na: call b\nexit\nb: call c\nexit\nc: call a\nexit", -E2BIG, "the call stack of 9 frames is too deep", 0 },
	{ "a callback that loops over itself", TRACEPOINT, "r1 = 4\nr2 = func a\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\na: r1 = 4\nr2 = func a\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit", -E2BIG, "the call stack of 9 frames is too deep", CASE_BTF | CASE_OWN_LOG },
	{ "callbacks in callbacks", TRACEPOINT, "r1 = 4\nr2 = func a\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\na: r1 = 4\nr2 = func b\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\nb: r1 = 4\nr2 = func c\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\nc: r0 = 0\nexit", 0, NULL, CASE_BTF | CASE_LONG },
	{ "callbacks in callbacks, nine frames", TRACEPOINT, "r1 = 4\nr2 = func a\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\na: r1 = 4\nr2 = func b\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\nb: r1 = 4\nr2 = func c\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\nc: r1 = 4\nr2 = func d\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\nd: r1 = 4\nr2 = func e\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\ne: r1 = 4\nr2 = func f\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\nf: r1 = 4\nr2 = func g\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\ng: r1 = 4\nr2 = func h\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\nh: r0 = 0\nexit", -E2BIG, "the call stack of 9 frames is too deep", CASE_BTF | CASE_OWN_LOG },
	{ "function pointer without BTF", SOCKET, "r1 = 10\nr2 = func f\nr3 = 0\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\nf: r0 = 0\nexit", -EINVAL, "missing btf func_info", 0 },
	{ "slots live across calls", SOCKET, "r6 = r1\n*(u64 *)(r10 -8) = 1\nr0 = *(u32 *)(r6 +0)\nif r0 > 0x5 goto pc+1\n*(u64 *)(r10 -8) = 2\nr1 = r10\nr1 += -8\nr2 = *(u32 *)(r6 +4)\ncall f\nr2 = *(u32 *)(r6 +8)\nif r2 > 0x1 goto pc+1\nr0 += 1\nexit\nf: r0 = 0\nif r2 > 0x3 goto pc+1\nr0 = *(u64 *)(r1 +0)\nexit", 0, NULL, 0 },
	{ "what is written behind a tail call", TRACEPOINT, "*(u64 *)(r10 -8) = 0\nr2 = map_fd 4\nr3 = 0\ncall bpf_tail_call#12\n*(u64 *)(r10 -8) = 1\nr0 = *(u64 *)(r10 -8)\nexit", 0, NULL, 0 },
	{ "what a function writes behind a tail call", TRACEPOINT, "*(u64 *)(r10 -8) = 0\nr2 = r10\nr2 += -8\ncall f\nr0 = *(u64 *)(r10 -8)\nexit\nf:\nr6 = r2\nr2 = map_fd 4\nr3 = 0\ncall bpf_tail_call#12\n*(u64 *)(r10 -16) = 1\n*(u64 *)(r6 +0) = 2\nr0 = *(u64 *)(r10 -16)\nexit", 0, NULL, CASE_BTF | CASE_OWN_LOG },
	{ 0 }
};
