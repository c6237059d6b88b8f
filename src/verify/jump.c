/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conditional jumps. If the outcome is known only that way is followed, and the compared registers
 * become precise; otherwise both ways are, each with what it knows more.
 */
#include "verify/jump.h"

#include <errno.h>

#include "verify/backtrack.h"
#include "verify/branch.h"
#include "verify/explore.h"
#include "verify/history.h"
#include "verify/lock.h"
#include "verify/operand.h"
#include "verify/packet.h"

/* Is the pointer certainly not null? */
static bool reg_not_null(const struct reg *reg)
{
	const u32 trusted = MEM_ALLOC | PTR_TRUSTED;

	if (reg->type & PTR_MAYBE_NULL)
		return false;
	/* Nobody says what was read as a pointer to plain memory. */
	if (reg_base(reg->type) == PTR_TO_MEM && reg->type & PTR_UNTRUSTED)
		return false;
	switch (reg_base(reg->type)) {
	case PTR_TO_MAP_VALUE:
	case PTR_TO_MAP_KEY:
	case PTR_TO_MEM:
		/* Offsets far out could wrap to zero. */
		return reg->s.smin > -MAX_VAR_OFF && reg->s.smax < MAX_VAR_OFF;
	case PTR_TO_SOCKET:
	case PTR_TO_SOCK_COMMON:
	case PTR_TO_TCP_SOCK: /* arithmetic on them is prohibited */
	case CONST_PTR_TO_MAP: return true;
	case PTR_TO_BTF_ID:
		return reg->ref_id ||
		       (reg->type & trusted && !(reg->type & ~(REG_BASE_MASK | trusted)));
	default: return false;
	}
}

static enum scalar_truth decide(const struct bpf_insn *insn, const struct reg *dst,
				const struct reg *src)
{
	u8 op = BPF_OP(insn->code);

	if (!branch_is32(insn) && reg_is_any_packet(dst) && reg_is_any_packet(src))
		return packet_decide(insn, dst, src);
	if (dst->type == SCALAR_VALUE && src->type == SCALAR_VALUE)
		return branch_decide(insn, &dst->s, &src->s);
	if (branch_is32(insn))
		return SCALAR_MAYBE;
	/* A valid pointer against the constant 0. */
	if (!reg_is_const(src)) {
		const struct reg *swap = dst;

		dst = src;
		src = swap;
	}
	if (!reg_is_const(src) || src->s.var_off.value || !reg_not_null(dst))
		return SCALAR_MAYBE;
	if (op == BPF_JEQ)
		return SCALAR_NEVER;
	return op == BPF_JNE ? SCALAR_ALWAYS : SCALAR_MAYBE;
}

struct collect {
	struct linked_regs *set;
	u32 id;
};

/* false: it is linked, but there is no room for it. */
static bool collect_one(struct collect *c, const struct reg *reg, u32 frame, u32 index, bool is_reg)
{
	if (reg->type != SCALAR_VALUE || (reg->id & ~ID_ADD_CONST) != c->id)
		return true;
	if (c->set->nr == LINKED_MAX)
		return false;
	c->set->entry[c->set->nr++] = (struct linked_reg){ frame, index, is_reg };
	return true;
}

/* All live registers and all slots that share an id; those that do not fit lose it. */
static void collect_linked(struct verify_env *env, struct vstate *state, u32 id,
			   struct linked_regs *set)
{
	struct collect c = { set, id & ~ID_ADD_CONST };

	for (int f = state->curframe; f >= 0; f--) {
		const struct frame *frame = state->frame[f];
		u32 insn =
			f == (int)state->curframe ? env->insn_idx : state->frame[f + 1]->callsite;

		for (u32 r = 0; r < BPF_REG_10; r++)
			if ((env->aux[insn].live_regs & (1u << r)) &&
			    !collect_one(&c, &frame->regs[r], f, r, true)) {
				unlink_scalar(&vstate_own_frame(state, f)->regs[r]);
				frame = state->frame[f];
			}
		for (u32 s = 0; s < frame->nr_slots; s++)
			if (slot_is_spill(frame_slot(frame, s)) &&
			    !collect_one(&c, frame_slot(frame, s)->spilled, f, s, false)) {
				unlink_scalar(
					slot_write(frame_own_slot(vstate_own_frame(state, f), s)));
				frame = state->frame[f];
			}
	}
}

/*
 * Distances of words and of low halves do not mix. A low half at a distance tells nothing of the
 * upper half of what it came from: that must be known to be zero.
 */
static bool comparable_links(const struct reg *reg, const struct reg *known)
{
	if (((reg->id ^ known->id) & ID_ADD_CONST) == ID_ADD_CONST)
		return false;
	return !(known->id & ID_ADD_CONST32) || (reg->id & ID_ADD_CONST32) ||
	       reg->s.umax <= UINT32_MAX;
}

