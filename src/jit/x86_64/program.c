/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program as a whole: its door for C, its functions one after the other, each with its entry,
 * its end and its cold code.
 */
#include "jit/x86_64/codegen.h"

#include "base/alloc.h"
#include "isa/opcode.h"
#include "rt/native.h"
#include "rt/prog.h"
#include "rt/vcpu.h"

#define OF_VCPU(field)	((s32)offsetof(struct rt_vcpu, field))
#define OF_CALLS(field) ((s32)offsetof(struct rt_native_calls, field))
#define NR_REGS		11

static const u8 host_regs[16] = { RAX, RDI, RSI, RDX, RCX, R8, RBX, R13, R14, R15, RBP };

u32 codegen_reg(u32 bpf_reg)
{
	return host_regs[bpf_reg & 15];
}

u32 codegen_cold(struct generator *generator,
		 void (*generate)(struct generator *, const struct cold *), u32 back)
{
	u32 label = emit_label(&generator->emitter);

	if (generator->nr_colds == generator->room_colds) {
		u32 room = generator->room_colds ? 2 * generator->room_colds : 64;
		struct cold *bigger = base_realloc(generator->colds, room, sizeof(*bigger));

		if (!bigger) {
			generator->emitter.no_memory = true;
			return label;
		}
		generator->colds = bigger;
		generator->room_colds = room;
	}
	generator->colds[generator->nr_colds++] =
		(struct cold){ generate, label, back, generator->insn };
	return label;
}

/* u64 enter(const u64 args[5], struct rt_vcpu *vcpu, const void *function) */
static void codegen_enter(struct generator *generator)
{
	static const u8 kept[] = { RBP, RBX, R12, R13, R14, R15 };
	struct emitter *emitter = &generator->emitter;

	emit_bind(emitter, generator->enter);
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		x86_push(emitter, kept[i]);
	x86_imm(emitter, X86_64, X86_SUB, RSP, 8);
	x86_move(emitter, X86_64, VCPU, RSI);
	x86_move(emitter, X86_64, R11, RDX);
	/* The end of the frame's stack. */
	x86_mem(emitter, 0, 0x8b, RAX, VCPU, OF_VCPU(frame));
	x86_shift_imm(emitter, X86_64, X86_SHL, RAX, __builtin_ctz(RT_BPF_STACK_SIZE));
	x86_index(emitter, X86_64, 0x8d, RBP, VCPU, RAX, 0);
	x86_imm(emitter, X86_64, X86_ADD, RBP, OF_VCPU(bpf_stack) + RT_BPF_STACK_SIZE);
	x86_mem(emitter, X86_64, 0x8b, RSI, RDI, 8);
	x86_mem(emitter, X86_64, 0x8b, RDX, RDI, 16);
	x86_mem(emitter, X86_64, 0x8b, RCX, RDI, 24);
	x86_mem(emitter, X86_64, 0x8b, R8, RDI, 32);
	x86_mem(emitter, X86_64, 0x8b, RDI, RDI, 0);
	x86_reg(emitter, 0, 0xff, 2, R11);
	x86_imm(emitter, X86_64, X86_ADD, RSP, 8);
	for (u32 i = ARRAY_SIZE(kept); i-- > 0;)
		x86_pop(emitter, kept[i]);
	emit_byte(emitter, 0xc3);
}

/*
 * What codegen_step() calls: all registers go to memory and come back from there. In: the
 * instruction in r11, the loop budget in r10. The flags are set before the registers are loaded.
 */
static void codegen_step_routine(struct generator *generator)
{
	const s32 size = RT_STEP_REGS * 8 + 8;
	struct emitter *emitter = &generator->emitter;

	emit_bind(emitter, generator->step);
	x86_imm(emitter, X86_64, X86_SUB, RSP, size);
	for (u32 i = 0; i < NR_REGS; i++)
		x86_mem(emitter, X86_64, 0x89, host_regs[i], RSP, (s32)(8 * i));
	x86_mem(emitter, X86_64, 0x89, R10, RSP, 8 * RT_STEP_EXTRA);
	x86_move(emitter, X86_64, RDI, RSP);
	x86_move(emitter, X86_64, RSI, R11);
	x86_move(emitter, X86_64, RDX, VCPU);
	x86_mem(emitter, X86_64, 0x8b, R10, VCPU, OF_VCPU(native));
	x86_mem(emitter, 0, 0xff, 2, R10, OF_CALLS(step));
	x86_imm(emitter, 0, X86_CMP, RAX, RT_STEP_NEXT);
	for (u32 i = 0; i < NR_REGS - 1; i++)
		x86_mem(emitter, X86_64, 0x8b, host_regs[i], RSP, (s32)(8 * i));
	x86_mem(emitter, X86_64, 0x8d, RSP, RSP, size);
	emit_byte(emitter, 0xc3);
}

void codegen_step(struct generator *generator, const struct bpf_insn *insn)
{
	x86_address(&generator->emitter, X86_64, 0x8d, R11, (u64)insn, 0);
	emit_call(&generator->emitter, generator->step);
}

static void codegen_ld_imm64(struct generator *generator, const struct bpf_insn *insn)
{
	x86_constant(&generator->emitter, codegen_reg(insn->dst_reg),
		     (u64)insn[1].imm << 32 | (u32)insn->imm);
}

static void codegen_packet_load(struct generator *generator, const struct bpf_insn *insn)
{
	codegen_step(generator, insn);
	emit_jump_if(&generator->emitter, X86_B, generator->epilogue);
}

