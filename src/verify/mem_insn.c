/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions that access memory: which operands they read and write, and where atomics may
 * go.
 */
#include "verify/mem_insn.h"

#include <errno.h>

#include "isa/opcode.h"
#include "verify/btf_ptr.h"
#include "verify/call.h"
#include "verify/kernel_memory.h"
#include "verify/mem.h"
#include "verify/object.h"
#include "verify/operand.h"

/* All paths must reach the instruction with pointers that are rewritten alike. */
static int note_access(struct verify_env *env, u32 type)
{
	u32 base = reg_base(type);
	bool special = base == PTR_TO_CTX || base == PTR_TO_ARENA || base == CONST_PTR_TO_MAP ||
		       (base >= PTR_TO_SOCKET && base <= PTR_TO_XDP_SOCK);
	u8 kind = (u8)(special			  ? ACCESS_SPECIAL + base
		       : reg_type_is_probed(type) ? ACCESS_PROBE
						  : ACCESS_PLAIN);
	struct insn_aux *aux = &env->aux[env->insn_idx];

	if (aux->access != ACCESS_UNSEEN && aux->access != kind) {
		verbose(env, "same insn cannot be used with different pointers\n");
		return -EINVAL;
	}
	aux->access = kind;
	return 0;
}

int check_load(struct verify_env *env, const struct bpf_insn *insn)
{
	bool sign_extend = BPF_MODE(insn->code) == BPF_MEMSX;
	u32 type;
	int err = operand_read(env, insn->src_reg);

	if (!err)
		err = operand_write(env, insn->dst_reg);
	if (err)
		return err;
	type = env_regs(env)[insn->src_reg].type;
	env->loaded_kptr = false;
	err = mem_access(env, insn->src_reg, insn->off, isa_access_bytes(insn->code), false,
			 insn->dst_reg, false, sign_extend);
	if (!err && !env->loaded_kptr)
		err = object_note_type(env, NULL, 0, OBJECT_NO_NODE);
	if (!err)
		kernel_memory_note_load(env, insn->dst_reg, type);
	return err ? err : note_access(env, type);
}

static bool is_known_atomic(s32 op)
{
	switch (op) {
	case BPF_ADD:
	case BPF_ADD | BPF_FETCH:
	case BPF_AND:
	case BPF_AND | BPF_FETCH:
	case BPF_OR:
	case BPF_OR | BPF_FETCH:
	case BPF_XOR:
	case BPF_XOR | BPF_FETCH:
	case BPF_XCHG:
	case BPF_CMPXCHG: return true;
	default: return false;
	}
}

/* What may be written in structures of the kernel is for the accesses to say. */
static bool atomic_target_ok(const struct reg *reg)
{
	u32 base = reg_base(reg->type);

	return base != PTR_TO_CTX && base != PTR_TO_PACKET && base != PTR_TO_PACKET_META &&
	       base != PTR_TO_FLOW_KEYS && !reg_is_socket(reg);
}

static int refuse_atomic_target(struct verify_env *env, const char *what, u32 regno, u32 type)
{
	verbose(env, "BPF_ATOMIC %s R%u %s is not allowed\n", what, regno, log_reg_type(type));
	return -EACCES;
}

/* Those that 6.18 has to repeat until they succeed, which it does not do on an arena. */
static bool makes_loop(const struct bpf_insn *insn)
{
	return insn->imm == (BPF_AND | BPF_FETCH) || insn->imm == (BPF_OR | BPF_FETCH) ||
	       insn->imm == (BPF_XOR | BPF_FETCH);
}

static int check_atomic_operands(struct verify_env *env, const struct bpf_insn *insn)
{
	const struct reg *target = &env_regs(env)[insn->dst_reg];
	int err = operand_read(env, insn->src_reg);

	if (!err)
		err = operand_read(env, insn->dst_reg);
	if (!err && insn->imm == BPF_CMPXCHG)
		err = operand_read(env, BPF_REG_0);
	if (!err && insn->imm == BPF_CMPXCHG)
		err = mem_refuse_leak(env, BPF_REG_0, true, "mem");
	if (!err)
		err = mem_refuse_leak(env, insn->src_reg, true, "mem");
	if (!err &&
	    (!atomic_target_ok(target) || (target->type == PTR_TO_ARENA && makes_loop(insn))))
		err = refuse_atomic_target(env, "stores into", insn->dst_reg, target->type);
	return err;
}

