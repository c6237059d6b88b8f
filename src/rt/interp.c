/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference interpreter: RFC 9669 with local calls, atomics and cpu v4, one label for each
 * opcode. It runs what the verifier returned and checks nothing that the verifier proved; what it
 * meets beyond that (an opcode without a label, a helper that is missing) ends the program with 0.
 *
 * Each load reads memory once: what lies in shared memory may change at any time.
 * With RT_INTERP_TRACE (tests) a hook is called before each instruction.
 */
#include "isa/opcode.h"
#include "rt/alu.h"
#include "rt/arena_access.h"
#include "rt/helper.h"
#include "rt/interp.h"
#include "rt/kfunc.h"
#include "rt/map.h"
#include "rt/native.h"
#include "rt/object.h"
#include "rt/prog.h"
#include "rt/stream.h"
#include "rt/vcpu.h"

#define UNALIGNED __attribute__((packed, may_alias))
struct mem8 {
	u8 v;
} UNALIGNED;
struct mem16 {
	u16 v;
} UNALIGNED;
struct mem32 {
	u32 v;
} UNALIGNED;
struct mem64 {
	u64 v;
} UNALIGNED;

#define LOAD(bits, address)	    (((const volatile struct mem##bits *)(address))->v)
#define STORE(bits, address, value) (((volatile struct mem##bits *)(address))->v = (u##bits)(value))

/* The atomic read-modify-write instructions of one width. */
#define ATOMIC(bits)                                                                               \
	static bool atomic##bits(u64 *reg, const struct bpf_insn *pc)                              \
	{                                                                                          \
		u##bits *at = (u##bits *)(reg[pc->dst_reg] + (u64)pc->off);                        \
		u##bits value = (u##bits)reg[pc->src_reg], expected;                               \
                                                                                                   \
		switch (pc->imm) {                                                                 \
		case BPF_ADD: __atomic_fetch_add(at, value, __ATOMIC_SEQ_CST); break;              \
		case BPF_OR: __atomic_fetch_or(at, value, __ATOMIC_SEQ_CST); break;                \
		case BPF_AND: __atomic_fetch_and(at, value, __ATOMIC_SEQ_CST); break;              \
		case BPF_XOR: __atomic_fetch_xor(at, value, __ATOMIC_SEQ_CST); break;              \
		case BPF_ADD | BPF_FETCH:                                                          \
			reg[pc->src_reg] = __atomic_fetch_add(at, value, __ATOMIC_SEQ_CST);        \
			break;                                                                     \
		case BPF_OR | BPF_FETCH:                                                           \
			reg[pc->src_reg] = __atomic_fetch_or(at, value, __ATOMIC_SEQ_CST);         \
			break;                                                                     \
		case BPF_AND | BPF_FETCH:                                                          \
			reg[pc->src_reg] = __atomic_fetch_and(at, value, __ATOMIC_SEQ_CST);        \
			break;                                                                     \
		case BPF_XOR | BPF_FETCH:                                                          \
			reg[pc->src_reg] = __atomic_fetch_xor(at, value, __ATOMIC_SEQ_CST);        \
			break;                                                                     \
		case BPF_XCHG:                                                                     \
			reg[pc->src_reg] = __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);       \
			break;                                                                     \
		case BPF_CMPXCHG:                                                                  \
			expected = (u##bits)reg[0];                                                \
			__atomic_compare_exchange_n(at, &expected, value, false, __ATOMIC_SEQ_CST, \
						    __ATOMIC_SEQ_CST);                             \
			reg[0] = expected;                                                         \
			break;                                                                     \
		default: return ordered_access(reg, pc);                                           \
		}                                                                                  \
		return true;                                                                       \
	}

