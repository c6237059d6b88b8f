/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live registers: backward data flow, live-before = (live-after minus written) plus read. Whatever
 * an instruction could read counts as read.
 */
#include "verify/live_regs.h"

#include <errno.h>

#include "base/alloc.h"
#include "isa/opcode.h"
#include "verify/cfg.h"
#include "verify/helper.h"
#include "verify/kfunc.h"

#define REG_BIT(r)   ((u16)(1u << (r)))
#define CALLER_SAVED 0x3f
#define ARGUMENTS    0x3e
#define ALL_REGS     0xffff

static struct use_def atomic_use_def(const struct bpf_insn *insn)
{
	u16 dst = REG_BIT(insn->dst_reg), src = REG_BIT(insn->src_reg);

	switch (insn->imm) {
	case BPF_CMPXCHG: return (struct use_def){ REG_BIT(0) | dst | src, REG_BIT(0) };
	case BPF_LOAD_ACQ: return (struct use_def){ src, dst };
	case BPF_STORE_REL: return (struct use_def){ dst | src, 0 };
	default: return (struct use_def){ dst | src, insn->imm & BPF_FETCH ? src : 0 };
	}
}

static struct use_def jump_use_def(const struct verify_env *env, u32 i)
{
	const struct bpf_insn *insn = &env->insns[i];
	u16 dst = REG_BIT(insn->dst_reg), src = REG_BIT(insn->src_reg);

	switch (BPF_OP(insn->code)) {
	case BPF_JA:
	case BPF_JCOND: return (struct use_def){ 0, 0 };
	case BPF_EXIT: return (struct use_def){ REG_BIT(0), 0 };
	case BPF_CALL: {
		struct use_def u = { ARGUMENTS, CALLER_SAVED };

		if (insn_is_helper_call(insn))
			u.use = ARGUMENTS & (u16)((2u << helper_nr_args(env, insn->imm)) - 1);
		else if (insn_is_kfunc_call(insn))
			u.use = ARGUMENTS & (u16)((2u << kfunc_nr_args(env, i)) - 1);
		return u;
	}
	default: return (struct use_def){ BPF_SRC(insn->code) == BPF_X ? dst | src : dst, 0 };
	}
}

struct use_def live_regs_of_insn(const struct verify_env *env, u32 i)
{
	const struct bpf_insn *insn = &env->insns[i];
	u16 dst = REG_BIT(insn->dst_reg), src = REG_BIT(insn->src_reg);

	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		if (BPF_MODE(insn->code) == BPF_IMM)
			return (struct use_def){ 0, BPF_SIZE(insn->code) == BPF_DW ? dst : 0 };
		return (struct use_def){ ALL_REGS, 0 };
	case BPF_LDX: return (struct use_def){ src, dst };
	case BPF_ST: return (struct use_def){ dst, 0 };
	case BPF_STX:
		if (BPF_MODE(insn->code) == BPF_ATOMIC)
			return atomic_use_def(insn);
		return (struct use_def){ dst | src, 0 };
	case BPF_ALU:
	case BPF_ALU64:
		if (BPF_OP(insn->code) == BPF_END)
			return (struct use_def){ dst, dst };
		if (BPF_OP(insn->code) == BPF_MOV)
			return (struct use_def){ BPF_SRC(insn->code) == BPF_X ? src : 0, dst };
		return (struct use_def){ BPF_SRC(insn->code) == BPF_X ? dst | src : dst, dst };
	default: return jump_use_def(env, i);
	}
}

static void print_table(struct verify_env *env)
{
	if (!(env->input->log.level & LOG_LEVEL2))
		return;
	verbose(env, "Live regs before insn:\n");
	for (u32 i = 0; i < env->nr_insns; i++) {
		if (env->aux[i].scc)
			verbose(env, "%3u ", env->aux[i].scc);
		else
			verbose(env, "    ");
		verbose(env, "%3u: ", i);
		for (u32 r = 0; r < BPF_REG_10; r++) {
			if (env->aux[i].live_regs & REG_BIT(r))
				verbose(env, "%u", r);
			else
				verbose(env, ".");
		}
		verbose(env, " ");
		log_insn(env, i);
		if (insn_is_ldimm64(&env->insns[i]))
			i++;
	}
}

int live_regs_compute(struct verify_env *env)
{
	struct use_def *table = base_zalloc(env->nr_insns, sizeof(*table));
	u32 nr = env->subprog[env->nr_subprogs].postorder_start;
	bool changed = true;

	if (!table)
		return -ENOMEM;
	for (u32 i = 0; i < env->nr_insns; i++)
		table[i] = live_regs_of_insn(env, i);
	while (changed) {
		changed = false;
		for (u32 p = 0; p < nr; p++) {
			u32 i = env->postorder[p], next[2];
			u32 edges = cfg_successors(env, i, next);
			u16 live = 0;

			for (u32 e = 0; e < edges; e++)
				live |= env->aux[next[e]].live_regs;
			live = (live & ~table[i].def) | table[i].use;
			changed |= live != env->aux[i].live_regs;
			env->aux[i].live_regs = live;
		}
	}
	base_free(table);
	print_table(env);
	return 0;
}
