/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing string. Writers need not check each call: when memory runs out the text keeps what it
 * has, stays NUL-terminated, and remembers the failure for whoever takes the result. A zeroed
 * struct text is an empty text.
 */
#ifndef SKEP_BASE_TEXT_H
#define SKEP_BASE_TEXT_H

#include <stdarg.h>
#include "base/types.h"

struct text {
	char *data; /* NUL-terminated; NULL while nothing was written */
	size_t length, room;
	bool failed; /* something is missing for want of memory */
};

/* Frees the memory and makes it empty again. */
void text_done(struct text *text);

/* Forgets the contents and the failure, keeps the memory. */
void text_clear(struct text *text);

void text_add(struct text *text, const void *data, size_t size);
void text_add_str(struct text *text, const char *str);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vprintf(struct text *text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* The contents, "" when empty; valid until the next write. */
const char *text_str(const struct text *text);

/*
 * Gives the string to the caller, who frees it with base_free(), and leaves the text empty.
 * NULL if anything is missing from it.
 */
char *text_steal(struct text *text);

#endif
