/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One step of backtracking, by kind of instruction: whatever it made of what is wanted is wanted no
 * more, and what it made that of is.
 */
#include "verify/backtrack_insn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "isa/opcode.h"
#include "verify/helper.h"

static void forget(struct backtrack *bt, u32 reg)
{
	bt->reg_masks[bt->frame] &= ~(1u << reg);
}

static bool wants(const struct backtrack *bt, u32 reg)
{
	return bt->reg_masks[bt->frame] & (1u << reg);
}

char *backtrack_format_regs(char *text, u32 mask)
{
	u32 length = 0;

	text[0] = '\0';
	for (u32 i = 0; i < 32; i++)
		if (mask & (1u << i))
			length += snprintf(text + length, LOG_MASK_SIZE - length, "%sr%u",
					   length ? "," : "", i);
	return text;
}

/* Linked registers got their range together: if one is wanted all are. */
static void sync_linked(struct backtrack *bt, const struct history *entry)
{
	bool wanted = false;
	u32 nr;

	if (!entry || !entry->linked)
		return;
	nr = linked_nr(entry->linked);
	for (u32 i = 0; i < nr && !wanted; i++) {
		struct linked_reg l = linked_get(entry->linked, i);

		wanted = l.is_reg ? bt->reg_masks[l.frame] & (1u << l.index)
				  : !!(bt->stack_masks[l.frame] & (1ULL << l.index));
	}
	for (u32 i = 0; i < nr && wanted; i++) {
		struct linked_reg l = linked_get(entry->linked, i);

		if (l.is_reg)
			bt->reg_masks[l.frame] |= 1u << l.index;
		else
			bt->stack_masks[l.frame] |= 1ULL << l.index;
	}
}

static int back_alu(struct backtrack *bt, const struct bpf_insn *insn)
{
	u8 op = BPF_OP(insn->code);

	if (!wants(bt, insn->dst_reg) || op == BPF_END || op == BPF_NEG)
		return 0;
	if (op == BPF_MOV)
		forget(bt, insn->dst_reg);
	if (BPF_SRC(insn->code) == BPF_X && insn->src_reg != BPF_REG_10)
		backtrack_want(bt, insn->src_reg);
	return 0;
}

static bool is_atomic_fetch(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC &&
	       (insn->imm & BPF_FETCH) && insn->imm != BPF_LOAD_ACQ && insn->imm != BPF_STORE_REL;
}

static bool is_load_acquire(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC &&
	       insn->imm == BPF_LOAD_ACQ;
}

static int back_load(struct backtrack *bt, const struct bpf_insn *insn, const struct history *entry)
{
	u32 loaded = insn->dst_reg;

	if (is_atomic_fetch(insn))
		loaded = insn->imm == BPF_CMPXCHG ? BPF_REG_0 : insn->src_reg;
	if (!wants(bt, loaded))
		return 0;
	/*
	 * What an atomic instruction fetches has nothing to do with what was in the register. The
	 * kernel looks for that, too; it is no harm, and makes its states.
	 */
	if (!is_atomic_fetch(insn))
		forget(bt, loaded);
	/* Only the stack keeps exact scalars; other memory gives unknown ones. */
	if (entry && (entry->flags & HIST_STACK_ACCESS))
		bt->stack_masks[HIST_FRAME(entry->flags)] |= 1ULL << HIST_SLOT(entry->flags);
	return 0;
}

static int back_store(struct backtrack *bt, const struct bpf_insn *insn,
		      const struct history *entry)
{
	u64 bit;
	u32 frame;

	if (wants(bt, insn->dst_reg))
		return -BACKTRACK_LOST;
	if (!entry || !(entry->flags & HIST_STACK_ACCESS))
		return 0;
	frame = HIST_FRAME(entry->flags);
	bit = 1ULL << HIST_SLOT(entry->flags);
	if (!(bt->stack_masks[frame] & bit))
		return 0;
	bt->stack_masks[frame] &= ~bit;
	if (BPF_CLASS(insn->code) == BPF_STX)
		backtrack_want(bt, insn->src_reg);
	return 0;
}

/* Backwards over a call instruction means leaving the callee: its wanted arguments move to the
 * caller. */
static int back_static_call(struct verify_env *env, struct backtrack *bt)
{
	u32 args;

	if (bt->reg_masks[bt->frame] & ~BACKTRACK_ARGUMENTS)
		return verify_bug(env, "static subprog unexpected regs %x",
				  bt->reg_masks[bt->frame]);
	if (bt->stack_masks[bt->frame])
		return verify_bug(env, "static subprog leftover stack slots %" PRIx64,
				  bt->stack_masks[bt->frame]);
	if (!bt->frame)
		return verify_bug(env, "backtracking leaves frame 0");
	args = bt->reg_masks[bt->frame];
	bt->reg_masks[bt->frame] = 0;
	bt->frame--;
	bt->reg_masks[bt->frame] |= args;
	return 0;
}

static int enter_callee(struct verify_env *env, struct backtrack *bt)
{
	if (bt->frame == MAX_FRAMES - 1)
		return verify_bug(env, "backtracking enters frame %u", bt->frame + 1);
	bt->frame++;
	return 0;
}

