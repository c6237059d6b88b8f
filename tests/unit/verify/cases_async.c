/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases: timers and work queues. Map 13 has a bpf_timer at offset 8, map 14 a bpf_wq.
 */
#include "case.h"

#include <errno.h>

#define TRACEPOINT BPF_PROG_TYPE_TRACEPOINT
#define CLS	   BPF_PROG_TYPE_SCHED_CLS
#define SYSCALL	   BPF_PROG_TYPE_SYSCALL

/* r6 is the value of key 1. */
#define LOOKUP(map)                                          \
	"*(u32 *)(r10 -8) = 1\nr1 = map_fd " map             \
	"\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\n" \
	"r6 = r0\nif r6 == 0x0 goto end\n"
/* r1 is its timer or work queue. */
#define FIELD	"r1 = r6\nr1 += 8\n"
#define INIT	FIELD "r2 = map_fd 13\nr3 = 1\ncall bpf_timer_init#169\n"
#define SET	FIELD "r2 = func f\ncall bpf_timer_set_callback#170\n"
#define START	FIELD "r2 = 0\nr3 = 0\ncall bpf_timer_start#171\n"
#define CANCEL	FIELD "call bpf_timer_cancel#172\n"
#define WQ_INIT FIELD "r2 = map_fd 14\nr3 = 0\ncall kernel-function#{kfunc:bpf_wq_init}\n"
#define WQ_SET                                     \
	FIELD "r2 = func f\nr3 = 0\nr4 = 0\ncall " \
	      "kernel-function#{kfunc:bpf_wq_set_callback_impl}\n"
#define WQ_START FIELD "r2 = 0\ncall kernel-function#{kfunc:bpf_wq_start}\n"
#define END	 "end: r0 = 0\nexit\n"
#define F(text)	 "f: " text

#define USER_READ "r1 = r10\nr1 += -8\nr2 = 8\nr3 = 0\ncall bpf_copy_from_user#148\n"