/* load_acquire and store_release, of any width. x86-64 orders plain accesses that way. */
static bool ordered_access(u64 *reg, const struct bpf_insn *pc)
{
	if (pc->imm == BPF_LOAD_ACQ) {
		u64 at = reg[pc->src_reg] + (u64)pc->off;

		switch (BPF_SIZE(pc->code)) {
		case BPF_B: reg[pc->dst_reg] = __atomic_load_n((u8 *)at, __ATOMIC_ACQUIRE); break;
		case BPF_H: reg[pc->dst_reg] = __atomic_load_n((u16 *)at, __ATOMIC_ACQUIRE); break;
		case BPF_W: reg[pc->dst_reg] = __atomic_load_n((u32 *)at, __ATOMIC_ACQUIRE); break;
		default: reg[pc->dst_reg] = __atomic_load_n((u64 *)at, __ATOMIC_ACQUIRE); break;
		}
		return true;
	}
	if (pc->imm == BPF_STORE_REL) {
		u64 at = reg[pc->dst_reg] + (u64)pc->off, value = reg[pc->src_reg];

		switch (BPF_SIZE(pc->code)) {
		case BPF_B: __atomic_store_n((u8 *)at, (u8)value, __ATOMIC_RELEASE); break;
		case BPF_H: __atomic_store_n((u16 *)at, (u16)value, __ATOMIC_RELEASE); break;
		case BPF_W: __atomic_store_n((u32 *)at, (u32)value, __ATOMIC_RELEASE); break;
		default: __atomic_store_n((u64 *)at, value, __ATOMIC_RELEASE); break;
		}
		return true;
	}
	return false;
}

ATOMIC(32)
ATOMIC(64)

static bool atomic_access(u64 *reg, const struct bpf_insn *pc)
{
	switch (BPF_SIZE(pc->code)) {
	case BPF_W: return atomic32(reg, pc);
	case BPF_DW: return atomic64(reg, pc);
	default: return ordered_access(reg, pc);
	}
}

static bool arena_access(const struct rt_prog *prog, const struct bpf_insn *pc, u64 *reg,
			 struct rt_vcpu *vcpu)
{
	struct bpf_insn plain;

	if (BPF_CLASS(pc->code) == BPF_LDX)
		reg[pc->dst_reg] = rt_arena_load(prog, pc, reg, vcpu);
	else if (ISA_MODE(pc->code) == ISA_ARENA_MEM)
		rt_arena_store(prog, pc, reg, vcpu);
	else if (rt_arena_atomic(prog, pc, reg, &plain, vcpu))
		return atomic_access(reg, &plain);
	return true;
}

/* A load that the verifier could not prove (ISA_PROBE_MEM): 0 where it would fault; or one of a
 * pointer that has to be looked at (ISA_LOAD_OBJECT). */
static u64 probe_load(struct rt_vcpu *vcpu, const struct bpf_insn *pc, u64 address)
{
	bool is_signed = ISA_MODE(pc->code) == ISA_PROBE_MEMSX;
	u64 value = 0;
	u32 bytes = isa_access_bytes(pc->code);

	if (ISA_MODE(pc->code) == ISA_LOAD_OBJECT)
		return rt_object_check_arg((u32)pc->imm, LOAD(64, address));
	rt_read_kernel(vcpu, &value, bytes, address);
	if (!is_signed)
		return value;
	return (u64)((s64)(value << (64 - 8 * bytes)) >> (64 - 8 * bytes));
}

/*
 * bpf_tail_call(): the program to go on with, or NULL when the call falls through. Only a slot that
 * holds a program counts against the limit.
 */
const struct rt_prog *rt_interp_tail_call(struct rt_vcpu *vcpu, u64 map, u64 index)
{
	const struct rt_prog *next;

	if (vcpu->tail_calls >= RT_TAIL_CALL_MAX)
		return NULL;
	next = rt_map_object((const struct rt_map *)map, (u32)index);
	if (next)
		vcpu->tail_calls++;
	if (next && vcpu->frame)
		vcpu->frames[vcpu->frame - 1].tail_called = true;
	if (next)
		vcpu->prog = next;
	return next;
}

