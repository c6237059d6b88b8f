/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backtracking for precision: walks the executed instructions backwards, from checkpoint to
 * checkpoint, keeping a set of registers and slots whose origin is wanted, until the set is empty.
 * Where the walk cannot follow (packet loads into a wanted register, …) all scalars of the path
 * become precise: slower, never wrong.
 */
#include "verify/backtrack.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "isa/opcode.h"
#include "verify/backtrack_insn.h"
#include "verify/compare.h"
#include "verify/history.h"

/*
 * Which registers have to be wanted for an instruction to matter on the way back, if it is not
 * known to have reached the stack. BACK_ALWAYS: it is looked at in any case.
 */
#define BACK_ALWAYS 0x8000u

static u32 back_registers(const struct bpf_insn *insn)
{
	u32 dst = 1u << insn->dst_reg, src = 1u << insn->src_reg;

	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
	case BPF_LDX:
	case BPF_ST: return dst;
	case BPF_STX: return BPF_MODE(insn->code) == BPF_ATOMIC ? BACK_ALWAYS : dst;
	case BPF_LD: return BPF_MODE(insn->code) == BPF_IMM ? dst : BACK_ALWAYS;
	default:
		if (BPF_OP(insn->code) == BPF_CALL || BPF_OP(insn->code) == BPF_EXIT)
			return BACK_ALWAYS;
		return BPF_SRC(insn->code) == BPF_X ? dst | src : 0;
	}
}

int backtrack_prepare(struct verify_env *env)
{
	env->back_registers = base_alloc(env->nr_insns * sizeof(*env->back_registers));
	if (!env->back_registers)
		return -ENOMEM;
	for (u32 i = 0; i < env->nr_insns; i++)
		env->back_registers[i] =
			env->insns[i].code ? (u16)back_registers(&env->insns[i]) : 0;
	return 0;
}

/* Has an instruction that may be passed over by its registers reached a wanted slot, or linked? */
static bool entry_matters(const struct backtrack *bt, const struct history *entry)
{
	return entry->linked ||
	       ((entry->flags & HIST_STACK_ACCESS) &&
		bt->stack_masks[HIST_FRAME(entry->flags)] & (1ULL << HIST_SLOT(entry->flags)));
}

/*
 * Most instructions on the way have nothing to do with what is wanted: from i back over all of
 * these. Ends at one that has, or that cannot be passed here.
 */
static int pass_over(const struct verify_env *env, const struct vstate *state, int i, u32 *end,
		     int *subseq_idx)
{
	const struct backtrack *bt = &env->bt;
	const u16 *registers = env->back_registers;
	u32 wanted = bt->reg_masks[bt->frame] | BACK_ALWAYS, left = *end;
	const struct history *entry = left ? &state->history[left - 1] : NULL;

	while (i > 0 && i != state->first_insn_idx && !(registers[i] & wanted)) {
		if (entry && (int)entry->idx == i) {
			if (entry_matters(bt, entry) || entry->prev_idx >= env->nr_insns)
				break;
			*subseq_idx = i;
			i = (int)entry->prev_idx;
			entry = --left ? entry - 1 : NULL;
		} else {
			*subseq_idx = i--;
		}
	}
	*end = left;
	return i;
}

static void log_forced(struct verify_env *env, u32 f, const char *kind, int number)
{
	if (backtrack_logs(env))
		verbose(env, "force_precise: frame%u: forcing %s%d to be precise\n", f, kind,
			number);
}

void force_all_precise(struct verify_env *env, const struct vstate *from)
{
	if (backtrack_logs(env))
		verbose(env, "mark_precise: frame%u: falling back to forcing all scalars precise\n",
			from->curframe);
	for (struct vstate *state = from->parent; state && !state->all_precise;
	     state = state->parent) {
		state->all_precise = true;
		for (u32 f = 0; f <= state->curframe; f++) {
			struct frame *frame = vstate_own_frame(state, f);

			for (u32 r = 0; r < BPF_REG_10; r++) {
				if (frame->regs[r].type != SCALAR_VALUE || frame->regs[r].precise)
					continue;
				frame->regs[r].precise = true;
				log_forced(env, f, "r", (int)r);
			}
			for (u64 left = frame->scalar_slots & ~frame->precise_slots; left;
			     left &= left - 1)
				log_forced(env, f, "fp", -(__builtin_ctzll(left) + 1) * REG_SIZE);
			frame->precise_slots = ~0ULL;
		}
	}
	memset(&env->bt, 0, sizeof(env->bt));
}