static int back_call(struct verify_env *env, struct backtrack *bt, u32 idx, int subseq_idx)
{
	const struct bpf_insn *insn = &env->insns[idx];

	if (insn_is_pseudo_call(insn)) {
		int subprog = env_find_subprog(env, idx + insn->imm + 1);

		if (subprog < 0)
			return verify_bug(env, "no subprogram starts at %d", idx + insn->imm + 1);
		if (!env->subprog[subprog].is_global)
			return back_static_call(env, bt);
		if (bt->reg_masks[bt->frame] & BACKTRACK_ARGUMENTS)
			return verify_bug(env, "global subprog unexpected regs %x",
					  bt->reg_masks[bt->frame]);
		forget(bt, BPF_REG_0);
		return 0;
	}
	if (env->aux[idx].calls_callback && (int)idx != subseq_idx - 1) {
		/* Out of a callback's body: its arguments come from the helper, not from scalars.
		 */
		if (bt->reg_masks[bt->frame] & ~BACKTRACK_ARGUMENTS || bt->stack_masks[bt->frame])
			return verify_bug(env, "callback unexpected regs %x",
					  bt->reg_masks[bt->frame]);
		bt->reg_masks[bt->frame] = 0;
		if (!bt->frame)
			return verify_bug(env, "backtracking leaves frame 0");
		bt->frame--;
		return 0;
	}
	/* A call that can only be dead code. */
	if (insn_is_kfunc_call(insn) && !insn->imm)
		return -BACKTRACK_LOST;
	forget(bt, BPF_REG_0);
	if (bt->reg_masks[bt->frame] & BACKTRACK_ARGUMENTS)
		return verify_bug(env, "backtracking call unexpected regs %x",
				  bt->reg_masks[bt->frame]);
	/* A tail call that left the subprogram. */
	if (insn_is_helper_call(insn) && insn->imm == BPF_FUNC_tail_call &&
	    subseq_idx != (int)idx + 1)
		return enter_callee(env, bt);
	return 0;
}

static int back_exit(struct verify_env *env, struct backtrack *bt, int subseq_idx)
{
	bool from_call = subseq_idx >= 1 && insn_is_pseudo_call(&env->insns[subseq_idx - 1]);
	bool r0 = from_call && wants(bt, BPF_REG_0);
	int err;

	if (from_call && (bt->reg_masks[bt->frame] & BACKTRACK_ARGUMENTS))
		return verify_bug(env, "backtracking exit unexpected regs %x",
				  bt->reg_masks[bt->frame]);
	/* Every visit of such a call says by itself which of its arguments matter. */
	if (subseq_idx >= 0 && env->aux[subseq_idx].calls_callback)
		bt->reg_masks[bt->frame] &= ~(u32)BACKTRACK_ARGUMENTS;
	forget(bt, BPF_REG_0);
	err = enter_callee(env, bt);
	if (!err && r0)
		backtrack_want(bt, BPF_REG_0);
	return err;
}

static int back_jump(struct verify_env *env, struct backtrack *bt, u32 idx, int subseq_idx,
		     const struct history *entry)
{
	const struct bpf_insn *insn = &env->insns[idx];
	u8 op = BPF_OP(insn->code);

	if (op == BPF_CALL)
		return back_call(env, bt, idx, subseq_idx);
	if (op == BPF_EXIT)
		return back_exit(env, bt, subseq_idx);
	if (op != BPF_JA && BPF_SRC(insn->code) == BPF_X &&
	    (wants(bt, insn->dst_reg) || wants(bt, insn->src_reg))) {
		/* Comparing two registers: the bounds of each depend on the other. */
		if (!entry || !(entry->flags & HIST_SRC_REG_STACK))
			backtrack_want(bt, insn->src_reg);
		if (!entry || !(entry->flags & HIST_DST_REG_STACK))
			backtrack_want(bt, insn->dst_reg);
	}
	return 0;
}

static int back_ld(struct verify_env *env, struct backtrack *bt, u32 idx, int subseq_idx)
{
	const struct bpf_insn *insn = &env->insns[idx];

	if (BPF_MODE(insn->code) == BPF_IMM) {
		forget(bt, insn->dst_reg);
		return 0;
	}
	if (wants(bt, BPF_REG_0))
		return -BACKTRACK_LOST;
	/* A failing packet load left the subprogram. */
	if (subseq_idx != (int)idx + 1)
		return enter_callee(env, bt);
	return 0;
}

static void log_step(struct verify_env *env, const struct backtrack *bt, u32 idx)
{
	char text[LOG_MASK_SIZE];

	if (!backtrack_logs(env))
		return;
	verbose(env, "mark_precise: frame%u: regs=%s ", bt->frame,
		backtrack_format_regs(text, bt->reg_masks[bt->frame]));
	verbose(env, "stack=%s before ", log_format_slots(text, bt->stack_masks[bt->frame]));
	verbose(env, "%u: ", idx);
	log_insn(env, idx);
}

int backtrack_insn(struct verify_env *env, u32 idx, int subseq_idx, const struct history *entry)
{
	const struct bpf_insn *insn = &env->insns[idx];
	struct backtrack *bt = &env->bt;
	u8 class = BPF_CLASS(insn->code);
	int err = 0;

	if (!insn->code)
		return 0;
	log_step(env, bt, idx);
	sync_linked(bt, entry);
	if (class == BPF_ALU || class == BPF_ALU64)
		err = back_alu(bt, insn);
	else if (class == BPF_LDX || is_atomic_fetch(insn) || is_load_acquire(insn))
		err = back_load(bt, insn, entry);
	else if (class == BPF_STX || class == BPF_ST)
		err = back_store(bt, insn, entry);
	else if (class == BPF_JMP || class == BPF_JMP32)
		err = back_jump(env, bt, idx, subseq_idx, entry);
	else
		err = back_ld(env, bt, idx, subseq_idx);
	if (!err)
		sync_linked(bt, entry);
	return err;
}
