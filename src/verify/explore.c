/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The main loop: one instruction of one path at a time. Paths that branch off are pushed and taken
 * up again when the current one ends, so that depth costs memory, not C stack.
 */
#include "verify/explore.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "abi/bpf_new.h"
#include "isa/opcode.h"
#include "verify/branch.h"
#include "verify/call.h"
#include "verify/callback.h"
#include "verify/diagnose.h"
#include "verify/exception.h"
#include "verify/global.h"
#include "verify/helper.h"
#include "verify/history.h"
#include "verify/jump.h"
#include "verify/kfunc.h"
#include "verify/live_stack.h"
#include "verify/lock.h"
#include "verify/loops.h"
#include "verify/mem_insn.h"
#include "verify/operand.h"
#include "verify/prune.h"

static bool logs_paths(const struct verify_env *env)
{
	return env->input->log.level & (LOG_LEVEL1 | LOG_LEVEL2);
}

static void free_pending(struct pending *pending)
{
	vstate_done(&pending->state);
	pool_free(state_memory(), pending, sizeof(*pending));
}

static void push_pending(struct verify_env *env, struct pending *pending, u32 insn, u32 prev)
{
	pending->insn_idx = insn;
	pending->prev_insn_idx = prev;
	pending->log_pos = log_pos(&env->log);
	pending->next = env->stack;
	env->stack = pending;
	env->stack_size++;
}

struct vstate *explore_push(struct verify_env *env, u32 insn, u32 prev)
{
	struct pending *pending;

	if (env->stack_size >= JUMP_SEQUENCE_MAX) {
		verbose(env, "The sequence of %u jumps is too complex.\n", env->stack_size + 1);
		return NULL;
	}
	pending = pool_zalloc(state_memory(), sizeof(*pending));
	if (!pending)
		return NULL;
	if (vstate_copy(&pending->state, env->cur) ||
	    vstate_copy_history(&pending->state, env->cur)) {
		free_pending(pending);
		return NULL;
	}
	push_pending(env, pending, insn, prev);
	if (pending->state.parent)
		pending->state.parent->branches++;
	return &pending->state;
}

struct vstate *explore_push_entry(struct verify_env *env, u32 subprog, u32 prev)
{
	u32 insn = env->subprog[subprog].start;
	struct pending *pending;

	if (env->stack_size >= JUMP_SEQUENCE_MAX) {
		verbose(env, "The sequence of %u jumps is too complex for async cb.\n",
			env->stack_size + 1);
		return NULL;
	}
	pending = pool_zalloc(state_memory(), sizeof(*pending));
	if (!pending)
		return NULL;
	pending->state.frame[0] = frame_new(CALLSITE_MAIN, 0, subprog);
	if (!pending->state.frame[0]) {
		free_pending(pending);
		return NULL;
	}
	pending->state.branches = 1;
	push_pending(env, pending, insn, prev);
	return &pending->state;
}

int explore_push_again(struct verify_env *env, struct vstate *state, u32 prev)
{
	struct pending *pending = pool_zalloc(state_memory(), sizeof(*pending));

	if (!pending)
		return -ENOMEM;
	pending->state = *state;
	pending->state.branches = 1;
	*state = (struct vstate){ 0 };
	push_pending(env, pending, pending->state.insn_idx, prev);
	return 0;
}

int explore_push_error(const struct verify_env *env)
{
	return env->stack_size >= JUMP_SEQUENCE_MAX ? -EFAULT : -ENOMEM;
}

/* Takes up the newest pending path; false when there is none. */
static bool pop(struct verify_env *env, u32 *prev)
{
	struct pending *pending = env->stack;

	if (!pending)
		return false;
	env->stack = pending->next;
	env->stack_size--;
	vstate_done(env->cur);
	*env->cur = pending->state; /* ownership moves */
	env->insn_idx = pending->insn_idx;
	*prev = pending->prev_insn_idx;
	if (!(env->input->log.level & LOG_LEVEL2))
		log_rewind(env, pending->log_pos);
	pool_free(state_memory(), pending, sizeof(*pending));
	return true;
}