/* A helper or a kernel function; false if there is none, or the program ends in it. */
static bool call_out(struct rt_vcpu *vcpu, const struct bpf_insn *pc, u64 *reg)
{
	rt_helper_fn function = NULL;

	if (!pc->src_reg && (u32)pc->imm < RT_HELPER_MAX)
		function = rt_helpers[pc->imm];
	else if (pc->src_reg == BPF_PSEUDO_KFUNC_CALL && (u32)pc->imm < ABI_NR_KFUNCS)
		function = rt_kfuncs[pc->imm];
	vcpu->call_arg = (u16)pc->off;
	if (function)
		reg[BPF_REG_0] = function(reg[1], reg[2], reg[3], reg[4], reg[5], vcpu);
	return function && likely(!vcpu->aborted);
}

/*
 * After bpf_throw(): back to the main function of the program that threw, which returns what its
 * function for exceptions makes of the cookie. False if nothing was thrown.
 */
static bool unwind(struct rt_vcpu *vcpu, u32 first_frame, u64 *reg)
{
	u32 callback = vcpu->prog->exception_callback;

	if (!vcpu->thrown)
		return false;
	vcpu->thrown = vcpu->aborted = false;
	while (vcpu->frame > first_frame && !vcpu->frames[vcpu->frame - 1].tail_called)
		vcpu->frame--;
	reg[BPF_REG_0] = vcpu->cookie_thrown;
	if (callback)
		reg[BPF_REG_0] = rt_call_bpf(vcpu, callback, vcpu->cookie_thrown, 0, 0, 0, 0);
	return true;
}

#define NEXT()                                       \
	do {                                         \
		pc++;                                \
		RT_INTERP_STEP(vcpu, prog, pc, reg); \
		goto *labels[pc->code];              \
	} while (0)

#define DST reg[pc->dst_reg]
#define SRC reg[pc->src_reg]
#define IMM ((u64)(s64)pc->imm)

/* Labels: class and operation; _K takes imm, _X takes the source register. */
#define ALU_LABELS(name, op)                                                                  \
	[BPF_ALU64 | (op) | BPF_K] = &&name##64_K, [BPF_ALU64 | (op) | BPF_X] = &&name##64_X, \
			    [BPF_ALU | (op) | BPF_K] = &&name##32_K,                          \
			    [BPF_ALU | (op) | BPF_X] = &&name##32_X
#define JUMP_LABELS(name, op)                                                             \
	[BPF_JMP | (op) | BPF_K] = &&name##64_K, [BPF_JMP | (op) | BPF_X] = &&name##64_X, \
			  [BPF_JMP32 | (op) | BPF_K] = &&name##32_K,                      \
			  [BPF_JMP32 | (op) | BPF_X] = &&name##32_X
#define MEM_LABELS(name, width)                                                                   \
	[BPF_LDX | BPF_MEM | (width)] = &&ldx_##name, [BPF_ST | BPF_MEM | (width)] = &&st_##name, \
			     [BPF_STX | BPF_MEM | (width)] = &&stx_##name,                        \
			     [BPF_LDX | ISA_PROBE_MEM | (width)] = &&probe,                       \
			     [BPF_LDX | ISA_PROBE_MEMSX | (width)] = &&probe,                     \
			     [BPF_LDX | ISA_LOAD_OBJECT | (width)] = &&probe,                     \
			     [BPF_LDX | ISA_ARENA_MEM | (width)] = &&arena,                       \
			     [BPF_LDX | ISA_ARENA_MEMSX | (width)] = &&arena,                     \
			     [BPF_ST | ISA_ARENA_MEM | (width)] = &&arena,                        \
			     [BPF_STX | ISA_ARENA_MEM | (width)] = &&arena,                       \
			     [BPF_STX | ISA_ARENA_ATOMIC | (width)] = &&arena

/* Operand forms: a and b are the operands, result what goes to the destination. */
#define ALU(name, result64, result32)               \
	name##64_K:                                 \
	{                                           \
		u64 a = DST, b = IMM;               \
		DST = (result64);                   \
		NEXT();                             \
	}                                           \
	name##64_X:                                 \
	{                                           \
		u64 a = DST, b = SRC;               \
		DST = (result64);                   \
		NEXT();                             \
	}                                           \
	name##32_K:                                 \
	{                                           \
		u32 a = (u32)DST, b = (u32)pc->imm; \
		DST = (u32)(result32);              \
		NEXT();                             \
	}                                           \
	name##32_X:                                 \
	{                                           \
		u32 a = (u32)DST, b = (u32)SRC;     \
		DST = (u32)(result32);              \
		NEXT();                             \
	}

