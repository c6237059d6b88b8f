/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One pass over the accepted program without its dead code: each instruction as it is or what a
 * kernel puts in its place. Jumps and calls are aimed when all of it is there.
 */
#include "verify/shown.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "abi/bpf_new.h"
#include "abi/ksym.h"
#include "abi/kfunc.h"
#include "btf/btf.h"
#include "verify/kfunc.h"

#define MOV_K	    (BPF_ALU64 | BPF_MOV | BPF_K)
#define MOV_X	    (BPF_ALU64 | BPF_MOV | BPF_X)
#define LDX(size)   (BPF_LDX | BPF_MEM | (size))
#define STX(size)   (BPF_STX | BPF_MEM | (size))
#define CALL	    (BPF_JMP | BPF_CALL)
#define GO	    (BPF_JMP | BPF_JA)
#define GFP_ATOMIC  0x820
#define GFP_KERNEL  0xcc0
#define PERCPU_ADDR (-1) /* offset of a move that adds this CPU's base */

struct builder {
	struct verify_env *env;
	struct verify_shown *shown;
	u32 room;
	u32 *at;     /* of each old instruction, and of the end: where it is shown */
	s32 *target; /* of each shown instruction: the old one that it leads to; -1: none */
};

static bool put(struct builder *builder, const struct bpf_insn *insn, u8 place, s64 target)
{
	struct verify_shown *shown = builder->shown;
	u32 room = builder->room * 2;
	void *insns, *places, *targets;

	if (shown->nr_insns == builder->room) {
		insns = base_realloc(shown->insns, room, sizeof(*shown->insns));
		if (insns)
			shown->insns = insns;
		places = base_realloc(shown->places, room, sizeof(*shown->places));
		if (places)
			shown->places = places;
		targets = base_realloc(builder->target, room, sizeof(*builder->target));
		if (targets)
			builder->target = targets;
		if (!insns || !places || !targets)
			return false;
		builder->room = room;
	}
	shown->insns[shown->nr_insns] = *insn;
	shown->places[shown->nr_insns] = place;
	builder->target[shown->nr_insns++] = (s32)target;
	return true;
}

/* Divisors that would trap: a division by 0 gives 0, a remainder by 0 the dividend. */
static void divide(const struct bpf_insn *insn, struct shown_patch *patch)
{
	bool wide = BPF_CLASS(insn->code) == BPF_ALU64;
	u32 jump = wide ? BPF_JMP : BPF_JMP32;

	if (BPF_OP(insn->code) == BPF_DIV) {
		shown_add(patch, jump | BPF_JNE | BPF_K, insn->src_reg, 0, 2, 0);
		shown_add(patch, BPF_ALU | BPF_XOR | BPF_X, insn->dst_reg, insn->dst_reg, 0, 0);
		shown_add(patch, GO, 0, 0, 1, 0);
		shown_add(patch, insn->code, insn->dst_reg, insn->src_reg, 0, 0);
		return;
	}
	shown_add(patch, jump | BPF_JEQ | BPF_K, insn->src_reg, 0, wide ? 1 : 2, 0);
	shown_add(patch, insn->code, insn->dst_reg, insn->src_reg, 0, 0);
	if (wide)
		return;
	shown_add(patch, GO, 0, 0, 1, 0);
	shown_add(patch, BPF_ALU | BPF_MOV | BPF_X, insn->dst_reg, insn->dst_reg, 0, 0);
}