void forget_precision(struct verify_env *env)
{
	if (!env->precise_now)
		return;
	for (u32 f = 0; f <= env->cur->curframe; f++) {
		u32 nr_slots = env->cur->frame[f]->nr_slots;

		for (u32 r = 0; r < BPF_REG_10; r++)
			if (env->cur->frame[f]->regs[r].precise)
				vstate_own_frame(env->cur, f)->regs[r].precise = false;
		for (u32 s = 0; s < nr_slots; s++) {
			const struct slot *slot = frame_slot(env->cur->frame[f], s);
			struct frame *frame;

			if (!slot_is_spill(slot) || !slot->spilled->precise)
				continue;
			frame = vstate_own_frame(env->cur, f);
			slot_write(frame_own_slot(frame, s))->precise = false;
		}
	}
}

/* Backwards through the stretch of one state. 1: all origins found; -BACKTRACK_LOST: they cannot
 * be. */
static int back_stretch(struct verify_env *env, const struct vstate *state, int last,
			int *subseq_idx, bool *skip_first)
{
	u32 end = state->nr_history;
	bool silent = !backtrack_logs(env);
	int i = last, err;

	for (;;) {
		if (silent && !*skip_first)
			i = pass_over(env, state, i, &end, subseq_idx);
		err = *skip_first ? 0
				  : backtrack_insn(env, i, *subseq_idx, history_of(state, end, i));
		*skip_first = false;
		if (err)
			return err;
		if (backtrack_empty(&env->bt))
			return 1;
		*subseq_idx = i;
		i = history_previous(state, i, &end);
		if (i == -ENOENT)
			return 0;
		if (i < 0 || i >= (int)env->nr_insns)
			return verify_bug(env, "backtracking idx %d", i);
	}
}

/* Marks what is wanted in one frame of a checkpoint; what is precise already needs no search. */
static int mark_frame(struct verify_env *env, struct vstate *state, u32 f, bool *changed)
{
	struct backtrack *bt = &env->bt;
	const struct frame *frame;
	char text[LOG_MASK_SIZE];

	for (u32 left = bt->reg_masks[f]; left; left &= left - 1) {
		u32 r = (u32)__builtin_ctz(left);
		const struct reg *reg = &state->frame[f]->regs[r];

		if (reg->type != SCALAR_VALUE || reg->precise)
			bt->reg_masks[f] &= ~(1u << r);
		else
			*changed = vstate_own_frame(state, f)->regs[r].precise = true;
	}
	frame = state->frame[f];
	for (u64 left = bt->stack_masks[f]; left; left &= left - 1) {
		u32 s = (u32)__builtin_ctzll(left);

		if (s >= frame->nr_slots)
			return verify_bug(env, "backtracking stack slot %u, total slots %u", s,
					  frame->nr_slots);
		if (!slot_is_scalar(frame_slot(frame, s)) || slot_is_precise(frame, s))
			bt->stack_masks[f] &= ~(1ULL << s);
	}
	if (bt->stack_masks[f]) {
		vstate_own_frame(state, f)->precise_slots |= bt->stack_masks[f];
		*changed = true;
	}
	if (backtrack_logs(env)) {
		verbose(env, "mark_precise: frame%u: parent state regs=%s ", f,
			backtrack_format_regs(text, bt->reg_masks[f]));
		verbose(env, "stack=%s: ", log_format_slots(text, bt->stack_masks[f]));
		log_frame(env, state, f, true);
	}
	return 0;
}

/* At the entry of a global subprogram the wanted things must be its arguments. */
static int reach_entry(struct verify_env *env, struct vstate *state)
{
	struct backtrack *bt = &env->bt;

	if (state->curframe || !state->frame[0]->subprogno || bt->stack_masks[0] ||
	    (bt->reg_masks[0] & ~BACKTRACK_ARGUMENTS))
		return verify_bug(
			env, "backtracking func entry subprog %u reg_mask %x stack_mask %" PRIx64,
			state->frame[0]->subprogno, bt->reg_masks[0], bt->stack_masks[0]);
	for (u32 r = BPF_REG_1; r <= BPF_REG_5; r++)
		if ((bt->reg_masks[0] & (1u << r)) && state->frame[0]->regs[r].type == SCALAR_VALUE)
			vstate_own_frame(state, 0)->regs[r].precise = env->precise_now = true;
	memset(bt, 0, sizeof(*bt));
	return 0;
}