#define JUMP(name, unsigned_type64, unsigned_type32, condition)                         \
	name##64_K:                                                                     \
	{                                                                               \
		unsigned_type64 a = (unsigned_type64)DST, b = (unsigned_type64)IMM;     \
		if (condition)                                                          \
			pc += pc->off;                                                  \
		NEXT();                                                                 \
	}                                                                               \
	name##64_X:                                                                     \
	{                                                                               \
		unsigned_type64 a = (unsigned_type64)DST, b = (unsigned_type64)SRC;     \
		if (condition)                                                          \
			pc += pc->off;                                                  \
		NEXT();                                                                 \
	}                                                                               \
	name##32_K:                                                                     \
	{                                                                               \
		unsigned_type32 a = (unsigned_type32)DST, b = (unsigned_type32)pc->imm; \
		if (condition)                                                          \
			pc += pc->off;                                                  \
		NEXT();                                                                 \
	}                                                                               \
	name##32_X:                                                                     \
	{                                                                               \
		unsigned_type32 a = (unsigned_type32)DST, b = (unsigned_type32)SRC;     \
		if (condition)                                                          \
			pc += pc->off;                                                  \
		NEXT();                                                                 \
	}

#define MEMORY(name, bits)                                 \
	ldx_##name : DST = LOAD(bits, SRC + (u64)pc->off); \
	NEXT();                                            \
	st_##name : STORE(bits, DST + (u64)pc->off, IMM);  \
	NEXT();                                            \
	stx_##name : STORE(bits, DST + (u64)pc->off, SRC); \
	NEXT();

/* A call in a program of which functions may be traced: true if it has been made. */
static bool call_traced(struct rt_vcpu *vcpu, const struct rt_prog *prog, const struct bpf_insn *pc,
			u64 *reg)
{
	if (likely(READ_ONCE(prog->trampolines) == NULL))
		return false;
	reg[BPF_REG_0] =
		rt_prog_call(prog, rt_prog_subprog_of(prog, (u32)(pc + pc->imm + 1 - prog->insns)),
			     &reg[BPF_REG_1], vcpu);
	return true;
}

static bool push_frame(struct rt_vcpu *vcpu, const struct rt_prog *prog, const struct bpf_insn *pc,
		       const u64 *reg, s64 may_goto_left)
{
	if (vcpu->frame + 2 >= RT_FRAMES)
		return false;
	vcpu->frames[vcpu->frame++] =
		(struct rt_frame){ prog, pc, reg[6], reg[7], reg[8], reg[9], may_goto_left, false };
	return true;
}

/*
 * Has a loop to end, of which the frame has this budget left, or because the run is out of time?
 * The program's stderr tells of that, once.
 */
static bool loop_ends(const struct rt_prog *prog, s64 left, struct rt_vcpu *vcpu)
{
	bool was_stopped = vcpu->stopped, ends = left <= 0 || rt_prog_out_of_time(vcpu);

	if (unlikely(left == 0 || vcpu->stopped != was_stopped))
		rt_stream_report(prog, "ERROR: Timeout detected for may_goto instruction\n", vcpu);
	return ends;
}

