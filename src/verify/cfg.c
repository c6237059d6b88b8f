/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control flow, once before exploration: everything must be reachable, nothing jumps into the
 * second half of an ld_imm64. The walk keeps its own stack: program size bounds it, not the C
 * stack.
 *
 * Each instruction has up to two edges, walked in the order fall-through, branch. Loops are allowed
 * (exploration bounds them) unless the client lacks CAP_BPF.
 */
#include "verify/cfg.h"

#include <errno.h>

#include "base/alloc.h"
#include "abi/helper.h"
#include "isa/opcode.h"
#include "verify/async.h"
#include "verify/helper.h"
#include "abi/kfunc.h"
#include "verify/kfunc.h"

/* How far the walk got with an instruction. */
enum cfg_state { CFG_NEW, CFG_FOUND, CFG_FELL_THROUGH, CFG_BRANCHED, CFG_DONE };

struct cfg_walk {
	u8 *state;
	u32 *stack;
	u32 depth;
};

struct cfg_edge {
	s64 target;
	bool branch; /* a branch target is a prune and jump point */
};

static void mark_meeting_point(struct verify_env *env, s64 insn)
{
	if (insn < 0 || insn >= env->nr_insns)
		return;
	env->aux[insn].prune_point = true;
	env->aux[insn].jmp_point = true;
}

static void mark_jump_target(struct verify_env *env, s64 insn)
{
	if (insn >= 0 && insn < env->nr_insns)
		env->aux[insn].jump_target = true;
}

/* Edges of a call; also marks where states must be compared. */
static u32 call_edges(struct verify_env *env, u32 i, struct cfg_edge edge[2])
{
	const struct bpf_insn *insn = &env->insns[i];

	edge[0] = (struct cfg_edge){ (s64)i + (insn_is_ldimm64(insn) ? 2 : 1), false };
	mark_meeting_point(env, edge[0].target);
	if (!insn_is_pseudo_call(insn) && !insn_is_pseudo_func(insn)) {
		if (kfunc_is_iter_next(env, i)) {
			env->aux[i].iter_next = true;
			env->aux[i].force_checkpoint = true;
			env->aux[i].prune_point = true;
		}
		if (async_is_call(env, i))
			env->aux[i].prune_point = true;
		if ((insn_is_helper_call(insn) && helper_calls_back(insn->imm)) ||
		    env->aux[i].kfunc == ABI_KFUNC_bpf_rbtree_add_impl + 1) {
			env->aux[i].calls_callback = true;
			env->aux[i].force_checkpoint = true;
			mark_meeting_point(env, i);
		}
		return 1;
	}
	env->aux[i].prune_point = true;
	edge[1] = (struct cfg_edge){ (s64)i + insn->imm + 1, true };
	return 2;
}

static u32 edges_of(struct verify_env *env, u32 i, struct cfg_edge edge[2])
{
	const struct bpf_insn *insn = &env->insns[i];
	u8 class = BPF_CLASS(insn->code);

	if (insn_is_pseudo_func(insn) || insn_is_call(insn))
		return call_edges(env, i, edge);
	if (class != BPF_JMP && class != BPF_JMP32) {
		edge[0] = (struct cfg_edge){ (s64)i + (insn_is_ldimm64(insn) ? 2 : 1), false };
		return 1;
	}
	switch (BPF_OP(insn->code)) {
	case BPF_EXIT: return 0;
	case BPF_JA:
		edge[0] = (struct cfg_edge){ (s64)i + insn_jump_offset(insn) + 1, false };
		mark_meeting_point(env, edge[0].target);
		mark_jump_target(env, edge[0].target);
		return 1;
	case BPF_JCOND:
		env->aux[i].force_checkpoint = true;
		/* fall through */
	default:
		env->aux[i].prune_point = true;
		edge[0] = (struct cfg_edge){ (s64)i + 1, false };
		edge[1] = (struct cfg_edge){ (s64)i + insn->off + 1, true };
		return 2;
	}
}

/* Follows one edge. 1: the walk goes on in the target; 0: nothing new there; or -errno. */
static int follow(struct verify_env *env, struct cfg_walk *walk, u32 from, struct cfg_edge edge)
{
	char prefix[16];

	if (edge.target < 0 || edge.target >= env->nr_insns) {
		log_source_line(env, from, log_number(prefix, from));
		verbose(env, "jump out of range from insn %u to %d\n", from, (int)edge.target);
		return -EINVAL;
	}
	if (edge.branch) {
		mark_meeting_point(env, edge.target);
		mark_jump_target(env, edge.target);
	}
	if (walk->state[edge.target] == CFG_NEW) {
		walk->state[edge.target] = CFG_FOUND;
		walk->stack[walk->depth++] = edge.target;
		return 1;
	}
	if (walk->state[edge.target] != CFG_DONE && !env->capable) {
		log_source_line(env, from, log_number(prefix, from));
		log_source_line(env, edge.target, log_number(prefix, edge.target));
		verbose(env, "back-edge from insn %u to %d\n", from, (int)edge.target);
		return -EINVAL;
	}
	return 0;
}