/* Read, change, write: the place must allow all of it. */
static int check_atomic_rmw(struct verify_env *env, const struct bpf_insn *insn)
{
	int size = isa_access_bytes(insn->code), loaded = -1, err;
	u32 dst = insn->dst_reg;

	if (size < 4) {
		verbose(env, "invalid atomic operand size\n");
		return -EINVAL;
	}
	err = check_atomic_operands(env, insn);
	if (err)
		return err;
	if (insn->imm & BPF_FETCH) {
		loaded = insn->imm == BPF_CMPXCHG ? BPF_REG_0 : insn->src_reg;
		err = operand_write(env, loaded);
		if (err)
			return err;
		env_set_unknown(env, &env_regs(env)[loaded]);
	}
	err = mem_access(env, dst, insn->off, size, false, -1, true, false);
	if (!err && loaded >= 0)
		err = mem_access(env, dst, insn->off, size, false, loaded, true, false);
	if (!err)
		err = note_access(env, env_regs(env)[dst].type);
	if (!err)
		err = mem_access(env, dst, insn->off, size, true, -1, true, false);
	return err;
}

/* Load-acquire and store-release: a load and a store with order. */
static int check_atomic_ordered(struct verify_env *env, const struct bpf_insn *insn)
{
	bool store = insn->imm == BPF_STORE_REL;
	u32 pointer = store ? insn->dst_reg : insn->src_reg;
	int size = isa_access_bytes(insn->code), err = operand_read(env, insn->src_reg);
	struct reg target;

	if (!err)
		err = store ? operand_read(env, insn->dst_reg) : operand_write(env, insn->dst_reg);
	if (err)
		return err;
	target = env_regs(env)[pointer];
	err = mem_access(env, pointer, insn->off, size, store,
			 store ? insn->src_reg : insn->dst_reg, true, false);
	if (!err && !atomic_target_ok(&target))
		err = refuse_atomic_target(env, store ? "stores into" : "loads from", pointer,
					   target.type);
	return err ? err : note_access(env, target.type);
}

static int check_atomic(struct verify_env *env, const struct bpf_insn *insn)
{
	if (is_known_atomic(insn->imm))
		return check_atomic_rmw(env, insn);
	if (insn->imm == BPF_LOAD_ACQ || insn->imm == BPF_STORE_REL)
		return check_atomic_ordered(env, insn);
	verbose(env, "BPF_ATOMIC uses invalid atomic opcode %02x\n", insn->imm);
	return -EINVAL;
}

int check_store(struct verify_env *env, const struct bpf_insn *insn)
{
	bool immediate = BPF_CLASS(insn->code) == BPF_ST;
	u32 type;
	int err = 0;

	if (BPF_MODE(insn->code) == BPF_ATOMIC)
		return check_atomic(env, insn);
	if (!immediate)
		err = operand_read(env, insn->src_reg);
	if (!err)
		err = operand_read(env, insn->dst_reg);
	if (err)
		return err;
	type = env_regs(env)[insn->dst_reg].type;
	err = mem_access(env, insn->dst_reg, insn->off, isa_access_bytes(insn->code), true,
			 immediate ? -1 : insn->src_reg, false, false);
	return err ? err : note_access(env, type);
}

int packet_load_allowed(struct verify_env *env)
{
	u32 type = env->input->prog_type;

	if (type == BPF_PROG_TYPE_SOCKET_FILTER || type == BPF_PROG_TYPE_SCHED_CLS ||
	    type == BPF_PROG_TYPE_SCHED_ACT)
		return 0;
	verbose(env, "BPF_LD_[ABS|IND] instructions not allowed for this program type\n");
	return -EINVAL;
}

int check_packet_load(struct verify_env *env, const struct bpf_insn *insn)
{
	struct reg *regs = env_regs(env);
	int err = packet_load_allowed(env);

	if (!err)
		err = operand_read(env, BPF_REG_6);
	if (err)
		return err;
	err = check_resources_released(env, "BPF_LD_[ABS|IND]");
	if (err)
		return err;
	if (regs[BPF_REG_6].type != PTR_TO_CTX) {
		verbose(env, "at the time of BPF_LD_ABS|IND R6 != pointer to skb\n");
		return -EINVAL;
	}
	if (BPF_MODE(insn->code) == BPF_IND) {
		err = operand_read(env, insn->src_reg);
		if (err)
			return err;
	}
	err = check_unmodified(env, BPF_REG_6, false);
	if (err)
		return err;
	/* It clobbers what a call does. */
	for (u32 r = BPF_REG_0; r <= BPF_REG_5; r++) {
		reg_set_not_init(&regs[r]);
		scratch_reg(env, r);
	}
	env_set_unknown(env, &regs[BPF_REG_0]);
	return 0;
}
