/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the tables of cases. With arguments: only the cases of which the name contains one of them,
 * with both logs on standard error where they differ. An argument that begins with '/' or '.' is a
 * file with a program in the assembler's syntax, whose first line is "; TYPE", the number of its
 * program type.
 */
#include "case.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/tap.h"
#include "isa/asm.h"

#define LOG_MAX	  (16u << 20)
#define INSNS_MAX 8192

struct text {
	char *text;
	u64 length;
};

static int kernel_maps[NR_TEST_MAPS];
static bool have_kernel, show_logs;

static int map_by_fd(void *arg, int fd, const struct verify_map **ret_map)
{
	*ret_map = test_map((u32)fd);
	return *ret_map ? 0 : -EBADF;
}

static const struct verify_ops ops = { .map_by_fd = map_by_fd };

static void collect(void *arg, const char *text, u64 size)
{
	struct text *log = arg;

	if (log->length + size >= LOG_MAX)
		size = LOG_MAX - 1 - log->length;
	memcpy(log->text + log->length, text, size);
	log->length += size;
	log->text[log->length] = '\0';
}

static u32 prog_flags(const struct verify_case *c)
{
	return (c->flags & CASE_STRICT ? BPF_F_STRICT_ALIGNMENT : 0) |
	       (c->flags & CASE_STATE_FREQ ? BPF_F_TEST_STATE_FREQ : 0);
}

static int run_skep(const struct verify_case *c, const struct bpf_insn *insns, u32 nr, u32 level,
		    struct text *log)
{
	struct verify_input input = {
		.insns = insns,
		.nr_insns = nr,
		.prog_type = c->prog_type,
		.prog_flags = prog_flags(c),
		.gpl_compatible = !(c->flags & CASE_NOT_GPL),
		.privileged = true,
		.nr_cpus = (u32)sysconf(_SC_NPROCESSORS_CONF),
		.ops = &ops,
		.log = { .level = level, .write = collect, .arg = log },
	};
	struct verify_output output;
	int err;

	log->length = 0;
	log->text[0] = '\0';
	err = verify_program(&input, &output);
	if (!err)
		verify_output_done(&output);
	return err;
}

static int run_kernel(const struct verify_case *c, const struct bpf_insn *insns, u32 nr, u32 level,
		      struct text *log)
{
	struct bpf_insn *copy = malloc(nr * sizeof(*copy));
	union bpf_attr attr = { .prog_type = c->prog_type,
				.insns = (u64)(uintptr_t)copy,
				.insn_cnt = nr,
				.prog_flags = prog_flags(c),
				.license =
					(u64)(uintptr_t)(c->flags & CASE_NOT_GPL ? "none" : "GPL"),
				.log_level = level,
				.log_buf = (u64)(uintptr_t)log->text,
				.log_size = LOG_MAX };
	int fd;

