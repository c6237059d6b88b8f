/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases: loops: bounded by exploration, pruned, endless.
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
const struct verify_case cases_loop[] = {
	{ "count up", SOCKET, "r0 = 0\nr0 += 1\nif r0 < 0xa goto pc-2\nexit", 0, "processed 22 insns", 0 },
	{ "count down", SOCKET, "r0 = 100\nr0 += -1\nif r0 != 0x0 goto pc-2\nexit", 0, NULL, 0 },
	{ "long loop", SOCKET, "r0 = 0\nr1 = 0\nr1 += 1\nr0 += r1\nif r1 < 0x3e8 goto pc-3\nexit", 0, NULL, 0 },
	{ "nested loops", SOCKET, "r1 = 0\nr2 = 0\nr2 += 1\nif r2 < 0x5 goto pc-2\nr1 += 1\nif r1 < 0x5 goto pc-5\nr0 = 0\nexit", 0, NULL, 0 },
	{ "loop over the stack", SOCKET, "r2 = r10\nr2 += -64\nr1 = 0\n*(u64 *)(r2 +0) = 0\nr2 += 8\nr1 += 1\nif r1 < 0x8 goto pc-4\nr0 = *(u64 *)(r10 -64)\nexit", 0, NULL, 0 },
	{ "loop out of the stack", SOCKET, "r2 = r10\nr2 += -64\nr1 = 0\n*(u64 *)(r2 +0) = 0\nr2 += 8\nr1 += 1\nif r1 < 0x9 goto pc-4\nr0 = 0\nexit", -EACCES, "invalid write to stack R2 off=0 size=8", 0 },
	{ "loop with unknown bound", SOCKET, "r2 = *(u32 *)(r1 +0)\nr2 &= 15\nr0 = 0\nr0 += 1\nif r0 < r2 goto pc-2\nr0 = 0\nexit", 0, NULL, 0 },
	{ "endless unknown", SOCKET, "r2 = *(u32 *)(r1 +0)\nr0 = *(u32 *)(r1 +4)\nif r0 != r2 goto pc-2\nr0 = 0\nexit", -EINVAL, "infinite loop detected", 0 },
	{ "endless by calls", SOCKET, "r6 = r1\nr1 = 1\ncall f\nif r0 != 0x0 goto pc-3\nexit\nf: r0 = r1\nexit", -EINVAL, "infinite loop detected", 0 },
	{ "loop with a call", SOCKET, "r6 = 0\nr1 = r6\ncall f\nr6 += 1\nif r6 < 0x14 goto pc-4\nr0 = 0\nexit\nf: r0 = r1\nr0 += 1\nexit", 0, NULL, 0 },
	{ "loop with branches", SOCKET, "r6 = r1\nr7 = 0\nr0 = *(u32 *)(r6 +0)\nif r0 > 0x5 goto pc+1\nr8 = 1\nr0 = *(u32 *)(r6 +4)\nif r0 > 0x5 goto pc+1\nr8 = 2\nr7 += 1\nif r7 < 0x1e goto pc-8\nr0 = 0\nexit", 0, NULL, 0 },
	{ "loop with map lookups", TRACEPOINT, "r6 = 0\n*(u32 *)(r10 -4) = r6\nr1 = map_fd 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+2\nr1 = 1\nlock *(u64 *)(r0 +0) += r1\nr6 += 1\nif r6 < 0x28 goto pc-11\nr0 = 0\nexit", 0, NULL, 0 },
	{ "too many instructions", SOCKET, "r0 = 0\nr0 += 1\nif r0 < 0x989680 goto pc-2\nexit", -E2BIG, "BPF program is too large. Processed 1000001 insn", CASE_LONG },
	{ 0 }
};
