/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See diagnose.h. The chain follows one value at a time: a register back to the instruction that
 * wrote it, through copies, arithmetic and the stack, noting the comparisons it passed, until
 * something made it from nothing (a constant, a call, memory) or the program began.
 */
#include "verify/diagnose.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/branch.h"
#include "verify/history.h"
#include "verify/live_regs.h"

#define WALK_MAX     100000 /* instructions that are looked at for one value */
#define COMPARE_MAX  3	    /* comparisons noted for one value */
#define ARGUMENTS    0x3e
#define BRANCHES_MAX 3 /* operands of operands */
#define NONE	     BPF_REG_10

/* The value that is followed: a register, or a slot of the stack, of a frame so many calls up or
 * down from where the search began. */
struct wanted {
	bool is_slot;
	u32 reg;
	u32 frame, slot; /* frame number and slot index as histories name them */
	int depth;	 /* calls that returned on the way back: their insides do not matter */
	u32 compares;
};

static void copy_source(struct verify_env *env, u32 insn, struct verify_cause *cause)
{
	const char *text, *file;

	if (!log_source_of(env, insn, &text, &file, &cause->line))
		return;
	snprintf(cause->source, sizeof(cause->source), "%s", text);
	snprintf(cause->file, sizeof(cause->file), "%s", file);
}

static struct verify_cause *add_cause(struct verify_env *env, u32 insn)
{
	struct verify_diagnosis *diagnosis = env->input->ret_diagnosis;
	struct verify_cause *cause;
	u64 pos = log_pos(&env->log);

	/* Values that have an origin in common share it. */
	for (u32 i = 0; i < diagnosis->nr_causes; i++)
		if (diagnosis->causes[i].insn == env->aux[insn].orig_idx)
			return NULL;
	if (diagnosis->nr_causes == VERIFY_CAUSES_MAX)
		return NULL;
	cause = &diagnosis->causes[diagnosis->nr_causes++];
	memset(cause, 0, sizeof(*cause));
	cause->insn = env->aux[insn].orig_idx;
	log_insn(env, insn);
	log_take(env, pos, cause->text, sizeof(cause->text));
	cause->text[strcspn(cause->text, "\n")] = '\0';
	copy_source(env, insn, cause);
	return cause;
}

/* One instruction back: 1, the value is not followed further; 0: it is. */
static int follow(struct verify_env *env, struct wanted *wanted, u32 i,
		  const struct history *history)
{
	const struct bpf_insn *insn = &env->insns[i];
	u8 class = BPF_CLASS(insn->code);
	bool on_slot = history && history->flags & HIST_STACK_ACCESS;

	if (wanted->is_slot) {
		if ((class != BPF_STX && class != BPF_ST) || !on_slot ||
		    HIST_FRAME(history->flags) != wanted->frame ||
		    HIST_SLOT(history->flags) != wanted->slot)
			return 0;
		add_cause(env, i);
		wanted->is_slot = false;
		wanted->reg = insn->src_reg;
		return class == BPF_ST;
	}
	if (branch_compares(insn)) {
		if (wanted->compares < COMPARE_MAX &&
		    live_regs_of_insn(env, i).use & (1u << wanted->reg)) {
			add_cause(env, i);
			wanted->compares++;
		}
		return 0;
	}
	if (!(live_regs_of_insn(env, i).def & (1u << wanted->reg)))
		return 0;
	add_cause(env, i);
	if (class == BPF_ALU || class == BPF_ALU64) {
		if (BPF_OP(insn->code) != BPF_MOV)
			return 0;
		wanted->reg = insn->src_reg;
		return BPF_SRC(insn->code) != BPF_X || wanted->reg == BPF_REG_10;
	}
	if (class == BPF_LDX && on_slot) {
		wanted->is_slot = true;
		wanted->frame = HIST_FRAME(history->flags);
		wanted->slot = HIST_SLOT(history->flags);
		return 0;
	}
	return 1;
}

/* What arithmetic adds to the wanted register, if that comes from another: it made the value as
 * much. NONE: nothing. */
static u32 second_operand(const struct verify_env *env, const struct wanted *wanted, u32 i)
{
	const struct bpf_insn *insn = &env->insns[i];
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	if (wanted->is_slot || (class != BPF_ALU && class != BPF_ALU64) || op == BPF_MOV ||
	    op == BPF_END || BPF_SRC(insn->code) != BPF_X || insn->dst_reg != wanted->reg ||
	    insn->src_reg == BPF_REG_10 || insn->src_reg == insn->dst_reg)
		return NONE;
	return insn->src_reg;
}

