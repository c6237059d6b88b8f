/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases: the stack: spills, fills, zeroes, variable offsets.
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
const struct verify_case cases_stack[] = {
	{ "spill and fill", SOCKET, "*(u64 *)(r10 -8) = r1\nr2 = *(u64 *)(r10 -8)\nr0 = *(u32 *)(r2 +0)\nexit", 0, "fp-8=ctx()", 0 },
	{ "out of the stack below", SOCKET, "r0 = 0\n*(u64 *)(r10 -520) = r0\nexit", -EACCES, "invalid write to stack R10 off=-520 size=8", 0 },
	{ "out of the stack above", SOCKET, "r0 = 0\n*(u64 *)(r10 +0) = r0\nexit", -EACCES, "invalid write to stack R10 off=0 size=8", 0 },
	{ "across the top", SOCKET, "r0 = 0\n*(u8 *)(r10 -1) = r0\nr0 = *(u16 *)(r10 -1)\nexit", -EACCES, "misaligned stack access off", 0 },
	{ "misaligned", SOCKET, "r0 = 0\n*(u64 *)(r10 -12) = r0\nexit", -EACCES, "misaligned stack access off 0+0+-12 size 8", 0 },
	{ "uninitialised read", SOCKET, "r0 = *(u64 *)(r10 -8)\nexit", 0, NULL, 0 },
	{ "uninitialised bytes", SOCKET, "r0 = 0\n*(u8 *)(r10 -8) = r0\nr0 = *(u64 *)(r10 -8)\nexit", 0, NULL, 0 },
	{ "zero bytes", SOCKET, "r2 = 0\n*(u32 *)(r10 -4) = r2\n*(u32 *)(r10 -8) = r2\nr0 = *(u64 *)(r10 -8)\nexit", 0, NULL, 0 },
	{ "zero stores", SOCKET, "*(u64 *)(r10 -8) = 0\nr0 = *(u16 *)(r10 -4)\nexit", 0, NULL, 0 },
	{ "constant stores", SOCKET, "*(u64 *)(r10 -8) = -3\n*(u32 *)(r10 -16) = 7\n*(u16 *)(r10 -24) = 258\n*(u8 *)(r10 -32) = 255\nr0 = *(u64 *)(r10 -8)\nr2 = *(u32 *)(r10 -16)\nr3 = *(u16 *)(r10 -24)\nr4 = *(u8 *)(r10 -32)\nr5 = *(u8 *)(r10 -8)\nexit", 0, NULL, 0 },
	{ "32-bit spill and fill", SOCKET, "r0 = *(u32 *)(r1 +0)\nif r0 > 0x10 goto pc+2\n*(u32 *)(r10 -8) = r0\nr2 = *(u32 *)(r10 -8)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "32-bit spill of 64 bits", TRACEPOINT, "r0 = *(u64 *)(r1 +8)\n*(u32 *)(r10 -8) = r0\nr2 = *(u32 *)(r10 -8)\nr3 = *(u16 *)(r10 -8)\nr4 = *(u64 *)(r10 -8)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "narrow fills", SOCKET, "r0 = *(u32 *)(r1 +0)\n*(u64 *)(r10 -8) = r0\nr2 = *(u32 *)(r10 -8)\nr3 = *(u16 *)(r10 -8)\nr4 = *(u8 *)(r10 -8)\nr5 = *(u32 *)(r10 -4)\nr0 = 0\nexit", 0, NULL, 0 },
	/* 6.18 keeps the link of a sign extending fill to the spilled register, which may be another number. */
	{ "sign extending fill", SOCKET, "r0 = *(u32 *)(r1 +0)\n*(u64 *)(r10 -8) = r0\nr2 = *(s8 *)(r10 -8)\nr3 = *(s32 *)(r10 -8)\nr0 = 0\nexit", 0, NULL, CASE_OWN_LOG },
	{ "sign extending fill is another number", KPROBE, "r6 = *(u8 *)(r1 +0)\n*(u64 *)(r10 -8) = r6\nr7 = *(s8 *)(r10 -8)\nr0 = 0\nif r6 != 0xc8 goto pc+5\nr7 += -160\nr1 = map_value 7 + 0\nr1 += r7\nr0 = *(u8 *)(r1 +0)\nexit", -EACCES, "R1 min value is negative", CASE_OURS },
	{ "sign extending fill of a small number", KPROBE, "r6 = *(u8 *)(r1 +0)\nr6 &= 127\n*(u64 *)(r10 -8) = r6\nr7 = *(s8 *)(r10 -8)\nr0 = 0\nif r6 != 0x48 goto pc+5\nr7 += -60\nr1 = map_value 7 + 0\nr1 += r7\nr0 = *(u8 *)(r1 +0)\nexit", 0, NULL, 0 },
	{ "partly overwritten spill", SOCKET, "r0 = *(u32 *)(r1 +0)\n*(u64 *)(r10 -8) = r0\n*(u8 *)(r10 -3) = r0\nr0 = *(u64 *)(r10 -8)\nexit", 0, NULL, 0 },
	{ "partly overwritten pointer", SOCKET, "*(u64 *)(r10 -8) = r1\nr0 = 0\n*(u32 *)(r10 -8) = r0\nr0 = *(u64 *)(r10 -8)\nexit", 0, NULL, 0 },
	{ "narrow spill of a pointer", SOCKET, "*(u32 *)(r10 -8) = r1\nr0 = 0\nexit", -EACCES, "invalid size of register spill", 0 },
	{ "narrow fill of a pointer", SOCKET, "*(u64 *)(r10 -8) = r1\nr0 = *(u32 *)(r10 -8)\nexit", -EACCES, "invalid size of register fill", 0 },
	{ "spilled number keeps links", SOCKET, "r0 = *(u32 *)(r1 +0)\n*(u64 *)(r10 -8) = r0\nif r0 > 0x5 goto pc+1\nr2 = *(u64 *)(r10 -8)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "fill has links", SOCKET, "r0 = *(u32 *)(r1 +0)\n*(u64 *)(r10 -8) = r0\nr2 = *(u64 *)(r10 -8)\nif r2 > 0x5 goto pc+1\nr3 = r0\nr0 = 0\nexit", 0, NULL, 0 },
	{ "variable write", SOCKET, "r0 = *(u32 *)(r1 +0)\nr0 &= 7\nr2 = r10\nr2 += -16\nr2 += r0\n*(u8 *)(r2 +0) = r0\nr3 = *(u64 *)(r10 -16)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "variable read", SOCKET, "*(u64 *)(r10 -8) = 0\n*(u64 *)(r10 -16) = 0\nr0 = *(u32 *)(r1 +0)\nr0 &= 7\nr2 = r10\nr2 += -16\nr2 += r0\nr3 = *(u8 *)(r2 +0)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "variable write over zeroes", SOCKET, "*(u64 *)(r10 -8) = 0\n*(u64 *)(r10 -16) = 0\nr0 = *(u32 *)(r1 +0)\nr0 &= 7\nr2 = r10\nr2 += -16\nr2 += r0\nr4 = 0\n*(u8 *)(r2 +0) = r4\nr3 = *(u64 *)(r10 -16)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "variable write of 0 beside a spilled 0", SOCKET, "*(u32 *)(r10 -12) = 0\n*(u32 *)(r10 -16) = 0\nr0 = *(u32 *)(r1 +0)\nr0 &= 4\nr2 = r10\nr2 += -16\nr2 += r0\n*(u32 *)(r2 +0) = 0\nr3 = *(u32 *)(r10 -12)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "variable write over a spill", SOCKET, "*(u64 *)(r10 -16) = r1\nr0 = *(u32 *)(r1 +0)\nr0 &= 7\nr2 = r10\nr2 += -16\nr2 += r0\n*(u8 *)(r2 +0) = r0\nr3 = *(u64 *)(r10 -16)\nr0 = *(u32 *)(r3 +0)\nexit", -EACCES, "R3 invalid mem access 'scalar'", 0 },
	{ "variable access out of the stack", SOCKET, "r0 = *(u32 *)(r1 +0)\nr0 &= 63\nr2 = r10\nr2 += -16\nr2 += r0\n*(u8 *)(r2 +0) = r0\nexit", -EINVAL, "invalid variable-offset write to stack R2", 0 },
	{ "unbounded variable access", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = r10\nr2 += r0\n*(u8 *)(r2 +0) = r0\nexit", -EACCES, "invalid unbounded variable-offset write to stack R2", 0 },
	{ "variable misaligned", SOCKET, "r0 = *(u32 *)(r1 +0)\nr0 &= 7\nr2 = r10\nr2 += -16\nr2 += r0\n*(u32 *)(r2 +0) = r0\nexit", -EACCES, "misaligned stack access off (0x0; 0x7)+-16+0 size 4", 0 },
	{ "atomic on the stack", SOCKET, "*(u64 *)(r10 -8) = 5\nr2 = 1\nlock *(u64 *)(r10 -8) += r2\nr0 = *(u64 *)(r10 -8)\nexit", 0, NULL, 0 },
	{ "atomic fetch on the stack", SOCKET, "*(u64 *)(r10 -8) = 5\nr2 = 1\nr2 = atomic64_fetch_add((u64 *)(r10 -8), r2)\nr0 = r2\nexit", 0, NULL, 0 },
	{ "atomic fetch of an index", SOCKET, "r1 = 1\nr2 = map_value 7 + 0\nr1 = atomic64_fetch_add((u64 *)(r2 +0), r1)\nr1 &= 7\nr2 += r1\nr0 = *(u8 *)(r2 +0)\nexit", 0, NULL, 0 },
	{ "atomic fetch of an index from the stack", SOCKET, "*(u64 *)(r10 -8) = 5\nr1 = 1\nr2 = map_value 7 + 0\nr1 = atomic64_fetch_add((u64 *)(r10 -8), r1)\nr1 &= 7\nr2 += r1\nr0 = *(u8 *)(r2 +0)\nexit", 0, NULL, CASE_OWN_LOG },
	/* 6.18 does not know that the index was on the stack, takes 100 for covered by 0, and lets this read beyond the value. */
	{ "atomic fetch of one of two indices from the stack", SOCKET, "r6 = map_value 7 + 0\n*(u64 *)(r10 -8) = 100\nr0 = *(u32 *)(r1 +0)\nif r0 == 0x0 goto pc+1\n*(u64 *)(r10 -8) = 0\nr1 = 0\nr1 = atomic64_fetch_add((u64 *)(r10 -8), r1)\nr6 += r1\nr0 = *(u8 *)(r6 +0)\nr0 = 0\nexit", -EACCES, "invalid access to map value", CASE_OURS | CASE_STATE_FREQ },
	{ "compare and exchange of an index", SOCKET, "r0 = 1\nr1 = 2\nr2 = map_value 7 + 0\nr0 = atomic64_cmpxchg((u64 *)(r2 +0), r0, r1)\nr0 &= 7\nr2 += r0\nr0 = *(u8 *)(r2 +0)\nexit", 0, NULL, 0 },
	{ "compare and exchange", SOCKET, "*(u64 *)(r10 -8) = 5\nr0 = 5\nr2 = 1\nr0 = atomic64_cmpxchg((u64 *)(r10 -8), r0, r2)\nexit", 0, NULL, 0 },
	{ "atomic fetch into the pointer", SOCKET, "*(u64 *)(r10 -8) = 5\nr2 = r10\nr2 = atomic64_fetch_add((u64 *)(r2 -8), r2)\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "atomic of a pointer", SOCKET, "*(u64 *)(r10 -8) = r1\nr2 = 1\nlock *(u64 *)(r10 -8) += r2\nr0 = 0\nexit", 0, NULL, 0 },
	{ "load acquire", SOCKET, "*(u64 *)(r10 -8) = 5\nr0 = load_acquire((u64 *)(r10 -8))\nstore_release((u64 *)(r10 -8), r0)\nexit", 0, NULL, 0 },
	{ "deep use", SOCKET, "*(u64 *)(r10 -512) = 0\nr0 = *(u64 *)(r10 -512)\nexit", 0, NULL, 0 },
	{ "spill of map pointers", SOCKET, "r2 = map_fd 0\n*(u64 *)(r10 -8) = r2\nr2 = map_value 7 + 4\n*(u64 *)(r10 -16) = r2\nr3 = *(u64 *)(r10 -16)\nr0 = *(u32 *)(r3 +0)\nexit", 0, NULL, 0 },
	{ "spill of the frame pointer", SOCKET, "r2 = r10\nr2 += -16\n*(u64 *)(r10 -8) = r2\nr3 = *(u64 *)(r10 -8)\n*(u64 *)(r3 +0) = 0\nr0 = 0\nexit", 0, NULL, 0 },
	{ 0 }
};
