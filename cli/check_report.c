/* SPDX-License-Identifier: BSD-2-Clause */
/* See check_report.h. */
#include "check_report.h"

#include <stdio.h>
#include <string.h>
#include <skep/skep.h>

const char *row_text(struct json_object *row, const char *key)
{
	struct json_object *member;

	return json_object_object_get_ex(row, key, &member) ? json_object_get_string(member) : "";
}

long long row_number(struct json_object *row, const char *key)
{
	struct json_object *member;

	return json_object_object_get_ex(row, key, &member) ? json_object_get_int64(member) : -1;
}

static struct json_object *real_of(struct json_object *row)
{
	struct json_object *real = NULL;

	json_object_object_get_ex(row, "real", &real);
	return real;
}

static void format_number(char *text, size_t size, long long number)
{
	if (number < 0)
		snprintf(text, size, "-");
	else
		snprintf(text, size, "%lld", number);
}

static void format_time(char *text, size_t size, long long us)
{
	if (us < 0)
		snprintf(text, size, "-");
	else if (us < 10000)
		snprintf(text, size, "%lld us", us);
	else
		snprintf(text, size, "%lld ms", us / 1000);
}

static void format_memory(char *text, size_t size, long long bytes)
{
	if (bytes < 0)
		snprintf(text, size, "-");
	else if (bytes < 10 << 20)
		snprintf(text, size, "%lld K", (bytes + 1023) >> 10);
	else
		snprintf(text, size, "%lld M", bytes >> 20);
}

static void print_verdict(struct json_object *verdict)
{
	char time[32], processed[32], states[32];

	format_time(time, sizeof(time), row_number(verdict, "time_us"));
	format_number(processed, sizeof(processed), row_number(verdict, "processed"));
	format_number(states, sizeof(states), row_number(verdict, "states"));
	printf("%-8s %8s %8s %7s  ", row_text(verdict, "verdict"), time, processed, states);
}

void report_titles(bool real)
{
	static const char titles[] = "VERDICT      TIME    INSNS  STATES  ";

	if (real)
		printf("%-43s | THE RUNNING KERNEL'S\n", "SKEP'S");
	printf("%sMEMORY  %s%sPROFILE  PROGRAM\n", titles, real ? "| " : "", real ? titles : "");
}

static void print_reason(const char *who, struct json_object *verdict)
{
	if (*row_text(verdict, "reason"))
		printf("    %s%s\n", who, row_text(verdict, "reason"));
}

/* The rejected instruction, then what made its values: each below its line of source. */
static void print_causes(struct json_object *row)
{
	struct json_object *causes, *cause;
	const char *last = "";

	if (!json_object_object_get_ex(row, "causes", &causes))
		return;
	for (size_t i = 0; i < json_object_array_length(causes); i++) {
		const char *source, *value;

		cause = json_object_array_get_idx(causes, i);
		source = row_text(cause, "source");
		value = row_text(cause, "value");
		if (i < 2)
			puts(i ? "    where its values come from, the latest first:"
			       : "    the instruction:");
		if (*source && (i < 2 || strcmp(source, last)))
			printf("      %s:%lld: %s\n", row_text(cause, "file"),
			       row_number(cause, "line"), source);
		printf("        %lld: %s%s%s\n", row_number(cause, "insn"), row_text(cause, "text"),
		       *value ? "    with " : "", value);
		last = source;
	}
}

static void print_log(const char *who, const char *log)
{
	if (*log)
		printf("    %slog:\n", who);
	while (*log) {
		size_t length = strcspn(log, "\n");

		printf("        %.*s\n", (int)length, log);
		log += length;
		log += *log == '\n';
	}
}

