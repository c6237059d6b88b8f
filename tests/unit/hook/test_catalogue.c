/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The catalogue against the running kernel's tracefs: the `format` text of every event that can
 * fire must be the kernel's but for the id.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include "harness/tap.h"
#include "hook/digest.h"
#include "hook/state.h"

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 65536);

	if (file && !fread(text, 1, 65535, file))
		*text = '\0';
	if (file)
		fclose(file);
	return text;
}

/* Takes the number out of the line "ID: N". */
static void drop_id(char *text)
{
	char *at = strstr(text, "\nID: "), *end;

	if (!at)
		return;
	at += 5;
	end = strchr(at, '\n');
	memmove(at, end, strlen(end) + 1);
}

static void test_identity(void)
{
	const struct hook_event *event, *other;
	u32 nr = 0, wrong = 0;

	for (; (event = hook_event_at(nr)); nr++) {
		wrong += hook_event_by_id(event->id) != event;
		wrong += hook_event_by_name(event->group, event->name) != event;
	}
	tap_ok(nr > 700, "the catalogue has %u rows", nr);
	tap_is(wrong, 0, "each is found by its id and by its name");
	other = hook_event_by_name("syscalls", "sys_enter_openat");
	tap_ok(other && other->nr == 257 && other->kind == HOOK_SYS_ENTER, "openat is 257");
	tap_ok(!hook_event_by_name("syscalls", "sys_enter_nothing"), "an unknown name is unknown");
	tap_ok(!hook_event_by_id(0) && !hook_event_by_id(~0u), "unknown ids are unknown");
}

static void test_sizes(void)
{
	tap_is(hook_event_context_size(hook_event_by_name("syscalls", "sys_enter_openat")), 48,
	       "sys_enter_openat ends after four arguments");
	tap_is(hook_event_context_size(hook_event_by_name("syscalls", "sys_exit_openat")), 24,
	       "sys_exit_openat ends after ret");
	tap_is(hook_event_context_size(hook_event_by_name("raw_syscalls", "sys_enter")), 64,
	       "raw_syscalls:sys_enter ends after six arguments");
	tap_is(hook_event_context_size(hook_event_by_name("sched", "sched_process_exit")), 33,
	       "sched_process_exit ends after group_dead");
}

static void test_small_buffer(void)
{
	const struct hook_event *event = hook_event_by_name("syscalls", "sys_enter_openat");
	char text[4096];
	long length = hook_event_format(event, text, sizeof(text));
	u32 wrong = 0;

	for (long size = 0; size <= length; size++)
		wrong += hook_event_format(event, text, (u64)size) != -ENOSPC;
	tap_ok(length > 0 && wrong == 0, "a buffer that is too small is refused at every size");
	tap_is(hook_event_format(event, text, (u64)length + 1), length, "one that fits is not");
}

static void test_formats(void)
{
	const struct hook_event *event;
	u32 same = 0, other = 0;
	struct utsname name;

	uname(&name);
	if (strncmp(name.release, "6.18.", 5) != 0) {
		tap_skip(1, "the formats are those of Linux 6.18, this is %s", name.release);
		return;
	}
	for (u32 i = 0; (event = hook_event_at(i)); i++) {
		char path[256], mine[4096];
		char *theirs;

		if (event->unavailable)
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/tracing/events/%s/%s/format",
			 event->group, event->name);
		theirs = read_file(path);
		if (*theirs) {
			hook_event_format(event, mine, sizeof(mine));
			drop_id(mine);
			drop_id(theirs);
			if (strcmp(mine, theirs) == 0) {
				same++;
			} else {
				other++;
				tap_note("%s differs:\n%s---\n%s", event->name, mine, theirs);
			}
		}
		free(theirs);
	}
	if (same + other == 0)
		tap_skip(1, "tracefs cannot be read here");
	else
		tap_ok(other == 0, "%u formats are the kernel's, %u are not", same, other);
}

int main(void)
{
	test_identity();
	test_sizes();
	test_small_buffer();
	test_formats();
	tap_ok(digest_catalogue() && digest_catalogue() == hook_catalogue_digest(),
	       "the digest made with skep is this catalogue's");
	return tap_done();
}
