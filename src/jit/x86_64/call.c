/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls: helpers and kernel functions, the program's own functions, tail calls; and what ends a
 * program before its time (rt/interp.c says when).
 */
#include "jit/x86_64/codegen.h"

#include "abi/kfunc.h"
#include "isa/opcode.h"
#include "rt/native.h"
#include "rt/prog.h"
#include "rt/vcpu.h"

#define OF_VCPU(field)	((s32)offsetof(struct rt_vcpu, field))
#define OF_CALLS(field) ((s32)offsetof(struct rt_native_calls, field))

/* cmp with an immediate byte: [vCPU + disp] of a width of its own. */
static void compare_byte(struct emitter *emitter, s32 disp, u8 value)
{
	x86_mem(emitter, 0, 0x80, X86_CMP, VCPU, disp);
	emit_byte(emitter, value);
}

/* group op [vCPU + disp], value */
static void change_u32(struct emitter *emitter, enum x86_group op, s32 disp, s8 value)
{
	x86_mem(emitter, 0, 0x83, op, VCPU, disp);
	emit_byte(emitter, (u8)value);
}

/* Does the engine have it? The tables of both builds of the data plane have the same rows. */
static bool is_there(const struct generator *generator, const struct bpf_insn *insn)
{
	if (!insn->src_reg)
		return (u32)insn->imm < RT_HELPER_MAX && generator->input->helpers[insn->imm];
	return insn->src_reg == BPF_PSEUDO_KFUNC_CALL && (u32)insn->imm < ABI_NR_KFUNCS &&
	       generator->input->kfuncs[insn->imm];
}

static void call_helper(struct generator *generator, const struct bpf_insn *insn)
{
	struct emitter *emitter = &generator->emitter;

	if (!is_there(generator, insn)) {
		emit_jump(emitter, generator->end);
		return;
	}
	x86_mem(emitter, X86_64, 0x8b, R10, VCPU, OF_VCPU(native));
	x86_mem(emitter, 0, 0xc7, 0, VCPU, OF_VCPU(call_arg));
	emit_u32(emitter, (u16)insn->off);
	x86_mem(emitter, X86_64, 0x8b, R10, R10,
		insn->src_reg ? OF_CALLS(kfuncs) : OF_CALLS(helpers));
	x86_move(emitter, X86_64, R9, VCPU);
	x86_mem(emitter, 0, 0xff, 2, R10, insn->imm * (s32)sizeof(rt_helper_fn));
	compare_byte(emitter, OF_VCPU(aborted), 0);
	emit_jump_if(emitter, X86_NE, generator->end);
}

static u32 called_function(const struct generator *generator, u32 insn)
{
	const struct rt_prog *prog = generator->input->prog;

	return rt_prog_subprog_of(prog, insn + 1 + (u32)prog->insns[insn].imm);
}

/* Something may be attached to the function that is called. */
static void call_traced(struct generator *generator, const struct cold *cold)
{
	static const u8 args[5] = { RDI, RSI, RDX, RCX, R8 };
	struct emitter *emitter = &generator->emitter;

	x86_imm(emitter, X86_64, X86_SUB, RSP, 48);
	for (u32 i = 0; i < ARRAY_SIZE(args); i++)
		x86_mem(emitter, X86_64, 0x89, args[i], RSP, (s32)(8 * i));
	x86_address(emitter, X86_64, 0x8d, RDI, (u64)generator->input->prog, 0);
	x86_constant(emitter, RSI, called_function(generator, cold->insn));
	x86_move(emitter, X86_64, RDX, RSP);
	x86_move(emitter, X86_64, RCX, VCPU);
	x86_mem(emitter, X86_64, 0x8b, R10, VCPU, OF_VCPU(native));
	x86_mem(emitter, 0, 0xff, 2, R10, OF_CALLS(call));
	x86_imm(emitter, X86_64, X86_ADD, RSP, 48);
	emit_jump(emitter, cold->back);
}

/* The callee's stack lies behind the caller's; what it tail-calls is the running program meanwhile.
 */
static void call_function(struct generator *generator)
{
	struct emitter *emitter = &generator->emitter;
	u32 function = called_function(generator, generator->insn), back = emit_label(emitter);

	x86_address(emitter, X86_64, 0x83, X86_CMP,
		    (u64)generator->input->prog + offsetof(struct rt_prog, trampolines), 1);
	emit_byte(emitter, 0);
	emit_jump_if(emitter, X86_NE, codegen_cold(generator, call_traced, back));
	change_u32(emitter, X86_CMP, OF_VCPU(frame), RT_FRAMES - 2);
	emit_jump_if(emitter, X86_AE, generator->end);
	change_u32(emitter, X86_ADD, OF_VCPU(frame), 1);
	x86_imm(emitter, X86_64, X86_ADD, RBP, RT_BPF_STACK_SIZE);
	emit_call(emitter, generator->function_labels[function]);
	x86_imm(emitter, X86_64, X86_SUB, RBP, RT_BPF_STACK_SIZE);
	change_u32(emitter, X86_SUB, OF_VCPU(frame), 1);
	compare_byte(emitter, OF_VCPU(ended), 0);
	emit_jump_if(emitter, X86_NE, generator->end);
	if (generator->analysis->tail_calls) {
		x86_address(emitter, X86_64, 0x8d, R10, (u64)generator->input->prog, 0);
		x86_mem(emitter, X86_64, 0x89, R10, VCPU, OF_VCPU(prog));
	}
	emit_bind(emitter, back);
}

