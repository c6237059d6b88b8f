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
	/* Ranges are compared whether they matter or not (callback.c): one iteration more than in 6.18. */
	{ "may_goto", RAW_TP, "r0 = 0\nagain:\nmay_goto out\nr0 += 1\ngoto again\nout:\nexit", 0, NULL, 0 },
	{ "may_goto over nothing", RAW_TP, "r0 = 0\nmay_goto out\nout:\nexit", 0, NULL, 0 },
	{ "may_gotos over nothing", RAW_TP, "r0 = 0\nif r0 != 0 goto out\ngoto next\nnext:\nmay_goto out\nmay_goto out\nmay_goto out\nout:\nexit", 0, NULL, 0 },
	{ "may_gotos over nothing behind a jump", RAW_TP, "r0 = *(u64 *)(r1 +0)\nif r0 == 0 goto last\ngoto out\nlast:\nmay_goto out\nmay_goto out\nout:\nexit", 0, NULL, 0 },
	{ "may_goto with a bound", RAW_TP, "r6 = 0\nagain:\nmay_goto out\nr6 += 1\nif r6 < 0x64 goto again\nout:\nr0 = 0\nexit", 0, NULL, 0 },
	{ "may_goto and an unknown bound", RAW_TP, "r7 = *(u64 *)(r1 +0)\nr6 = 0\nagain:\nmay_goto out\nif r6 >= r7 goto out\nr6 += 1\ngoto again\nout:\nr0 = 0\nexit", 0, NULL, 0 },
	{ "may_goto over an array", RAW_TP, "r6 = 0\nr7 = map_value 7 + 0\nagain:\nmay_goto out\nif r6 >= 0x40 goto out\nr1 = r7\nr1 += r6\nr2 = *(u8 *)(r1 +0)\nr6 += 1\ngoto again\nout:\nr0 = 0\nexit", 0, NULL, 0 },
	{ "may_goto out of an array", RAW_TP, "r6 = 0\nr7 = map_value 7 + 0\nagain:\nmay_goto out\nif r6 > 0x40 goto out\nr1 = r7\nr1 += r6\nr2 = *(u8 *)(r1 +0)\nr6 += 1\ngoto again\nout:\nr0 = 0\nexit", -EACCES, "invalid access to map value", 0 },
	{ "may_goto and a pointer that moves", RAW_TP, "r1 = map_value 7 + 0\nagain:\nmay_goto out\nr2 = *(u8 *)(r1 +0)\nr1 += 1\ngoto again\nout:\nr0 = 0\nexit", -EACCES, "invalid access to map value", 0 },
	{ "may_goto and a register that the loop sets", RAW_TP, "r6 = 0\nagain:\nmay_goto out\nr7 = 1\ngoto again\nout:\nr0 = r7\nexit", -EACCES, "R7 !read_ok", 0 },
	{ "may_goto and a stack that the loop writes", RAW_TP, "*(u64 *)(r10 -8) = 0\nagain:\nmay_goto out\nr1 = *(u64 *)(r10 -8)\nr1 += 1\n*(u64 *)(r10 -8) = r1\ngoto again\nout:\nr0 = 0\nexit", 0, NULL, 0 },
	{ "may_goto within may_goto", RAW_TP, "r6 = 0\nouter:\nmay_goto out\nr7 = 0\ninner:\nmay_goto next\nr7 += 1\nif r7 < 0xa goto inner\nnext:\nr6 += 1\ngoto outer\nout:\nr0 = 0\nexit", 0, NULL, 0 },
	/* Only after the state that it is pruned by is the use found: 6.18 does not look again (loops.h). */
	{ "a callback uses later what it set, a dead slot then", RAW_TP, "*(u64 *)(r10 -8) = 0\nr1 = 8\nr2 = func f\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\nf:\nr6 = r2\ncall bpf_get_prandom_u32#7\nif r0 == 0x1 goto use\ncall bpf_get_prandom_u32#7\nif r0 == 0x2 goto set\nover:\nr0 = 0\nexit\nset:\n*(u64 *)(r6 +0) = 100\ngoto over\nuse:\nr1 = *(u64 *)(r6 +0)\nr2 = map_value 7 + 0\nr2 += r1\nr0 = *(u8 *)(r2 +0)\nr0 = 0\nexit", -EACCES, "invalid access to map value", CASE_BTF | CASE_STATE_FREQ | CASE_OURS },
	{ "a callback uses later what it set, a number that did not count", RAW_TP, "*(u64 *)(r10 -8) = 0\nr1 = 8\nr2 = func f\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop#181\nr0 = *(u64 *)(r10 -8)\nexit\nf:\nr6 = r2\ncall bpf_get_prandom_u32#7\nif r0 == 0x1 goto use\ncall bpf_get_prandom_u32#7\nif r0 == 0x2 goto set\nover:\nr0 = 0\nexit\nset:\n*(u64 *)(r6 +0) = 100\ngoto over\nuse:\nr1 = *(u64 *)(r6 +0)\nr2 = map_value 7 + 0\nr2 += r1\nr0 = *(u8 *)(r2 +0)\nr0 = 0\nexit", -EACCES, "invalid access to map value", CASE_BTF | CASE_STATE_FREQ | CASE_OURS },
	{ "a callback uses later what it set, and may", RAW_TP, "*(u64 *)(r10 -8) = 0\nr1 = 8\nr2 = func f\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop#181\nr0 = *(u64 *)(r10 -8)\nexit\nf:\nr6 = r2\ncall bpf_get_prandom_u32#7\nif r0 == 0x1 goto use\ncall bpf_get_prandom_u32#7\nif r0 == 0x2 goto set\nover:\nr0 = 0\nexit\nset:\n*(u64 *)(r6 +0) = 40\ngoto over\nuse:\nr1 = *(u64 *)(r6 +0)\nr2 = map_value 7 + 0\nr2 += r1\nr0 = *(u8 *)(r2 +0)\nr0 = 0\nexit", 0, NULL, CASE_BTF | CASE_STATE_FREQ | CASE_OWN_LOG },
	{ "a callback uses later what a loop in it set", RAW_TP, "*(u64 *)(r10 -8) = 0\nr1 = 8\nr2 = func f\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\nf:\nr6 = r2\ncall bpf_get_prandom_u32#7\nif r0 == 0x1 goto use\nagain:\nmay_goto out\ncall bpf_get_prandom_u32#7\nif r0 == 0x2 goto set\ngoto again\nset:\n*(u64 *)(r6 +0) = 100\ngoto again\nout:\nr0 = 0\nexit\nuse:\nr1 = *(u64 *)(r6 +0)\nr2 = map_value 7 + 0\nr2 += r1\nr0 = *(u8 *)(r2 +0)\nr0 = 0\nexit", -EACCES, NULL, CASE_BTF | CASE_STATE_FREQ | CASE_OURS },
	{ "a callback uses later the pointer that it overwrote", RAW_TP, "r6 = map_value 7 + 0\n*(u64 *)(r10 -8) = r6\nr1 = 8\nr2 = func f\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\nf:\nr6 = r2\ncall bpf_get_prandom_u32#7\nif r0 == 0x1 goto use\ncall bpf_get_prandom_u32#7\nif r0 == 0x2 goto set\nover:\nr0 = 0\nexit\nset:\n*(u64 *)(r6 +0) = 100\ngoto over\nuse:\nr1 = *(u64 *)(r6 +0)\nr0 = *(u8 *)(r1 +0)\nr0 = 0\nexit", -EACCES, "invalid mem access 'scalar'", CASE_BTF | CASE_STATE_FREQ | CASE_OURS },
	{ "a callback of a callback uses later what it set", RAW_TP, "*(u64 *)(r10 -8) = 0\nr1 = 8\nr2 = func g\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop#181\nr0 = *(u64 *)(r10 -8)\nexit\ng:\nr3 = r2\nr1 = 4\nr2 = func f\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\nf:\nr6 = r2\ncall bpf_get_prandom_u32#7\nif r0 == 0x1 goto use\ncall bpf_get_prandom_u32#7\nif r0 == 0x2 goto set\nover:\nr0 = 0\nexit\nset:\n*(u64 *)(r6 +0) = 100\ngoto over\nuse:\nr1 = *(u64 *)(r6 +0)\nr2 = map_value 7 + 0\nr2 += r1\nr0 = *(u8 *)(r2 +0)\nr0 = 0\nexit", -EACCES, "invalid access to map value", CASE_BTF | CASE_STATE_FREQ | CASE_OURS },
	{ "a callback in a loop uses later what it set", RAW_TP, "*(u64 *)(r10 -8) = 0\nr7 = 0\nagain:\nr1 = 8\nr2 = func f\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop#181\nr7 += 1\nif r7 < 0x3 goto again\nr0 = *(u64 *)(r10 -8)\nexit\nf:\nr6 = r2\ncall bpf_get_prandom_u32#7\nif r0 == 0x1 goto use\ncall bpf_get_prandom_u32#7\nif r0 == 0x2 goto set\nover:\nr0 = 0\nexit\nset:\n*(u64 *)(r6 +0) = 100\ngoto over\nuse:\nr1 = *(u64 *)(r6 +0)\nr2 = map_value 7 + 0\nr2 += r1\nr0 = *(u8 *)(r2 +0)\nr0 = 0\nexit", -EACCES, "invalid access to map value", CASE_BTF | CASE_STATE_FREQ | CASE_OURS },
	{ "a callback in a loop uses later what it set, and may", RAW_TP, "*(u64 *)(r10 -8) = 0\nr7 = 0\nagain:\nr1 = 8\nr2 = func f\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop#181\nr7 += 1\nif r7 < 0x3 goto again\nr0 = *(u64 *)(r10 -8)\nexit\nf:\nr6 = r2\ncall bpf_get_prandom_u32#7\nif r0 == 0x1 goto use\ncall bpf_get_prandom_u32#7\nif r0 == 0x2 goto set\nover:\nr0 = 0\nexit\nset:\n*(u64 *)(r6 +0) = 40\ngoto over\nuse:\nr1 = *(u64 *)(r6 +0)\nr2 = map_value 7 + 0\nr2 += r1\nr0 = *(u8 *)(r2 +0)\nr0 = 0\nexit", 0, NULL, CASE_BTF | CASE_STATE_FREQ | CASE_OWN_LOG },
	{ "a callback in a may_goto loop uses later what it set", RAW_TP, "*(u64 *)(r10 -8) = 0\nagain:\nmay_goto out\nr1 = 8\nr2 = func f\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop#181\ngoto again\nout:\nr0 = *(u64 *)(r10 -8)\nexit\nf:\nr6 = r2\ncall bpf_get_prandom_u32#7\nif r0 == 0x1 goto use\ncall bpf_get_prandom_u32#7\nif r0 == 0x2 goto set\nover:\nr0 = 0\nexit\nset:\n*(u64 *)(r6 +0) = 100\ngoto over\nuse:\nr1 = *(u64 *)(r6 +0)\nr2 = map_value 7 + 0\nr2 += r1\nr0 = *(u8 *)(r2 +0)\nr0 = 0\nexit", -EINVAL, "math between map_value pointer", CASE_BTF | CASE_STATE_FREQ },
	{ "behind a loop is used what a callback in it set", RAW_TP, "*(u64 *)(r10 -8) = 0\nr7 = 0\nagain:\nr1 = 8\nr2 = func f\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop#181\ncall bpf_get_prandom_u32#7\nif r0 == 0x3 goto end\nr7 += 1\nif r7 < 0x3 goto again\nend:\nr1 = *(u64 *)(r10 -8)\nr2 = map_value 7 + 0\nr2 += r1\nr0 = *(u8 *)(r2 +0)\nr0 = 0\nexit\nf:\nr6 = r2\ncall bpf_get_prandom_u32#7\nif r0 == 0x2 goto set\nr0 = 0\nexit\nset:\n*(u64 *)(r6 +0) = 100\nr0 = 0\nexit", -EACCES, "invalid access to map value", CASE_BTF | CASE_STATE_FREQ },
	{ "a loop with a callback", RAW_TP, "r6 = 0\nagain:\n*(u64 *)(r10 -8) = r6\nr1 = 8\nr2 = func f\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop#181\ncall bpf_get_prandom_u32#7\nif r0 == 0x5 goto end\nr6 += 1\nif r6 < 0x5 goto again\nend:\nr0 = 0\nexit\nf:\nr6 = r2\nr1 &= 7\nr2 = map_value 7 + 0\nr2 += r1\nr3 = *(u8 *)(r2 +0)\nr0 = 1\nif r3 == 0x0 goto last\nr4 = *(u64 *)(r6 +0)\nif r4 == r3 goto last\nr0 = 0\nlast:\nexit", 0, NULL, CASE_BTF },
	{ "a loop with a callback, and each state is kept", RAW_TP, "r6 = 0\nagain:\n*(u64 *)(r10 -8) = r6\nr1 = 8\nr2 = func f\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop#181\ncall bpf_get_prandom_u32#7\nif r0 == 0x5 goto end\nr6 += 1\nif r6 < 0x5 goto again\nend:\nr0 = 0\nexit\nf:\nr6 = r2\nr1 &= 7\nr2 = map_value 7 + 0\nr2 += r1\nr3 = *(u8 *)(r2 +0)\nr0 = 1\nif r3 == 0x0 goto last\nr4 = *(u64 *)(r6 +0)\nif r4 == r3 goto last\nr0 = 0\nlast:\nexit", 0, NULL, CASE_BTF | CASE_STATE_FREQ },
	/* 6.18 looks for the origin of r2 where it is dead, and calls what it finds a bug. */
	{ "a dead number of a loop that is precise like all", SOCKET, "r6 = map_value 7 + 0\nagain:\nmay_goto out\ncall bpf_get_prandom_u32#7\nif r0 == 0x0 goto over\nr2 = r0\nif r0 == 0x9 goto more\nmore:\nr4 = 0\nr4 = 0\nr4 = 0\nr4 = 0\nr4 = 0\nr4 = 0\nr4 = 0\nover:\ncall bpf_get_prandom_u32#7\nr9 = r0\nr9 &= 7\n*(u64 *)(r6 +0) = r9\nif r9 s>= r6 goto next\nnext:\nr2 = map_value 7 + 0\nr2 += r9\nr0 = *(u8 *)(r2 +0)\ngoto again\nout:\nr0 = 0\nexit", 0, NULL, CASE_OURS },
	{ "may_goto into the loop that it should end", RAW_TP, "r0 = 0\nagain:\nmay_goto over\nr0 = 0\nover:\ngoto again\nexit", -EINVAL, NULL, 0 },
	{ "may_goto in a subprogram", RAW_TP, "r6 = 0\ncall f\nr0 = 0\nexit\nf:\nr0 = 0\nagain:\nmay_goto out\nr0 += 1\ngoto again\nout:\nexit", 0, NULL, 0 },
	{ "may_goto and all of the stack", RAW_TP, "*(u64 *)(r10 -512) = 0\nagain:\nmay_goto out\nr0 = 0\ngoto again\nout:\nr0 = 0\nexit", 0, NULL, 0 },
	{ "may_goto and a record that is kept", RAW_TP, "again:\nmay_goto out\nr1 = map_fd 2\nr2 = 8\nr3 = 0\ncall bpf_ringbuf_reserve#131\nif r0 == 0x0 goto out\ngoto again\nout:\nr0 = 0\nexit", -EINVAL, "Unreleased reference", 0 },
	{ 0 }
};
