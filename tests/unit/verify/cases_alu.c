/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases: arithmetic on numbers and pointers.
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
const struct verify_case cases_alu[] = {
	{ "division by constant zero", SOCKET, "r0 = 1\nr0 /= 0\nexit", -EINVAL, "div by zero", 0 },
	{ "modulo by constant zero", SOCKET, "r0 = 1\nw0 %= 0\nexit", -EINVAL, "div by zero", 0 },
	{ "shift by 64", SOCKET, "r0 = 1\nr0 <<= 64\nexit", -EINVAL, "invalid shift 64", 0 },
	{ "shift by 32 of 32", SOCKET, "r0 = 1\nw0 >>= 32\nexit", -EINVAL, "invalid shift 32", 0 },
	{ "shift by -1", SOCKET, "r0 = 1\nr0 s>>= -1\nexit", -EINVAL, "invalid shift -1", 0 },
	{ "constants", SOCKET, "r0 = 7\nr0 *= 6\nr0 -= 2\nr0 <<= 3\nr0 |= 1\nr0 ^= 3\nr0 &= 255\nr0 = -r0\nexit", 0, NULL, 0 },
	{ "constants 32", SOCKET, "w0 = -7\nw0 *= 6\nw0 -= 2\nw0 <<= 3\nw0 s>>= 1\nw0 = -w0\nw0 %= 7\nexit", 0, NULL, 0 },
	{ "byte swaps", SOCKET, "r0 = *(u32 *)(r1 +0)\nr0 = be16 r0\nr0 = bswap64 r0\nr0 = le32 r0\nexit", 0, NULL, 0 },
	{ "sign extending moves", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = (s8)r0\nr3 = (s16)r0\nr4 = (s32)r0\nw5 = (s8)w0\nr0 = r2\nexit", 0, NULL, 0 },
	{ "unknown numbers", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = r0\nr2 &= 15\nr2 += 3\nr2 <<= 2\nr3 = r2\nr3 *= r0\nr4 = r3\nr4 >>= 7\nr0 = r4\nexit", 0, NULL, 0 },
	{ "links at a distance", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = r0\nr2 += 5\nif r0 > 0x9 goto pc+1\nr3 = r2\nexit", 0, NULL, 0 },
	{ "links at a negative distance", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = r0\nr2 += -5\nif r0 > 0x9 goto pc+1\nr3 = r2\nexit", 0, NULL, 0 },
	{ "links by subtraction", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = r0\nr2 -= 5\nif r0 > 0x9 goto pc+1\nr3 = r2\nexit", 0, NULL, 0 },
	{ "links at a 32-bit distance", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = r0\nw2 += 5\nif r0 > 0x9 goto pc+1\nr3 = r2\nexit", 0, NULL, 0 },
	{ "links twice", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = r0\nr2 += 5\nr2 += 6\nif r0 > 0x9 goto pc+1\nr3 = r2\nexit", 0, NULL, 0 },
	{ "links, both at a distance", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = r0\nr2 += 5\nr3 = r0\nr3 += 9\nif r2 > 0x20 goto pc+1\nr4 = r3\nexit", 0, NULL, 0 },
	{ "copy of a distant one", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = r0\nr2 += 5\nr3 = r2\nif r3 > 0x20 goto pc+1\nr4 = r0\nexit", 0, NULL, 0 },
	{ "32-bit move of a small number", SOCKET, "r0 = *(u32 *)(r1 +0)\nw2 = w0\nif r2 > 0x20 goto pc+1\nr4 = r0\nexit", 0, NULL, 0 },
	{ "32-bit move of a large number", TRACEPOINT, "r0 = *(u64 *)(r1 +8)\nw2 = w0\nif r2 > 0x20 goto pc+1\nr4 = r0\nexit", 0, NULL, 0 },
	{ "mask forks", SOCKET, "r0 = *(u32 *)(r1 +0)\nr0 <<= 32\nr0 s>>= 63\nr0 &= 8\nexit", 0, NULL, 0 },
	{ "mask forks 32", SOCKET, "r0 = *(u32 *)(r1 +0)\nw0 s>>= 31\nw0 |= 8\nexit", 0, NULL, 0 },
	{ "xor itself", SOCKET, "r0 = *(u32 *)(r1 +0)\nr0 ^= r0\nexit", 0, NULL, 0 },
	{ "sub itself", SOCKET, "r0 = *(u32 *)(r1 +0)\nr0 -= r0\nexit", 0, NULL, 0 },
	{ "div and mod of unknown", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = *(u32 *)(r1 +4)\nr3 = r0\nr3 /= r2\nr0 %= 10\nr4 = r0\nr4 s/= 3\nr4 s%= 7\nexit", 0, NULL, 0 },
	{ "frame pointer minus", SOCKET, "r2 = r10\nr2 -= 8\nr0 = 0\n*(u64 *)(r2 +0) = r0\nexit", -EACCES, "R2 subtraction from stack pointer prohibited", 0 },
	{ "pointer times", SOCKET, "r1 *= 2\nr0 = 0\nexit", -EACCES, "R1 pointer arithmetic with *= operator prohibited", 0 },
	{ "pointer or", SOCKET, "r1 |= 2\nr0 = 0\nexit", -EACCES, "R1 bitwise operator |= on pointer prohibited", 0 },
	{ "pointer plus pointer", SOCKET, "r2 = r10\nr2 += r1\nr0 = 0\nexit", -EACCES, "R2 pointer += pointer prohibited", 0 },
	{ "pointer minus pointer", SOCKET, "r2 = r10\nr2 -= r1\nr0 = 0\nexit", 0, NULL, 0 },
	{ "number minus pointer", SOCKET, "r2 = 4\nr2 -= r1\nr0 = 0\nexit", -EACCES, "R2 tried to subtract pointer from scalar", 0 },
	{ "32-bit pointer addition", SOCKET, "w1 += 4\nr0 = 0\nexit", -EACCES, "R1 32-bit pointer arithmetic prohibited", 0 },
	{ "32-bit pointer subtraction", SOCKET, "w1 -= 4\nr0 = r1\nexit", 0, NULL, 0 },
	{ "negated pointer", SOCKET, "r1 = -r1\nr0 = r1\nexit", 0, NULL, 0 },
	{ "swapped pointer", SOCKET, "r1 = bswap64 r1\nr0 = r1\nexit", 0, NULL, 0 },
	{ "32-bit copy of a pointer", SOCKET, "w2 = w1\nr0 = r2\nexit", 0, NULL, 0 },
	{ "arithmetic on a map pointer", SOCKET, "r1 = map_fd 0\nr1 += 8\nr0 = 0\nexit", -EACCES, "R1 pointer arithmetic on map_ptr prohibited", 0 },
	{ "zero added to a map pointer", SOCKET, "r1 = map_fd 0\nr1 += 0\nr0 = 0\nexit", 0, NULL, 0 },
	{ "offset too large", SOCKET, "r1 = r10\nr1 += 1073741824\nr0 = 0\nexit", -EINVAL, "math between fp pointer and 1073741824 is not allowed", 0 },
	{ "offset adds up", SOCKET, "r1 = r10\nr1 += 536870911\nr1 += 536870911\nr0 = 0\nexit", -EINVAL, "fp pointer offset 1073741822 is not allowed", 0 },
	{ "unbounded offset", TRACEPOINT, "r2 = *(u64 *)(r1 +8)\nr1 += r2\nr0 = 0\nexit", -EINVAL, "register with unbounded min value is not allowed", 0 },
	{ "negative offset", SOCKET, "r2 = *(u32 *)(r1 +0)\nr2 += -2147483647\nr2 <<= 4\nr3 = r10\nr3 += r2\nr0 = 0\nexit", -EINVAL, NULL, 0 },
	{ "signed modulo", SOCKET, "r0 = *(u32 *)(r1 +0)\nr0 s%= -3\nexit", 0, NULL, 0 },
	{ "register shifts", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = r0\nr2 &= 7\nr3 = 1\nr3 <<= r2\nr4 = -1\nr4 >>= r2\nr5 = -8\nr5 s>>= r2\nr0 <<= r0\nexit", 0, NULL, 0 },
	{ "links of a wide number's low half", TRACEPOINT, "r0 = *(u64 *)(r1 +8)\nr2 = r0\nw2 += 5\nif r2 > 0x20 goto pc+1\nr3 = r0\nr4 = r2\nr0 = 0\nexit", 0, NULL, 0 },
	{ "links of a low half by zero", TRACEPOINT, "r0 = *(u64 *)(r1 +8)\nr2 = r0\nw2 += 0\nif r2 > 0x20 goto pc+1\nr3 = r0\nr4 = r2\nr0 = 0\nexit", 0, NULL, 0 },
	{ "links of words and halves", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = r0\nr3 = r0\nw2 += 5\nr3 += 5\nif r2 > 0x20 goto pc+1\nr4 = r3\nr0 = 0\nexit", 0, NULL, 0 },
	{ "offset: a number far from what it is linked to", SOCKET, "call bpf_get_prandom_u32#7\nr4 = r0\nr4 += 634554968\nif r4 >= 0x27 goto pc+3\nr2 = map_value 7 + 0\nr2 += r4\nr1 = *(u8 *)(r2 +0)\nr0 = 0\nexit", -EINVAL, "map_value pointer offset 634554968 is not allowed", 0 },
	{ "offset: a number at a distance of what it is linked to", SOCKET, "call bpf_get_prandom_u32#7\nr4 = r0\nr4 += 34554968\nif r4 >= 0x27 goto pc+4\nr2 = map_value 7 + 0\nr2 += r4\nr1 = *(u8 *)(r2 +0)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "links of a number added to itself", SOCKET, "call bpf_get_prandom_u32#7\nr6 = r0\ncall bpf_get_prandom_u32#7\nr1 = r6\nif r6 != 0x5 goto pc+4\nr1 += r1\nif r6 > r0 goto pc+2\nif r1 == 0xa goto pc+1\nr0 = *(u8 *)(r1 +0)\nr0 = 0\nexit", 0, NULL, 0 },
	{ 0 }
};