static bool is_checked_access(u8 code)
{
	u8 mode = BPF_MODE(code);

	switch (BPF_CLASS(code)) {
	case BPF_LDX:
		return mode == ISA_PROBE_MEM || mode == ISA_PROBE_MEMSX ||
		       mode == ISA_LOAD_OBJECT || mode == ISA_ARENA_MEM || mode == ISA_ARENA_MEMSX;
	case BPF_ST: return mode == ISA_ARENA_MEM;
	case BPF_STX: return mode == ISA_ARENA_MEM || mode == ISA_ARENA_ATOMIC;
	default: return false;
	}
}

static void codegen_instruction(struct generator *generator, const struct bpf_insn *insn)
{
	if (insn->dst_reg > BPF_REG_10 || insn->src_reg > BPF_REG_10) {
		generator->refusal = "a register that does not exist";
		return;
	}
	switch (isa_opcodes[insn->code].kind) {
	case ISA_ALU:
	case ISA_NEG:
	case ISA_END: codegen_alu(generator, insn); break;
	case ISA_LOAD:
	case ISA_STORE: codegen_memory(generator, insn); break;
	case ISA_ATOMIC: codegen_atomic(generator, insn); break;
	case ISA_LD_IMM64: codegen_ld_imm64(generator, insn); break;
	case ISA_LD_PACKET: codegen_packet_load(generator, insn); break;
	case ISA_JA:
	case ISA_JUMP: codegen_jump(generator, insn); break;
	case ISA_MAY_GOTO: codegen_may_goto(generator, insn); break;
	case ISA_CALL: codegen_call(generator, insn); break;
	case ISA_EXIT:
		if (generator->insn + 1 != generator->function->end)
			emit_jump(&generator->emitter, generator->epilogue);
		break;
	default:
		if (insn->code == ISA_TAIL_CALL)
			codegen_tail_call(generator);
		else if (is_checked_access(insn->code))
			codegen_memory(generator, insn);
		else
			generator->refusal = "an instruction that is not known";
	}
}

/* The main function keeps no registers: who enters it has kept them. */
static u32 registers_kept(const struct analysis_function *function, u8 *ret_regs)
{
	u32 nr = 0;

	for (u32 reg = BPF_REG_6; reg <= BPF_REG_9 && function->start; reg++)
		if (function->saved & 1u << reg)
			ret_regs[nr++] = host_regs[reg];
	return nr;
}

static void codegen_entry(struct generator *generator, const u8 *kept, u32 nr_kept)
{
	struct emitter *emitter = &generator->emitter;
	bool budget = generator->function->may_goto;

	for (u32 i = 0; i < nr_kept; i++)
		x86_push(emitter, kept[i]);
	/* With the return address a multiple of 16. */
	generator->frame_size = (nr_kept % 2 ? 0 : 8) + (budget ? 16 : 0);
	if (generator->frame_size)
		x86_imm(emitter, X86_64, X86_SUB, RSP, (s32)generator->frame_size);
	if (budget) {
		x86_mem(emitter, X86_64, 0xc7, 0, RSP, 0);
		emit_u32(emitter, (u32)RT_MAY_GOTO_MAX);
	}
}

static void codegen_epilogue(struct generator *generator, const u8 *kept, u32 nr_kept)
{
	struct emitter *emitter = &generator->emitter;

	emit_bind(emitter, generator->epilogue);
	if (generator->frame_size)
		x86_imm(emitter, X86_64, X86_ADD, RSP, (s32)generator->frame_size);
	for (u32 i = nr_kept; i-- > 0;)
		x86_pop(emitter, kept[i]);
	emit_byte(emitter, 0xc3);
}

static void codegen_function(struct generator *generator, u32 index)
{
	const struct analysis_function *function = &generator->analysis->functions[index];
	const struct bpf_insn *insns = generator->input->prog->insns;
	struct emitter *emitter = &generator->emitter;
	u8 kept[4], last = isa_opcodes[insns[function->end - 1].code].kind;
	u32 nr_kept = registers_kept(function, kept);

	generator->function = function;
	generator->epilogue = emit_label(emitter);
	generator->end = emit_label(emitter);
	generator->nr_colds = 0;
	emit_bind(emitter, generator->function_labels[index]);
	codegen_entry(generator, kept, nr_kept);
	for (u32 i = function->start; i < function->end; i++) {
		if (generator->analysis->parts[i])
			continue;
		generator->insn = i;
		emit_bind(emitter, i);
		codegen_instruction(generator, &insns[i]);
	}
	/* Where code behind the last instruction was never reached. */
	if (last != ISA_EXIT && last != ISA_JA)
		emit_jump(emitter, generator->end);
	codegen_epilogue(generator, kept, nr_kept);
	for (u32 i = 0; i < generator->nr_colds; i++) {
		struct cold cold = generator->colds[i];

		emit_bind(emitter, cold.label);
		cold.generate(generator, &cold);
	}
	emit_bind(emitter, generator->end);
	x86_mem(emitter, 0, 0xc6, 0, VCPU, OF_VCPU(ended));
	emit_byte(emitter, 1);
	x86_constant(emitter, RAX, 0);
	emit_jump(emitter, generator->epilogue);
}

void codegen_program(struct generator *generator)
{
	struct emitter *emitter = &generator->emitter;
	u32 nr = generator->analysis->nr_functions;

	emit_pass_begin(emitter, generator->input->prog->nr_insns);
	generator->enter = emit_label(emitter);
	generator->step = emit_label(emitter);
	for (u32 i = 0; i < nr; i++)
		generator->function_labels[i] = emit_label(emitter);
	for (u32 i = 0; i < nr && !emitter->no_memory && !generator->refusal; i++)
		codegen_function(generator, i);
	codegen_enter(generator);
	codegen_step_routine(generator);
}