u32 rt_interp_step(u64 *reg, const struct bpf_insn *pc, struct rt_vcpu *vcpu)
{
	const struct rt_prog *prog = vcpu->prog;
	s64 left = (s64)reg[RT_STEP_EXTRA];

	switch (pc->code) {
	case BPF_JMP | BPF_JCOND:
		if (left < -RT_MAY_GOTO_MAX)
			return RT_STEP_END;
		return loop_ends(prog, left, vcpu) ? RT_STEP_JUMP : RT_STEP_NEXT;
	case BPF_ALU64 | BPF_MOV | BPF_X:
		reg[pc->dst_reg] = rt_arena_cast(prog, reg[pc->src_reg]);
		return RT_STEP_NEXT;
	case BPF_JMP | BPF_CALL: return call_out(vcpu, pc, reg) ? RT_STEP_NEXT : RT_STEP_END;
	}
	if (BPF_CLASS(pc->code) == BPF_LD) {
		if (interp_load_packet(reg, pc))
			return RT_STEP_NEXT;
		reg[BPF_REG_0] = 0;
		return RT_STEP_END;
	}
	if (BPF_CLASS(pc->code) == BPF_LDX &&
	    (ISA_MODE(pc->code) == ISA_PROBE_MEM || ISA_MODE(pc->code) == ISA_PROBE_MEMSX ||
	     ISA_MODE(pc->code) == ISA_LOAD_OBJECT)) {
		reg[pc->dst_reg] = probe_load(vcpu, pc, reg[pc->src_reg] + (u64)pc->off);
		return RT_STEP_NEXT;
	}
	return arena_access(prog, pc, reg, vcpu) ? RT_STEP_NEXT : RT_STEP_END;
}

/*
 * Runs from pc, a function's first instruction, with its arguments in reg[1] to reg[5], until that
 * function returns; vcpu->prog and vcpu->frame are those of this function.
 */
static u64 interpret(struct rt_vcpu *vcpu, const struct bpf_insn *pc, u64 reg[16])
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
	static const void *const labels[256] = {
		[0 ... 255] = &&invalid,
		ALU_LABELS(add, BPF_ADD),
		ALU_LABELS(sub, BPF_SUB),
		ALU_LABELS(mul, BPF_MUL),
		ALU_LABELS(div, BPF_DIV),
		ALU_LABELS(or, BPF_OR),
		ALU_LABELS(and, BPF_AND),
		ALU_LABELS(lsh, BPF_LSH),
		ALU_LABELS(rsh, BPF_RSH),
		ALU_LABELS(mod, BPF_MOD),
		ALU_LABELS(xor, BPF_XOR),
		ALU_LABELS(arsh, BPF_ARSH),
		ALU_LABELS(mov, BPF_MOV),
		[BPF_ALU64 | BPF_NEG] = &&neg64,
		[BPF_ALU | BPF_NEG] = &&neg32,
		[BPF_ALU | BPF_END | BPF_TO_LE] = &&to_le,
		[BPF_ALU | BPF_END | BPF_TO_BE] = &&swap,
		[BPF_ALU64 | BPF_END | BPF_TO_LE] = &&swap,
		JUMP_LABELS(jeq, BPF_JEQ),
		JUMP_LABELS(jne, BPF_JNE),
		JUMP_LABELS(jgt, BPF_JGT),
		JUMP_LABELS(jge, BPF_JGE),
		JUMP_LABELS(jlt, BPF_JLT),
		JUMP_LABELS(jle, BPF_JLE),
		JUMP_LABELS(jset, BPF_JSET),
		JUMP_LABELS(jsgt, BPF_JSGT),
		JUMP_LABELS(jsge, BPF_JSGE),
		JUMP_LABELS(jslt, BPF_JSLT),
		JUMP_LABELS(jsle, BPF_JSLE),
		MEM_LABELS(b, BPF_B),
		MEM_LABELS(h, BPF_H),
		MEM_LABELS(w, BPF_W),
		MEM_LABELS(dw, BPF_DW),
		[BPF_LDX | BPF_MEMSX | BPF_B] = &&ldsx_b,
		[BPF_LDX | BPF_MEMSX | BPF_H] = &&ldsx_h,
		[BPF_LDX | BPF_MEMSX | BPF_W] = &&ldsx_w,
		[BPF_STX | BPF_ATOMIC | BPF_B] = &&atomic,
		[BPF_STX | BPF_ATOMIC | BPF_H] = &&atomic,
		[BPF_STX | BPF_ATOMIC | BPF_W] = &&atomic,
		[BPF_STX | BPF_ATOMIC | BPF_DW] = &&atomic,
		[BPF_LD | BPF_IMM | BPF_DW] = &&ld_imm64,
		[BPF_LD | BPF_ABS | BPF_B] = &&ld_packet,
		[BPF_LD | BPF_ABS | BPF_H] = &&ld_packet,
		[BPF_LD | BPF_ABS | BPF_W] = &&ld_packet,
		[BPF_LD | BPF_IND | BPF_B] = &&ld_packet,
		[BPF_LD | BPF_IND | BPF_H] = &&ld_packet,
		[BPF_LD | BPF_IND | BPF_W] = &&ld_packet,
		[BPF_JMP | BPF_JA] = &&ja,
		[BPF_JMP32 | BPF_JA] = &&ja32,
		[BPF_JMP | BPF_JCOND] = &&may_goto,
		[BPF_JMP | BPF_CALL] = &&call,
		[ISA_TAIL_CALL] = &&tail_call,
		[BPF_JMP | BPF_EXIT] = &&exit,
	};
