/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the tables of cases. With arguments: only the cases of which the name contains one of them,
 * with both logs on standard error where they differ. An argument that begins with '/' or '.' is a
 * file with a program in the assembler's syntax, whose first line is "; TYPE", the number of its
 * program type.
 */
#include "expand.h"
#include "oracle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "btf/btf.h"
#include "btf/walk.h"
#include "harness/tap.h"
#include "isa/asm.h"

#define INSNS_MAX 8192

static bool have_kernel, show_logs;

static void compare_with_kernel(const struct verify_case *c, const struct bpf_insn *insns, u32 nr,
				struct text *ours, struct text *kernel)
{
	static const u32 levels[] = { 6, 5, 4 /* for long logs only */ };

	for (int i = c->flags & CASE_LONG ? 2 : 0; i < (c->flags & CASE_LONG ? 3 : 2); i++) {
		int mine = oracle_skep(c, insns, nr, levels[i], ours);
		int theirs = oracle_kernel(c, insns, nr, levels[i], kernel);

		if (!tap_ok(mine == theirs, "%s: the kernel's verdict", c->name)) {
			tap_note("skep %d, kernel %d", mine, theirs);
			if (show_logs)
				oracle_same(ours, kernel, show_logs);
			return;
		}
		if (c->flags & CASE_OWN_LOG)
			continue;
		if (!tap_ok(oracle_same(ours, kernel, show_logs), "%s: the kernel's log, level %u",
			    c->name, levels[i]))
			return;
	}
}

static void run_case(const struct verify_case *c, struct text *ours, struct text *kernel)
{
	static struct bpf_insn insns[INSNS_MAX];
	char error[256] = "";
	int nr, err;

	bool needs_btf = c->tracepoint || strchr(c->text, '{');

	if (needs_btf && !oracle_kernel_btf()) {
		tap_skip(1, "%s: the kernel shows no BTF here", c->name);
		return;
	}
	nr = isa_assemble(needs_btf ? expand_text(oracle_kernel_btf(), c->text) : c->text, insns,
			  INSNS_MAX, error, sizeof(error));
	if (!tap_ok(nr > 0, "%s: assembles", c->name)) {
		tap_note("%s", error);
		return;
	}
	err = oracle_skep(c, insns, nr, c->flags & CASE_LONG ? 4 : 2, ours);
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
		cases_structure, cases_alu,	      cases_jump,    cases_stack, cases_memory,
		cases_helper,	 cases_call,	      cases_context, cases_loop,  cases_btf,
		cases_socket,	 cases_kfunc,	      cases_dynptr,  cases_iter,  cases_lock,
		cases_async,	 cases_kernel_object,
	};
	struct text ours = { malloc(ORACLE_LOG_MAX), 0 }, kernel = { malloc(ORACLE_LOG_MAX), 0 };

	if (!ours.text || !kernel.text)
		tap_bail("no memory");
	show_logs = argc > 1;
	have_kernel = oracle_open();
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