void report_row(struct json_object *row, bool real)
{
	struct json_object *other = real_of(row);
	char memory[32];

	print_verdict(row);
	format_memory(memory, sizeof(memory), row_number(row, "memory"));
	printf("%6s  ", memory);
	if (real)
		printf("| ");
	if (other)
		print_verdict(other);
	else if (real)
		printf("%36s", "");
	printf("%-7s  %s", row_text(row, "profile"), row_text(row, "file"));
	if (*row_text(row, "program"))
		printf(": %s (%s)", row_text(row, "program"), row_text(row, "type"));
	puts(row_number(row, "differs") > 0 ? "  DIFFERS" : "");
	print_reason(real ? "skep: " : "", row);
	print_causes(row);
	if (other)
		print_reason("kernel: ", other);
	print_log(real ? "skep's " : "", row_text(row, "log"));
	if (other)
		print_log("the kernel's ", row_text(other, "log"));
	fflush(stdout);
}

void report_kernels(void)
{
	for (const char *const *kernel = skep_kernels(); *kernel; kernel++)
		printf("%-5s ", *kernel);
	printf(" PROGRAM\n");
}

/* Prints for which kernels, in a row of them, the reason is the same. */
static void print_reasons(struct json_object *answers)
{
	const char *const *kernels = skep_kernels();
	struct json_object *answer, *other;

	for (size_t i = 0; kernels[i]; i++) {
		size_t last = i;
		const char *reason;

		if (!json_object_object_get_ex(answers, kernels[i], &answer))
			continue;
		reason = row_text(answer, "reason");
		while (kernels[last + 1] &&
		       json_object_object_get_ex(answers, kernels[last + 1], &other) &&
		       !strcmp(row_text(other, "reason"), reason))
			last++;
		if (*reason && last > i)
			printf("    %s to %s: %s\n", kernels[i], kernels[last], reason);
		else if (*reason)
			printf("    %s: %s\n", kernels[i], reason);
		i = last;
	}
}

void report_matrix(struct json_object *row)
{
	struct json_object *answers, *answer;

	json_object_object_get_ex(row, "kernels", &answers);
	for (const char *const *kernel = skep_kernels(); *kernel; kernel++) {
		const char *verdict = "";

		if (json_object_object_get_ex(answers, *kernel, &answer))
			verdict = row_text(answer, "verdict");
		printf("%-5s ", !strcmp(verdict, "accepted")   ? "yes"
				: !strcmp(verdict, "rejected") ? "no"
							       : "?");
	}
	printf(" %s: %s (%s)\n", row_text(row, "file"), row_text(row, "program"),
	       row_text(row, "type"));
	print_reasons(answers);
	fflush(stdout);
}

static bool has_verdict(struct json_object *row, const char *verdict)
{
	return row && !strcmp(row_text(row, "verdict"), verdict);
}

static void report_beside_the_kernel(struct json_object *rows)
{
	size_t nr = json_object_array_length(rows), accepted = 0, both = 0, differ = 0, alone = 0;
	long long time = 0, its_time = 0;

	for (size_t i = 0; i < nr; i++) {
		struct json_object *row = json_object_array_get_idx(rows, i), *real = real_of(row);

		differ += row_number(row, "differs") > 0;
		alone += has_verdict(row, "accepted") && has_verdict(real, "error");
		if (!has_verdict(real, "accepted"))
			continue;
		accepted++;
		if (!has_verdict(row, "accepted"))
			continue;
		both++;
		time += row_number(row, "time_us");
		its_time += row_number(real, "time_us");
	}
	printf("%zu differ from the running kernel; of %zu that it accepts %zu are accepted",
	       differ, accepted, both);
	if (its_time > 0)
		printf(", in %.2f of its time", (double)time / (double)its_time);
	if (alone)
		printf("; %zu accepted that it does not judge", alone);
	putchar('\n');
}

void report_summary(struct json_object *rows, bool real)
{
	size_t nr = json_object_array_length(rows), accepted = 0, rejected = 0;

	for (size_t i = 0; i < nr; i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		accepted += has_verdict(row, "accepted");
		rejected += has_verdict(row, "rejected");
	}
	printf("%zu accepted, %zu rejected", accepted, rejected);
	if (nr != accepted + rejected)
		printf(", %zu not judged", nr - accepted - rejected);
	putchar('\n');
	if (real)
		report_beside_the_kernel(rows);
}