/* The program that was called has no native code. */
static void interpret_tail(struct generator *generator, const struct cold *cold)
{
	struct emitter *emitter = &generator->emitter;

	x86_move(emitter, X86_64, RSI, VCPU);
	x86_mem(emitter, X86_64, 0x8b, R10, VCPU, OF_VCPU(native));
	x86_mem(emitter, 0, 0xff, 2, R10, OF_CALLS(interpret));
	compare_byte(emitter, OF_VCPU(aborted), 0);
	emit_jump_if(emitter, X86_NE, generator->end);
	emit_jump(emitter, cold->back);
}

static void catch (struct generator *generator, const struct cold *cold)
{
	struct emitter *emitter = &generator->emitter;

	x86_move(emitter, X86_64, RDI, VCPU);
	x86_mem(emitter, X86_64, 0x8b, R10, VCPU, OF_VCPU(native));
	x86_mem(emitter, 0, 0xff, 2, R10, OF_CALLS(catch));
	emit_jump(emitter, cold->back);
}

/*
 * A program that is called in the place of this function takes over its frame. Out of the main
 * function it is jumped to; out of another one, which has registers to give back, it is called.
 */
void codegen_tail_call(struct generator *generator)
{
	struct emitter *emitter = &generator->emitter;
	u32 next = emit_label(emitter);

	x86_push(emitter, RDI);
	x86_push(emitter, RDI);
	x86_move(emitter, X86_64, RDI, VCPU);
	x86_mem(emitter, X86_64, 0x8b, R10, VCPU, OF_VCPU(native));
	x86_mem(emitter, 0, 0xff, 2, R10, OF_CALLS(tail_call));
	x86_pop(emitter, RDI);
	x86_pop(emitter, RDI);
	x86_reg(emitter, X86_64, 0x85, RAX, RAX);
	emit_jump_if(emitter, X86_E, next);
	x86_mem(emitter, X86_64, 0x8b, R10, RAX, (s32)offsetof(struct rt_prog, native));
	x86_reg(emitter, X86_64, 0x85, R10, R10);
	emit_jump_if(emitter, X86_E, codegen_cold(generator, interpret_tail, generator->epilogue));
	x86_mem(emitter, X86_64, 0x8b, R10, R10, (s32)offsetof(struct rt_native, functions));
	if (generator->function->start == 0) {
		x86_imm(emitter, X86_64, X86_ADD, RSP, (s32)generator->frame_size);
		x86_reg(emitter, 0, 0xff, 4, R10);
	} else {
		x86_reg(emitter, 0, 0xff, 2, R10);
		compare_byte(emitter, OF_VCPU(ended), 0);
		emit_jump_if(emitter, X86_NE, codegen_cold(generator, catch, generator->epilogue));
		emit_jump(emitter, generator->epilogue);
	}
	emit_bind(emitter, next);
}

/* A function that leaves alone the registers that it does not take. */
static bool is_fastcall(const struct bpf_insn *insn)
{
	const struct abi_kfunc *kfunc = NULL;

	if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
		kfunc = abi_kfunc_by_id((u32)insn->imm);
	return kfunc && kfunc->flags & KFUNC_FASTCALL;
}

static void call_keeping_registers(struct generator *generator, const struct bpf_insn *insn)
{
	codegen_step(generator, insn);
	emit_jump_if(&generator->emitter, X86_B, generator->end);
}

void codegen_call(struct generator *generator, const struct bpf_insn *insn)
{
	if (insn->src_reg == BPF_PSEUDO_CALL)
		call_function(generator);
	else if (!insn->src_reg && insn->imm == BPF_FUNC_tail_call)
		codegen_tail_call(generator);
	else if (is_fastcall(insn))
		call_keeping_registers(generator, insn);
	else if (!codegen_inline(generator, insn))
		call_helper(generator, insn);
}

/* What the budget or the clock has to say. */
static void may_goto_step(struct generator *generator, const struct cold *cold)
{
	const struct bpf_insn *insn = &generator->input->prog->insns[cold->insn];
	struct emitter *emitter = &generator->emitter;

	codegen_step(generator, insn);
	emit_jump_if(emitter, X86_B, generator->end);
	emit_jump_if(emitter, X86_A, (u32)((s32)cold->insn + 1 + insn->off));
	emit_jump(emitter, cold->back);
}

/* What is left of the function's loop budget is the lowest word of its frame. */
void codegen_may_goto(struct generator *generator, const struct bpf_insn *insn)
{
	struct emitter *emitter = &generator->emitter;
	u32 back = emit_label(emitter), cold = codegen_cold(generator, may_goto_step, back);

	x86_mem(emitter, X86_64, 0x8b, R10, RSP, 0);
	x86_mem(emitter, X86_64, 0x83, X86_SUB, RSP, 0);
	emit_byte(emitter, 1);
	x86_reg(emitter, X86_64, 0x85, R10, R10);
	emit_jump_if(emitter, X86_LE, cold);
	x86_mem(emitter, X86_64, 0x83, X86_CMP, VCPU, OF_VCPU(deadline));
	emit_byte(emitter, 0);
	emit_jump_if(emitter, X86_NE, cold);
	compare_byte(emitter, OF_VCPU(stopped), 0);
	emit_jump_if(emitter, X86_NE, cold);
	emit_bind(emitter, back);
}
