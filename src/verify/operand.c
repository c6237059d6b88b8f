/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Register operands, and arithmetic on them. What numbers do is the domain's business
 * (verify/alu.h); here stand moves, links between copies, and who may touch pointers.
 */
#include "verify/operand.h"

#include <errno.h>

#include "isa/opcode.h"
#include "verify/alu.h"
#include "verify/backtrack.h"
#include "verify/explore.h"

static const char *const alu_names[16] = {
	[BPF_ADD >> 4] = "+=",	  [BPF_SUB >> 4] = "-=",     [BPF_MUL >> 4] = "*=",
	[BPF_DIV >> 4] = "/=",	  [BPF_OR >> 4] = "|=",	     [BPF_AND >> 4] = "&=",
	[BPF_LSH >> 4] = "<<=",	  [BPF_RSH >> 4] = ">>=",    [BPF_NEG >> 4] = "neg",
	[BPF_MOD >> 4] = "%=",	  [BPF_XOR >> 4] = "^=",     [BPF_MOV >> 4] = "=",
	[BPF_ARSH >> 4] = "s>>=", [BPF_END >> 4] = "endian",
};

int operand_read(struct verify_env *env, u32 regno)
{
	if (regno >= MAX_REG) {
		verbose(env, "R%u is invalid\n", regno);
		return -EINVAL;
	}
	scratch_reg(env, regno);
	if (env_regs(env)[regno].type == NOT_INIT) {
		verbose(env, "R%u !read_ok\n", regno);
		return -EACCES;
	}
	return 0;
}

int operand_write(struct verify_env *env, u32 regno)
{
	if (regno >= MAX_REG) {
		verbose(env, "R%u is invalid\n", regno);
		return -EINVAL;
	}
	scratch_reg(env, regno);
	if (regno == BPF_REG_10) {
		verbose(env, "frame pointer is read only\n");
		return -EACCES;
	}
	return 0;
}

void env_set_unknown(struct verify_env *env, struct reg *reg)
{
	reg_set_unknown(reg);
	reg->precise = !env->capable;
}

bool reg_is_secret(const struct verify_env *env, const struct reg *reg)
{
	return !env->allow_ptr_leaks && reg->type != SCALAR_VALUE;
}

void unlink_scalar(struct reg *reg)
{
	reg->id = 0;
	reg->off = 0;
}

void link_before_copy(struct verify_env *env, struct reg *reg)
{
	if (reg->type != SCALAR_VALUE)
		return;
	/* A register at a distance to others cannot be the base of new links. */
	if (reg->id & ID_ADD_CONST)
		unlink_scalar(reg);
	if (!reg->id && !scalar_is_const(&reg->s))
		reg->id = ++env->id_gen;
}

u32 reg_width(const struct reg *reg)
{
	return reg->s.umax ? 64 - __builtin_clzll(reg->s.umax) : 0;
}

/* rX = (s8, s16, s32)rY */
static void move_sign_extended(struct verify_env *env, const struct bpf_insn *insn, struct reg *dst,
			       struct reg *src, bool is32)
{
	bool fits = src->s.umax < (1ULL << (insn->off - 1));

	if (fits)
		link_before_copy(env, src);
	*dst = *src;
	if (!fits)
		unlink_scalar(dst);
	scalar_movsx(&dst->s, insn->off / 8, is32);
}

static int check_move_register(struct verify_env *env, const struct bpf_insn *insn)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg], *src = &env_regs(env)[insn->src_reg];
	bool is32 = BPF_CLASS(insn->code) == BPF_ALU;
	bool fits;

	if (!is32 && !insn->off) {
		link_before_copy(env, src);
		*dst = *src;
		return 0;
	}
	if (reg_is_secret(env, src)) {
		verbose(env,
			is32 ? "R%u partial copy of pointer\n"
			     : "R%u sign-extension part of pointer\n",
			insn->src_reg);
		return -EACCES;
	}
	if (src->type != SCALAR_VALUE) {
		env_set_unknown(env, dst);
		if (is32)
			scalar_zext32(&dst->s);
		return 0;
	}
	if (insn->off) {
		move_sign_extended(env, insn, dst, src, is32);
		return 0;
	}
	fits = reg_width(src) <= 32;
	if (fits)
		link_before_copy(env, src);
	*dst = *src;
	if (!fits)
		unlink_scalar(dst);
	scalar_zext32(&dst->s);
	return 0;
}

