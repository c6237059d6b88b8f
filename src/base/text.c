/* SPDX-License-Identifier: BSD-2-Clause */
/* See text.h. Room doubles, so that a text of n bytes costs O(n) copies. */
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include "base/alloc.h"

#define TEXT_ROOM_MIN 128

/* Room for size more bytes and the NUL. */
static bool reserve(struct text *text, size_t size)
{
	size_t need, room;
	char *data;

	if (text->failed)
		return false;
	if (__builtin_add_overflow(text->length, size, &need) || need >= SIZE_MAX / 2) {
		text->failed = true;
		return false;
	}
	if (need < text->room)
		return true;
	room = text->room ? text->room : TEXT_ROOM_MIN;
	while (room <= need)
		room *= 2;
	data = base_realloc(text->data, room, 1);
	if (!data) {
		text->failed = true;
		return false;
	}
	text->data = data;
	text->room = room;
	return true;
}

void text_done(struct text *text)
{
	base_free(text->data);
	*text = (struct text){ 0 };
}

void text_clear(struct text *text)
{
	text->length = 0;
	text->failed = false;
	if (text->data)
		text->data[0] = '\0';
}

void text_add(struct text *text, const void *data, size_t size)
{
	if (!reserve(text, size))
		return;
	if (size)
		memcpy(text->data + text->length, data, size);
	text->length += size;
	text->data[text->length] = '\0';
}

void text_add_str(struct text *text, const char *str)
{
	text_add(text, str, strlen(str));
}

void text_vprintf(struct text *text, const char *format, va_list args)
{
	va_list again;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		text->failed = true;
	if (length < 0 || !reserve(text, (size_t)length))
		return;
	vsnprintf(text->data + text->length, (size_t)length + 1, format, args);
	text->length += (size_t)length;
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_vprintf(text, format, args);
	va_end(args);
}

const char *text_str(const struct text *text)
{
	return text->data ? text->data : "";
}

char *text_steal(struct text *text)
{
	char *data;

	text_add(text, "", 0); /* an empty text has no memory yet */
	if (text->failed) {
		text_done(text);
		return NULL;
	}
	data = text->data;
	*text = (struct text){ 0 };
	return data;
}