void explore_done(struct verify_env *env)
{
	env->stack = NULL;
	env->stack_size = 0;
	env->cur = NULL;
	prune_done(env);
	live_stack_done(env);
	loops_done(env);
	pool_reset(&env->states);
}

/* ld_imm64 */
static int check_constant(struct verify_env *env, const struct bpf_insn *insn)
{
	const struct insn_aux *aux = &env->aux[env->insn_idx];
	struct reg *dst;
	int err = operand_write(env, insn->dst_reg), subprog;

	if (err)
		return err;
	dst = &env_regs(env)[insn->dst_reg];
	switch (insn->src_reg) {
	case 0:
		reg_set_const(dst, (u32)insn[0].imm | (u64)(u32)insn[1].imm << 32);
		dst->precise = !env->capable;
		return 0;
	case BPF_PSEUDO_FUNC:
		subprog = env_find_subprog(env, env->insn_idx + insn->imm + 1);
		if (!env->nr_func_info) {
			verbose(env, "missing btf func_info\n");
			return -EINVAL;
		}
		if (subprog < 0)
			return verify_bug(env, "no function at %d", env->insn_idx + insn->imm + 1);
		if (env->subprog[subprog].is_global) {
			verbose(env, "callback function not static\n");
			return -EINVAL;
		}
		reg_set_pointer(dst, PTR_TO_FUNC);
		dst->subprogno = subprog;
		return 0;
	case BPF_PSEUDO_BTF_ID: reg_set_pointer(dst, PTR_TO_MEM | MEM_RDONLY); return 0;
	case BPF_PSEUDO_MAP_VALUE:
	case BPF_PSEUDO_MAP_IDX_VALUE:
		if (aux->map->type == ABI_MAP_TYPE_ARENA) {
			env_set_unknown(env, dst);
			return 0;
		}
		reg_set_pointer(dst, PTR_TO_MAP_VALUE);
		dst->off = (s32)aux->map_off;
		break;
	default: reg_set_pointer(dst, CONST_PTR_TO_MAP);
	}
	dst->map = aux->map;
	return 0;
}

static int check_jump_class(struct verify_env *env, const struct bpf_insn *insn, u32 *next)
{
	int err;

	env->jmps_processed++;
	switch (BPF_OP(insn->code)) {
	case BPF_CALL:
		if (insn->src_reg == BPF_PSEUDO_CALL)
			return check_subprog_call(env, insn, next);
		err = lock_check_call(env, insn);
		if (err)
			return err;
		if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL) {
			err = check_kfunc_call(env, insn);
			return !err && exception_is_throw(env, env->insn_idx) ? check_throw(env)
									      : err;
		}
		err = check_helper_call(env, insn);
		if (err || insn->imm != BPF_FUNC_tail_call)
			return err;
		return check_early_return(env, false, next);
	case BPF_JA: *next = env->insn_idx + insn_jump_offset(insn) + 1; return 0;
	case BPF_EXIT: return check_exit(env, next);
	case BPF_JCOND: return callback_may_goto(env, insn, next);
	default: return check_jump_if(env, insn, next);
	}
}

/* Is the source register read before the destination register is looked at? */
static bool reads_source(const struct bpf_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LDX:
	case BPF_STX: return true;
	case BPF_ALU:
	case BPF_ALU64: return BPF_SRC(insn->code) == BPF_X;
	default: return false;
	}
}

/* Of a comparison the kernel reads the first operand before it looks at the rest, elsewhere the
 * source before a destination that does not exist. */