/* clang-format off */
const struct verify_case cases_async[] = {
	{ "timer: all", CLS, LOOKUP("13") INIT SET START CANCEL END F("r0 = 0\nexit"), 0, NULL, CASE_BTF },
	{ "timer: callback's arguments", CLS, LOOKUP("13") SET END F("r6 = r1\nr7 = *(u32 *)(r2 +0)\nr1 = *(u64 *)(r3 +0)\nr1 += r7\n*(u64 *)(r3 +0) = r1\nr1 = r6\ncall bpf_map_delete_elem#3\nr0 = 0\nexit"), 0, NULL, CASE_BTF },
	{ "timer: callback returns 1", CLS, LOOKUP("13") SET END F("r0 = 1\nexit"), -EINVAL, "At async callback return the register R0 has smin=1 smax=1 should have been in [0, 0]", CASE_BTF },
	{ "timer: callback returns anything", CLS, LOOKUP("13") SET END F("r0 = *(u64 *)(r3 +0)\nexit"), -EINVAL, "At async callback return the register R0 has unknown scalar value should have been in [0, 0]", CASE_BTF },
	{ "timer: callback returns a pointer", CLS, LOOKUP("13") SET END F("r0 = r3\nexit"), -EINVAL, "At async callback return the register R0 is not a known value (map_value)", CASE_BTF },
	{ "timer: callback without result", CLS, LOOKUP("13") SET END F("r1 = 0\nexit"), -EACCES, "R0 !read_ok", CASE_BTF },
	{ "timer: callback reads r4", CLS, LOOKUP("13") SET END F("r0 = r4\nr0 = 0\nexit"), -EACCES, "R4 !read_ok", CASE_BTF },
	{ "timer: callback writes its key", CLS, LOOKUP("13") SET END F("*(u32 *)(r2 +0) = 1\nr0 = 0\nexit"), -EACCES, "write to change key R2 not allowed", CASE_BTF },
	{ "timer: callback reads beyond its value", CLS, LOOKUP("13") SET END F("r0 = *(u64 *)(r3 +24)\nr0 = 0\nexit"), -EACCES, "invalid access to map value, value_size=24 off=24 size=8", CASE_BTF },
	{ "timer: callback reads its timer", CLS, LOOKUP("13") SET END F("r0 = *(u64 *)(r3 +8)\nr0 = 0\nexit"), -EACCES, "bpf_timer cannot be accessed directly by load/store", CASE_BTF },
	{ "timer: callback sets itself", CLS, LOOKUP("13") SET END F("r6 = r3\n" FIELD "r2 = func f\ncall bpf_timer_set_callback#170\n" START "r0 = 0\nexit"), 0, NULL, CASE_BTF },
	{ "timer: two callbacks set each other", CLS, LOOKUP("13") SET END F("r6 = r3\n" FIELD "r2 = func g\ncall bpf_timer_set_callback#170\nr0 = 0\nexit\ng: r6 = r3\n" SET "r0 = 0\nexit"), 0, NULL, CASE_BTF },
	{ "timer: callback loops for ever", CLS, LOOKUP("13") SET END F("r0 = 0\nl: goto l"), -EINVAL, "infinite loop detected", CASE_BTF },
	{ "timer: callback with a loop", CLS, LOOKUP("13") SET END F("r1 = 0\nl: r1 += 1\nif r1 < 0x10 goto l\nr0 = 0\nexit"), 0, NULL, CASE_BTF },
	{ "timer: callback that branches and calls", CLS, LOOKUP("13") SET END F("r6 = *(u64 *)(r3 +0)\nif r6 > 0x5 goto m\nr1 = r6\ncall g\nr0 &= 0\nexit\nm: r0 = 0\nexit\ng: r0 = r1\nexit"), 0, NULL, CASE_BTF },
	{ "timer: callback is called, too", CLS, LOOKUP("13") SET "r1 = map_fd 13\nr2 = r10\nr2 += -8\nr3 = r6\ncall f\n" END F("r0 = 0\nexit"), 0, NULL, CASE_BTF },
	{ "timer: callback called with a number", CLS, LOOKUP("13") SET "r1 = 0\nr2 = 0\nr3 = 0\ncall f\n" END F("r0 = *(u64 *)(r3 +0)\nr0 = 0\nexit"), -EACCES, "R3 invalid mem access 'scalar'", CASE_BTF },
	{ "timer: callback set in two places", CLS, LOOKUP("13") SET SET END F("r0 = 0\nexit"), 0, NULL, CASE_BTF },
	{ "timer: callback with deep stack", CLS, "*(u64 *)(r10 -400) = 0\n" LOOKUP("13") SET END F("*(u64 *)(r10 -400) = 0\nr0 = 0\nexit"), 0, NULL, CASE_BTF },
	{ "timer: called callback with deep stack", CLS, "*(u64 *)(r10 -400) = 0\n" LOOKUP("13") SET "call f\n" END F("*(u64 *)(r10 -400) = 0\nr0 = 0\nexit"), -EACCES, "combined stack size of 2 calls is 800. Too large", CASE_BTF },
	{ "timer: callback with a record", CLS, LOOKUP("13") SET END F("r1 = map_fd 2\nr2 = 8\nr3 = 0\ncall bpf_ringbuf_reserve#131\nr0 = 0\nexit"), -EINVAL, "Unreleased reference", CASE_BTF },
	{ "timer: set with a record", CLS, LOOKUP("13") "r1 = map_fd 2\nr2 = 8\nr3 = 0\ncall bpf_ringbuf_reserve#131\nr7 = r0\nif r7 == 0x0 goto end\n" SET "r1 = r7\nr2 = 0\ncall bpf_ringbuf_submit#132\n" END F("r0 = 0\nexit"), 0, NULL, CASE_BTF },
	{ "timer: set in an RCU section", CLS, LOOKUP("13") "call kernel-function#{kfunc:bpf_rcu_read_lock}\n" SET "call kernel-function#{kfunc:bpf_rcu_read_unlock}\n" END F("r0 = 0\nexit"), 0, NULL, CASE_BTF },
	{ "timer: callback throws", CLS, LOOKUP("13") SET END F("r1 = 0\ncall kernel-function#{kfunc:bpf_throw}\nr0 = 0\nexit"), -EINVAL, "cannot be called from callback subprog 1", CASE_BTF },
	{ "timer: callback with a tail call", CLS, LOOKUP("13") SET END F("r1 = 0\nr2 = map_fd 4\nr3 = 0\ncall bpf_tail_call#12\nr0 = 0\nexit"), -EACCES, "R1 type=scalar expected=ctx", CASE_BTF },
	{ "timer: at another offset", CLS, LOOKUP("13") "r1 = r6\nr2 = map_fd 13\nr3 = 1\ncall bpf_timer_init#169\n" END, -EINVAL, "off 0 doesn't point to 'struct bpf_timer' that is at 8", 0 },
	{ "timer: at an unknown offset", CLS, LOOKUP("13") "r7 = *(u64 *)(r6 +0)\nr7 &= 8\nr1 = r6\nr1 += r7\nr2 = map_fd 13\nr3 = 1\ncall bpf_timer_init#169\n" END, -EINVAL, "R1 doesn't have constant offset. bpf_timer has to be at the constant offset", 0 },
	{ "timer: value without one", CLS, LOOKUP("12") FIELD "r2 = map_fd 12\nr3 = 1\ncall bpf_timer_init#169\n" END, -EINVAL, "has no valid bpf_timer", 0 },
	{ "timer: value without BTF", CLS, "r1 = map_value 7 + 0\nr2 = map_fd 7\nr3 = 1\ncall bpf_timer_init#169\nr0 = 0\nexit", -EINVAL, "has to have BTF in order to use bpf_timer", 0 },
	{ "timer: another map", CLS, LOOKUP("13") FIELD "r2 = map_fd 12\nr3 = 1\ncall bpf_timer_init#169\n" END, -EINVAL, "timer pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0", 0 },
	{ "timer: on the stack", CLS, "r1 = r10\nr1 += -16\nr2 = map_fd 13\nr3 = 1\ncall bpf_timer_init#169\nr0 = 0\nexit", -EACCES, "R1 type=fp expected=map_value", 0 },
	{ "timer: perhaps null", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 13\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr1 = r0\nr2 = 0\nr3 = 0\ncall bpf_timer_start#171\nr0 = 0\nexit", -EACCES, "R1 type=map_value_or_null expected=map_value", 0 },
	{ "timer: no map", CLS, LOOKUP("13") FIELD "r2 = 0\nr3 = 1\ncall bpf_timer_init#169\n" END, -EACCES, "R2 type=scalar expected=map_ptr", 0 },
	{ "timer: no function", CLS, LOOKUP("13") FIELD "r2 = 0\ncall bpf_timer_set_callback#170\n" END, -EACCES, "R2 type=scalar expected=func", 0 },
	{ "timer: read", CLS, LOOKUP("13") "r0 = *(u64 *)(r6 +16)\n" END, -EACCES, "bpf_timer cannot be accessed directly by load/store", 0 },
	{ "timer: in a tracing program", TRACEPOINT, LOOKUP("13") CANCEL END, -EINVAL, "tracing progs cannot use bpf_timer yet", 0 },
	{ "timer: not GPL", CLS, LOOKUP("13") CANCEL END, -EINVAL, "cannot call GPL-restricted function from non-GPL compatible program", CASE_NOT_GPL },
	{ "timer: in a sleepable program, its callback does not sleep", SYSCALL, LOOKUP("13") SET END F(USER_READ "r0 = 0\nexit"), -EINVAL, "helper call might sleep in a non-sleepable prog", CASE_BTF | CASE_SLEEPABLE },
	{ "timer: with a lock held", CLS, "*(u32 *)(r10 -8) = 1\nr1 = map_fd 12\nr2 = r10\nr2 += -8\ncall bpf_map_lookup_elem#1\nr7 = r0\nif r7 == 0x0 goto end\n" LOOKUP("13") "r1 = r7\nr1 += 8\ncall bpf_spin_lock#93\n" CANCEL "r1 = r7\nr1 += 8\ncall bpf_spin_unlock#94\n" END, -EINVAL, "function calls are not allowed while holding a lock", 0 },
	{ "wq: all", CLS, LOOKUP("14") WQ_INIT WQ_SET WQ_START END F("r0 = 0\nexit"), 0, NULL, CASE_BTF },
	{ "wq: behind a function", CLS, LOOKUP("14") FIELD "r2 = func f\nr2 += 8\nr3 = 0\nr4 = 0\ncall kernel-function#{kfunc:bpf_wq_set_callback_impl}\n" END F("r0 = 0\nexit"), -EACCES, "dereference of modified func ptr R2 off=8 disallowed", CASE_BTF },
	{ "wq: callback's arguments", CLS, LOOKUP("14") WQ_SET END F("r7 = *(u32 *)(r2 +0)\nr1 = *(u64 *)(r3 +0)\nr1 += r7\n*(u64 *)(r3 +0) = r1\nr0 = 0\nexit"), 0, NULL, CASE_BTF },
	{ "wq: callback sleeps", CLS, LOOKUP("14") WQ_SET END F(USER_READ "r0 = 0\nexit"), 0, NULL, CASE_BTF },
	{ "wq: its program does not sleep", CLS, LOOKUP("14") WQ_SET USER_READ END F("r0 = 0\nexit"), -EINVAL, "helper call might sleep in a non-sleepable prog", CASE_BTF },
	{ "wq: callback sleeps in an RCU section", CLS, LOOKUP("14") WQ_SET END F("call kernel-function#{kfunc:bpf_rcu_read_lock}\n" USER_READ "call kernel-function#{kfunc:bpf_rcu_read_unlock}\nr0 = 0\nexit"), -EINVAL, "sleepable helper bpf_copy_from_user#148 in rcu_read_lock region", CASE_BTF },
	{ "wq: callback returns 1", CLS, LOOKUP("14") WQ_SET END F("r0 = 1\nexit"), -EINVAL, "At async callback return the register R0 has smin=1 smax=1 should have been in [0, 0]", CASE_BTF },
	{ "wq: another map, without work queues", CLS, LOOKUP("14") FIELD "r2 = map_fd 13\nr3 = 0\ncall kernel-function#{kfunc:bpf_wq_init}\n" END, 0, NULL, 0 },
	{ "wq: no map", CLS, LOOKUP("14") FIELD "r2 = 0\nr3 = 0\ncall kernel-function#{kfunc:bpf_wq_init}\n" END, -EINVAL, "pointer in R2 isn't map pointer", 0 },
	{ "wq: a value for the map", CLS, LOOKUP("14") FIELD "r2 = r6\nr3 = 0\ncall kernel-function#{kfunc:bpf_wq_init}\n" END, -EINVAL, NULL, 0 },
	{ "wq: no function", CLS, LOOKUP("14") FIELD "r2 = 0\nr3 = 0\nr4 = 0\ncall kernel-function#{kfunc:bpf_wq_set_callback_impl}\n" END, -EINVAL, "arg1 expected pointer to func", 0 },
	{ "wq: at another offset", CLS, LOOKUP("14") "r1 = r6\nr2 = 0\ncall kernel-function#{kfunc:bpf_wq_start}\n" END, -EINVAL, "off 0 doesn't point to 'struct bpf_wq' that is at 8", 0 },
	{ "wq: a timer", CLS, LOOKUP("13") WQ_START END, -EINVAL, "has no valid bpf_wq", 0 },
	{ "wq: on the stack", CLS, "r1 = r10\nr1 += -16\nr2 = 0\ncall kernel-function#{kfunc:bpf_wq_start}\nr0 = 0\nexit", -EINVAL, "arg#0 doesn't point to a map value", 0 },
	{ "wq: flags that are a pointer", CLS, LOOKUP("14") FIELD "r2 = r10\ncall kernel-function#{kfunc:bpf_wq_start}\n" END, -EINVAL, "R2 is not a scalar", 0 },
	{ "wq: read", CLS, LOOKUP("14") "r0 = *(u64 *)(r6 +8)\n" END, -EACCES, "bpf_wq cannot be accessed directly by load/store", 0 },
	{ "wq: in a tracing program", TRACEPOINT, LOOKUP("14") WQ_START END, -EINVAL, "tracing progs cannot use bpf_wq yet", 0 },
	/* 6.18 accepts it, later kernels do not. */
	{ "a packet load in what a loop's callback calls", CLS, "*(u64 *)(r10 -8) = r1\nr1 = 4\nr2 = func f\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop#181\nr0 = 0\nexit\nf:\nr1 = *(u64 *)(r2 +0)\ncall g\nr0 = 0\nexit\ng:\nr6 = r1\nr0 = *(u8 *)skb[0]\nr0 = 0\nexit", -EINVAL, "within callback", CASE_BTF | CASE_OURS },
	{ 0 }
};
