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
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "isa/opcode.h"
#include "verify/helper.h"

#define ENOTSUPP      524
#define ARGUMENT_MASK 0x3eu

static void bt_set_reg(struct backtrack *bt, u32 reg)
{
	bt->reg_masks[bt->frame] |= 1u << reg;
}

static void bt_clear_reg(struct backtrack *bt, u32 reg)
{
	bt->reg_masks[bt->frame] &= ~(1u << reg);
}

static bool bt_has_reg(const struct backtrack *bt, u32 reg)
{
	return bt->reg_masks[bt->frame] & (1u << reg);
}

static bool logs(const struct verify_env *env)
{
	return (env->input->log.level & LOG_LEVEL2) && !env->quiet;
}

static bool bt_empty(const struct backtrack *bt)
{
	u64 any = 0;

	for (u32 i = 0; i <= bt->frame; i++)
		any |= bt->reg_masks[i] | bt->stack_masks[i];
	return !any;
}

static char *format_regs(char *text, u32 mask)
{
	u32 length = 0;

	text[0] = '\0';
	for (u32 i = 0; i < 32; i++)
		if (mask & (1u << i))
			length += snprintf(text + length, LOG_MASK_SIZE - length, "%sr%u",
					   length ? "," : "", i);
	return text;
}

int push_history(struct verify_env *env, struct vstate *state, u32 flags,
		 const struct linked_regs *linked)
{
	struct history *entry = env->cur_history;

	/* One entry an instruction: what it adds is joined. */
	if (entry) {
		entry->flags |= flags;
		if (linked && !entry->linked)
			entry->linked = linked_pack(linked);
		return 0;
	}
	entry = vstate_add_history(state);
	if (!entry)
		return -ENOMEM;
	*entry = (struct history){ .idx = env->insn_idx,
				   .prev_idx = env->prev_insn_idx,
				   .flags = flags };
	if (linked)
		entry->linked = linked_pack(linked);
	env->cur_history = entry;
	return 0;
}

/* The history entry of instruction i, if it is the last of the first end ones. */
static const struct history *history_of(const struct vstate *state, u32 end, u32 i)
{
	if (end && state->history[end - 1].idx == i)
		return &state->history[end - 1];
	return NULL;
}

/* The instruction executed before i; -ENOENT at the start of the state's stretch. */
static int previous_insn(const struct vstate *state, u32 i, u32 *end)
{
	u32 left = *end;

	if ((s32)i == state->first_insn_idx) {
		if (!left || (left == 1 && state->history[0].idx == i))
			return -ENOENT;
	}
	if (left && state->history[left - 1].idx == i) {
		i = state->history[left - 1].prev_idx;
		(*end)--;
		return i;
	}
	return (int)i - 1;
}

void path_walk_begin(const struct verify_env *env, struct path_walk *walk)
{
	*walk = (struct path_walk){ .state = env->cur,
				    .end = env->cur->nr_history,
				    .insn = env->insn_idx };
}

bool path_walk_back(const struct verify_env *env, struct path_walk *walk)
{
	int i = previous_insn(walk->state, walk->insn, &walk->end);

	if (i == -ENOENT) {
		i = walk->state->parent ? walk->state->parent->last_insn_idx : -1;
		walk->state = walk->state->parent;
		walk->end = walk->state ? walk->state->nr_history : 0;
	}
	if (i < 0 || i >= (int)env->nr_insns)
		return false;
	walk->insn = (u32)i;
	return true;
}

const struct history *path_walk_history(const struct path_walk *walk)
{
	return history_of(walk->state, walk->end, walk->insn);
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

	if (!bt_has_reg(bt, insn->dst_reg) || op == BPF_END || op == BPF_NEG)
		return 0;
	if (op == BPF_MOV)
		bt_clear_reg(bt, insn->dst_reg);
	if (BPF_SRC(insn->code) == BPF_X && insn->src_reg != BPF_REG_10)
		bt_set_reg(bt, insn->src_reg);
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
	if (!bt_has_reg(bt, loaded))
		return 0;
	bt_clear_reg(bt, loaded);
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

	if (bt_has_reg(bt, insn->dst_reg))
		return -ENOTSUPP;
	if (!entry || !(entry->flags & HIST_STACK_ACCESS))
		return 0;
	frame = HIST_FRAME(entry->flags);
	bit = 1ULL << HIST_SLOT(entry->flags);
	if (!(bt->stack_masks[frame] & bit))
		return 0;
	bt->stack_masks[frame] &= ~bit;
	if (BPF_CLASS(insn->code) == BPF_STX)
		bt_set_reg(bt, insn->src_reg);
	return 0;
}