static int refuse_insn(struct verify_env *env, const struct bpf_insn *insn, const char *text)
{
	int err = 0;

	if (BPF_CLASS(insn->code) == BPF_LD && strstr(text, "[ABS|IND]"))
		err = packet_load_allowed(env);
	else if (branch_compares(insn))
		err = operand_read(env, insn->dst_reg);
	else if (insn->dst_reg >= MAX_REG && reads_source(insn) && strstr(text, "is invalid"))
		err = operand_read(env, insn->src_reg);
	if (err)
		return err;
	verbose(env, "%s\n", text);
	return -EINVAL;
}

/* One instruction. 1: the path ends here; 0: it goes on at *next; or -errno. */
static int check_insn(struct verify_env *env, u32 *next)
{
	const struct bpf_insn *insn = &env->insns[env->insn_idx];
	char text[160];

	if (!env->aux[env->insn_idx].seen) {
		if (isa_check(insn, env->nr_insns - env->insn_idx, text, sizeof(text)))
			return refuse_insn(env, insn, text);
		env->aux[env->insn_idx].seen = true;
	}
	*next = env->insn_idx + 1;
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64: return check_alu(env, insn);
	case BPF_LDX: return check_load(env, insn);
	case BPF_ST:
	case BPF_STX: return check_store(env, insn);
	case BPF_JMP:
	case BPF_JMP32: return check_jump_class(env, insn, next);
	default:
		if (!insn_is_ldimm64(insn)) {
			int err = check_packet_load(env, insn);

			return err ? err : check_early_return(env, true, next);
		}
		env->aux[env->insn_idx + 1].seen = true;
		++*next;
		return check_constant(env, insn);
	}
}

static void log_before_insn(struct verify_env *env, bool *print_state)
{
	u64 pos;

	if ((env->input->log.level & LOG_LEVEL2) && *print_state) {
		verbose(env, "\nfrom %d to %u:", (s32)env->prev_insn_idx, env->insn_idx);
		log_frame(env, env->cur, env->cur->curframe, true);
		*print_state = false;
	}
	if (!logs_paths(env))
		return;
	if (env->scratched_regs || env->scratched_slots)
		log_insn_state(env, env->cur, env->cur->curframe);
	log_source_line(env, env->insn_idx, "; ");
	pos = log_pos(&env->log);
	verbose(env, "%u: ", env->insn_idx);
	log_insn(env, env->insn_idx);
	env->prev_insn_length = log_pos(&env->log) - pos;
	env->prev_log_pos = log_pos(&env->log);
}

static void log_pruned(struct verify_env *env, bool print_state)
{
	if (!logs_paths(env))
		return;
	if (print_state)
		verbose(env, "\nfrom %d to %u: safe\n", (s32)env->prev_insn_idx, env->insn_idx);
	else
		verbose(env, "%u: safe\n", env->insn_idx);
}

/* Before an instruction: limits, checkpoints. 1: the path is covered by an explored one. */
static int arrive(struct verify_env *env, bool print_state)
{
	int err;

	env->cur_history = NULL;
	if (env->insn_idx >= env->nr_insns)
		return verify_bug(env, "invalid insn idx %u insn_cnt %u", env->insn_idx,
				  env->nr_insns);
	if (++env->insns_processed > env->max_insns) {
		verbose(env, "BPF program is too large. Processed %u insn\n", env->insns_processed);
		return -E2BIG;
	}
	env->cur->last_insn_idx = (s32)env->prev_insn_idx;
	if (env->aux[env->insn_idx].prune_point) {
		err = prune_visit(env);
		if (err > 0)
			log_pruned(env, print_state);
		if (err)
			return err;
	}
	return env->aux[env->insn_idx].jmp_point ? push_history(env, env->cur, 0, NULL) : 0;
}