/* The same, and a division of the lowest number by -1 gives it again. */
static void divide_signed(const struct bpf_insn *insn, struct shown_patch *patch)
{
	bool wide = BPF_CLASS(insn->code) == BPF_ALU64, div = BPF_OP(insn->code) == BPF_DIV;
	u32 alu = wide ? BPF_ALU64 : BPF_ALU, jump = wide ? BPF_JMP : BPF_JMP32;

	shown_add(patch, MOV_X, SHOWN_AX, insn->src_reg, 0, 0);
	shown_add(patch, alu | BPF_ADD | BPF_K, SHOWN_AX, 0, 0, 1);
	shown_add(patch, jump | BPF_JGT | BPF_K, SHOWN_AX, 0, div ? 4 : 3, 1);
	shown_add(patch, jump | BPF_JEQ | BPF_K, SHOWN_AX, 0, div ? 1 : wide ? 3 : 4, div ? 0 : 1);
	if (div) {
		shown_add(patch, alu | BPF_MOV | BPF_K, insn->dst_reg, 0, 0, 0);
		shown_add(patch, alu | BPF_NEG | BPF_K, insn->dst_reg, 0, 0, 0);
	} else {
		shown_add(patch, BPF_ALU | BPF_MOV | BPF_K, insn->dst_reg, 0, 0, 0);
	}
	shown_add(patch, GO, 0, 0, 1, 0);
	shown_add(patch, insn->code, insn->dst_reg, insn->src_reg, insn->off, 0);
	if (div || wide)
		return;
	shown_add(patch, GO, 0, 0, 1, 0);
	shown_add(patch, BPF_ALU | BPF_MOV | BPF_X, insn->dst_reg, insn->dst_reg, 0, 0);
}

static void arithmetic(const struct bpf_insn *insn, struct shown_patch *patch)
{
	u8 op = BPF_OP(insn->code);

	if (op != BPF_DIV && op != BPF_MOD)
		return;
	if (BPF_SRC(insn->code) == BPF_X) {
		if (insn->off == 1)
			divide_signed(insn, patch);
		else
			divide(insn, patch);
	} else if (insn->off == 1 && insn->imm == -1) {
		if (op == BPF_DIV)
			shown_add(patch, BPF_CLASS(insn->code) | BPF_NEG | BPF_K, insn->dst_reg, 0,
				  0, 0);
		else
			shown_add(patch, BPF_ALU | BPF_MOV | BPF_K, insn->dst_reg, 0, 0, 0);
	}
}