/* Backwards over a call instruction means leaving the callee: its wanted arguments move to the
 * caller. */
static int back_static_call(struct verify_env *env, struct backtrack *bt)
{
	u32 args;

	if (bt->reg_masks[bt->frame] & ~ARGUMENT_MASK)
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
		if (bt->reg_masks[bt->frame] & ARGUMENT_MASK)
			return verify_bug(env, "global subprog unexpected regs %x",
					  bt->reg_masks[bt->frame]);
		bt_clear_reg(bt, BPF_REG_0);
		return 0;
	}
	if (env->aux[idx].calls_callback && (int)idx != subseq_idx - 1) {
		/* Out of a callback's body: its arguments come from the helper, not from scalars.
		 */
		if (bt->reg_masks[bt->frame] & ~ARGUMENT_MASK || bt->stack_masks[bt->frame])
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
		return -ENOTSUPP;
	bt_clear_reg(bt, BPF_REG_0);
	if (bt->reg_masks[bt->frame] & ARGUMENT_MASK)
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
	bool r0 = from_call && bt_has_reg(bt, BPF_REG_0);
	int err;

	if (from_call && (bt->reg_masks[bt->frame] & ARGUMENT_MASK))
		return verify_bug(env, "backtracking exit unexpected regs %x",
				  bt->reg_masks[bt->frame]);
	/* Every visit of such a call says by itself which of its arguments matter. */
	if (subseq_idx >= 0 && env->aux[subseq_idx].calls_callback)
		bt->reg_masks[bt->frame] &= ~(u32)ARGUMENT_MASK;
	bt_clear_reg(bt, BPF_REG_0);
	err = enter_callee(env, bt);
	if (!err && r0)
		bt_set_reg(bt, BPF_REG_0);
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
	    (bt_has_reg(bt, insn->dst_reg) || bt_has_reg(bt, insn->src_reg))) {
		/* Comparing two registers: the bounds of each depend on the other. */
		if (!entry || !(entry->flags & HIST_SRC_REG_STACK))
			bt_set_reg(bt, insn->src_reg);
		if (!entry || !(entry->flags & HIST_DST_REG_STACK))
			bt_set_reg(bt, insn->dst_reg);
	}
	return 0;
}

static int back_ld(struct verify_env *env, struct backtrack *bt, u32 idx, int subseq_idx)
{
	const struct bpf_insn *insn = &env->insns[idx];

	if (BPF_MODE(insn->code) == BPF_IMM) {
		bt_clear_reg(bt, insn->dst_reg);
		return 0;
	}
	if (bt_has_reg(bt, BPF_REG_0))
		return -ENOTSUPP;
	/* A failing packet load left the subprogram. */
	if (subseq_idx != (int)idx + 1)
		return enter_callee(env, bt);
	return 0;
}

static void log_step(struct verify_env *env, const struct backtrack *bt, u32 idx)
{
	char text[LOG_MASK_SIZE];

	if (!logs(env))
		return;
	verbose(env, "mark_precise: frame%u: regs=%s ", bt->frame,
		format_regs(text, bt->reg_masks[bt->frame]));
	verbose(env, "stack=%s before ", log_format_slots(text, bt->stack_masks[bt->frame]));
	verbose(env, "%u: ", idx);
	log_insn(env, idx);
}

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

/* One instruction backwards. 0, -ENOTSUPP: cannot be followed, or -errno. */
static int back_insn(struct verify_env *env, u32 idx, int subseq_idx, const struct history *entry)
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