/* Calls on the way back. true: the instruction is dealt with. */
static bool pass_call(const struct verify_env *env, struct wanted *wanted, u32 i, u32 after,
		      bool *ended)
{
	const struct bpf_insn *insn = &env->insns[i];

	if (insn->code == (BPF_JMP | BPF_EXIT)) {
		/* Into a function that has returned: only its result and the stack matter. */
		wanted->depth += !(wanted->is_slot || wanted->reg == BPF_REG_0);
		return true;
	}
	if (!insn_is_pseudo_call(insn) || after == i + 1)
		return wanted->depth > 0;
	if (wanted->depth) {
		wanted->depth--;
		/* The function's own registers are gone: so is what the caller had there. */
		*ended = !wanted->is_slot && wanted->reg < BPF_REG_6;
		return true;
	}
	/* Out of the function that was being looked at: its arguments are the caller's. */
	*ended = !wanted->is_slot && !(ARGUMENTS & (1u << wanted->reg));
	return true;
}

/* Follows register reg back from a place on the path. */
static void find_origin(struct verify_env *env, u32 reg, struct path_walk walk, u32 branches)
{
	struct wanted wanted = { .reg = reg };
	bool ended = false;

	for (u32 steps = 0; steps < WALK_MAX && !ended; steps++) {
		u32 after = walk.insn, other;

		if (!path_walk_back(env, &walk))
			return;
		if (pass_call(env, &wanted, walk.insn, after, &ended))
			continue;
		other = second_operand(env, &wanted, walk.insn);
		ended = follow(env, &wanted, walk.insn, path_walk_history(&walk));
		if (other != NONE && branches < BRANCHES_MAX)
			find_origin(env, other, walk, branches + 1);
	}
}

/* The register that a message begins with ("R2 …"), else all that the instruction reads. */
static u32 blamed(const struct verify_env *env, u32 insn)
{
	const char *message = env->input->ret_diagnosis->message;
	u32 use = live_regs_of_insn(env, insn).use & 0x7ff;
	char *end;

	if (message[0] == 'R') {
		unsigned long reg = strtoul(message + 1, &end, 10);

		if (end > message + 1 && reg < MAX_REG)
			return 1u << reg;
	}
	return use;
}

static void describe(struct verify_env *env, struct verify_cause *cause, u32 regs)
{
	const struct frame *frame = vstate_frame(env->cur);
	u64 pos = log_pos(&env->log);
	const char *sep = "";

	for (u32 r = 0; r < MAX_REG; r++) {
		if (!(regs & (1u << r)))
			continue;
		verbose(env, "%sR%u=", sep, r);
		if (frame->regs[r].type == NOT_INIT)
			verbose(env, "?");
		else
			log_reg(env, frame, &frame->regs[r]);
		sep = " ";
	}
	log_take(env, pos, cause->value, sizeof(cause->value));
}

/* The first line of the log after pos that is not source. */
static void take_message(struct verify_env *env, u64 pos)
{
	struct verify_diagnosis *diagnosis = env->input->ret_diagnosis;
	const struct log *log = &env->log;
	u64 from = pos > log->start ? pos - log->start : 0, size = log->end - log->start;

	while (from < size) {
		const char *line = log->text + from, *end = memchr(line, '\n', size - from);
		u64 length = end ? (u64)(end - line) : size - from;

		if (length && *line != ';') {
			snprintf(diagnosis->message, sizeof(diagnosis->message), "%.*s",
				 (int)(length < 255 ? length : 255), line);
			return;
		}
		from += length + 1;
	}
}

void diagnose_insn(struct verify_env *env, int err, u64 pos)
{
	struct verify_diagnosis *diagnosis = env->input->ret_diagnosis;
	struct verify_cause *cause;
	u64 longest = env->log.longest;
	struct path_walk here;
	u32 regs;

	if (!diagnosis || !env->input->log.level || env->insn_idx >= env->nr_insns)
		return;
	take_message(env, pos);
	regs = blamed(env, env->insn_idx);
	cause = add_cause(env, env->insn_idx);
	if (cause)
		describe(env, cause, regs);
	path_walk_begin(env, &here);
	/* That there is no end of it is no register's fault. */
	for (u32 r = 0; err != -E2BIG && r < BPF_REG_10; r++)
		if (regs & (1u << r))
			find_origin(env, r, here, 0);
	env->log.longest = longest;
}

void diagnose_program(struct verify_env *env)
{
	const struct log *log = &env->log;
	u64 at = log->end - log->start;

	if (!env->input->ret_diagnosis || env->input->ret_diagnosis->message[0] || !at)
		return;
	for (at--; at && log->text[at - 1] != '\n'; at--)
		;
	take_message(env, log->start + at);
}
