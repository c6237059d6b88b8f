/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Subprograms: discovery, bounds of jumps, call depth and stack depth. Runs before (discovery,
 * bounds) and after (stack depth) exploration. The order of the checks is the kernel's, because the
 * first message is what the client sees.
 */
#include "verify/program.h"

#include <errno.h>
#include <string.h>

#include "abi/helper.h"
#include "abi/kfunc.h"
#include "base/alloc.h"
#include "verify/exception.h"
#include "verify/kfunc.h"

int env_find_subprog(const struct verify_env *env, u32 insn)
{
	u32 i = env_subprog_of(env, insn);

	return insn < env->nr_insns && env->subprog[i].start == insn ? (int)i : -ENOENT;
}

u32 env_subprog_of(const struct verify_env *env, u32 insn)
{
	u32 low = 0, high = env->nr_subprogs;

	while (high - low > 1) {
		u32 mid = low + (high - low) / 2;

		if (env->subprog[mid].start <= insn)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static int add_subprog(struct verify_env *env, s64 start)
{
	u32 i;

	if (start < 0 || start >= env->nr_insns) {
		verbose(env, "call to invalid destination\n");
		return -EINVAL;
	}
	for (i = 0; i < env->nr_subprogs && env->subprog[i].start < start; i++)
		;
	if (i < env->nr_subprogs && env->subprog[i].start == start)
		return 0;
	if (env->nr_subprogs >= SUBPROGS_MAX) {
		verbose(env, "too many subprograms\n");
		return -E2BIG;
	}
	memmove(&env->subprog[i + 1], &env->subprog[i],
		(env->nr_subprogs - i) * sizeof(env->subprog[0]));
	env->subprog[i] = (struct subprog){ .start = start };
	env->nr_subprogs++;
	return 0;
}

static int add_exception_callback(struct verify_env *env)
{
	u32 insn;
	int err = exception_find_callback(env, &insn);

	if (err || !insn)
		return err;
	err = add_subprog(env, insn);
	if (err)
		return err;
	env->exception_cb = (u32)env_find_subprog(env, insn);
	env->subprog[env->exception_cb].is_callback = true;
	return 0;
}

int program_find_subprogs(struct verify_env *env)
{
	int err = add_subprog(env, 0);

	for (u32 i = 0; i < env->nr_insns && !err; i++) {
		const struct bpf_insn *insn = &env->insns[i];

		if (!insn_is_pseudo_func(insn) && !insn_is_pseudo_call(insn) &&
		    !insn_is_kfunc_call(insn))
			continue;
		if (!env->capable) {
			verbose(env,
				"loading/calling other bpf or kernel functions are allowed for "
				"CAP_BPF and CAP_SYS_ADMIN\n");
			return -EPERM;
		}
		if (insn_is_kfunc_call(insn)) {
			err = kfunc_resolve(env, i);
			continue;
		}
		err = add_subprog(env, (s64)i + insn->imm + 1);
	}
	if (!err)
		err = add_exception_callback(env);
	if (err)
		return err;
	env->subprog[env->nr_subprogs] = (struct subprog){ .start = env->nr_insns };
	if (env->input->log.level & LOG_LEVEL2)
		for (u32 i = 0; i < env->nr_subprogs; i++)
			verbose(env, "func#%u @%u\n", i, env->subprog[i].start);
	return 0;
}

static int check_jump(struct verify_env *env, u32 i, const struct subprog *subprog)
{
	const struct bpf_insn *insn = &env->insns[i];
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);
	s64 target;

	if ((class != BPF_JMP && class != BPF_JMP32) || op == BPF_EXIT || op == BPF_CALL)
		return 0;
	target = (s64)i + insn_jump_offset(insn) + 1;
	if (target >= subprog[0].start && target < subprog[1].start)
		return 0;
	verbose(env, "jump out of range from insn %u to %d\n", i, (int)target);
	return -EINVAL;
}

/* The subprogram that instruction i calls or hands out as callback; -1: none. */
static int called_subprog(const struct verify_env *env, u32 i)
{
	const struct bpf_insn *insn = &env->insns[i];

	if (!insn_is_pseudo_call(insn) && !insn_is_pseudo_func(insn))
		return -1;
	return env_find_subprog(env, i + insn->imm + 1);
}

/* Does the instruction change the packet, or may a program that it calls in its place? */
static bool changes_packet(const struct verify_env *env, u32 i)
{
	const struct bpf_insn *insn = &env->insns[i];
	const struct abi_kfunc *kfunc = kfunc_of(env, i);
	const struct abi_helper *helper;

	if (kfunc)
		return kfunc->flags & KFUNC_CHANGES_PACKET;
	if (!insn_is_helper_call(insn) || insn->imm < 0)
		return false;
	helper = abi_helper_for(insn->imm, env->input->prog_type);
	return insn->imm == BPF_FUNC_tail_call || (helper && helper->packet_data_changes);
}

static bool might_sleep(const struct verify_env *env, u32 i)
{
	const struct bpf_insn *insn = &env->insns[i];
	const struct abi_kfunc *kfunc = kfunc_of(env, i);
	const struct abi_helper *helper;

	if (kfunc)
		return kfunc->flags & KFUNC_SLEEPABLE;
	helper =
		insn_is_helper_call(insn) && insn->imm > 0 ? abi_helper_find((u32)insn->imm) : NULL;
	return helper && helper->might_sleep;
}

/* What a subprogram calls, it does. */
static void spread_effects(struct verify_env *env)
{
	bool again = true;

	while (again) {
		again = false;
		for (u32 s = 0; s < env->nr_subprogs; s++) {
			struct subprog *subprog = &env->subprog[s];

			for (u32 i = subprog[0].start; i < subprog[1].start; i++) {
				int callee = called_subprog(env, i);
				const struct subprog *called;

				if (callee < 0)
					continue;
				called = &env->subprog[callee];
				again |= (called->changes_packet && !subprog->changes_packet) ||
					 (called->might_sleep && !subprog->might_sleep);
				subprog->changes_packet |= called->changes_packet;
				subprog->might_sleep |= called->might_sleep;
			}
		}
	}
}

int program_check_subprogs(struct verify_env *env)
{
	for (u32 s = 0; s < env->nr_subprogs; s++) {
		struct subprog *subprog = &env->subprog[s];

		for (u32 i = subprog[0].start; i < subprog[1].start; i++) {
			const struct bpf_insn *insn = &env->insns[i];
			u8 code = insn->code;

			if (insn_is_helper_call(insn) && insn->imm == BPF_FUNC_tail_call)
				subprog->has_tail_call = subprog->tail_call_reachable = true;
			subprog->changes_packet |= changes_packet(env, i);
			subprog->might_sleep |= might_sleep(env, i);
			if (BPF_CLASS(code) == BPF_LD &&
			    (BPF_MODE(code) == BPF_ABS || BPF_MODE(code) == BPF_IND))
				subprog->has_ld_abs = true;
			if (check_jump(env, i, subprog))
				return -EINVAL;
			if (i == subprog[1].start - 1 && code != (BPF_JMP | BPF_EXIT) &&
			    code != (BPF_JMP | BPF_JA) && code != (BPF_JMP32 | BPF_JA)) {
				verbose(env, "last insn is not an exit or jmp\n");
				return -EINVAL;
			}
		}
	}
	spread_effects(env);
	return 0;
}

/* One level of the walk over calls: which subprogram, where in it, and the depth of its callers. */
struct depth_level {
	u32 subprog, insn;
	u32 depth_before;
};

struct depth_walk {
	struct depth_level levels[MAX_FRAMES];
	/* Deepest start (+ 1) from which a subprogram at this level was already found good. */
	u32 good[SUBPROGS_MAX][MAX_FRAMES];
	bool private_stacks;
};

#define PRIVATE_STACK_MIN 64 /* BPF_PRIV_STACK_MIN_SIZE */

/* Do large frames of this program type have stacks of their own, which do not add up? */
static bool has_private_stacks(u32 prog_type)
{
	return prog_type == BPF_PROG_TYPE_KPROBE || prog_type == BPF_PROG_TYPE_TRACEPOINT ||
	       prog_type == BPF_PROG_TYPE_PERF_EVENT || prog_type == BPF_PROG_TYPE_RAW_TRACEPOINT;
}

static u32 frame_bytes(const struct verify_env *env, u32 subprog)
{
	return ALIGN_UP(env->subprog[subprog].stack_depth, 16u);
}

/* What a frame adds to the depth of a call chain. */
static u32 counted_bytes(const struct verify_env *env, const struct depth_walk *walk, u32 subprog)
{
	u32 bytes = frame_bytes(env, subprog);

	return walk->private_stacks && bytes >= PRIVATE_STACK_MIN ? 0 : bytes;
}

static int enter_level(struct verify_env *env, struct depth_walk *walk, u32 frame)
{
	struct depth_level *level = &walk->levels[frame];
	u32 subprog = level->subprog, depth = level->depth_before;

	if (subprog && env->subprog[subprog].has_ld_abs) {
		for (u32 i = 0; i <= frame; i++) {
			if (env->subprog[walk->levels[i].subprog].is_callback) {
				verbose(env, "cannot use BPF_LD_[ABS|IND] within callback\n");
				return -EINVAL;
			}
		}
	}
	if (subprog && env->subprog[subprog].has_tail_call && depth >= 256) {
		verbose(env,
			"tail_calls are not allowed when call stack of previous frames is %u "
			"bytes. "
			"Too large\n",
			depth);
		return -EACCES;
	}
	if (!counted_bytes(env, walk, subprog) && frame_bytes(env, subprog) > MAX_BPF_STACK) {
		verbose(env, "stack size of subprog %u is %u. Too large\n", subprog,
			frame_bytes(env, subprog));
		return -EACCES;
	}
	depth += counted_bytes(env, walk, subprog);
	if (depth > MAX_BPF_STACK) {
		verbose(env, "combined stack size of %u calls is %u. Too large\n", frame + 1,
			depth);
		return -EACCES;
	}
	level->insn = env->subprog[subprog].start;
	return 0;
}

static void leave_level(struct verify_env *env, struct depth_walk *walk, u32 frame)
{
	const struct depth_level *level = &walk->levels[frame];

	walk->good[level->subprog][frame] = level->depth_before + 1;
	if (env->subprog[level->subprog].tail_call_reachable)
		for (u32 i = 0; i < frame; i++)
			env->subprog[walk->levels[i].subprog].tail_call_reachable = true;
}

/* Nothing can be thrown out of what a helper, or nobody, has called. */
static int check_throw(struct verify_env *env, const struct depth_walk *walk, u32 frame, u32 i)
{
	if (!exception_is_throw(env, i))
		return 0;
	for (u32 f = 0; f <= frame; f++) {
		if (!env->subprog[walk->levels[f].subprog].is_callback)
			continue;
		verbose(env,
			"bpf_throw kfunc (insn %u) cannot be called from callback subprog %u\n", i,
			walk->levels[frame].subprog);
		return -EINVAL;
	}
	return 0;
}

static int walk_calls(struct verify_env *env, struct depth_walk *walk, u32 from)
{
	u32 frame = 0;
	int err;

	walk->levels[0] = (struct depth_level){ .subprog = from };
	err = enter_level(env, walk, 0);

	while (!err) {
		struct depth_level *level = &walk->levels[frame], *next;
		int callee;

		if (level->insn >= env->subprog[level->subprog + 1].start) {
			leave_level(env, walk, frame);
			if (!frame)
				return 0;
			frame--;
			continue;
		}
		err = check_throw(env, walk, frame, level->insn);
		if (err)
			return err;
		callee = called_subprog(env, level->insn++);
		if (callee < 0)
			continue;
		if (env->subprog[callee].is_async) {
			if (env->subprog[callee].has_tail_call) {
				verbose(env, "verifier bug: subprog has tail_call and async cb\n");
				return -EFAULT;
			}
			/* It runs on a stack of its own, unless it is called, too. */
			if (!insn_is_pseudo_call(&env->insns[level->insn - 1]))
				continue;
		}
		if (callee && (u32)callee == env->exception_cb) {
			verbose(env, "insn %u cannot call exception cb directly", level->insn - 1);
			return -EINVAL;
		}
		if (frame + 1 >= MAX_FRAMES) {
			verbose(env, "the call stack of %u frames is too deep !\n", frame + 1);
			return -E2BIG;
		}
		next = &walk->levels[frame + 1];
		next->subprog = callee;
		next->depth_before = level->depth_before + counted_bytes(env, walk, level->subprog);
		if (walk->good[callee][frame + 1] > next->depth_before) {
			if (env->subprog[callee].tail_call_reachable)
				for (u32 i = 0; i <= frame; i++)
					env->subprog[walk->levels[i].subprog].tail_call_reachable =
						true;
			continue;
		}
		err = enter_level(env, walk, ++frame);
	}
	return err;
}

int program_check_stack_depth(struct verify_env *env)
{
	struct depth_walk *walk = base_zalloc(1, sizeof(*walk));
	int err;

	if (!walk)
		return -ENOMEM;
	walk->private_stacks = has_private_stacks(env->input->prog_type);
	err = walk_calls(env, walk, 0);
	for (u32 i = 1; i < env->nr_subprogs && !err; i++)
		if (env->subprog[i].is_async)
			err = walk_calls(env, walk, i);
	if (!err && env->exception_cb)
		err = walk_calls(env, walk, env->exception_cb);
	if (!err && env->exception_cb && env->subprog[env->exception_cb].tail_call_reachable) {
		verbose(env, "cannot tail call within exception cb\n");
		err = -EINVAL;
	}
	base_free(walk);
	return err;
}
