/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * After a program was accepted: branches that only ever go one way become plain jumps, what was
 * never reached is removed, and context accesses are turned into those of the run-time context.
 * Runs last; nothing is judged any more.
 */
#include "verify/fixup.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "abi/bpf_new.h"
#include "abi/context.h"
#include "isa/opcode.h"
#include "verify/kernel_memory.h"
#include "verify/shown.h"
#include "verify/struct_ops.h"
#include "verify/kfunc.h"
#include "verify/object.h"

static bool is_conditional(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_JA && op != BPF_CALL &&
	       op != BPF_EXIT;
}

static void hard_wire_branches(struct verify_env *env)
{
	for (u32 i = 0; i < env->nr_insns; i++) {
		struct bpf_insn *insn = &env->insns[i];
		s16 off;

		if (!env->aux[i].seen || !is_conditional(insn))
			continue;
		if (!env->aux[i + 1].seen)
			off = insn->off;
		else if (!env->aux[i + 1 + insn->off].seen)
			off = 0;
		else
			continue;
		*insn = (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = off };
	}
}

static void set_target(struct bpf_insn *insn, u32 i, u32 target)
{
	s32 distance = (s32)target - (s32)i - 1;

	if (insn_is_call(insn) || insn_is_pseudo_func(insn) || insn->code == (BPF_JMP32 | BPF_JA))
		insn->imm = distance;
	else
		insn->off = (s16)distance;
}

/*
 * Lines of removed instructions go, but the last one of a removed piece, if the instruction behind
 * it has none of its own: then it stands for that.
 */
static void move_lines(struct verify_env *env, const u8 *remove, const u32 *moved)
{
	struct bpf_line_info *lines = env->line_info;
	u32 nr = 0, next = 0;

	for (u32 i = 0; i < env->nr_line_info; i++) {
		if (lines[i].insn_off >= next)
			next = lines[i].insn_off;
		while (next < env->nr_insns && remove[next])
			next++;
		if (next == env->nr_insns ||
		    (next != lines[i].insn_off && i + 1 < env->nr_line_info &&
		     lines[i + 1].insn_off <= next))
			continue;
		lines[nr] = lines[i];
		lines[nr++].insn_off = moved[next];
	}
	env->nr_line_info = nr;
}

/* Drops the instructions with remove[i]; references to them go to the next one that stays. */
static int remove_insns(struct verify_env *env, const u8 *remove)
{
	u32 *moved = base_zalloc(env->nr_insns + 1, sizeof(*moved)), nr = 0, subprogs = 0;
	u16 renumbered[SUBPROGS_MAX + 1] = { 0 };
	u32 exception_cb = 0;

	if (!moved)
		return -ENOMEM;
	for (u32 i = 0; i < env->nr_insns; i++) {
		moved[i] = nr;
		nr += !remove[i];
	}
	moved[env->nr_insns] = nr;
	move_lines(env, remove, moved);
	for (u32 i = 0; i < env->nr_insns; i++) {
		s64 target;

		if (remove[i])
			continue;
		target = insn_target(&env->insns[i], i);
		env->insns[moved[i]] = env->insns[i];
		env->aux[moved[i]] = env->aux[i];
		if (target >= 0)
			set_target(&env->insns[moved[i]], moved[i], moved[target]);
	}
	/* A subprogram that was only called from removed code is gone. */
	for (u32 s = 0; s < env->nr_subprogs; s++) {
		u32 start = moved[env->subprog[s].start], end = moved[env->subprog[s + 1].start];

		if (start == end)
			continue;
		if (s && s == env->exception_cb)
			exception_cb = subprogs;
		/* Numbers only become smaller, and each entry is met once: those met are below. */
		for (u32 i = 0; i < env->nr_async; i++)
			if (env->async[i].subprog == s)
				env->async[i].subprog = subprogs;
		renumbered[s] = (u16)subprogs;
		env->subprog[subprogs] = env->subprog[s];
		env->subprog[subprogs++].start = start;
	}
	for (u32 i = 0; i < nr; i++)
		env->aux[i].loop_callback = renumbered[env->aux[i].loop_callback];
	env->nr_subprogs = subprogs;
	env->exception_cb = exception_cb;
	env->nr_insns = nr;
	env->subprog[subprogs] = (struct subprog){ .start = nr };
	base_free(moved);
	return 0;
}

/*
 * Jumps to the next instruction. Each one that goes may make one of the may_goto before it, which
 * compilers write one behind the other, when a loop is unrolled: kept is room for the numbers of
 * those that stay.
 */
static void find_idle_jumps(const struct verify_env *env, u32 *kept, u8 *remove)
{
	u32 nr = 0;

	for (u32 i = 0; i < env->nr_insns; i++) {
		bool again = true;

		remove[i] = 0;
		kept[nr++] = i;
		while (again && nr) {
			u32 last = kept[nr - 1];
			const struct bpf_insn *insn = &env->insns[last];
			bool may_goto = insn_is_may_goto(insn);

			again = (may_goto || insn->code == (BPF_JMP | BPF_JA)) && insn->off >= 0 &&
				last + (u32)insn->off <= i;
			remove[last] = again;
			nr -= again;
			again &= may_goto;
		}
	}
}