/* The old way to read a packet: the context is in R6. */
static void load_packet(const struct bpf_insn *insn, struct shown_patch *patch)
{
	u8 size = BPF_SIZE(insn->code);

	if (BPF_MODE(insn->code) == BPF_ABS)
		shown_add(patch, MOV_K, BPF_REG_2, 0, 0, insn->imm);
	else
		shown_add(patch, MOV_X, BPF_REG_2, insn->src_reg, 0, 0);
	if (BPF_MODE(insn->code) == BPF_IND && insn->imm)
		shown_add(patch, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, insn->imm);
	shown_add(patch, MOV_X, BPF_REG_1, BPF_REG_6, 0, 0);
	shown_add(patch, CALL, 0, 0, 0,
		  abi_ksym_call(size == BPF_B	? "bpf_skb_load_helper_8_no_cache"
				: size == BPF_H ? "bpf_skb_load_helper_16_no_cache"
						: "bpf_skb_load_helper_32_no_cache"));
	shown_add(patch, BPF_JMP | BPF_JSGE | BPF_K, BPF_REG_0, 0, 2, 0);
	shown_add(patch, BPF_ALU | BPF_XOR | BPF_X, BPF_REG_0, BPF_REG_0, 0, 0);
	shown_add(patch, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* An argument of the traced function, by its number. */
static void function_argument(struct shown_patch *patch)
{
	shown_add(patch, LDX(BPF_DW), BPF_REG_0, BPF_REG_1, -8, 0);
	shown_add(patch, BPF_JMP32 | BPF_JGE | BPF_X, BPF_REG_2, BPF_REG_0, 6, 0);
	shown_add(patch, BPF_ALU64 | BPF_LSH | BPF_K, BPF_REG_2, 0, 0, 3);
	shown_add(patch, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_2, BPF_REG_1, 0, 0);
	shown_add(patch, LDX(BPF_DW), BPF_REG_0, BPF_REG_2, 0, 0);
	shown_add(patch, STX(BPF_DW), BPF_REG_3, BPF_REG_0, 0, 0);
	shown_add(patch, MOV_K, BPF_REG_0, 0, 0, 0);
	shown_add(patch, GO, 0, 0, 1, 0);
	shown_add(patch, MOV_K, BPF_REG_0, 0, 0, -EINVAL);
}

static void function_result(const struct verify_env *env, struct shown_patch *patch)
{
	if (env->input->expected_attach_type != BPF_TRACE_FEXIT &&
	    env->input->expected_attach_type != BPF_MODIFY_RETURN) {
		shown_add(patch, MOV_K, BPF_REG_0, 0, 0, -EOPNOTSUPP);
		return;
	}
	shown_add(patch, LDX(BPF_DW), BPF_REG_0, BPF_REG_1, -8, 0);
	shown_add(patch, BPF_ALU64 | BPF_LSH | BPF_K, BPF_REG_0, 0, 0, 3);
	shown_add(patch, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_0, BPF_REG_1, 0, 0);
	shown_add(patch, LDX(BPF_DW), BPF_REG_3, BPF_REG_0, 0, 0);
	shown_add(patch, STX(BPF_DW), BPF_REG_2, BPF_REG_3, 0, 0);
	shown_add(patch, MOV_K, BPF_REG_0, 0, 0, 0);
}

static void load_address(struct shown_patch *patch, u8 dst, const char *name)
{
	u64 address = abi_ksym_address(name);

	shown_add(patch, BPF_LD | BPF_IMM | BPF_DW, dst, 0, 0, (s32)(u32)address);
	shown_add(patch, 0, 0, 0, 0, (s32)(u32)(address >> 32));
}

#define LOOPS_MAX      (1 << 23)
#define LOOP_STACK     24 /* three registers */
#define MAY_GOTO_STACK 16 /* the loops that are left, and when they began */
#define MAY_GOTO_LOOPS 0xffff

static bool is_inlined_loop(const struct verify_env *env, u32 i)
{
	return insn_is_helper_call(&env->insns[i]) && env->insns[i].imm == BPF_FUNC_loop &&
	       env->aux[i].inlined == LOOP_SAME;
}

/* What subprograms keep on their stacks for a bpf_loop() that is a loop, and for may_goto. */
static void find_loops(struct verify_env *env)
{
	for (u32 s = 0; s < env->nr_subprogs; s++) {
		struct subprog *subprog = &env->subprog[s];
		bool loop = false;

		for (u32 i = subprog->start; i < subprog[1].start; i++) {
			loop |= is_inlined_loop(env, i);
			subprog->has_may_goto |= insn_is_may_goto(&env->insns[i]);
		}
		subprog->shown_stack = subprog->stack_depth + (loop ? LOOP_STACK : 0) +
				       (subprog->has_may_goto ? MAY_GOTO_STACK : 0);
	}
}

/* may_goto counts down, and asks for the time when it comes to 0. */
static void may_goto(const struct verify_env *env, u32 i, struct shown_patch *patch)
{
	s32 left = -(s32)env->subprog[env_subprog_of(env, i)].shown_stack;

	shown_add(patch, LDX(BPF_DW), SHOWN_AX, BPF_REG_10, left, 0);
	patch->call = patch->nr;
	patch->callee = (u32)insn_target(&env->insns[i], i);
	shown_add(patch, BPF_JMP | BPF_JEQ | BPF_K, SHOWN_AX, 0, 0, 0);
	shown_add(patch, BPF_ALU64 | BPF_SUB | BPF_K, SHOWN_AX, 0, 0, 1);
	shown_add(patch, BPF_JMP | BPF_JNE | BPF_K, SHOWN_AX, 0, 2, 0);
	shown_add(patch, MOV_K, SHOWN_AX, 0, 0, left);
	shown_add(patch, CALL, 0, 0, 0, abi_ksym_call("arch_bpf_timed_may_goto"));
	shown_add(patch, STX(BPF_DW), BPF_REG_10, SHOWN_AX, left, 0);
}

/* What a subprogram with a may_goto begins with. */
static void may_goto_start(const struct verify_env *env, u32 subprog, struct shown_patch *patch)
{
	s32 left = -(s32)env->subprog[subprog].shown_stack;

	if (!env->subprog[subprog].has_may_goto)
		return;
	shown_add(patch, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, left, MAY_GOTO_LOOPS);
	shown_add(patch, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, left + 8, 0);
}

/* bpf_loop() as a loop: three registers are kept below the function's stack. */
static void loop(const struct verify_env *env, u32 i, struct shown_patch *patch)
{
	const struct insn_aux *aux = &env->aux[i];
	s32 stack = -(s32)env->subprog[env_subprog_of(env, i)].stack_depth - LOOP_STACK;

	if (!is_inlined_loop(env, i))
		return;
	shown_add(patch, BPF_JMP | BPF_JLE | BPF_K, BPF_REG_1, 0, 2, LOOPS_MAX);
	shown_add(patch, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, -E2BIG);
	shown_add(patch, GO, 0, 0, 16, 0);
	for (s32 r = 0; r < 3; r++)
		shown_add(patch, STX(BPF_DW), BPF_REG_10, (u32)(BPF_REG_6 + r), stack + 8 * r, 0);
	shown_add(patch, MOV_X, BPF_REG_6, BPF_REG_1, 0, 0);
	shown_add(patch, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_7, 0, 0, 0);
	shown_add(patch, MOV_X, BPF_REG_8, BPF_REG_3, 0, 0);
	shown_add(patch, BPF_JMP | BPF_JGE | BPF_X, BPF_REG_7, BPF_REG_6, 5, 0);
	shown_add(patch, MOV_X, BPF_REG_1, BPF_REG_7, 0, 0);
	shown_add(patch, MOV_X, BPF_REG_2, BPF_REG_8, 0, 0);
	patch->call = patch->nr;
	patch->callee = env->subprog[aux->loop_callback].start;
	shown_add(patch, CALL, 0, BPF_PSEUDO_CALL, 0, 0);
	shown_add(patch, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_7, 0, 0, 1);
	shown_add(patch, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, -6, 0);
	shown_add(patch, MOV_X, BPF_REG_0, BPF_REG_7, 0, 0);
	for (s32 r = 0; r < 3; r++)
		shown_add(patch, LDX(BPF_DW), (u32)(BPF_REG_6 + r), BPF_REG_10, stack + 8 * r, 0);
}

/* Helpers whose calls are replaced, or need more arguments. */
static void helper_code(const struct verify_env *env, u32 func_id, struct shown_patch *patch)
{
	bool traces = env->input->prog_type == BPF_PROG_TYPE_TRACING;

	switch (func_id) {
	case BPF_FUNC_jiffies64:
		load_address(patch, BPF_REG_0, "jiffies");
		shown_add(patch, LDX(BPF_DW), BPF_REG_0, BPF_REG_0, 0, 0);
		break;
	case BPF_FUNC_get_smp_processor_id:
		shown_add(patch, MOV_K, BPF_REG_0, 0, 0, (s32)(u32)abi_ksym_address("pcpu_hot"));
		shown_add(patch, MOV_X, BPF_REG_0, BPF_REG_0, PERCPU_ADDR, 0);
		shown_add(patch, LDX(BPF_W), BPF_REG_0, BPF_REG_0, 0, 0);
		break;
	case BPF_FUNC_get_func_arg:
		if (traces)
			function_argument(patch);
		break;
	case BPF_FUNC_get_func_ret:
		if (traces)
			function_result(env, patch);
		break;
	case BPF_FUNC_get_func_arg_cnt:
	case BPF_FUNC_get_func_ip:
		if (traces)
			shown_add(patch, LDX(BPF_DW), BPF_REG_0, BPF_REG_1,
				  func_id == BPF_FUNC_get_func_ip ? -16 : -8, 0);
		break;
	case BPF_FUNC_timer_set_callback:
		/* The program itself, which is told to the timer. */
		shown_add(patch, BPF_LD | BPF_IMM | BPF_DW, BPF_REG_3, 0, 0, 0);
		shown_add(patch, 0, 0, 0, 0, -1);
		break;
	case BPF_FUNC_kptr_xchg:
		shown_add(patch, MOV_X, BPF_REG_0, BPF_REG_2, 0, 0);
		shown_add(patch, BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_1, BPF_REG_0, 0, BPF_XCHG);
		break;
	case BPF_FUNC_sk_storage_get:
	case BPF_FUNC_inode_storage_get:
	case BPF_FUNC_task_storage_get:
	case ABI_FUNC_cgrp_storage_get:
		shown_add(patch, MOV_K, BPF_REG_5, 0, 0, env->sleepable ? GFP_KERNEL : GFP_ATOMIC);
		break;
	}
}

static void helper_call(const struct verify_env *env, u32 i, struct shown_patch *patch)
{
	u32 func_id = (u32)env->insns[i].imm;

	if (func_id == BPF_FUNC_tail_call)
		return;
	shown_map_call(env, i, patch);
	if (func_id == BPF_FUNC_loop)
		loop(env, i, patch);
	if (patch->nr)
		return;
	helper_code(env, func_id, patch);
	if (!patch->nr || func_id == BPF_FUNC_timer_set_callback ||
	    (func_id != BPF_FUNC_kptr_xchg && patch->insns[patch->nr - 1].dst_reg == BPF_REG_5))
		shown_add(patch, CALL, 0, 0, 0, abi_ksym_helper(func_id, env->input->prog_type));
}

static void kfunc_call(const struct verify_env *env, u32 i, struct shown_patch *patch)
{
	u32 id = env->aux[i].kfunc;

	if (!id)
		return;
	if (id - 1 == ABI_KFUNC_bpf_rdonly_cast || id - 1 == ABI_KFUNC_bpf_cast_to_kern_ctx)
		shown_add(patch, MOV_X, BPF_REG_0, BPF_REG_1, 0, 0);
	else
		shown_add(patch, CALL, 0, BPF_PSEUDO_KFUNC_CALL, env->insns[i].off,
			  abi_ksym_kfunc(id - 1));
}

static void replace(const struct verify_env *env, u32 i, struct shown_patch *patch)
{
	const struct bpf_insn *insn = &env->insns[i];
	u8 class = BPF_CLASS(insn->code), mode = BPF_MODE(insn->code);

	patch->nr = 0;
	if (env->aux[i].access >= ACCESS_SPECIAL && env->aux[i].access != ACCESS_ARENA &&
	    env->aux[i].access != ACCESS_MAP)
		shown_access(env, i, patch);
	else if (class == BPF_ALU || class == BPF_ALU64)
		arithmetic(insn, patch);
	else if (class == BPF_LD && (mode == BPF_ABS || mode == BPF_IND))
		load_packet(insn, patch);
	else if (insn_is_helper_call(insn))
		helper_call(env, i, patch);
	else if (insn_is_kfunc_call(insn))
		kfunc_call(env, i, patch);
	else if (insn_is_may_goto(insn))
		may_goto(env, i, patch);
}

/* A constant of 64 bits: maps by their ids. */
static bool constant(struct builder *builder, u32 i)
{
	const struct insn_aux *aux = &builder->env->aux[i];
	struct bpf_insn pair[2] = { builder->env->insns[i], builder->env->insns[i + 1] };
	s64 target = insn_target(&pair[0], i);

	if (aux->map && !insn_is_pseudo_func(&pair[0])) {
		bool value =
			builder->env->input->insns[aux->orig_idx].src_reg == BPF_PSEUDO_MAP_VALUE ||
			builder->env->input->insns[aux->orig_idx].src_reg ==
				BPF_PSEUDO_MAP_IDX_VALUE;

		pair[0].src_reg = value ? BPF_PSEUDO_MAP_VALUE : BPF_PSEUDO_MAP_FD;
		pair[0].imm = (s32)aux->map->id;
		pair[1].imm = value ? (s32)aux->map_off : 0;
	} else if (pair[0].src_reg == BPF_PSEUDO_BTF_ID) {
		pair[0].src_reg = 0;
	}
	return put(builder, &pair[0], 0, target) && put(builder, &pair[1], 0, -1);
}

static bool put_patch(struct builder *builder, const struct shown_patch *patch)
{
	for (u32 p = 0; p < patch->nr; p++)
		if (!put(builder, &patch->insns[p], patch->place[p],
			 p && p == patch->call ? (s64)patch->callee : -1))
			return false;
	return true;
}

/* The beginning of a subprogram; jumps back to it lead behind the counters of its loops. */
static bool begin(struct builder *builder, u32 subprog)
{
	struct shown_patch patch = { 0 };

	builder->shown->starts[subprog] = builder->shown->nr_insns;
	may_goto_start(builder->env, subprog, &patch);
	if (!put_patch(builder, &patch))
		return false;
	builder->at[builder->env->subprog[subprog].start] = builder->shown->nr_insns;
	memset(&patch, 0, sizeof(patch));
	if (!subprog)
		shown_prologue(builder->env, &patch);
	return put_patch(builder, &patch);
}

static int build(struct builder *builder)
{
	struct verify_env *env = builder->env;
	struct shown_patch patch;
	u32 nr_subprogs = 0;

	for (u32 i = 0; i < env->nr_insns; i++) {
		if (i == env->subprog[nr_subprogs].start && !begin(builder, nr_subprogs++))
			return -ENOMEM;
		if (i)
			builder->at[i] = builder->shown->nr_insns;
		if (insn_is_ldimm64(&env->insns[i])) {
			if (!constant(builder, i))
				return -ENOMEM;
			i++;
			builder->at[i] = builder->shown->nr_insns - 1;
			continue;
		}
		memset(&patch, 0, sizeof(patch));
		replace(env, i, &patch);
		if (patch.nr ? !put_patch(builder, &patch)
			     : !put(builder, &env->insns[i], 0, insn_target(&env->insns[i], i)))
			return -ENOMEM;
	}
	builder->at[env->nr_insns] = builder->shown->nr_insns;
	builder->shown->starts[nr_subprogs] = builder->shown->nr_insns;
	return 0;
}

static void aim(struct builder *builder)
{
	struct verify_shown *shown = builder->shown;

	for (u32 n = 0; n < shown->nr_insns; n++) {
		struct bpf_insn *insn = &shown->insns[n];
		s32 target = builder->target[n], distance, subprog;

		if (target < 0)
			continue;
		distance = (s32)builder->at[target] - (s32)n - 1;
		subprog = env_find_subprog(builder->env, (u32)target);
		if (insn_is_pseudo_call(insn) && subprog >= 0) {
			insn->off = (s16)(shown->starts[subprog] - n - 1);
			insn->imm = subprog;
		} else if (insn_is_pseudo_func(insn) && subprog >= 0) {
			insn->imm = (s32)(shown->starts[subprog] - n - 1);
			insn[1].imm = subprog;
		} else if (insn->code == (BPF_JMP32 | BPF_JA)) {
			insn->imm = distance;
		} else {
			insn->off = (s16)distance;
		}
	}
}

/* Where the line of an instruction begins. */
static u32 line_at(const struct builder *builder, u32 i)
{
	s32 subprog = env_find_subprog(builder->env, i);

	return subprog < 0 ? builder->at[i] : builder->shown->starts[subprog];
}

/* Functions and lines, where their instructions are shown. */
static int build_info(struct builder *builder)
{
	struct verify_env *env = builder->env;
	struct verify_shown *shown = builder->shown;

	if (env->nr_func_info) {
		shown->func_info = base_zalloc(env->nr_subprogs, sizeof(*shown->func_info));
		if (!shown->func_info)
			return -ENOMEM;
		for (u32 s = 0; s < env->nr_subprogs; s++) {
			shown->func_info[s].insn_off = shown->starts[s];
			shown->func_info[s].type_id = (u32)env->subprog[s].type_id;
		}
		shown->nr_func_info = env->nr_subprogs;
	}
	if (env->nr_line_info) {
		shown->line_info =
			base_memdup(env->line_info, env->nr_line_info * sizeof(*env->line_info));
		if (!shown->line_info)
			return -ENOMEM;
		for (u32 i = 0; i < env->nr_line_info; i++)
			shown->line_info[i].insn_off = line_at(builder, env->line_info[i].insn_off);
		shown->nr_line_info = env->nr_line_info;
	}
	return 0;
}

int shown_program(struct verify_env *env, struct verify_shown *ret_shown)
{
	struct builder builder = { .env = env, .shown = ret_shown };
	int err = -ENOMEM;

	*ret_shown = (struct verify_shown){ 0 };
	find_loops(env);
	builder.room = env->nr_insns + 16;
	builder.at = base_zalloc(env->nr_insns + 1, sizeof(*builder.at));
	builder.target = base_zalloc(builder.room, sizeof(*builder.target));
	ret_shown->nr_subprogs = env->nr_subprogs;
	ret_shown->starts = base_zalloc(env->nr_subprogs + 1, sizeof(*ret_shown->starts));
	ret_shown->insns = base_zalloc(builder.room, sizeof(*ret_shown->insns));
	ret_shown->places = base_zalloc(builder.room, sizeof(*ret_shown->places));
	if (builder.at && builder.target && ret_shown->starts && ret_shown->insns &&
	    ret_shown->places)
		err = build(&builder);
	if (!err) {
		aim(&builder);
		err = build_info(&builder);
	}
	base_free(builder.at);
	base_free(builder.target);
	if (err)
		verify_shown_done(ret_shown);
	return err;
}

void verify_shown_done(struct verify_shown *shown)
{
	base_free(shown->insns);
	base_free(shown->places);
	base_free(shown->starts);
	base_free(shown->line_info);
	base_free(shown->func_info);
	*shown = (struct verify_shown){ 0 };
}

static const struct {
	const char *structure, *member, *structure2, *member2;
} places[] = {
#define SHOWN_PLACE(name, s1, m1, s2, m2) [SHOWN_##name] = { s1, m1, s2, m2 },
	SHOWN_PLACES(SHOWN_PLACE)
#undef SHOWN_PLACE
};

static s32 offset_in(const struct btf *btf, const char *structure, const char *member)
{
	u32 bit_offset, bits;

	if (!*structure || !btf_find_path(btf, structure, member, &bit_offset, &bits))
		return 0;
	return (s32)(bit_offset / 8);
}

void verify_shown_place(const struct verify_shown *shown, const struct btf *kernel_btf,
			struct bpf_insn *insns)
{
	s32 known[ARRAY_SIZE(places)];
	u8 place;

	memset(known, -1, sizeof(known));
	for (u32 i = 0; kernel_btf && i < shown->nr_insns; i++) {
		place = shown->places[i];
		if (!place)
			continue;
		if (known[place] < 0)
			known[place] = offset_in(kernel_btf, places[place].structure,
						 places[place].member) +
				       offset_in(kernel_btf, places[place].structure2,
						 places[place].member2);
		if (BPF_CLASS(insns[i].code) == BPF_ALU64)
			insns[i].imm += known[place];
		else
			insns[i].off = (s16)(insns[i].off + known[place]);
	}
}