/* Are both the same number, so that one can stand for the other, with its link? */
static bool same_number(const struct reg *reg, const struct reg *known)
{
	if (!((reg->id | known->id) & ID_ADD_CONST))
		return true;
	if (reg->off != known->off)
		return false;
	/* The lower half is the whole of what has no upper half: comparable_links() has seen to
	 * that, if it is what is known. */
	return !((reg->id ^ known->id) & ID_ADD_CONST32) || (known->id & ID_ADD_CONST32) ||
	       known->s.umax <= UINT32_MAX;
}

/* What was learnt about known holds for all that are linked to it. */
static void sync_linked(struct vstate *state, const struct reg *known,
			const struct linked_regs *set)
{
	for (u32 i = 0; i < set->nr; i++) {
		const struct linked_reg *l = &set->entry[i];
		const struct frame *shared = state->frame[l->frame];
		const struct reg *before =
			l->is_reg ? &shared->regs[l->index] : frame_slot(shared, l->index)->spilled;
		struct frame *frame;
		struct reg *reg;
		struct scalar distance;
		u32 id = before->id;
		s32 off = before->off;

		if (before->type != SCALAR_VALUE || before == known ||
		    (id & ~ID_ADD_CONST) != (known->id & ~ID_ADD_CONST))
			continue;
		if (!comparable_links(before, known))
			continue;
		frame = vstate_own_frame(state, l->frame);
		reg = l->is_reg ? &frame->regs[l->index]
				: slot_write(frame_own_slot(frame, l->index));
		if (same_number(reg, known)) {
			*reg = *known;
			continue;
		}
		distance = scalar_const((u64)((s64)off - (s64)known->off));
		*reg = *known;
		reg->id = id;
		reg->off = off;
		scalar_alu(SCALAR_ADD, (reg->id | known->id) & ID_ADD_CONST32, &reg->s, &distance);
	}
}

struct null_check {
	u32 id;
	bool is_null;
};

static bool is_checked(const struct reg *reg, const void *arg)
{
	const struct null_check *check = arg;

	return (reg->type & PTR_MAYBE_NULL) && reg->id == check->id;
}

static void resolve_null(struct reg *reg, const void *arg)
{
	const struct null_check *check = arg;

	if (check->is_null) {
		bool precise = reg->precise;

		reg_set_const(reg, 0);
		reg->precise = precise;
		return;
	}
	reg_set_not_null(reg);
	/* Not needed any more; a reference keeps its own id, and locks are told apart by it. */
	if (!reg_may_have_lock(reg))
		reg->id = 0;
}

/* All pointers of the same origin become valid, or 0. */
static void mark_null_or_not(struct vstate *state, u32 regno, bool is_null)
{
	const struct reg *reg = &vstate_frame(state)->regs[regno];
	struct null_check check = { reg->id, is_null };

	/* Nothing was reserved: the reference goes away. */
	if (is_null && reg->ref_id && reg->ref_id == reg->id)
		vstate_release_ref(state, reg->ref_id);
	vstate_change_regs(state, is_checked, resolve_null, &check);
}

/* Pointers into the kernel's structures and what was read there are null at times without a mark
 * that says so. */
static bool may_be_null_unmarked(const struct reg *reg)
{
	return reg_base(reg->type) == PTR_TO_BTF_ID || reg->type & PTR_UNTRUSTED;
}

/* Comparing a pointer that may be null with one that is not: where they are equal it is not. */
static void lift_null_by_equality(struct frame *taken, struct frame *fall,
				  const struct bpf_insn *insn)
{
	u8 op = BPF_OP(insn->code);
	struct reg *dst, *src;
	struct frame *equal = op == BPF_JEQ ? taken : op == BPF_JNE ? fall : NULL;

	if (!equal || branch_is32(insn) || BPF_SRC(insn->code) != BPF_X)
		return;
	dst = &equal->regs[insn->dst_reg];
	src = &equal->regs[insn->src_reg];
	if (dst->type <= SCALAR_VALUE || src->type <= SCALAR_VALUE ||
	    !(dst->type & PTR_MAYBE_NULL) == !(src->type & PTR_MAYBE_NULL) ||
	    may_be_null_unmarked(dst) || may_be_null_unmarked(src))
		return;
	if (src->type & PTR_MAYBE_NULL)
		reg_set_not_null(src);
	else
		reg_set_not_null(dst);
}

/* The operands are there and may be compared; immediate gets the constant operand. */
static int read_operands(struct verify_env *env, const struct bpf_insn *insn, struct reg *immediate,
			 struct reg **ret_src)
{
	struct reg *regs = env_regs(env);
	u32 flags = 0;
	int err = operand_read(env, insn->dst_reg);

	if (err)
		return err;
	if (BPF_SRC(insn->code) == BPF_X) {
		err = operand_read(env, insn->src_reg);
		if (err)
			return err;
		*ret_src = &regs[insn->src_reg];
		if (!(reg_is_any_packet(&regs[insn->dst_reg]) && reg_is_any_packet(*ret_src)) &&
		    reg_is_secret(env, *ret_src)) {
			verbose(env, "R%u pointer comparison prohibited\n", insn->src_reg);
			return -EACCES;
		}
		if ((*ret_src)->type == PTR_TO_STACK)
			flags |= HIST_SRC_REG_STACK;
	} else {
		reg_set_const(immediate, (u64)(s64)insn->imm);
		*ret_src = immediate;
	}
	if (regs[insn->dst_reg].type == PTR_TO_STACK)
		flags |= HIST_DST_REG_STACK;
	return flags ? push_history(env, env->cur, flags, NULL) : 0;
}

