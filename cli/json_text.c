/* SPDX-License-Identifier: BSD-2-Clause */
/* See json_text.h. */
#include "json_text.h"

#include <stdlib.h>
#include <string.h>

/* The bytes of the character that text begins with (RFC 3629); 0: it begins with none. */
static size_t character(const unsigned char *text)
{
	/* Which first bytes there are, and what the second may be; all others are 0x80 … 0xbf. */
	static const struct {
		unsigned char first, last, low, high;
		size_t size;
	} rows[] = {
		{ 0x01, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (*text < rows[i].first || *text > rows[i].last)
			continue;
		if (rows[i].size > 1 && (text[1] < rows[i].low || text[1] > rows[i].high))
			return 0;
		for (size_t at = 2; at < rows[i].size; at++)
			if (text[at] < 0x80 || text[at] > 0xbf)
				return 0;
		return rows[i].size;
	}
	return 0;
}

struct json_object *json_text(const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t length = strlen(text), to = 0;
	char *copy = malloc(length * (sizeof(replacement) - 1) + 1);
	struct json_object *string;

	if (!copy)
		return NULL;
	for (size_t from = 0; from < length;) {
		size_t size = character((const unsigned char *)text + from);

		memcpy(copy + to, size ? text + from : replacement,
		       size ? size : sizeof(replacement) - 1);
		to += size ? size : sizeof(replacement) - 1;
		from += size ? size : 1;
	}
	string = json_object_new_string_len(copy, (int)to);
	free(copy);
	return string;
}