static int walk_from(struct verify_env *env, struct cfg_walk *walk, u32 start)
{
	walk->state[start] = CFG_FOUND;
	walk->stack[walk->depth++] = start;
	while (walk->depth) {
		u32 i = walk->stack[walk->depth - 1];
		struct cfg_edge edge[2];
		u32 nr = edges_of(env, i, edge), next = walk->state[i] - CFG_FOUND;
		int err = 0;

		while (next < nr && !err) {
			walk->state[i] = CFG_FELL_THROUGH + next;
			err = follow(env, walk, i, edge[next++]);
		}
		if (err < 0)
			return err;
		if (!err) {
			walk->state[i] = CFG_DONE;
			walk->depth--;
		}
	}
	return 0;
}

static int walk_program(struct verify_env *env, struct cfg_walk *walk)
{
	u32 start = env->subprog[env->exception_cb].start;
	int err = walk_from(env, walk, 0);

	/* Nobody calls the function for exceptions. */
	if (!err && env->exception_cb && walk->state[start] == CFG_NEW)
		err = walk_from(env, walk, start);
	return err;
}

static int check_all_reached(struct verify_env *env, const struct cfg_walk *walk)
{
	for (u32 i = 0; i < env->nr_insns; i++) {
		if (walk->state[i] != CFG_DONE) {
			verbose(env, "unreachable insn %u\n", i);
			return -EINVAL;
		}
		if (insn_is_ldimm64(&env->insns[i])) {
			if (walk->state[i + 1] != CFG_NEW) {
				verbose(env, "jump into the middle of ldimm64 insn %u\n", i);
				return -EINVAL;
			}
			i++;
		}
	}
	return 0;
}

int cfg_check(struct verify_env *env)
{
	struct cfg_walk walk = {
		.state = base_zalloc(env->nr_insns, sizeof(*walk.state)),
		.stack = base_zalloc(env->nr_insns, sizeof(*walk.stack)),
	};
	int err = -ENOMEM;

	if (walk.state && walk.stack) {
		err = walk_program(env, &walk);
		if (!err)
			err = check_all_reached(env, &walk);
	}
	base_free(walk.state);
	base_free(walk.stack);
	return err;
}

u32 cfg_successors(const struct verify_env *env, u32 i, u32 successors[2])
{
	const struct bpf_insn *insn = &env->insns[i];
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);
	u32 nr = 0;

	if (class != BPF_JMP && class != BPF_JMP32) {
		successors[0] = i + (insn_is_ldimm64(insn) ? 2 : 1);
		return 1;
	}
	if (op == BPF_EXIT)
		return 0;
	if (op != BPF_JA)
		successors[nr++] = i + 1;
	if (op != BPF_CALL)
		successors[nr++] = i + insn_jump_offset(insn) + 1;
	return nr;
}

/* Fills first_pred and preds: where the lists end, then, from there, the lists. */
static void find_predecessors(struct verify_env *env, u32 nr)
{
	u32 next[2];

	for (u32 p = 0; p < nr; p++)
		for (u32 e = cfg_successors(env, env->postorder[p], next); e; e--)
			env->first_pred[next[e - 1]]++;
	for (u32 i = 0; i < env->nr_insns; i++)
		env->first_pred[i + 1] += env->first_pred[i];
	for (u32 p = 0; p < nr; p++)
		for (u32 e = cfg_successors(env, env->postorder[p], next); e; e--)
			env->preds[--env->first_pred[next[e - 1]]] = env->postorder[p];
}

/* The places of a subprogram's instructions: each is put down after all that it found first. */
static u32 order_subprog(struct verify_env *env, u32 start, u32 out, u32 *stack, u8 *state)
{
	enum { FOUND = 1, EXPANDED };
	u32 depth = 0;

	stack[depth++] = start;
	state[start] = FOUND;
	while (depth) {
		u32 i = stack[depth - 1], next[2], nr;

		if (state[i] == EXPANDED) {
			env->place[i] = out;
			env->postorder[out++] = i;
			depth--;
			continue;
		}
		state[i] = EXPANDED;
		nr = cfg_successors(env, i, next);
		for (u32 e = 0; e < nr; e++) {
			if (state[next[e]])
				continue;
			state[next[e]] = FOUND;
			stack[depth++] = next[e];
		}
	}
	return out;
}

int cfg_order(struct verify_env *env)
{
	u8 *state = base_zalloc(env->nr_insns, 1);
	u32 *stack = base_zalloc(env->nr_insns, sizeof(*stack)), out = 0;
	int err = -ENOMEM;

	env->postorder = base_zalloc(env->nr_insns, sizeof(*env->postorder));
	env->place = base_zalloc(env->nr_insns, sizeof(*env->place));
	env->first_pred = base_zalloc(env->nr_insns + 1, sizeof(*env->first_pred));
	env->preds = base_zalloc(env->nr_insns, 2 * sizeof(*env->preds));
	if (!state || !stack || !env->postorder || !env->place || !env->first_pred || !env->preds)
		goto done;
	for (u32 s = 0; s < env->nr_subprogs; s++) {
		env->subprog[s].postorder_start = out;
		out = order_subprog(env, env->subprog[s].start, out, stack, state);
	}
	env->subprog[env->nr_subprogs].postorder_start = out;
	find_predecessors(env, out);
	err = 0;
done:
	base_free(state);
	base_free(stack);
	return err;
}