#pragma GCC diagnostic pop
	const struct rt_prog *prog = vcpu->prog, *next;
	u32 first_frame = vcpu->frame;
	s64 may_goto_left = RT_MAY_GOTO_MAX;
	struct rt_frame *frame;

	reg[BPF_REG_10] = (u64)vcpu->bpf_stack[first_frame + 1];
	RT_INTERP_STEP(vcpu, prog, pc, reg);
	goto *labels[pc->code];

	ALU(add, a + b, a + b)
	ALU(sub, a - b, a - b)
	ALU(mul, (a) * (b), (a) * (b))
	ALU(or, a | b, a | b)
	ALU(and, (a) & (b), (a) & (b))
	ALU(xor, a ^ b, a ^ b)
	ALU(lsh, a << (b & 63), a << (b & 31))
	ALU(rsh, a >> (b & 63), a >> (b & 31))
	ALU(arsh, alu_arsh64(a, b), alu_arsh32(a, b))
	ALU(div, pc->off ? alu_sdiv64(a, b) : alu_div64(a, b),
	    pc->off ? alu_sdiv32(a, b) : alu_div32(a, b))
	ALU(mod, pc->off ? alu_smod64(a, b) : alu_mod64(a, b),
	    pc->off ? alu_smod32(a, b) : alu_mod32(a, b))

mov64_K:
	DST = IMM;
	NEXT();
mov32_K:
	DST = (u32)pc->imm;
	NEXT();
mov64_X:
	DST = pc->off == 0    ? SRC
	      : pc->off == 8  ? (u64)(s64)(s8)SRC
	      : pc->off == 16 ? (u64)(s64)(s16)SRC
	      : pc->off == 32 ? (u64)(s64)(s32)SRC
			      : rt_arena_cast(prog, SRC);
	NEXT();
mov32_X:
	DST = pc->off == 0 ? (u32)SRC : pc->off == 8 ? (u32)(s32)(s8)SRC : (u32)(s32)(s16)SRC;
	NEXT();
neg64:
	DST = 0 - DST;
	NEXT();
neg32:
	DST = (u32)(0 - DST);
	NEXT();
to_le:
	DST = alu_truncate(DST, pc->imm);
	NEXT();
swap:
	DST = alu_swap(DST, pc->imm);
	NEXT();

	JUMP(jeq, u64, u32, a == b)
	JUMP(jne, u64, u32, a != b)
	JUMP(jgt, u64, u32, a > b)
	JUMP(jge, u64, u32, a >= b)
	JUMP(jlt, u64, u32, a < b)
	JUMP(jle, u64, u32, a <= b)
	JUMP(jset, u64, u32, (a) & (b))
	JUMP(jsgt, s64, s32, a > b)
	JUMP(jsge, s64, s32, a >= b)
	JUMP(jslt, s64, s32, a < b)
	JUMP(jsle, s64, s32, a <= b)
ja:
	pc += pc->off;
	NEXT();
ja32:
	pc += pc->imm;
	NEXT();
may_goto:
	if (may_goto_left < -RT_MAY_GOTO_MAX)
		goto invalid;
	if (unlikely(loop_ends(prog, may_goto_left--, vcpu)))
		pc += pc->off;
	NEXT();

	MEMORY(b, 8)
	MEMORY(h, 16)
	MEMORY(w, 32)
	MEMORY(dw, 64)
