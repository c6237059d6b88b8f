/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading one line of assembler text from left to right (src/isa/asm.c). Functions that return bool
 * take something if it comes next; those that return int want it there: 0, or -EINVAL with a
 * sentence in error.
 */
#ifndef SKEP_ISA_LEXER_H
#define SKEP_ISA_LEXER_H

#include "base/types.h"

#define LEX_NAME_MAX 31

struct lexer {
	const char *at; /* in the line, which is NUL-terminated */
	u32 line;	/* its number, for sentences */
	char *error;
	u32 error_size;
};

/* Writes "line N: …" to error; returns -EINVAL. */
int lex_fail(struct lexer *lex, const char *format, ...) __attribute__((format(printf, 2, 3)));

void lex_skip_space(struct lexer *lex);

/* Takes text; a word must end where text ends. */
bool lex_take(struct lexer *lex, const char *text);
int lex_expect(struct lexer *lex, const char *text);

/* A name of letters, digits and '_'. */
bool lex_name(struct lexer *lex, char name[LEX_NAME_MAX + 1]);

/* A number, decimal or 0x…; "+ 5" and "- 5" are signed ones. ret_hex may be NULL. */
bool lex_number(struct lexer *lex, u64 *ret, bool *ret_hex);

/* An immediate, -2^31 … 2^32-1; an offset of 16 bits. */
int lex_imm(struct lexer *lex, s32 *ret);
int lex_off(struct lexer *lex, s16 *ret);

/* "r5", "w5"; ret_class gets 'r' or 'w' and may be NULL. */
bool lex_register(struct lexer *lex, u8 *ret, char *ret_class);
int lex_register_of(struct lexer *lex, char class, u8 *ret);

/* "u32" … "s8": the size bits of an opcode. */
bool lex_type(struct lexer *lex, u8 *ret_size, bool *ret_signed);

/* "(u32 *)(r1 +4)". ret_signed NULL: signed types are refused. */
int lex_address(struct lexer *lex, u8 *ret_size, bool *ret_signed, u8 *ret_reg, s16 *ret_off);

#endif
