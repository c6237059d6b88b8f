/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases: reserved fields, jumps, reachability, constants, subprograms' shape.
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
const struct verify_case cases_structure[] = {
	{ "return 0", SOCKET, "r0 = 0\nexit", 0, "processed 2 insns", 0 },
	{ "r0 not set", SOCKET, "exit", -EACCES, "R0 !read_ok", 0 },
	{ "no exit", SOCKET, "r0 = 0", -EINVAL, "last insn is not an exit or jmp", 0 },
	{ "jump out forward", SOCKET, "r0 = 0\ngoto pc+5\nexit", -EINVAL, "jump out of range from insn 1 to 7", 0 },
	{ "jump out backward", SOCKET, "goto pc-2\nexit", -EINVAL, "jump out of range from insn 0 to -1", 0 },
	{ "unreachable", SOCKET, "r0 = 0\nexit\nr0 = 1\nexit", -EINVAL, "unreachable insn 2", 0 },
	{ "jump into ldimm64", SOCKET, "r0 = 0\nif r1 == 0x0 goto pc+1\nr0 = 0x1122334455667788\nexit", -EINVAL, "jump into the middle of ldimm64 insn 2", 0 },
	{ "ldimm64", SOCKET, "r0 = 0x1122334455667788\nexit", 0, "R0=0x1122334455667788", 0 },
	{ "self loop", SOCKET, "r0 = 0\ngoto pc-1\nexit", -EINVAL, "unreachable insn 2", 0 },
	{ "endless loop", SOCKET, "r0 = 0\nif r0 == 0x0 goto pc-1\nexit", -EINVAL, "infinite loop detected", 0 },
	{ "goto forward", SOCKET, "r0 = 0\ngoto pc+0\nexit", 0, NULL, 0 },
	{ "gotol", SOCKET, "r0 = 0\ngotol pc+0\nexit", 0, NULL, 0 },
	{ "write r10", SOCKET, "r10 = 0\nr0 = 0\nexit", -EACCES, "frame pointer is read only", 0 },
	{ "add to r10", SOCKET, "r10 += 8\nr0 = 0\nexit", -EACCES, "frame pointer is read only", 0 },
	{ "uninitialised source", SOCKET, "r0 = r2\nexit", -EACCES, "R2 !read_ok", 0 },
	{ "uninitialised in alu", SOCKET, "r2 += 1\nr0 = 0\nexit", -EACCES, "R2 !read_ok", 0 },
	{ "map not there", SOCKET, "r1 = map_fd 77\nr0 = 0\nexit", -EBADF, "fd 77 is not pointing to valid bpf_map", 0 },
	{ "map pointer", SOCKET, "r1 = map_fd 0\nr0 = 0\nexit", 0, "R1=map_ptr(ks=4,vs=8)", 0 },
	{ "map value pointer", SOCKET, "r1 = map_value 7 + 8\nr0 = *(u64 *)(r1 +0)\nexit", 0, "R1=map_value(ks=4,vs=64,off=8)", 0 },
	{ "map value offset too large", SOCKET, "r1 = map_value 7 + 64\nr0 = 0\nexit", -EINVAL, "invalid access to map value pointer, value_size=64 off=64", 0 },
	{ "map value of a hash", SOCKET, "r1 = map_value 0 + 0\nr0 = 0\nexit", -EINVAL, "no direct value access support for this map type", 0 },
	{ "map value of many", SOCKET, "r1 = map_value 1 + 0\nr0 = 0\nexit", -524, "invalid access to map value pointer", 0 },
	{ "bad helper", SOCKET, "call unknown#1234\nr0 = 0\nexit", -EINVAL, "invalid func unknown#1234", 0 },
	{ "call out of range", SOCKET, "call pc+7\nr0 = 0\nexit", -EINVAL, "call to invalid destination", 0 },
	{ "recursion", SOCKET, "call f\nexit\nf: call f\nexit", -E2BIG, "the call stack of 9 frames is too deep", 0 },
	{ "fall out of the main program", SOCKET, "call f\nr0 = 0\nf: r0 = 1\nexit", -EINVAL, "last insn is not an exit or jmp", 0 },
	{ "jump between subprograms", SOCKET, "call f\ngoto pc+1\nexit\nf: r0 = 0\nexit", -EINVAL, "jump out of range", 0 },
	{ "return a pointer", SOCKET, "r0 = r10\nexit", 0, NULL, 0 },
	{ "dead branch removed", SOCKET, "r0 = 0\nif r0 == 0x0 goto pc+1\nr0 = 5\nexit", 0, "processed 3 insns", 0 },
	{ 0 }
};