ldsx_b:
	DST = (u64)(s64)(s8)LOAD(8, SRC + (u64)pc->off);
	NEXT();
ldsx_h:
	DST = (u64)(s64)(s16)LOAD(16, SRC + (u64)pc->off);
	NEXT();
ldsx_w:
	DST = (u64)(s64)(s32)LOAD(32, SRC + (u64)pc->off);
	NEXT();
probe:
	DST = probe_load(vcpu, pc, SRC + (u64)pc->off);
	NEXT();
arena:
	if (!arena_access(prog, pc, reg, vcpu))
		return 0;
	NEXT();
atomic:
	if (!atomic_access(reg, pc))
		return 0;
	NEXT();
ld_imm64:
	DST = (u64)pc[1].imm << 32 | (u32)pc->imm;
	pc++;
	NEXT();
ld_packet:
	if (interp_load_packet(reg, pc))
		NEXT();
	reg[BPF_REG_0] = 0; /* outside the packet: the function returns 0 */
	goto exit;

call:
	if (pc->src_reg == BPF_PSEUDO_CALL) {
		if (call_traced(vcpu, prog, pc, reg))
			NEXT();
		if (!push_frame(vcpu, prog, pc, reg, may_goto_left))
			return 0;
		may_goto_left = RT_MAY_GOTO_MAX;
		reg[BPF_REG_10] = (u64)vcpu->bpf_stack[vcpu->frame + 1];
		pc += pc->imm;
		NEXT();
	}
	if (pc->imm == BPF_FUNC_tail_call && !pc->src_reg)
		goto tail_call;
	if (!call_out(vcpu, pc, reg))
		goto invalid;
	NEXT();
tail_call:
	next = rt_interp_tail_call(vcpu, reg[2], reg[3]);
	if (!next)
		NEXT();
	/* The new program takes over this frame: it returns to this function's caller. */
	prog = next;
	pc = prog->insns - 1;
	NEXT();
exit:
	if (vcpu->frame == first_frame)
		return reg[BPF_REG_0];
	frame = &vcpu->frames[--vcpu->frame];
	prog = vcpu->prog = frame->prog;
	pc = frame->resume;
	__builtin_memcpy(&reg[BPF_REG_6], &frame->r6, 4 * sizeof(u64));
	may_goto_left = frame->may_goto;
	reg[BPF_REG_10] = (u64)vcpu->bpf_stack[vcpu->frame + 1];
	NEXT();
invalid:
	if (!unwind(vcpu, first_frame, reg))
		return 0;
	goto exit;
}

u64 rt_interp_call(const struct rt_prog *prog, u32 subprog, const u64 args[5], struct rt_vcpu *vcpu)
{
	u64 reg[16] = { 0, args[0], args[1], args[2], args[3], args[4] };

	vcpu->prog = prog;
	return interpret(vcpu, prog->insns + prog->subprogs[subprog].start, reg);
}

u64 rt_interp_run(const struct rt_prog *prog, const void *ctx, struct rt_vcpu *vcpu)
{
	u64 reg[16]; /* not set: a verified program reads no register that it has not written */

	reg[BPF_REG_1] = (u64)ctx;
	vcpu->prog = prog;
	vcpu->frame = 0;
	vcpu->tail_calls = 0;
	vcpu->bits_used = 0;
	vcpu->aborted = vcpu->thrown = false;
	return interpret(vcpu, prog->insns, reg);
}

u64 rt_call_bpf(struct rt_vcpu *vcpu, u64 callback, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5)
{
	const u64 args[5] = { r1, r2, r3, r4, r5 };
	const struct rt_prog *prog = vcpu->prog;

	if (callback >= prog->nr_subprogs || vcpu->frame + 2 >= RT_FRAMES)
		return 0;
	if (rt_prog_out_of_time(vcpu) || vcpu->aborted)
		return 1;
	return rt_prog_call(prog, (u32)callback, args, vcpu);
}
