/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The assembler's words: what one line consists of, taken from left to right. Whoever takes
 * something that does not come next leaves the place unchanged and is told so.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/lexer.h"
#include "isa/opcode.h"

int lex_fail(struct lexer *lex, const char *format, ...)
{
	va_list args;
	int length = snprintf(lex->error, lex->error_size, "line %u: ", lex->line);

	if (length >= 0 && (u32)length < lex->error_size) {
		va_start(args, format);
		vsnprintf(lex->error + length, lex->error_size - (u32)length, format, args);
		va_end(args);
	}
	return -EINVAL;
}

void lex_skip_space(struct lexer *lex)
{
	while (*lex->at == ' ' || *lex->at == '\t')
		lex->at++;
}

/* Takes text if it comes next; a word must end where text ends. */
bool lex_take(struct lexer *lex, const char *text)
{
	size_t length = strlen(text);
	bool word = isalnum((unsigned char)text[length - 1]);

	lex_skip_space(lex);
	if (strncmp(lex->at, text, length) != 0)
		return false;
	if (word && (isalnum((unsigned char)lex->at[length]) || lex->at[length] == '_'))
		return false;
	lex->at += length;
	return true;
}

bool lex_name(struct lexer *lex, char name[LEX_NAME_MAX + 1])
{
	u32 length = 0;

	lex_skip_space(lex);
	if (!isalpha((unsigned char)*lex->at) && *lex->at != '_')
		return false;
	while (isalnum((unsigned char)lex->at[length]) || lex->at[length] == '_')
		length++;
	if (length > LEX_NAME_MAX)
		return false;
	memcpy(name, lex->at, length);
	name[length] = 0;
	lex->at += length;
	return true;
}

/* A number, with "+ 5" and "- 5" taken as signed ones. *ret_hex: it was written 0x…. */
bool lex_number(struct lexer *lex, u64 *ret, bool *ret_hex)
{
	const char *start = lex->at;
	bool negative = false;
	char *end;

	lex_skip_space(lex);
	if (*lex->at == '+' || *lex->at == '-')
		negative = *lex->at++ == '-';
	lex_skip_space(lex);
	if (!isdigit((unsigned char)*lex->at)) {
		lex->at = start;
		return false;
	}
	if (ret_hex)
		*ret_hex = lex->at[0] == '0' && lex->at[1] == 'x';
	errno = 0;
	*ret = strtoull(lex->at, &end, lex->at[1] == 'x' ? 16 : 10);
	lex->at = end;
	if (negative)
		*ret = 0 - *ret;
	return errno == 0;
}

/* An immediate of 32 bits: -2^31 … 2^32-1. */
int lex_imm(struct lexer *lex, s32 *ret)
{
	u64 value;

	if (!lex_number(lex, &value, NULL))
		return lex_fail(lex, "a number is expected at '%s'", lex->at);
	if ((s64)value < INT32_MIN || (s64)value > UINT32_MAX)
		return lex_fail(lex, "the number does not fit 32 bits");
	*ret = (s32)(u32)value;
	return 0;
}

int lex_off(struct lexer *lex, s16 *ret)
{
	u64 value;

	if (!lex_number(lex, &value, NULL))
		return lex_fail(lex, "an offset is expected at '%s'", lex->at);
	if ((s64)value < INT16_MIN || (s64)value > INT16_MAX)
		return lex_fail(lex, "the offset does not fit 16 bits");
	*ret = (s16)value;
	return 0;
}

/* "r5" or "w5": *ret_class gets 'r' or 'w'. */
bool lex_register(struct lexer *lex, u8 *ret, char *ret_class)
{
	lex_skip_space(lex);
	const char *at = lex->at;
	char *end;

	if ((at[0] != 'r' && at[0] != 'w') || !isdigit((unsigned char)at[1]))
		return false;
	unsigned long number = strtoul(at + 1, &end, 10);

	if (number > 15 || isalnum((unsigned char)*end) || *end == '_')
		return false;
	if (ret_class)
		*ret_class = at[0];
	*ret = (u8)number;
	lex->at = end;
	return true;
}

int lex_register_of(struct lexer *lex, char class, u8 *ret)
{
	char got;

	if (!lex_register(lex, ret, &got) || got != class)
		return lex_fail(lex, "a register %c0-%c10 is expected", class, class);
	return 0;
}

int lex_expect(struct lexer *lex, const char *text)
{
	return lex_take(lex, text) ? 0 : lex_fail(lex, "'%s' is expected at '%s'", text, lex->at);
}

/* "u32" … "s8": the size bits; *ret_signed. */
bool lex_type(struct lexer *lex, u8 *ret_size, bool *ret_signed)
{
	static const struct {
		const char *name;
		u8 size;
		bool is_signed;
	} types[] = {
		{ "u8", BPF_B, false },	  { "u16", BPF_H, false }, { "u32", BPF_W, false },
		{ "u64", BPF_DW, false }, { "s8", BPF_B, true },   { "s16", BPF_H, true },
		{ "s32", BPF_W, true },
	};

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		if (!lex_take(lex, types[i].name))
			continue;
		*ret_size = types[i].size;
		*ret_signed = types[i].is_signed;
		return true;
	}
	return false;
}

/* "(u32 *)(r1 +4)", after the '*' or the function name's parenthesis. */
int lex_address(struct lexer *lex, u8 *ret_size, bool *ret_signed, u8 *ret_reg, s16 *ret_off)
{
	bool is_signed = false;
	int error = lex_expect(lex, "(");

	if (error)
		return error;
	if (!lex_type(lex, ret_size, &is_signed))
		return lex_fail(lex, "a type such as u32 is expected");
	if (is_signed && !ret_signed)
		return lex_fail(lex, "a signed type can only be loaded");
	if (ret_signed)
		*ret_signed = is_signed;
	error = lex_expect(lex, "*") ?: lex_expect(lex, ")") ?: lex_expect(lex, "(");
	error = error ?: lex_register_of(lex, 'r', ret_reg);
	error = error ?: lex_off(lex, ret_off);
	return error ?: lex_expect(lex, ")");
}
