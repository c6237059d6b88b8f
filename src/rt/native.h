/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the data plane and native code of programs (src/jit) know of each other.
 *
 * The code lies in the text segment and is the same in all processes, but what it calls is not: the
 * supervisor has the hosted functions, traced processes those of the image. So it calls through a
 * table that the vCPU, private memory, points to. A function of a program is called with r1 to r5
 * in the first five registers of the C convention, the vCPU in r12 and the end of its BPF stack in
 * rbp; it keeps rbx, rbp and r12 to r15. Its machine stack is the one that the engine was entered
 * on.
 *
 * vCPU->frame counts as in the interpreter: its stacks and its limit are the same.
 */
#ifndef SKEP_RT_NATIVE_H
#define SKEP_RT_NATIVE_H

#include <linux/bpf.h>
#include "base/types.h"
#include "rt/helper.h"

struct rt_map_ops;
struct rt_prog;
struct rt_vcpu;

/* Calls a function of the program: from C, with the function's address. */
typedef u64 (*rt_native_enter_fn)(const u64 args[5], struct rt_vcpu *vcpu, const void *function);

/* Native code of one program, in the control segment. Constant. */
struct rt_native {
	rt_native_enter_fn enter;
	const u8 *text;
	u64 text_size;
	u32 size;		 /* bytes of its functions, which begin at text */
	u32 nr_functions;	 /* as many as the program has subprograms */
	const void *functions[]; /* where each begins, by subprogram */
};

/* What became of an instruction that the interpreter does for native code. */
enum rt_native_step {
	RT_STEP_END, /* the program ends with 0; a packet load: its function returns r0 */
	RT_STEP_NEXT,
	RT_STEP_JUMP,
};

/* reg[RT_STEP_EXTRA]: what is left of the loop budget, for may_goto. */
#define RT_STEP_EXTRA 11
#define RT_STEP_REGS  16

struct rt_native_calls {
	const rt_helper_fn *helpers;
	const rt_helper_fn *kfuncs;
	const struct rt_map_ops *const *map_types;
	/* Does one instruction; registers as in the interpreter. */
	u32 (*step)(u64 *reg, const struct bpf_insn *pc, struct rt_vcpu *vcpu);
	/* bpf_tail_call(): the program that goes on in vcpu->prog, or NULL. */
	const struct rt_prog *(*tail_call)(struct rt_vcpu *vcpu, u64 map, u64 index);
	/* Runs vcpu->prog, a tail-called program without native code, in the frame that is. */
	u64 (*interpret)(const void *ctx, struct rt_vcpu *vcpu);
	/*
	 * A program that was tail-called has ended before its time (vcpu->ended): if it has thrown,
	 * it ends only itself, and this is its r0.
	 */
	u64 (*catch)(struct rt_vcpu *vcpu);
	/* rt_prog_call() */
	u64 (*call)(const struct rt_prog *prog, u32 subprog, const u64 args[5],
		    struct rt_vcpu *vcpu);
};

/* As rt_interp_run() and rt_interp_call(), for a program with native code. */
u64 rt_native_run(const struct rt_prog *prog, const void *ctx, struct rt_vcpu *vcpu);
u64 rt_native_call(const struct rt_prog *prog, u32 subprog, const u64 args[5],
		   struct rt_vcpu *vcpu);

#endif
