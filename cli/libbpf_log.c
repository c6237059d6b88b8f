/* SPDX-License-Identifier: BSD-2-Clause */
/* See libbpf_log.h. libbpf calls back with one warning at a time; a rejected program's log is one
 * of them. */
#include "libbpf_log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include "say.h"

#define WARNINGS_MAX 64

static char *warnings[WARNINGS_MAX]; /* the last ones, oldest first */
static int nr_warnings;

static int keep(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text;

	if (level != LIBBPF_WARN || vasprintf(&text, format, args) < 0)
		return 0;
	if (nr_warnings == WARNINGS_MAX) {
		free(warnings[0]);
		memmove(warnings, warnings + 1, sizeof(warnings) - sizeof(warnings[0]));
		nr_warnings--;
	}
	warnings[nr_warnings++] = text;
	return 0;
}

void libbpf_log_start(void)
{
	libbpf_set_print(keep);
}

void libbpf_log_clear(void)
{
	while (nr_warnings)
		free(warnings[--nr_warnings]);
}

const char *libbpf_log_reason(int err)
{
	static char text[128];

	libbpf_strerror(err, text, sizeof(text));
	return text;
}

/* Without "libbpf: ", "elf: ", and the newline. */
static const char *plain(char *text)
{
	size_t length = strlen(text);

	if (length && text[length - 1] == '\n')
		text[length - 1] = '\0';
	return strncmp(text, "libbpf: ", 8) ? text : text + 8;
}

const char *libbpf_log_last(const char *otherwise)
{
	return nr_warnings ? plain(warnings[nr_warnings - 1]) : otherwise;
}

/* "prog 'NAME': BPF program load failed: …": NAME, or false. */
static bool failed_program(const char *text, char *name, size_t size)
{
	const char *start = strstr(text, "prog '"), *end;

	if (!start || !strstr(text, "load failed"))
		return false;
	start += 6;
	end = strchr(start, '\'');
	if (!end)
		return false;
	snprintf(name, size, "%.*s", (int)(end - start), start);
	return true;
}

bool libbpf_log_asked_kernel(void)
{
	char name[128];

	for (int i = 0; i < nr_warnings; i++)
		if (failed_program(warnings[i], name, sizeof(name)))
			return true;
	return false;
}

/* What follows from the sentence that was said, or frames the log. */
static bool is_noise(const char *text)
{
	return strstr(text, "failed to load: -") || strstr(text, "failed to load object") ||
	       strstr(text, "failed to prepare load attributes") ||
	       strstr(text, "BPF program load failed: ");
}

const char *libbpf_log_cause(const char *otherwise)
{
	for (int i = nr_warnings; i; i--)
		if (!is_noise(warnings[i - 1]))
			return plain(warnings[i - 1]);
	return otherwise;
}

/* One warning; of a rejected program's log, the log itself. */
static void print_warning(char *warning)
{
	static const char begin[] = "-- BEGIN PROG LOAD LOG --\n",
			  end[] = "-- END PROG LOAD LOG --";
	const char *text = plain(warning), *log = strstr(text, begin);
	size_t length = strlen(text);

	if (log) {
		text = log + strlen(begin);
		length = strlen(text);
		if (length >= strlen(end) && !strcmp(text + length - strlen(end), end))
			length -= strlen(end) + 1;
	} else if (is_noise(text)) {
		return;
	}
	write_all(STDERR_FILENO, text, length);
	write_all(STDERR_FILENO, "\n", 1);
}

void libbpf_log_rejection(const char *file, int err, bool real)
{
	char name[128] = "";

	for (int i = 0; i < nr_warnings && !*name; i++)
		failed_program(warnings[i], name, sizeof(name));
	if (real && (err == EPERM || err == EACCES) && geteuid()) {
		say("%s: the running kernel takes programs from root only (CAP_BPF and "
		    "CAP_PERFMON); "
		    "without --real no privilege is needed",
		    file);
		return;
	}
	if (*name)
		say("%s: program \"%s\" was rejected: %s", file, name, libbpf_log_reason(err));
	else
		say("%s: it cannot be loaded: %s", file, libbpf_log_reason(err));
	for (int i = 0; i < nr_warnings; i++)
		print_warning(warnings[i]);
}
