/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Format strings: what follows a percent sign must be a conversion that the data plane's formatter
 * knows, and there must be an argument for it.
 */
#include "verify/format.h"

#include <string.h>

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_printable(char c)
{
	return c >= ' ' && c < 0x7f;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_punctuation(char c)
{
	return is_printable(c) && c != ' ' && !is_digit(c) && !(c >= 'a' && c <= 'z') &&
	       !(c >= 'A' && c <= 'Z');
}

static bool ends_conversion(char c)
{
	return !c || is_space(c) || is_punctuation(c);
}

/* The conversion at f, behind flags and width: its last character; NULL: none that is known. */
static const char *conversion_end(const char *f)
{
	if (*f == 'p') {
		if ((f[1] == 'k' || f[1] == 'u') && f[2] == 's')
			return ends_conversion(f[3]) ? f + 2 : NULL;
		if (ends_conversion(f[1]))
			return f;
		if (strchr("KxsSB", f[1]))
			return f + 1;
		if ((f[1] == 'i' || f[1] == 'I') && (f[2] == '4' || f[2] == '6'))
			return f + 2;
		return NULL;
	}
	if (*f == 's')
		return ends_conversion(f[1]) ? f : NULL;
	if (*f == 'c')
		return f;
	if (*f == 'l')
		f++;
	if (*f == 'l')
		f++;
	return *f && strchr("iduxX", *f) ? f : NULL;
}

bool format_check(const char *format, u64 nr_args)
{
	u64 used = 0;

	for (const char *f = format; *f; f++) {
		/* Bytes beyond ASCII are text, control characters are not. */
		if ((u8)*f < 0x80 && !is_printable(*f) && !is_space(*f))
			return false;
		if (*f != '%')
			continue;
		f++;
		if (*f == '%')
			continue;
		if (used++ >= nr_args)
			return false;
		while (*f && strchr("0+- ", *f))
			f++;
		while (is_digit(*f))
			f++;
		f = conversion_end(f);
		if (!f)
			return false;
	}
	return true;
}