void force_all_precise(struct verify_env *env, const struct vstate *from)
{
	if (logs(env))
		verbose(env, "mark_precise: frame%u: falling back to forcing all scalars precise\n",
			from->curframe);
	for (struct vstate *state = from->parent; state && !state->all_precise;
	     state = state->parent) {
		state->all_precise = true;
		for (u32 f = 0; f <= state->curframe; f++) {
			struct frame *frame = state->frame[f];

			for (u32 r = 0; r < BPF_REG_10; r++)
				if (frame->regs[r].type == SCALAR_VALUE)
					frame->regs[r].precise = true;
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
		struct frame *frame = env->cur->frame[f];

		for (u32 r = 0; r < BPF_REG_10; r++)
			frame->regs[r].precise = false;
		for (u32 s = 0; s < frame->nr_slots; s++)
			if (slot_is_spill(&frame->slots[s]) && frame->slots[s].spilled->precise)
				slot_write(&frame->slots[s])->precise = false;
	}
}

/* Backwards through the stretch of one state. 1: all origins found; -ENOTSUPP: they cannot be. */
static int back_stretch(struct verify_env *env, const struct vstate *state, int last,
			int *subseq_idx, bool *skip_first)
{
	u32 end = state->nr_history;
	bool silent = !logs(env);
	int i = last, err;

	for (;;) {
		if (silent && !*skip_first)
			i = pass_over(env, state, i, &end, subseq_idx);
		err = *skip_first ? 0 : back_insn(env, i, *subseq_idx, history_of(state, end, i));
		*skip_first = false;
		if (err)
			return err;
		if (bt_empty(&env->bt))
			return 1;
		*subseq_idx = i;
		i = previous_insn(state, i, &end);
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
	struct frame *frame = state->frame[f];
	char text[LOG_MASK_SIZE];

	for (u32 left = bt->reg_masks[f]; left; left &= left - 1) {
		u32 r = (u32)__builtin_ctz(left);
		struct reg *reg = &frame->regs[r];

		if (reg->type != SCALAR_VALUE || reg->precise)
			bt->reg_masks[f] &= ~(1u << r);
		else
			*changed = reg->precise = true;
	}
	for (u64 left = bt->stack_masks[f]; left; left &= left - 1) {
		u32 s = (u32)__builtin_ctzll(left);

		if (s >= frame->nr_slots)
			return verify_bug(env, "backtracking stack slot %u, total slots %u", s,
					  frame->nr_slots);
		if (!slot_is_scalar(&frame->slots[s]) || slot_is_precise(frame, s))
			bt->stack_masks[f] &= ~(1ULL << s);
	}
	frame->precise_slots |= bt->stack_masks[f];
	if (bt->stack_masks[f])
		*changed = true;
	if (logs(env)) {
		verbose(env, "mark_precise: frame%u: parent state regs=%s ", f,
			format_regs(text, bt->reg_masks[f]));
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
	    (bt->reg_masks[0] & ~ARGUMENT_MASK))
		return verify_bug(
			env, "backtracking func entry subprog %u reg_mask %x stack_mask %" PRIx64,
			state->frame[0]->subprogno, bt->reg_masks[0], bt->stack_masks[0]);
	for (u32 r = BPF_REG_1; r <= BPF_REG_5; r++)
		if ((bt->reg_masks[0] & (1u << r)) && state->frame[0]->regs[r].type == SCALAR_VALUE)
			state->frame[0]->regs[r].precise = env->precise_now = true;
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

	while (!bt_empty(&env->bt)) {
		int err;

		if (logs(env))
			verbose(env,
				"mark_precise: frame%u: last_idx %d first_idx %d subseq_idx %d \n",
				env->bt.frame, last, first, subseq_idx);
		if (last < 0)
			return reach_entry(env, state);
		err = back_stretch(env, state, last, &subseq_idx, &skip_first);
		if (err == 1)
			return 0;
		state = state->parent;
		if (err == -ENOTSUPP || (!err && !state)) {
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
	bt_set_reg(&env->bt, regno);
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
	if (!logs(env))
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
		bool first = true;

		for (u32 r = 0; r < BPF_REG_10; r++) {
			if (frame->regs[r].type != SCALAR_VALUE || !frame->regs[r].precise)
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
		if (!first && logs(env))
			verbose(env, "\n");
	}
	return search_origins(env, cur, insn, changed ? changed : &ignored);
}