static int remove_dead_code(struct verify_env *env)
{
	u8 *remove = base_zalloc(env->nr_insns, 1);
	u32 *kept = base_zalloc(env->nr_insns, sizeof(*kept));
	int err = remove && kept ? 0 : -ENOMEM;

	for (u32 i = 0; !err && i < env->nr_insns; i++)
		remove[i] = !env->aux[i].seen;
	if (!err)
		err = remove_insns(env, remove);
	if (!err) {
		find_idle_jumps(env, kept, remove);
		err = remove_insns(env, remove);
	}
	base_free(remove);
	base_free(kept);
	return err;
}

/* One context access; its size in the run-time context may be larger (pointers). */
static int convert_access(struct verify_env *env, struct bpf_insn *insn)
{
	bool write = BPF_CLASS(insn->code) != BPF_LDX;
	u32 size = isa_access_bytes(insn->code);
	const struct abi_ctx_field *field;

	if (env->ctx->free_form)
		return 0;
	field = abi_ctx_access(env->ctx, env_ctx_user(env), insn->off, size, write);
	if (!field)
		return verify_bug(env, "context access at %d was not checked", insn->off);
	/* Little endian: a part of a field lies at the same distance from its start. */
	insn->off = (s16)(field->rt_offset + ((u32)insn->off - field->offset));
	if (field->value != ABI_CTX_SCALAR)
		insn->code = (insn->code & ~0x18) | BPF_DW;
	/* These are 16 bits wide in the kernel: what is written beyond that is lost. */
	if (write && env->ctx->fields == abi_ctx_find(BPF_PROG_TYPE_SCHED_CLS)->fields &&
	    (field->rt_offset == offsetof(struct abi_rt_skb, tc_index) ||
	     field->rt_offset == offsetof(struct abi_rt_skb, tc_classid)))
		insn->code = (insn->code & ~0x18) | BPF_H;
	return 0;
}

/* What needs no client's address is a move of 32 bits. */
static void fix_cast(const struct verify_env *env, struct bpf_insn *insn)
{
	if (insn->imm != 1 && !(env->arena->flags & ABI_F_NO_USER_CONV))
		return;
	insn->code = BPF_ALU | BPF_MOV | BPF_X;
	insn->off = 0;
	insn->imm = 0;
}

static void fix_arena_access(struct bpf_insn *insn)
{
	u8 mode = BPF_MODE(insn->code);

	mode = mode == BPF_ATOMIC  ? ISA_ARENA_ATOMIC
	       : mode == BPF_MEMSX ? ISA_ARENA_MEMSX
				   : ISA_ARENA_MEM;
	insn->code = BPF_CLASS(insn->code) | mode | BPF_SIZE(insn->code);
}

/* What clients see of it, too. */
static void fix_arena(struct verify_env *env)
{
	for (u32 i = 0; i < env->nr_insns; i++) {
		struct bpf_insn *insn = &env->insns[i];

		if (env->aux[i].arena_alu)
			insn->code = BPF_ALU | BPF_OP(insn->code) | BPF_SRC(insn->code);
		if (insn->code == (BPF_ALU64 | BPF_MOV | BPF_X) && insn->off == ISA_ADDR_SPACE_CAST)
			fix_cast(env, insn);
		i += insn_is_ldimm64(insn);
	}
}

/* An access to what may not be there. */
static void fix_probe(struct verify_env *env, struct bpf_insn *insn)
{
	u8 mode = BPF_MODE(insn->code) == BPF_MEMSX ? ISA_PROBE_MEMSX : ISA_PROBE_MEM;

	/* Nobody writes what a load with order could be too early for. */
	if (BPF_CLASS(insn->code) == BPF_LDX ||
	    (BPF_MODE(insn->code) == BPF_ATOMIC && insn->imm == BPF_LOAD_ACQ)) {
		insn->code = BPF_LDX | BPF_SIZE(insn->code) | mode;
		insn->imm = 0;
	} else if (!struct_ops_writes(env)) {
		/* A write to a structure of the kernel's that nobody here has. */
		*insn = (struct bpf_insn){ .code = BPF_JMP | BPF_JA };
	}
}

int fixup_program(struct verify_env *env, struct verify_shown *ret_shown)
{
	int err;

	hard_wire_branches(env);
	err = remove_dead_code(env);
	fix_arena(env);
	if (!err)
		err = shown_program(env, ret_shown);
	for (u32 i = 0; i < env->nr_insns && !err; i++) {
		struct bpf_insn *insn = &env->insns[i];

		if (env->aux[i].access == ACCESS_ARENA)
			fix_arena_access(insn);
		if (env->aux[i].access == ACCESS_PROBE)
			fix_probe(env, insn);
		if (env->aux[i].access == ACCESS_CTX)
			err = convert_access(env, insn);
		else if (env->aux[i].access == ACCESS_MAP)
			insn->off = (s16)(insn->off + (s32)env->input->map_image);
		if (!err)
			err = object_fix(env, i);
		if (!err)
			err = kernel_memory_fix(env, i);
		if (!err && insn_is_kfunc_call(insn))
			err = kfunc_fix(env, i);
		if (insn_is_pseudo_func(insn)) {
			/* What the engines take for a function: its number. */
			insn[0].imm = env_find_subprog(env, i + insn->imm + 1);
			insn[1].imm = 0;
			insn->src_reg = 0;
		}
		if (insn_is_ldimm64(insn) && insn->src_reg == BPF_PSEUDO_BTF_ID)
			insn->src_reg = 0;
		i += insn_is_ldimm64(insn);
	}
	return err;
}
