/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases: conditional jumps, what they teach, pruning of numbers.
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
const struct verify_case cases_jump[] = {
	{ "bounds by jumps", SOCKET, "r0 = *(u32 *)(r1 +0)\nif r0 > 0xa goto pc+3\nif r0 < 0x3 goto pc+2\nif r0 s>= 0x7 goto pc+1\nr0 += 1\nr0 = 0\nexit", 0, NULL, 0 },
	{ "bounds by 32-bit jumps", SOCKET, "r0 = *(u32 *)(r1 +0)\nif w0 > 0xa goto pc+3\nif w0 s< 0x3 goto pc+2\nif w0 != 0x7 goto pc+1\nr0 += 1\nr0 = 0\nexit", 0, NULL, 0 },
	{ "bits by jset", SOCKET, "r0 = *(u32 *)(r1 +0)\nif r0 & 0x7 goto pc+1\nr0 += 1\nr0 = 0\nexit", 0, NULL, 0 },
	{ "known outcome", SOCKET, "r0 = 5\nif r0 > 0x3 goto pc+1\nr0 = *(u64 *)(r0 +0)\nexit", 0, NULL, 0 },
	{ "two registers", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = *(u32 *)(r1 +4)\nif r0 > r2 goto pc+2\nif r2 > 0x9 goto pc+1\nr3 = r0\nr0 = 0\nexit", 0, NULL, 0 },
	{ "register with itself", SOCKET, "r0 = *(u32 *)(r1 +0)\nif r0 == r0 goto pc+1\nr0 = 1\nexit", 0, NULL, 0 },
	{ "register greater than itself", SOCKET, "r0 = *(u32 *)(r1 +0)\nif r0 s> r0 goto pc+1\nr0 = 1\nexit", 0, NULL, 0 },
	{ "register and itself", SOCKET, "r0 = *(u32 *)(r1 +0)\nif r0 & r0 goto pc+1\nr0 = 1\nexit", 0, NULL, 0 },
	{ "pointer compared with zero", SOCKET, "r0 = 0\nr2 = map_value 7 + 0\nif r2 == 0x0 goto pc+1\nr0 = *(u64 *)(r2 +0)\nexit", 0, NULL, 0 },
	{ "frame pointer compared with zero", SOCKET, "r0 = 0\nif r10 == 0x0 goto pc+1\nr0 = 1\nexit", 0, NULL, 0 },
	{ "pointer compared 32-bit", SOCKET, "r0 = 0\nr2 = map_value 7 + 0\nif w2 == 0x0 goto pc+1\nr0 = *(u64 *)(r2 +0)\nexit", 0, NULL, CASE_OURS },
	{ "pointers compared", SOCKET, "r0 = 0\nr2 = r10\nif r2 > r1 goto pc+1\nr0 = 1\nexit", 0, NULL, 0 },
	{ "pointer compared with number", SOCKET, "r0 = *(u32 *)(r1 +0)\nif r1 > r0 goto pc+1\nr0 = 1\nexit", 0, NULL, 0 },
	{ "copies share bounds", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = r0\nif r0 > 0x7 goto pc+5\nr3 = r10\nr3 += -8\n*(u64 *)(r3 +0) = r0\nr3 += r2\nr0 = *(u8 *)(r3 +0)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "equal registers", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = *(u32 *)(r1 +4)\nr2 &= 7\nif r0 != r2 goto pc+1\nr3 = r0\nr0 = 0\nexit", 0, NULL, 0 },
	{ "not equal at the edge", SOCKET, "r0 = *(u32 *)(r1 +0)\nr0 &= 7\nif r0 == 0x7 goto pc+1\nr0 += 1\nexit", 0, NULL, 0 },
	{ "impossible branch", SOCKET, "r0 = *(u32 *)(r1 +0)\nif r0 > 0x5 goto pc+2\nif r0 < 0x9 goto pc+1\nr0 = *(u64 *)(r0 +0)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "pruned by imprecise numbers", SOCKET, "r6 = r1\nr0 = *(u32 *)(r6 +0)\nr7 = 1\nif r0 > 0x5 goto pc+1\nr7 = 2\nr2 = *(u32 *)(r6 +4)\nif r2 > 0x5 goto pc+1\nr3 = 2\nr2 = *(u32 *)(r6 +8)\nif r2 > 0x5 goto pc+1\nr3 = 1\nr0 = r7\nexit", 0, NULL, 0 },
	{ "not pruned for precise numbers", SOCKET, "r6 = r1\nr0 = *(u32 *)(r6 +0)\nr7 = -8\nif r0 > 0x5 goto pc+1\nr7 = -16\nr2 = *(u32 *)(r6 +4)\nif r2 > 0x5 goto pc+1\nr3 = 2\nr2 = *(u32 *)(r6 +8)\nif r2 > 0x5 goto pc+1\nr3 = 1\nr4 = r10\nr4 += r7\nr0 = 0\n*(u64 *)(r4 +0) = r0\nexit", 0, NULL, 0 },
	{ "precision through a spill", SOCKET, "r6 = r1\nr0 = *(u32 *)(r6 +0)\nr7 = -8\nif r0 > 0x5 goto pc+1\nr7 = -16\n*(u64 *)(r10 -24) = r7\nr2 = *(u32 *)(r6 +4)\nif r2 > 0x5 goto pc+1\nr3 = 2\nr2 = *(u32 *)(r6 +8)\nif r2 > 0x5 goto pc+1\nr3 = 1\nr7 = *(u64 *)(r10 -24)\nr4 = r10\nr4 += r7\nr0 = 0\n*(u64 *)(r4 +0) = r0\nexit", 0, NULL, 0 },
	{ "checkpoints everywhere", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = r0\nif r0 > 0x5 goto pc+1\nr2 = 1\nif r0 > 0x2 goto pc+1\nr2 = 2\nif r2 == 0x1 goto pc+1\nr2 = 2\nr0 = r2\nexit", 0, NULL, CASE_STATE_FREQ },
	{ "signed and unsigned", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = *(u32 *)(r1 +4)\nr0 -= r2\nif r0 s< 0x0 goto pc+2\nif r0 s> 0x64 goto pc+1\nr3 = r0\nr0 = 0\nexit", 0, NULL, 0 },
	{ "range across halves", TRACEPOINT, "r0 = *(u64 *)(r1 +8)\nif w0 > 0x64 goto pc+3\nr2 = 0x100000000\nif r0 >= r2 goto pc+1\nr3 = r0\nr0 = 0\nexit", 0, NULL, 0 },
	{ "jset with unknown", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = *(u32 *)(r1 +4)\nif r0 & r2 goto pc+1\nr0 = 1\nexit", 0, NULL, 0 },
	{ "bits and bounds leave one number between them", SOCKET, "call bpf_get_prandom_u32#7\nr0 &= 0x11\nif r0 < 0x2 goto pc+4\nif r0 > 0x10 goto pc+3\nif r0 == 0x10 goto pc+2\nr1 = 0\nr0 = *(u64 *)(r1 +0)\nr0 = 0\nexit", 0, NULL, 0 },
	/* Pruned by a state whose sums and copies count: of what they came from, of each id alone. */
	{ "not pruned for a precise sum", SOCKET, "call bpf_get_prandom_u32#7\nr1 = 100\nif r0 == 0x1 goto pc+1\nr1 = 4\nr2 = 0\nr2 += r1\nr3 = map_value 7 + 0\nr3 += r2\nr0 = *(u8 *)(r3 +0)\nr0 = 0\nexit", -EACCES, "invalid access to map value", CASE_STATE_FREQ },
	{ "not pruned for a precise low half of a sum", SOCKET, "call bpf_get_prandom_u32#7\nr1 = 100\nif r0 == 0x1 goto pc+1\nr1 = 4\nr2 = 1\nw2 |= w1\nr3 = map_value 7 + 0\nr3 += r2\nr0 = *(u8 *)(r3 +0)\nr0 = 0\nexit", -EACCES, "invalid access to map value", CASE_STATE_FREQ },
	{ "pruned for a sum that does not count", SOCKET, "call bpf_get_prandom_u32#7\nr1 = 100\nif r0 == 0x1 goto pc+1\nr1 = 4\nr2 = 0\nr2 += r1\nr0 = 0\nexit", 0, NULL, CASE_STATE_FREQ },
	{ "two pointers that may be null, or one twice", SOCKET, "*(u32 *)(r10 -4) = 0\nr1 = map_fd 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nr6 = r0\ncall bpf_get_prandom_u32#7\nr7 = r6\nif r0 == 0x1 goto pc+6\nr1 = map_fd 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem#1\nr7 = r0\nr0 = 0\nif r6 == 0x0 goto pc+2\nif r7 == 0x0 goto pc+1\nr0 = *(u64 *)(r7 +0)\nr0 = 0\nexit", 0, NULL, CASE_STATE_FREQ },
	{ "two precise numbers, or one twice", SOCKET, "call bpf_get_prandom_u32#7\nr6 = r0\ncall bpf_get_prandom_u32#7\nr7 = r0\nif r0 == 0x1 goto pc+3\nr8 = r6\nr9 = r7\ngoto pc+2\nr8 = r6\nr9 = r6\nr0 = 0\nif r8 > 0x7 goto pc+6\nif r9 > 0x7 goto pc+5\nr3 = map_value 7 + 0\nr3 += r9\nr3 += r8\nr0 = *(u8 *)(r3 +0)\nr0 = 0\nexit", 0, NULL, CASE_STATE_FREQ },
	{ "a link takes its other end's distance of 0", SOCKET, "r6 = r1\nr0 = *(u32 *)(r6 +0)\nw4 = w0\nw9 = w0\nw9 += 0\nr3 = *(u32 *)(r6 +4)\nif r3 < r9 goto pc+1\nr3 = 0\nif r4 > 0x5 goto pc+1\nr3 = r9\nif r0 < r3 goto pc+1\nr3 = 0\nr0 = 0\nexit", 0, NULL, 0 },
	{ "a link with a distance of 0 takes its other end", SOCKET, "r6 = r1\nr0 = *(u32 *)(r6 +0)\nw4 = w0\nw9 = w0\nw9 += 0\nr3 = *(u32 *)(r6 +4)\nif r3 < r4 goto pc+1\nr3 = 0\nif r4 > 0x5 goto pc+1\nr3 = r9\nif r9 < r3 goto pc+1\nr3 = 0\nr0 = 0\nexit", 0, NULL, 0 },
	{ "a lower half is not linked to what may be more", SOCKET, "r6 = map_value 7 + 0\nr0 = *(u64 *)(r6 +0)\nr4 = r0\nw9 = w0\nw9 += 0\nr1 = 0x100000003\nif r4 > r1 goto out\nr1 = 0x100000000\nif r4 < r1 goto out\nr6 += r9\nr1 = *(u8 *)(r6 +0)\nout:\nr0 = 0\nexit", -EACCES, "R6 unbounded memory access", 0 },
	{ 0 }
};
