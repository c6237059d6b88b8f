/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases: map values, packets, records.
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
const struct verify_case cases_memory[] = {
	{ "map value", TRACEPOINT, "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map_fd 0\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+2\nr1 = 1\nlock *(u64 *)(r0 +0) += r1\nr0 = 0\nexit", 0, "R0=map_value_or_null(id=1,ks=4,vs=8)", 0 },
	{ "no null check", TRACEPOINT, "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map_fd 0\ncall bpf_map_lookup_elem#1\nr0 = *(u64 *)(r0 +0)\nexit", -EACCES, "R0 invalid mem access 'map_value_or_null'", 0 },
	{ "null after all", TRACEPOINT, "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map_fd 0\ncall bpf_map_lookup_elem#1\nif r0 != 0x0 goto pc+1\nr0 = *(u64 *)(r0 +0)\nr0 = 0\nexit", -EACCES, "R0 invalid mem access 'scalar'", 0 },
	{ "checked copy", TRACEPOINT, "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map_fd 0\ncall bpf_map_lookup_elem#1\nr6 = r0\n*(u64 *)(r10 -16) = r0\nif r0 == 0x0 goto pc+2\nr7 = *(u64 *)(r10 -16)\nr0 = *(u64 *)(r7 +0)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "arithmetic before null check", TRACEPOINT, "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map_fd 0\ncall bpf_map_lookup_elem#1\nr0 += 8\nr0 = 0\nexit", -EACCES, "R0 pointer arithmetic on map_value_or_null prohibited, null-check it first", 0 },
	{ "32-bit null check", TRACEPOINT, "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map_fd 0\ncall bpf_map_lookup_elem#1\nif w0 == 0x0 goto pc+1\nr0 = *(u64 *)(r0 +0)\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "null check by equality", TRACEPOINT, "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map_fd 0\ncall bpf_map_lookup_elem#1\nr1 = map_value 7 + 0\nif r0 != r1 goto pc+1\nr0 = *(u64 *)(r0 +0)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "array element written in the upper half", TRACEPOINT, "*(u32 *)(r10 -4) = 3\nr2 = r10\nr2 += -4\nr1 = map_fd 1\ncall bpf_map_lookup_elem#1\nr0 = *(u64 *)(r0 +40)\nexit", -EACCES, NULL, 0 },
	{ "known array element from a spill", TRACEPOINT, "*(u32 *)(r10 -8) = 3\nr2 = r10\nr2 += -8\nr1 = map_fd 1\ncall bpf_map_lookup_elem#1\nr0 = *(u64 *)(r0 +40)\nexit", 0, NULL, 0 },
	{ "array element out of range", TRACEPOINT, "*(u32 *)(r10 -8) = 4\nr2 = r10\nr2 += -8\nr1 = map_fd 1\ncall bpf_map_lookup_elem#1\nr0 = *(u64 *)(r0 +40)\nexit", -EACCES, "R0 invalid mem access 'map_value_or_null'", 0 },
	{ "zero key of an array", TRACEPOINT, "r3 = 0\n*(u32 *)(r10 -4) = r3\nr2 = r10\nr2 += -4\nr1 = map_fd 5\ncall bpf_map_lookup_elem#1\nr0 = *(u64 *)(r0 +0)\nexit", 0, NULL, 0 },
	{ "value end", SOCKET, "r2 = map_value 7 + 0\nr0 = *(u64 *)(r2 +56)\nr0 = *(u64 *)(r2 +60)\nexit", -EACCES, "invalid access to map value, value_size=64 off=60 size=8", 0 },
	{ "value before", SOCKET, "r2 = map_value 7 + 0\nr0 = *(u64 *)(r2 -8)\nexit", -EACCES, "R2 min value is outside of the allowed memory range", 0 },
	{ "variable index", SOCKET, "r0 = *(u32 *)(r1 +0)\nr0 &= 31\nr2 = map_value 7 + 0\nr2 += r0\nr0 = *(u8 *)(r2 +32)\nexit", 0, NULL, 0 },
	{ "variable index too far", SOCKET, "r0 = *(u32 *)(r1 +0)\nr0 &= 31\nr2 = map_value 7 + 0\nr2 += r0\nr0 = *(u8 *)(r2 +33)\nexit", -EACCES, "R2 max value is outside of the allowed memory range", 0 },
	{ "unbounded index", SOCKET, "r0 = *(u32 *)(r1 +0)\nr2 = map_value 7 + 0\nr2 += r0\nr0 = *(u8 *)(r2 +0)\nexit", -EACCES, "R2 unbounded memory access", 0 },
	{ "signed index", SOCKET, "r0 = *(u32 *)(r1 +0)\nr0 = (s8)r0\nif r0 s> 0x20 goto pc+3\nr2 = map_value 7 + 0\nr2 += r0\nr0 = *(u8 *)(r2 +0)\nr0 = 0\nexit", -EACCES, "R2 min value is negative", 0 },
	{ "read-only map read", SOCKET, "r2 = map_value 8 + 0\nr0 = *(u64 *)(r2 +0)\nexit", 0, NULL, 0 },
	{ "read-only map written", SOCKET, "r2 = map_value 8 + 0\nr0 = 0\n*(u64 *)(r2 +0) = r0\nexit", -EACCES, "write into map forbidden, value_size=8 off=0 size=8", 0 },
	{ "write-only map read", SOCKET, "r2 = map_value 9 + 0\nr0 = *(u64 *)(r2 +0)\nexit", -EACCES, "read from map forbidden, value_size=8 off=0 size=8", 0 },
	{ "frozen values are known", SOCKET, "r2 = map_value 6 + 0\nr0 = *(u32 *)(r2 +8)\nr3 = *(s32 *)(r2 +12)\nr4 = *(u8 *)(r2 +0)\nexit", 0, "R0=42", 0 },
	{ "frozen values of an array of two", SOCKET, "*(u32 *)(r10 -4) = 1\nr2 = r10\nr2 += -4\nr1 = map_fd 11\ncall bpf_map_lookup_elem#1\nif r0 == 0x0 goto pc+1\nr0 = *(u32 *)(r0 +8)\nexit", -524, NULL, 0 },
	{ "pointer into a map", SOCKET, "r2 = map_value 7 + 0\n*(u64 *)(r2 +0) = r1\nr0 = 0\nexit", 0, NULL, 0 },
	{ "packet", XDP, "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\nr0 = 2\nif r4 > r3 goto pc+1\nr0 = *(u16 *)(r2 +12)\nexit", 0, NULL, 0 },
	{ "packet without check", XDP, "r2 = *(u32 *)(r1 +0)\nr0 = *(u8 *)(r2 +0)\nexit", -EACCES, "invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0)", 0 },
	{ "packet beyond the check", XDP, "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\nr0 = 2\nif r4 > r3 goto pc+1\nr0 = *(u16 *)(r2 +13)\nexit", -EACCES, "R2 offset is outside of the packet", 0 },
	{ "packet, reversed checks", XDP, "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\nr0 = 2\nif r3 < r4 goto pc+1\nr0 = *(u16 *)(r2 +12)\nr4 += 6\nif r3 >= r4 goto pc+1\nexit\nr0 = *(u8 *)(r2 +19)\nexit", 0, NULL, 0 },
	{ "packet, open ended check", XDP, "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 8\nr0 = 2\nif r4 >= r3 goto pc+1\nr0 = *(u8 *)(r2 +8)\nexit", 0, NULL, 0 },
	{ "packet with variable offset", XDP, "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\nr0 = 2\nif r4 > r3 goto pc+7\nr5 = *(u8 *)(r2 +0)\nr2 += r5\nr4 = r2\nr4 += 8\nif r4 > r3 goto pc+2\nr0 = *(u32 *)(r2 +4)\n*(u8 *)(r2 +0) = r0\nexit", 0, NULL, 0 },
	{ "metadata", XDP, "r2 = *(u32 *)(r1 +8)\nr3 = *(u32 *)(r1 +0)\nr4 = r2\nr4 += 4\nr0 = 2\nif r4 > r3 goto pc+1\nr0 = *(u32 *)(r2 +0)\nexit", 0, NULL, 0 },
	{ "packet end arithmetic", XDP, "r3 = *(u32 *)(r1 +4)\nr3 += 1\nr0 = 2\nexit", -EACCES, "R3 pointer arithmetic on pkt_end prohibited", 0 },
	{ "beyond the end known", XDP, "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\nr0 = 2\nif r4 <= r3 goto pc+2\nif r4 > r3 goto pc+1\nr0 = *(u64 *)(r0 +0)\nexit", 0, NULL, 0 },
	{ "strict alignment in packets", XDP, "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\nr0 = 2\nif r4 > r3 goto pc+1\nr0 = *(u32 *)(r2 +0)\nexit", -EACCES, "misaligned packet access off 2+0+0+0 size 4", CASE_STRICT },
	{ "strict alignment in values", SOCKET, "r2 = map_value 7 + 0\nr0 = *(u64 *)(r2 +4)\nexit", -EACCES, "misaligned value access off 0+0+4 size 8", CASE_STRICT },
	{ "number as pointer", SOCKET, "r2 = 4096\nr0 = *(u64 *)(r2 +0)\nexit", -EACCES, "R2 invalid mem access 'scalar'", 0 },
	{ "map pointer: entries", SOCKET, "r2 = map_fd 0\nr0 = *(u32 *)(r2 +{bpf_map.max_entries})\nexit", 0, NULL, 0 },
	{ "map pointer: part of a member", SOCKET, "r2 = map_fd 0\nr0 = *(u8 *)(r2 +{bpf_map.max_entries})\nexit", 0, NULL, 0 },
	{ "map pointer: two members", SOCKET, "r2 = map_fd 0\nr0 = *(u64 *)(r2 +{bpf_map.key_size})\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "map pointer: its name", SOCKET, "r2 = map_fd 0\nr0 = *(u64 *)(r2 +{bpf_map.name})\nr0 = 0\nexit", 0, NULL, 0 },
	{ "map pointer: a structure", SOCKET, "r2 = map_fd 0\nr3 = *(u64 *)(r2 +{bpf_map.btf})\nr0 = *(u32 *)(r3 +{btf.id})\nexit", 0, NULL, 0 },
	{ "map pointer: operations", SOCKET, "r2 = map_fd 0\nr3 = *(u64 *)(r2 +{bpf_map.ops})\nr0 = *(u64 *)(r3 +0)\nr0 = 0\nexit", 0, NULL, 0 },
	{ "map pointer: a member of its type", SOCKET, "r2 = map_fd 1\nr0 = *(u32 *)(r2 +{bpf_array.elem_size})\nr0 = 0\nexit", 0, NULL, 0 },
	{ "map pointer: a hash's", SOCKET, "r2 = map_fd 0\nr0 = *(u32 *)(r2 +{bpf_htab.n_buckets})\nr0 = 0\nexit", 0, NULL, 0 },
	{ "map pointer: elements", SOCKET, "r2 = map_fd 0\nr0 = *(u32 *)(r2 +{bpf_htab.count})\nr0 = 0\nexit", 0, NULL, 0 },
	{ "map pointer: behind the structure", SOCKET, "r2 = map_fd 2\nr0 = *(u32 *)(r2 +304)\nr0 = 0\nexit", -EACCES, NULL, 0 },
	{ "map pointer: what is behind an array's structure", SOCKET, "r2 = map_fd 1\nr0 = *(u8 *)(r2 +{bpf_array.value})\nr0 = 0\nexit", -EACCES, "access beyond struct bpf_array at off 312 size 1", CASE_OWN_LOG },
	{ "map pointer: null is added", SOCKET, "r2 = map_fd 0\nr2 += 0\nr0 = *(u32 *)(r2 +{bpf_map.id})\nr0 = 0\nexit", 0, NULL, 0 },
	{ "map pointer: a lock", SOCKET, "r2 = map_fd 0\nr0 = *(u32 *)(r2 +{bpf_map.freeze_mutex})\nr0 = 0\nexit", 0, NULL, 0 },
	{ "map pointer: no license", SOCKET, "r2 = map_fd 0\nr0 = *(u32 *)(r2 +{bpf_map.id})\nr0 = 0\nexit", 0, NULL, CASE_NOT_GPL },
	{ "map pointer or a stack", SOCKET, "r6 = r1\ncall bpf_get_prandom_u32#7\n*(u64 *)(r10 -512) = 0\nr2 = r10\nr2 += -512\nif r0 == 0x0 goto pc+2\nr2 = map_fd 0\nr0 = *(u32 *)(r2 +0)\nr0 = 0\nexit", -EINVAL, "same insn cannot be used with different pointers", CASE_OURS },
	{ "record", TRACEPOINT, "r1 = map_fd 2\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve#131\nif r0 == 0x0 goto pc+4\n*(u64 *)(r0 +8) = 1\nr1 = r0\nr2 = 0\ncall bpf_ringbuf_submit#132\nr0 = 0\nexit", 0, "ringbuf_mem_or_null(id=2,ref_obj_id=2,sz=16)", 0 },
	{ "record leaked", TRACEPOINT, "r1 = map_fd 2\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve#131\nr0 = 0\nexit", -EINVAL, "Unreleased reference id=2 alloc_insn=4", 0 },
	{ "record used after release", TRACEPOINT, "r1 = map_fd 2\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve#131\nif r0 == 0x0 goto pc+5\nr6 = r0\nr1 = r0\nr2 = 0\ncall bpf_ringbuf_discard#133\nr0 = *(u64 *)(r6 +0)\nr0 = 0\nexit", -EACCES, "R6 invalid mem access 'scalar'", 0 },
	{ "record end", TRACEPOINT, "r1 = map_fd 2\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve#131\nif r0 == 0x0 goto pc+4\n*(u64 *)(r0 +16) = 1\nr1 = r0\nr2 = 0\ncall bpf_ringbuf_submit#132\nr0 = 0\nexit", -EACCES, "invalid access to memory, mem_size=16 off=16 size=8", 0 },
	{ "record released moved", TRACEPOINT, "r1 = map_fd 2\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve#131\nif r0 == 0x0 goto pc+4\nr1 = r0\nr1 += 8\nr2 = 0\ncall bpf_ringbuf_submit#132\nr0 = 0\nexit", -EINVAL, "R1 must have zero offset when passed to release func", 0 },
	{ "record twice", TRACEPOINT, "r1 = map_fd 2\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve#131\nr6 = r0\nr1 = map_fd 2\nr2 = 8\nr3 = 0\ncall bpf_ringbuf_reserve#131\nr7 = r0\nif r6 == 0x0 goto pc+3\nr1 = r6\nr2 = 0\ncall bpf_ringbuf_submit#132\nif r7 == 0x0 goto pc+3\nr1 = r7\nr2 = 0\ncall bpf_ringbuf_submit#132\nr0 = 0\nexit", 0, "refs=2,4", 0 },
	{ "record of unknown size", TRACEPOINT, "r2 = *(u64 *)(r1 +8)\nr1 = map_fd 2\nr3 = 0\ncall bpf_ringbuf_reserve#131\nr0 = 0\nexit", -EACCES, "R2 is not a known constant", 0 },
	{ "record submitted unchecked", TRACEPOINT, "r1 = map_fd 2\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve#131\nr1 = r0\nr2 = 0\ncall bpf_ringbuf_submit#132\nr0 = 0\nexit", -EACCES, "R1 type=ringbuf_mem_or_null expected=ringbuf_mem", 0 },
	{ "submit something else", TRACEPOINT, "r1 = map_value 7 + 0\nr2 = 0\ncall bpf_ringbuf_submit#132\nr0 = 0\nexit", -EACCES, "R1 type=map_value expected=ringbuf_mem", 0 },
	/* 6.18 takes what was beyond the end for being there still after going back. */
	{ "packet, checked far beyond its largest size", XDP, "r6 = r1\ncall bpf_get_prandom_u32#7\nr0 &= 0x3fffffff\nr2 = *(u32 *)(r6 +0)\nr3 = *(u32 *)(r6 +4)\nr2 += r0\nr4 = r2\nr4 += 8\nr0 = 2\nif r4 > r3 goto pc+1\nr0 = *(u8 *)(r2 +0)\nexit", -EACCES, "invalid access to packet", 0 },
	{ "packet, checked up to its largest size", XDP, "r6 = r1\ncall bpf_get_prandom_u32#7\nr0 &= 0x7fff\nr2 = *(u32 *)(r6 +0)\nr3 = *(u32 *)(r6 +4)\nr2 += r0\nr4 = r2\nr4 += 8\nr0 = 2\nif r4 > r3 goto pc+1\nr0 = *(u8 *)(r2 +0)\nexit", 0, NULL, 0 },
	{ "packet pointer back from the end", XDP, "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr9 = 0\nr4 = r2\nr4 += 64\nif r4 > r3 goto pc+1\ngoto pc+1\nr9 = 4096\nr4 += -64\nr0 = 2\nif r4 < r3 goto pc+1\nexit\nr1 = map_value 7 + 0\nr1 += r9\nr0 = *(u8 *)(r1 +0)\nexit", -EACCES, "invalid access to map value", CASE_OURS },
	{ "packet pointer back from the end by a variable", XDP, "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr5 = *(u32 *)(r1 +16)\nr5 &= 63\nr9 = 0\nr4 = r2\nr4 += 64\nif r4 > r3 goto pc+1\ngoto pc+1\nr9 = 4096\nr4 -= r5\nr0 = 2\nif r4 < r3 goto pc+1\nexit\nr1 = map_value 7 + 0\nr1 += r9\nr0 = *(u8 *)(r1 +0)\nexit", -EACCES, "invalid access to map value", CASE_OURS },
	{ "packet pointer on from the end", XDP, "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 64\nr0 = 2\nif r4 > r3 goto pc+1\nexit\nr4 += 8\nif r4 > r3 goto pc+1\nr0 = *(u64 *)(r10 +8)\nexit", 0, NULL, 0 },
	{ "leak by tail call", TRACEPOINT, "r6 = r1\nr1 = map_fd 2\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve#131\nif r0 == 0x0 goto pc+5\nr1 = r6\nr2 = map_fd 4\nr3 = 0\ncall bpf_tail_call#12\nr0 = 0\nexit", -EINVAL, "tail_call would lead to reference leak", 0 },
	{ 0 }
};
