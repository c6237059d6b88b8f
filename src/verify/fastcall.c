/* SPDX-License-Identifier: BSD-2-Clause */
/* Stores and loads around calls of bpf_fastcall functions. */
#include "verify/fastcall.h"

#include <stdint.h>

#include "abi/helper.h"
#include "abi/kfunc.h"

#define CALLER_SAVED_MASK 0x3fu	    /* r0 to r5 */
#define NO_PAIRS	  INT16_MIN /* no slots, or something else uses them */

/* The registers that a function of so many arguments may change; they all begin at r1. */
static u32 changed_registers(u32 nr_args, bool returns)
{
	return ((1u << nr_args) - 1) << 1 | returns;
}

/*
 * The registers that a call would change if it were a fastcall, and whether it is one. All of them
 * for what is no call of a function, or of none that this program may call.
 */
static u32 changed_by(const struct verify_env *env, u32 i, bool *ret_is_fastcall)
{
	const struct bpf_insn *insn = &env->insns[i];
	u32 nr_args = 0;

	*ret_is_fastcall = false;
	if (insn_is_helper_call(insn) && abi_helper_allowed((u32)insn->imm, env->input->prog_type,
							    env->input->expected_attach_type)) {
		u32 type = env->input->prog_type;
		const struct abi_helper *helper = abi_helper_for((u32)insn->imm, type);

		while (nr_args < 5 && helper->arg[nr_args] != ARG_NONE)
			nr_args++;
		*ret_is_fastcall = type < 64 && helper->fastcall & ABI_PROG(type);
		return changed_registers(nr_args, helper->ret != RET_VOID);
	}
	if (insn_is_kfunc_call(insn) && env->aux[i].kfunc) {
		u32 id = env->aux[i].kfunc - 1u;
		const struct abi_kfunc *kfunc = abi_kfunc_by_id(id);

		*ret_is_fastcall = kfunc->flags & KFUNC_FASTCALL;
		return changed_registers(abi_kfunc_nr_args(kfunc), kfunc->ret != KRET_VOID);
	}
	return CALLER_SAVED_MASK;
}

/* Is it a store before a call, and a load behind it, of one of these registers at this offset? */
static bool is_pair(const struct bpf_insn *store, const struct bpf_insn *load, u32 registers,
		    s16 off)
{
	return store->code == (BPF_STX | BPF_MEM | BPF_DW) && store->dst_reg == BPF_REG_10 &&
	       load->code == (BPF_LDX | BPF_MEM | BPF_DW) && load->src_reg == BPF_REG_10 &&
	       store->src_reg == load->dst_reg && registers & (1u << store->src_reg) &&
	       store->off == off && load->off == off;
}

/* Pairs around the call i, from the innermost at offset off on. Are there any? */
static bool find_pairs(struct verify_env *env, struct subprog *subprog, u32 i, s16 off)
{
	struct insn_aux *aux = env->aux;
	bool is_fastcall;
	u32 registers = ~changed_by(env, i, &is_fastcall) & CALLER_SAVED_MASK, nr = 0;

	while (registers && nr < i && i + nr + 1 < env->nr_insns) {
		u32 store = i - nr - 1, load = i + nr + 1;

		if (aux[store + 1].jump_target || aux[load].jump_target ||
		    !is_pair(&env->insns[store], &env->insns[load], registers, off))
			break;
		registers &= ~(1u << env->insns[store].src_reg);
		aux[store].fastcall_pair = aux[load].fastcall_pair = true;
		off += REG_SIZE;
		nr++;
	}
	if (!nr)
		return false;
	if (is_fastcall)
		aux[i].fastcall_pairs = (u8)nr;
	else
		subprog->fastcall_keeps_stack = true;
	if (off < subprog->fastcall_off)
		subprog->fastcall_off = off;
	return true;
}

int fastcall_find(struct verify_env *env)
{
	for (u32 s = 0; s < env->nr_subprogs; s++) {
		struct subprog *subprog = &env->subprog[s];
		bool found = false;
		s16 lowest = 0;

		for (u32 i = subprog->start; i < subprog[1].start; i++) {
			const struct bpf_insn *insn = &env->insns[i];

			if (insn->code == (BPF_STX | BPF_MEM | BPF_DW) &&
			    insn->dst_reg == BPF_REG_10 && insn->off < lowest)
				lowest = insn->off;
		}
		for (u32 i = subprog->start; lowest && i < subprog[1].start; i++)
			if (env->insns[i].code == (BPF_JMP | BPF_CALL))
				found |= find_pairs(env, subprog, i, lowest);
		if (!found)
			subprog->fastcall_off = NO_PAIRS;
	}
	return 0;
}

void fastcall_stack_use(struct verify_env *env, const struct frame *frame, int off)
{
	struct subprog *subprog = &env->subprog[frame->subprogno];

	if (subprog->fastcall_off <= off || env->aux[env->insn_idx].fastcall_pair)
		return;
	subprog->fastcall_off = NO_PAIRS;
	for (u32 i = subprog->start; i < subprog[1].start; i++) {
		env->aux[i].fastcall_pairs = 0;
		env->aux[i].fastcall_pair = false;
	}
}

int fastcall_remove(struct verify_env *env)
{
	static const struct bpf_insn nothing = { .code = BPF_JMP | BPF_JA };

	for (u32 s = 0; s < env->nr_subprogs; s++) {
		struct subprog *subprog = &env->subprog[s];
		bool removed = false;

		for (u32 i = subprog->start; i < subprog[1].start; i++) {
			for (u32 nr = env->aux[i].fastcall_pairs; nr; nr--) {
				env->insns[i - nr] = env->insns[i + nr] = nothing;
				removed = true;
			}
		}
		if (removed && !subprog->fastcall_keeps_stack)
			subprog->stack_depth = (u32)-subprog->fastcall_off;
	}
	return 0;
}
