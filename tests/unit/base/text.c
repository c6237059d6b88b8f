/* SPDX-License-Identifier: BSD-2-Clause */
/* base/text.h: contents, growth over many sizes, and what is left when memory runs out. */
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "harness/tap.h"

static void grows(void)
{
	struct text text = { 0 };
	size_t want = 0;
	bool good = true;

	for (int i = 0; i < 2000; i++) {
		char line[32];

		text_printf(&text, "%d,", i);
		want += (size_t)snprintf(line, sizeof(line), "%d,", i);
		good = good && text.length == want && strlen(text_str(&text)) == want;
	}
	tap_ok(good, "2000 pieces, each added whole");
	tap_ok(!strncmp(text_str(&text), "0,1,2,3,", 8), "in order");
	text_clear(&text);
	tap_is(strlen(text_str(&text)), 0, "cleared");
	text_add(&text, "a\0b", 3);
	tap_is(text.length, 3, "a NUL byte is a byte");
	text_done(&text);
}

static void fails_softly(void)
{
	struct text text = { 0 };
	char *stolen;

	text_add_str(&text, "start");
	base_alloc_fail_after(0);
	for (int i = 0; i < 100; i++)
		text_add_str(&text, "0123456789");
	base_alloc_fail_after(-1);
	tap_ok(text.failed, "the failure is remembered");
	tap_ok(!strncmp(text_str(&text), "start0123456789", 15) &&
		       strlen(text_str(&text)) == text.length,
	       "and what was there stays, terminated");
	tap_ok(!text_steal(&text) && !text.data, "an incomplete text is not handed out");

	stolen = text_steal(&text);
	tap_ok(stolen && !*stolen, "an empty text can be taken");
	base_free(stolen);
	text_add_str(&text, "whole");
	stolen = text_steal(&text);
	tap_ok(stolen && !strcmp(stolen, "whole") && !text.length, "and a whole one");
	base_free(stolen);
}

int main(void)
{
	struct text empty = { 0 };

	tap_ok(!strcmp(text_str(&empty), ""), "an empty text reads as \"\"");
	grows();
	fails_softly();
	return tap_done();
}