/* From address space 1, a client's, to 0, a program's, or back. */
static int cast_address(struct verify_env *env, const struct bpf_insn *insn)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];

	if (insn->imm == 1)
		reg_set_pointer(dst, PTR_TO_ARENA);
	else
		env_set_unknown(env, dst);
	return 0;
}

static int check_move(struct verify_env *env, const struct bpf_insn *insn)
{
	bool casts =
		insn->code == (BPF_ALU64 | BPF_MOV | BPF_X) && insn->off == ISA_ADDR_SPACE_CAST;
	struct reg *dst;
	int err = 0;

	if (casts && !env->arena) {
		verbose(env, "addr_space_cast insn can only be used in a program that has an "
			     "associated arena\n");
		return -EINVAL;
	}

	if (BPF_SRC(insn->code) == BPF_X)
		err = operand_read(env, insn->src_reg);
	if (!err)
		err = operand_write(env, insn->dst_reg);
	if (err)
		return err;
	if (BPF_SRC(insn->code) == BPF_X)
		return casts ? cast_address(env, insn) : check_move_register(env, insn);
	dst = &env_regs(env)[insn->dst_reg];
	reg_set_const(dst,
		      BPF_CLASS(insn->code) == BPF_ALU64 ? (u64)(s64)insn->imm : (u32)insn->imm);
	dst->precise = !env->capable;
	return 0;
}

/* neg, le, be, bswap */
static int check_unary(struct verify_env *env, const struct bpf_insn *insn)
{
	struct reg *dst;
	int err = operand_read(env, insn->dst_reg);

	if (err)
		return err;
	dst = &env_regs(env)[insn->dst_reg];
	if (reg_is_secret(env, dst)) {
		verbose(env, "R%u pointer arithmetic prohibited\n", insn->dst_reg);
		return -EACCES;
	}
	err = operand_write(env, insn->dst_reg);
	if (err)
		return err;
	if (dst->type != SCALAR_VALUE) {
		env_set_unknown(env, dst);
		return 0;
	}
	unlink_scalar(dst);
	alu_scalar(insn, &dst->s, &dst->s);
	return 0;
}

/* After dst += constant: dst stays linked at that distance, if it can. */
static void relink_after_add(struct verify_env *env, const struct bpf_insn *insn, struct reg *dst,
			     const struct reg *src, bool was_wide)
{
	bool is32 = BPF_CLASS(insn->code) == BPF_ALU;
	u8 op = BPF_OP(insn->code);
	bool itself = BPF_SRC(insn->code) == BPF_X && insn->src_reg == insn->dst_reg;
	s64 distance;

	if (!dst->id)
		return;
	if (!env->capable || (op != BPF_ADD && op != BPF_SUB) || itself ||
	    (dst->id & ID_ADD_CONST) || (is32 && was_wide) ||
	    !(is32 ? scalar_is_const32(&src->s) : scalar_is_const(&src->s))) {
		unlink_scalar(dst);
		return;
	}
	distance = is32 ? (s32)src->s.var_off.value : (s64)src->s.var_off.value;
	if (distance != (s32)distance || (op == BPF_SUB && distance == INT32_MIN)) {
		unlink_scalar(dst);
		return;
	}
	dst->id |= is32 ? ID_ADD_CONST32 : ID_ADD_CONST64;
	dst->off = op == BPF_SUB ? -(s32)distance : (s32)distance;
}

/* Pointer and pointer, or pointer and scalar. src is NULL-free: a constant is passed as a scalar.
 */