/* The outcome is known: the operands' exact values decided it. */
static int go_one_way(struct verify_env *env, const struct bpf_insn *insn, enum scalar_truth taken,
		      u32 *ret_next)
{
	struct reg *regs = env_regs(env);
	int err = 0;

	if (regs[insn->dst_reg].type == SCALAR_VALUE)
		err = mark_precise(env, insn->dst_reg);
	if (!err && BPF_SRC(insn->code) == BPF_X && regs[insn->src_reg].type == SCALAR_VALUE)
		err = mark_precise(env, insn->src_reg);
	if (err)
		return err;
	if (env->input->log.level & (LOG_LEVEL1 | LOG_LEVEL2))
		log_insn_state(env, env->cur, env->cur->curframe);
	*ret_next = env->insn_idx + 1 + (taken == SCALAR_ALWAYS ? insn->off : 0);
	return 0;
}

/* Numbers and what is linked to them, in both outcomes. */
static void refine(struct verify_env *env, const struct bpf_insn *insn, struct vstate *other,
		   const struct reg *immediate, const struct linked_regs *linked)
{
	struct frame *fall = vstate_frame(env->cur), *taken = vstate_frame(other);
	bool is_register = BPF_SRC(insn->code) == BPF_X;
	struct reg constant[2] = { *immediate, *immediate };
	struct reg *fall_src = is_register ? &fall->regs[insn->src_reg] : &constant[0];
	struct reg *taken_src = is_register ? &taken->regs[insn->src_reg] : &constant[1];
	struct reg *fall_dst = &fall->regs[insn->dst_reg], *taken_dst = &taken->regs[insn->dst_reg];

	if (fall_dst->type == SCALAR_VALUE && fall_src->type == SCALAR_VALUE) {
		branch_refine(insn, true, &taken_dst->s, &taken_src->s);
		branch_refine(insn, false, &fall_dst->s, &fall_src->s);
		check_scalar(env, taken_dst, "true_reg1");
		check_scalar(env, taken_src, "true_reg2");
		check_scalar(env, fall_dst, "false_reg1");
		check_scalar(env, fall_src, "false_reg2");
	}
	if (is_register && fall_src->type == SCALAR_VALUE && fall_src->id) {
		sync_linked(env->cur, fall_src, linked);
		sync_linked(other, taken_src, linked);
	}
	if (fall_dst->type == SCALAR_VALUE && fall_dst->id) {
		sync_linked(env->cur, fall_dst, linked);
		sync_linked(other, taken_dst, linked);
	}
}

static int split(struct verify_env *env, const struct bpf_insn *insn, struct reg *src,
		 u32 *ret_next)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];
	bool is_register = BPF_SRC(insn->code) == BPF_X;
	u8 op = BPF_OP(insn->code);
	struct linked_regs linked = { 0 };
	struct vstate *other;
	int err = 0;

	if (is_register && src->type == SCALAR_VALUE && src->id)
		collect_linked(env, env->cur, src->id, &linked);
	if (dst->type == SCALAR_VALUE && dst->id)
		collect_linked(env, env->cur, dst->id, &linked);
	if (linked.nr > 1)
		err = push_history(env, env->cur, 0, &linked);
	if (err)
		return err;
	other = explore_push(env, env->insn_idx + insn->off + 1, env->insn_idx);
	if (!other)
		return explore_push_error(env);
	refine(env, insn, other, src, &linked);
	lift_null_by_equality(vstate_frame(other), vstate_frame(env->cur), insn);
	if (!branch_is32(insn) && !is_register && !insn->imm && (op == BPF_JEQ || op == BPF_JNE) &&
	    (dst->type & PTR_MAYBE_NULL)) {
		mark_null_or_not(env->cur, insn->dst_reg, op == BPF_JNE);
		mark_null_or_not(other, insn->dst_reg, op == BPF_JEQ);
	} else if (!packet_compare(env, insn, dst, src, other) && reg_is_secret(env, dst)) {
		verbose(env, "R%u pointer comparison prohibited\n", insn->dst_reg);
		return -EACCES;
	}
	if (env->input->log.level & (LOG_LEVEL1 | LOG_LEVEL2))
		log_insn_state(env, env->cur, env->cur->curframe);
	*ret_next = env->insn_idx + 1;
	return 0;
}

int check_jump_if(struct verify_env *env, const struct bpf_insn *insn, u32 *ret_next)
{
	struct reg immediate, *src;
	enum scalar_truth taken;
	int err = read_operands(env, insn, &immediate, &src);

	if (err)
		return err;
	taken = decide(insn, &env_regs(env)[insn->dst_reg], src);
	if (taken != SCALAR_MAYBE)
		return go_one_way(env, insn, taken, ret_next);
	return split(env, insn, src, ret_next);
}