/*
 * Searches the origins of everything in env->bt, beginning behind instruction insn in state from.
 * *changed becomes true if something was marked.
 */
static int search_origins(struct verify_env *env, struct vstate *from, u32 insn, bool *changed)
{
	struct vstate *state = from;
	int first = state->first_insn_idx, last = (int)insn, subseq_idx = -1;
	bool skip_first = true;

	while (!backtrack_empty(&env->bt)) {
		int err;

		if (backtrack_logs(env))
			verbose(env,
				"mark_precise: frame%u: last_idx %d first_idx %d subseq_idx %d \n",
				env->bt.frame, last, first, subseq_idx);
		if (last < 0)
			return reach_entry(env, state);
		err = back_stretch(env, state, last, &subseq_idx, &skip_first);
		if (err == 1)
			return 0;
		state = state->parent;
		if (err == -BACKTRACK_LOST || (!err && !state)) {
			*changed = true;
			force_all_precise(env, from);
			return 0;
		}
		if (err)
			return err;
		for (int f = env->bt.frame; f >= 0; f--) {
			err = mark_frame(env, state, f, changed);
			if (err)
				return err;
		}
		subseq_idx = first;
		last = state->last_insn_idx;
		first = state->first_insn_idx;
	}
	return 0;
}

static int search_current(struct verify_env *env)
{
	bool changed;

	return search_origins(env, env->cur, env->insn_idx, &changed);
}

int mark_precise(struct verify_env *env, u32 regno)
{
	struct frame *frame = vstate_frame(env->cur);

	if (!env->capable)
		return 0;
	memset(&env->bt, 0, sizeof(env->bt));
	env->bt.frame = env->cur->curframe;
	if (frame->regs[regno].type != SCALAR_VALUE)
		return verify_bug(env, "backtracking misuse");
	backtrack_want(&env->bt, regno);
	return search_current(env);
}

int mark_precise_quietly(struct verify_env *env, u32 regno)
{
	int err;

	env->quiet = true;
	err = mark_precise(env, regno);
	env->quiet = false;
	return err;
}

int mark_slot_precise(struct verify_env *env, u32 frameno, u32 slot)
{
	if (!env->capable)
		return 0;
	memset(&env->bt, 0, sizeof(env->bt));
	env->bt.frame = env->cur->curframe;
	env->bt.stack_masks[frameno] |= 1ULL << slot;
	return search_current(env);
}

static void log_propagation(struct verify_env *env, u32 f, bool *first, const char *kind,
			    int number)
{
	if (!backtrack_logs(env))
		return;
	if (*first)
		verbose(env, "frame %u: propagating %s%d", f, kind, number);
	else
		verbose(env, ",%s%d", kind, number);
	*first = false;
}

int propagate_precision(struct verify_env *env, const struct vstate *old, struct vstate *cur,
			u32 insn, bool *changed)
{
	bool ignored;

	if (!env->capable)
		return 0;
	memset(&env->bt, 0, sizeof(env->bt));
	env->bt.frame = cur->curframe;
	for (int f = old->curframe; f >= 0; f--) {
		const struct frame *frame = old->frame[f];
		/* Dead ones were not compared: cur may have none there, whose origin could be
		 * found. */
		u32 live = env->aux[vstate_frame_insn(old, f)].live_regs;
		bool first = true;

		for (u32 r = 0; r < BPF_REG_10; r++) {
			if (!(live & (1u << r)) || frame->regs[r].type != SCALAR_VALUE ||
			    !frame->regs[r].precise)
				continue;
			log_propagation(env, f, &first, "r", r);
			env->bt.reg_masks[f] |= 1u << r;
		}
		for (u64 left = frame->scalar_slots & frame->precise_slots; left;
		     left &= left - 1) {
			u32 s = (u32)__builtin_ctzll(left);

			log_propagation(env, f, &first, "fp", -(int)(s + 1) * REG_SIZE);
			env->bt.stack_masks[f] |= 1ULL << s;
		}
		if (!first && backtrack_logs(env))
			verbose(env, "\n");
	}
	return search_origins(env, cur, insn, changed ? changed : &ignored);
}