	memcpy(copy, insns, nr * sizeof(*copy));
	for (u32 i = 0; i < nr; i++) {
		if (copy[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if ((copy[i].src_reg == BPF_PSEUDO_MAP_FD ||
		     copy[i].src_reg == BPF_PSEUDO_MAP_VALUE) &&
		    (u32)copy[i].imm < NR_TEST_MAPS)
			copy[i].imm = kernel_maps[copy[i].imm];
		i++;
	}
	log->text[0] = '\0';
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	fd = fd < 0 ? -errno : fd;
	free(copy);
	log->length = strlen(log->text);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/* Lines of the kernel's log that describe its way of working, not the program. */
static bool is_private_line(const char *line, size_t length)
{
	if (length > 4 && (!memcmp(line, "SCC ", 4) || !strncmp(line, "verification time", 17)))
		return true;
	return length > 3 && line[0] == '(' && line[1] >= '0' && line[1] <= '9' &&
	       (memmem(line, length, ") frame ", 8) || memmem(line, length, ") live stack", 12));
}

/*
 * A private line between an instruction and the state behind it: puts the state where it stands
 * without. out is the end of the text so far, line what follows. The characters of line that were
 * used up.
 */
static size_t join_state(const char *text, char **out, const char *line)
{
	const char *last = *out;
	size_t digits = strspn(line, "0123456789"), length, column;

	if (!digits || line[digits] != ':' || line[digits + 2] == '(' || *out == text)
		return 0;
	for (last = *out - 1; last > text && last[-1] != '\n'; last--)
		;
	length = *out - last;
	if (!memmem(last, length, ": (", 3) || memchr(last, ';', length))
		return 0;
	column = length + 4 > 40 ? length + 4 : 40;
	*out += sprintf(*out - 1, "%*c;", (int)(ALIGN_UP(column, 8) - length - 1), ' ') - 1;
	return digits + 1;
}

/* Takes out addresses of maps and private lines, in place. */
static void normalise(char *text)
{
	char *copy = malloc(2 * strlen(text) + 64), *out = copy;
	bool table = false, joined = false;

	for (char *line = text; *line;) {
		char *end = strchrnul(line, '\n');
		size_t length = end - line + (*end == '\n');

		if (!strncmp(line, "Live regs", 9))
			table = true;
		else if (table && (line[0] != ' ' || length < 20 || line[7] != ':'))
			table = false;
		else if (table)
			memset(line, ' ', 4); /* numbers of loops */
		if (joined) {
			size_t used = join_state(copy, &out, line);

			line += used;
			length -= used;
			joined = false;
		}
		if (!is_private_line(line, length)) {
			char *address = memmem(line, length, " = 0x", 5);
			size_t before = address && memmem(line, length, "(18) r", 6)
						? (size_t)(address + 5 - line)
						: length;
			char *rest = line + before;

			if (before < length && strspn(rest, "0123456789abcdef") > 10) {
				size_t digits = strspn(rest, "0123456789abcdef");

				memmove(out, line, before);
				out += before;
				rest += digits;
				/* Keep the column of what follows. */
				while (*rest == ' ')
					rest++;
				memmove(out, rest, line + length - rest);
				out += line + length - rest;
			} else {
				memmove(out, line, length);
				out += length;
			}
		} else if (!memcmp(line, "SCC ", 4))
			joined = true;
		line = end + (*end == '\n');
	}
	*out = '\0';
	if (out - copy < (long)LOG_MAX)
		strcpy(text, copy);
	free(copy);
}

static bool same_text(struct text *ours, struct text *kernel)
{
	const char *a, *b;

	normalise(ours->text);
	normalise(kernel->text);
	if (!strcmp(ours->text, kernel->text))
		return true;
	if (show_logs) {
		fprintf(stderr, "---- skep\n%s---- kernel\n%s----\n", ours->text, kernel->text);
		return false;
	}
	for (a = ours->text, b = kernel->text; *a && *a == *b;) {
		const char *a_end = strchrnul(a, '\n'), *b_end = strchrnul(b, '\n');

		if (a_end - a != b_end - b || memcmp(a, b, a_end - a))
			break;
		a = a_end + !!*a_end;
		b = b_end + !!*b_end;
	}
	tap_note("skep:   %.*s", (int)(strchrnul(a, '\n') - a), a);
	tap_note("kernel: %.*s", (int)(strchrnul(b, '\n') - b), b);
	return false;
}

static void compare_with_kernel(const struct verify_case *c, const struct bpf_insn *insns, u32 nr,
				struct text *ours, struct text *kernel)
{
	static const u32 levels[] = { 2, 1, 4 /* for long logs only */ };

	for (int i = c->flags & CASE_LONG ? 2 : 0; i < (c->flags & CASE_LONG ? 3 : 2); i++) {
		int mine = run_skep(c, insns, nr, levels[i], ours);
		int theirs = run_kernel(c, insns, nr, levels[i], kernel);

		if (!tap_ok(mine == theirs, "%s: the kernel's verdict", c->name)) {
			tap_note("skep %d, kernel %d", mine, theirs);
			if (show_logs)
				same_text(ours, kernel);
			return;
		}
		if (c->flags & CASE_OWN_LOG)
			continue;
		if (!tap_ok(same_text(ours, kernel), "%s: the kernel's log, level %u", c->name,
			    levels[i]))
			return;
	}
}

static void run_case(const struct verify_case *c, struct text *ours, struct text *kernel)
{
	static struct bpf_insn insns[INSNS_MAX];
	char error[256] = "";
	int nr = isa_assemble(c->text, insns, INSNS_MAX, error, sizeof(error)), err;

	if (!tap_ok(nr > 0, "%s: assembles", c->name)) {
		tap_note("%s", error);
		return;
	}
	err = run_skep(c, insns, nr, c->flags & CASE_LONG ? 4 : 2, ours);
	if (!tap_ok(err == c->err, "%s: verdict", c->name))
		tap_note("got %d, want %d: %s", err, c->err,
			 ours->length > 300 ? ours->text + ours->length - 300 : ours->text);
	if (c->message && !tap_ok(strstr(ours->text, c->message), "%s: message", c->name))
		tap_note("want: %s, got: %s", c->message,
			 ours->length > 300 ? ours->text + ours->length - 300 : ours->text);
	if (have_kernel && !(c->flags & CASE_OURS))
		compare_with_kernel(c, insns, nr, ours, kernel);
}

static bool selected(const struct verify_case *c, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(c->name, argv[i]))
			return true;
	return argc == 1;
}

static void run_file(const char *path, struct text *ours, struct text *kernel)
{
	static char text[1 << 20];
	struct verify_case c = { .name = path, .text = text };
	FILE *file = fopen(path, "r");
	size_t size = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	static struct bpf_insn insns[INSNS_MAX];
	char error[256] = "";
	int nr;

	if (file)
		fclose(file);
	text[size] = '\0';
	if (sscanf(text, "; %u", &c.prog_type) != 1)
		tap_bail("%s: the first line must be \"; TYPE\"", path);
	nr = isa_assemble(text, insns, INSNS_MAX, error, sizeof(error));
	if (nr <= 0)
		tap_bail("%s: %s", path, error);
	compare_with_kernel(&c, insns, nr, ours, kernel);
}

int main(int argc, char **argv)
{
	static const struct verify_case *const tables[] = {
		cases_structure, cases_alu,  cases_jump,    cases_stack, cases_memory,
		cases_helper,	 cases_call, cases_context, cases_loop,
	};
	struct text ours = { malloc(LOG_MAX), 0 }, kernel = { malloc(LOG_MAX), 0 };

	if (!ours.text || !kernel.text)
		tap_bail("no memory");
	show_logs = argc > 1;
	have_kernel = tap_kernel_bpf() && !test_maps_in_kernel(kernel_maps);
	if (!have_kernel)
		tap_skip(1,
			 "no comparison of verdicts and logs: the kernel takes no programs here");
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '/' || argv[i][0] == '.')
			run_file(argv[i], &ours, &kernel);
	for (u32 i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct verify_case *c = tables[i]; c->name; c++)
			if (selected(c, argc, argv))
				run_case(c, &ours, &kernel);
	free(ours.text);
	free(kernel.text);
	return tap_done();
}
