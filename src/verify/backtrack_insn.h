/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The set of registers and slots whose origin is wanted (env->bt), and what one instruction makes
 * of it on the way back.
 */
#ifndef SKEP_VERIFY_BACKTRACK_INSN_H
#define SKEP_VERIFY_BACKTRACK_INSN_H

#include "verify/env.h"

#define BACKTRACK_LOST	    524	  /* ENOTSUPP: the origin cannot be followed */
#define BACKTRACK_ARGUMENTS 0x3eu /* R1 to R5 */

/* Register reg of the frame where the walk is. */
static inline void backtrack_want(struct backtrack *bt, u32 reg)
{
	bt->reg_masks[bt->frame] |= 1u << reg;
}

static inline bool backtrack_empty(const struct backtrack *bt)
{
	u64 any = 0;

	for (u32 i = 0; i <= bt->frame; i++)
		any |= bt->reg_masks[i] | bt->stack_masks[i];
	return !any;
}

/* Does the log tell of the walk? */
static inline bool backtrack_logs(const struct verify_env *env)
{
	return (env->input->log.level & LOG_LEVEL2) && !env->quiet;
}

/* A set of registers as the log has it, in text (LOG_MASK_SIZE bytes); returns text. */
char *backtrack_format_regs(char *text, u32 mask);

/*
 * Over the instruction at idx, which was followed by the one at subseq_idx (-1: none is known);
 * entry: what was noted of it, or NULL. 0, -BACKTRACK_LOST, or -errno.
 */
int backtrack_insn(struct verify_env *env, u32 idx, int subseq_idx, const struct history *entry);

#endif