static int pointer_operands(struct verify_env *env, const struct bpf_insn *insn, struct reg *src)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];
	bool is_register = BPF_SRC(insn->code) == BPF_X;
	int err = 0;

	if (dst->type != SCALAR_VALUE && src->type != SCALAR_VALUE) {
		if (BPF_OP(insn->code) == BPF_SUB && env->allow_ptr_leaks) {
			env_set_unknown(env, dst);
			return 0;
		}
		verbose(env, "R%u pointer %s pointer prohibited\n", insn->dst_reg,
			alu_names[BPF_OP(insn->code) >> 4]);
		return -EACCES;
	}
	if (dst->type == SCALAR_VALUE) {
		err = mark_precise(env, insn->dst_reg);
		return err ? err : pointer_arithmetic(env, insn, src, dst);
	}
	if (is_register)
		err = mark_precise(env, insn->src_reg);
	return err ? err : pointer_arithmetic(env, insn, dst, src);
}

/*
 * A mask that is 0 or all ones, combined with a constant: the two cases are explored one by one,
 * since together they would give an unknown number.
 */
static int fork_scalar(struct verify_env *env, const struct bpf_insn *insn, struct reg *dst,
		       const struct reg *src)
{
	struct scalar zero, ones;
	struct vstate *other;

	if (!alu_forks(insn, &dst->s, &src->s, &zero, &ones))
		return 0;
	other = explore_push(env, env->insn_idx, env->insn_idx);
	if (!other)
		return -ENOMEM;
	vstate_frame(other)->regs[insn->dst_reg].s = zero;
	dst->s = ones;
	return 0;
}

int check_scalar(struct verify_env *env, struct reg *reg, const char *where)
{
	const char *what = reg->type == SCALAR_VALUE ? scalar_violation(&reg->s) : NULL;
	const struct scalar *s = &reg->s;

	if (!what)
		return 0;
	verbose(env,
		"verifier bug: REG INVARIANTS VIOLATION (%s): %s u64=[0x%llx, 0x%llx] s64=[0x%llx, "
		"0x%llx] "
		"u32=[0x%x, 0x%x] s32=[0x%x, 0x%x] var_off=(0x%llx, 0x%llx)\n",
		where, what, (unsigned long long)s->umin, (unsigned long long)s->umax,
		(unsigned long long)s->smin, (unsigned long long)s->smax, s->umin32, s->umax32,
		(u32)s->smin32, (u32)s->smax32, (unsigned long long)s->var_off.value,
		(unsigned long long)s->var_off.mask);
	/* A branch that cannot be taken; the kernel goes on with unknown ranges, and so do we. */
	scalar_forget_ranges(&reg->s);
	return 0;
}

static int check_binary(struct verify_env *env, const struct bpf_insn *insn)
{
	struct reg constant, *src = &constant, *dst;
	bool is_register = BPF_SRC(insn->code) == BPF_X, was_wide;
	u8 op = BPF_OP(insn->code);
	int err = 0;

	if (is_register)
		err = operand_read(env, insn->src_reg);
	if (!err)
		err = operand_read(env, insn->dst_reg);
	if (err)
		return err;
	if ((op == BPF_MOD || op == BPF_DIV) && !is_register && !insn->imm) {
		verbose(env, "div by zero\n");
		return -EINVAL;
	}
	if ((op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH) && !is_register) {
		int bits = BPF_CLASS(insn->code) == BPF_ALU64 ? 64 : 32;

		if (insn->imm < 0 || insn->imm >= bits) {
			verbose(env, "invalid shift %d\n", insn->imm);
			return -EINVAL;
		}
	}
	err = operand_write(env, insn->dst_reg);
	if (err)
		return err;
	dst = &env_regs(env)[insn->dst_reg];
	reg_set_const(&constant, (u64)(s64)insn->imm);
	if (is_register)
		src = &env_regs(env)[insn->src_reg];
	if (dst->type == PTR_TO_ARENA || src->type == PTR_TO_ARENA) {
		reg_set_pointer(dst, PTR_TO_ARENA);
		env->aux[env->insn_idx].arena_alu |= BPF_CLASS(insn->code) == BPF_ALU64;
		return 0;
	}
	if (dst->type != SCALAR_VALUE || src->type != SCALAR_VALUE)
		return pointer_operands(env, insn, src);
	if (is_register && dst->precise) {
		err = mark_precise(env, insn->src_reg);
		if (err)
			return err;
	}
	constant = *src; /* dst may be the same register */
	err = fork_scalar(env, insn, dst, &constant);
	if (err)
		return err;
	was_wide = reg_width(dst) > 32;
	alu_scalar(insn, &dst->s, &constant.s);
	relink_after_add(env, insn, dst, &constant, was_wide);
	return check_scalar(env, dst, "alu");
}