static int step(struct verify_env *env, u32 *next)
{
	int err = live_stack_begin(env);
	bool left_frame;
	u32 frame = env->cur->curframe;

	if (env->input->observe)
		env->input->observe(env->input->observe_arg, env->insn_idx, env->cur);
	if (err)
		return err;
	err = check_insn(env, next);
	left_frame = env->cur->curframe < frame &&
		     env->insns[env->insn_idx].code == (BPF_JMP | BPF_EXIT);
	if (err < 0)
		return err;
	live_stack_end(env);
	return !err && left_frame ? 2 : err;
}

/* Explores all paths from the current state. */
static int explore_paths(struct verify_env *env)
{
	bool print_state = false;
	u32 prev = (u32)-1;
	u64 said;

	for (;;) {
		u32 next = 0;
		int err;

		env->prev_insn_idx = prev;
		said = log_pos(&env->log);
		err = arrive(env, print_state);
		if (!err) {
			log_before_insn(env, &print_state);
			prev = env->insn_idx;
			said = log_pos(&env->log);
			err = step(env, &next);
		}
		if (err < 0) {
			diagnose_insn(env, err, said);
			return err;
		}
		if (err == 1) {
			log_scratch_all(env);
			err = prune_path_done(env, env->cur);
			if (err)
				return err;
			live_stack_solve(env);
			if (!pop(env, &prev))
				return 0;
			print_state = true;
			continue;
		}
		/* Back from a subprogram: the whole state is news. */
		if (err == 2)
			print_state = true;
		env->insn_idx = next;
	}
}

/* One entry: the main program, or a global function with its arguments. */
static int explore_entry(struct verify_env *env, u32 subprog)
{
	struct frame *frame;
	int err;

	env->main_subprog = subprog;
	env->explored = base_zalloc(env->nr_insns, sizeof(*env->explored));
	env->cur = vstate_new();
	env->insn_idx = env->subprog[subprog].start;
	err = live_stack_init(env);
	if (err || !env->explored || !env->cur)
		return -ENOMEM;
	frame = frame_new(CALLSITE_MAIN, 0, subprog);
	if (!frame)
		return -ENOMEM;
	env->cur->frame[0] = frame;
	env->cur->branches = 1;
	env->cur->sleepable = env->sleepable;
	env->cur->first_insn_idx = (s32)env->insn_idx;
	env->cur->last_insn_idx = -1;
	env->prev_line = NULL;
	log_scratch_all(env);
	if (subprog || (env->input->target && env->input->target->extends)) {
		err = global_set_arguments(env, subprog, frame);
		if (err)
			return err;
	} else {
		global_look_at_main(env);
		reg_set_pointer(&frame->regs[BPF_REG_1], PTR_TO_CTX);
	}
	err = explore_paths(env);
	/* What a slot lost for want of memory (slot_write()) may have been taken for the program's
	 * fault, or for nothing. */
	return base_account_failed() ? -ENOMEM : err;
}

static int explore_global(struct verify_env *env, u32 i)
{
	const char *name = env->subprog[i].name;
	int err;

	verbose(env, "Validating %s() func#%u...\n", name, i);
	err = explore_entry(env, i);
	explore_done(env);
	if (err)
		return err;
	env->subprog[i].verified = true;
	if (!(env->input->log.level & LOG_LEVEL2))
		log_rewind(env, 0);
	if (logs_paths(env))
		verbose(env, "Func#%u ('%s') is safe for any args that match its prototype\n", i,
			name);
	return 0;
}

int explore_program(struct verify_env *env)
{
	bool again = true;
	int err = explore_entry(env, 0);

	explore_done(env);
	if (!err && !(env->input->log.level & LOG_LEVEL2))
		log_rewind(env, 0);
	/* Verifying one global function may call others. */
	if (env->exception_cb)
		env->subprog[env->exception_cb].called = true;
	while (!err && again) {
		again = false;
		for (u32 i = 1; i < env->nr_subprogs && !err; i++) {
			if (!env->subprog[i].is_global || !env->subprog[i].called ||
			    env->subprog[i].verified)
				continue;
			err = explore_global(env, i);
			again = true;
		}
	}
	return err;
}
