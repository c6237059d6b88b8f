/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From instructions to x86-64 code. BPF registers live in registers throughout:
 *
 *   r0   r1   r2   r3   r4   r5  r6   r7   r8   r9   r10   the vCPU   free
 *   rax  rdi  rsi  rdx  rcx  r8  rbx  r13  r14  r15  rbp   r12        r9 r10 r11
 *
 * so that helpers, C functions of (r1, …, r5, vCPU), are called as they stand. rsp is kept a
 * multiple of 16 within functions. What is seldom needed is put behind its function (struct cold).
 */
#ifndef SKEP_JIT_X86_64_CODEGEN_H
#define SKEP_JIT_X86_64_CODEGEN_H

#include <linux/bpf.h>
#include "jit/analysis.h"
#include "jit/x86_64/encode.h"

#define VCPU R12

struct generator;

/* A piece of code behind the function: what it is, and where the instruction goes on. */
struct cold {
	void (*generate)(struct generator *generator, const struct cold *cold);
	u32 label, back;
	u32 insn;
};

struct generator {
	const struct jit_input *input;
	const struct analysis *analysis;
	const struct analysis_function *function; /* that is being made */
	struct emitter emitter;
	u32 insn;	/* index of the instruction that is being made */
	u32 frame_size; /* bytes below what the function has pushed */
	u32 epilogue;	/* label: the function returns r0 */
	u32 end;	/* label: the program ends with 0 */
	u32 step;	/* label: the interpreter does one instruction */
	u32 *function_labels;
	u32 enter; /* label: the door for C */
	struct cold *colds;
	u32 nr_colds, room_colds;
	const char *refusal; /* NULL: all was compiled */
};

/* One pass over the whole program. */
void codegen_program(struct generator *generator);

/* The host's register that holds a BPF register. */
u32 codegen_reg(u32 bpf_reg);

/* Where code is put that is seldom run; its label. */
u32 codegen_cold(struct generator *generator,
		 void (*generate)(struct generator *, const struct cold *), u32 back);

/* One kind of instruction each. */
void codegen_alu(struct generator *generator, const struct bpf_insn *insn);
void codegen_divide(struct generator *generator, const struct bpf_insn *insn);
void codegen_jump(struct generator *generator, const struct bpf_insn *insn);
void codegen_may_goto(struct generator *generator, const struct bpf_insn *insn);
void codegen_memory(struct generator *generator, const struct bpf_insn *insn);
void codegen_atomic(struct generator *generator, const struct bpf_insn *insn);
void codegen_call(struct generator *generator, const struct bpf_insn *insn);
void codegen_tail_call(struct generator *generator);

/*
 * The instruction as the interpreter does it. Afterwards the flags are those of a comparison of
 * enum rt_native_step with RT_STEP_NEXT.
 */
void codegen_step(struct generator *generator, const struct bpf_insn *insn);

/* A call of a helper that is made without one; false: it is called. */
bool codegen_inline(struct generator *generator, const struct bpf_insn *insn);

#endif