int check_alu(struct verify_env *env, const struct bpf_insn *insn)
{
	switch (BPF_OP(insn->code)) {
	case BPF_MOV: return check_move(env, insn);
	case BPF_NEG:
	case BPF_END: return check_unary(env, insn);
	default: return check_binary(env, insn);
	}
}

/* Keeps pointer offsets far from overflow. */
static bool sane_offset(struct verify_env *env, const struct reg *reg, u32 type)
{
	bool known = tnum_is_const(reg->s.var_off);
	s64 value = (s64)reg->s.var_off.value, smin = reg->s.smin;

	if (known && (value >= MAX_VAR_OFF || value <= -MAX_VAR_OFF)) {
		verbose(env, "math between %s pointer and %lld is not allowed\n",
			log_reg_type(type), (long long)value);
		return false;
	}
	/* Of a number: its distance to what it is linked to, which the kernel looks at too. */
	if (reg->off >= MAX_VAR_OFF || reg->off <= -MAX_VAR_OFF) {
		verbose(env, "%s pointer offset %d is not allowed\n", log_reg_type(type), reg->off);
		return false;
	}
	if (smin == INT64_MIN) {
		verbose(env,
			"math between %s pointer and register with unbounded min value is not "
			"allowed\n",
			log_reg_type(type));
		return false;
	}
	if (smin >= MAX_VAR_OFF || smin <= -MAX_VAR_OFF) {
		verbose(env, "value %lld makes %s pointer be out of bounds\n", (long long)smin,
			log_reg_type(type));
		return false;
	}
	return true;
}

/* Which pointers take arithmetic at all. */
static int arithmetic_allowed(struct verify_env *env, const struct bpf_insn *insn,
			      const struct reg *ptr, const struct reg *off)
{
	bool adds_zero = reg_is_null(off) && BPF_OP(insn->code) == BPF_ADD;

	if (ptr->type & PTR_MAYBE_NULL) {
		verbose(env, "R%u pointer arithmetic on %s prohibited, null-check it first\n",
			insn->dst_reg, log_reg_type(ptr->type));
		return -EACCES;
	}
	switch (reg_base(ptr->type)) {
	case PTR_TO_CTX:
	case PTR_TO_MAP_VALUE:
	case PTR_TO_MAP_KEY:
	case PTR_TO_STACK:
	case PTR_TO_PACKET_META:
	case PTR_TO_PACKET:
	case PTR_TO_MEM:
	case PTR_TO_BUF:
	case PTR_TO_TP_BUFFER:
	case PTR_TO_BTF_ID:
	case CONST_PTR_TO_DYNPTR:
	case PTR_TO_FUNC: return 0;
	case PTR_TO_FLOW_KEYS:
		if (tnum_is_const(off->s.var_off))
			return 0;
		break;
	case CONST_PTR_TO_MAP:
		if (adds_zero)
			return 0;
		break;
	}
	verbose(env, "R%u pointer arithmetic on %s prohibited\n", insn->dst_reg,
		log_reg_type(ptr->type));
	return -EACCES;
}

/* The variable part of the sum or difference. */
static struct scalar variable_offset(const struct scalar *ptr, const struct scalar *off,
				     enum scalar_op op)
{
	struct scalar a = *ptr, b = *off;

