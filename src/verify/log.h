/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier's log: text in the kernel's wording, rewound when a path is left (level 1), or
 * streamed (level 2). Positions count bytes from the start of the log, also of those already
 * streamed.
 */
#ifndef SKEP_VERIFY_LOG_H
#define SKEP_VERIFY_LOG_H

#include "base/types.h"

struct bpf_insn;
struct frame;
struct reg;
struct tnum;
struct verify_env;
struct vstate;

#define LOG_LEVEL1 1
#define LOG_LEVEL2 2
#define LOG_STATS  4

struct log {
	char *text;
	u64 start;   /* position of text[0] */
	u64 longest; /* the largest end before a rewind */
	u64 end;
	u64 capacity;
	bool out_of_memory;
};

static inline u64 log_pos(const struct log *log)
{
	return log->end;
}

/* Appends if the client asked for a log. */
void verbose(struct verify_env *env, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Forgets everything after pos. */
void log_rewind(struct verify_env *env, u64 pos);
/* Hands the text to the client's sink and frees it. */
void log_finish(struct verify_env *env);

/* "; source line @ file.c:NN" of insn if it differs from the last one printed. prefix may be NULL.
 */
void log_source_line(struct verify_env *env, u32 insn, const char *prefix);
/* "NUMBER: ", a prefix for the above; buffer of 16 bytes. */
const char *log_number(char *buffer, u32 number);
/* One instruction with a newline, in the kernel's disassembly. */
void log_insn(struct verify_env *env, u32 insn);

/* Name of a register type; the result lives until the next two calls. */
const char *log_reg_type(u32 type);
/* The stack slots of a mask, "-8,-16"; buffer of LOG_MASK_SIZE bytes. */
#define LOG_MASK_SIZE 600
const char *log_format_slots(char *buffer, u64 mask);

/* "var_off" notation of a tnum; buffer of 64 bytes. */
const char *log_tnum(char *buffer, struct tnum a);

/* Where insn comes from: its line of source without the blanks before it, the file's name without
 * directories, the line's number. false: not known. */
bool log_source_of(const struct verify_env *env, u32 insn, const char **ret_text,
		   const char **ret_file, u32 *ret_line);

/* One register's value, as states show it. */
void log_reg(struct verify_env *env, const struct frame *frame, const struct reg *reg);

/* Takes what was logged after pos back out, into text (which is cut to size), as if it had never
 * been there. */
void log_take(struct verify_env *env, u64 pos, char *text, size_t size);

/* Registers and slots of a frame: all, or those scratched since the last time. */
void log_frame(struct verify_env *env, const struct vstate *state, u32 frameno, bool all);
/* The state after an instruction, on its line, aligned as the kernel's. */
void log_insn_state(struct verify_env *env, const struct vstate *state, u32 frameno);
/* Marks everything as to be printed. */
void log_scratch_all(struct verify_env *env);

#endif