	a.smin32 = b.smin32 = INT32_MIN;
	a.smax32 = b.smax32 = INT32_MAX;
	a.umin32 = b.umin32 = 0;
	a.umax32 = b.umax32 = UINT32_MAX;
	scalar_alu(op, false, &a, &b);
	return a;
}

static void add_offset(struct verify_env *env, struct reg *result, const struct reg *off,
		       bool subtract)
{
	s64 change = off->s.smin, fixed;

	fixed = subtract ? (s64)result->off - change : (s64)result->off + change;
	if (tnum_is_const(off->s.var_off) && change > -(1LL << 40) && change < (1LL << 40) &&
	    fixed == (s32)fixed) {
		/* What is at the end or beyond it may be before it after going back. The kernel
		 * forgets that. */
		if (reg_is_packet(result) && result->range < 0 && fixed < result->off)
			result->range = 0;
		result->off = (s32)fixed;
		return;
	}
	result->s = variable_offset(&result->s, &off->s, subtract ? SCALAR_SUB : SCALAR_ADD);
	if (reg_is_packet(result)) {
		/* Another place in the packet: what was known to be there is not known of it. */
		result->id = ++env->id_gen;
		if (!subtract || off->s.smin < 0 || result->range < 0)
			result->range = 0;
	}
}

/* 1: the instruction is done (the result is an unknown number), 0: go on, -errno. */
static int arithmetic_is_trivial(struct verify_env *env, const struct bpf_insn *insn,
				 const struct reg *off)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];
	bool known = tnum_is_const(off->s.var_off);

	if ((known && (off->s.smin != off->s.smax || off->s.umin != off->s.umax)) ||
	    off->s.smin > off->s.smax || off->s.umin > off->s.umax) {
		/* Bounds of a branch that cannot be taken. */
		env_set_unknown(env, dst);
		return 1;
	}
	if (BPF_CLASS(insn->code) == BPF_ALU64)
		return 0;
	if (BPF_OP(insn->code) == BPF_SUB && env->allow_ptr_leaks) {
		env_set_unknown(env, dst);
		return 1;
	}
	verbose(env, "R%u 32-bit pointer arithmetic prohibited\n", insn->dst_reg);
	return -EACCES;
}

int pointer_arithmetic(struct verify_env *env, const struct bpf_insn *insn, const struct reg *ptr,
		       const struct reg *off)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg], result = *ptr;
	u8 op = BPF_OP(insn->code);
	int err = arithmetic_is_trivial(env, insn, off);

	if (err)
		return err < 0 ? err : 0;
	err = arithmetic_allowed(env, insn, ptr, off);
	if (err)
		return err;
	/* Memory that is read as it comes has no place to be kept track of. 6.18 leaves a number
	 * that such a pointer is added to as it was; here it is a pointer's. */
	if (reg_base(ptr->type) == PTR_TO_MEM && ptr->type & PTR_UNTRUSTED) {
		if (dst == off)
			env_set_unknown(env, dst);
		return 0;
	}
	if (!sane_offset(env, off, ptr->type) || !sane_offset(env, ptr, ptr->type))
		return -EINVAL;
	switch (op) {
	case BPF_ADD: break;
	case BPF_SUB:
		if (dst == off) {
			verbose(env, "R%u tried to subtract pointer from scalar\n", insn->dst_reg);
			return -EACCES;
		}
		if (ptr->type == PTR_TO_STACK) {
			verbose(env, "R%u subtraction from stack pointer prohibited\n",
				insn->dst_reg);
			return -EACCES;
		}
		break;
	case BPF_AND:
	case BPF_OR:
	case BPF_XOR:
		verbose(env, "R%u bitwise operator %s on pointer prohibited\n", insn->dst_reg,
			alu_names[op >> 4]);
		return -EACCES;
	default:
		verbose(env, "R%u pointer arithmetic with %s operator prohibited\n", insn->dst_reg,
			alu_names[op >> 4]);
		return -EACCES;
	}
	add_offset(env, &result, off, op == BPF_SUB);
	*dst = result;
	return sane_offset(env, dst, ptr->type) ? 0 : -EINVAL;
}
