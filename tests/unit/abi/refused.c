/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every helper and every kernel function of 6.18 is there, or it is said why not: the tables
 * against the running kernel's BTF, and docs/refused.md against the tables. With "--write": writes
 * that page to standard output.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "abi/helper.h"
#include "abi/kfunc.h"
#include "btf/btf.h"
#include "harness/kernel_btf.h"
#include "harness/tap.h"

#define HELPERS 211

static void write_page(FILE *out)
{
	const char *name, *why;
	u32 available = 0, i;

	for (u32 id = 1; id <= HELPERS; id++)
		available += abi_helper_find(id)->available;
	fprintf(out,
		"# What programs cannot call\n\n"
		"Linux 6.18 has %u helpers; a hive has %u of them, and %u of the kernel functions "
		"(kfuncs) "
		"that 6.18 lets programs\ncall. The verifier refuses the others, with the kernel's "
		"errno "
		"and first line, and the reason from this page as the\nsecond one. A test makes "
		"this page "
		"from the tables (`src/abi/helper_*.c`, `src/abi/kfunc_refused.c`) and holds them\n"
		"against the running kernel: nothing can be missing without a row.\n\n"
		"| helper | why it is not there |\n|---|---|\n",
		HELPERS, available, ABI_NR_KFUNCS);
	for (u32 id = 1; id <= HELPERS; id++)
		if (!abi_helper_find(id)->available)
			fprintf(out, "| `bpf_%s` | %s |\n", abi_helper_find(id)->name,
				abi_helper_find(id)->refused);
	fprintf(out, "\n| kernel function | why it is not there |\n|---|---|\n");
	for (i = 0; (name = abi_kfunc_refused_at(i, &why)); i++)
		fprintf(out, "| `%s` | %s |\n", name, why);
}

/* Is the file what write_page() writes? */
static void check_page(const char *path)
{
	char *want = NULL, *have = NULL;
	size_t want_size = 0, have_size = 0;
	FILE *out = open_memstream(&want, &want_size), *in = fopen(path, "r");

	if (!out)
		tap_bail("no memory");
	write_page(out);
	fclose(out);
	if (in && getdelim(&have, &have_size, '\0', in) < 0)
		tap_note("%s cannot be read", path);
	tap_ok(have && !strcmp(have, want), "%s says what the tables say", path);
	if (!have || strcmp(have, want))
		tap_note("write it again: test-abi-refused --write > %s", path);
	if (in)
		fclose(in);
	free(want);
	free(have);
}

/* Each function that the kernel's BTF marks has a row in one of the two tables. */
static void check_kernel(void)
{
	u32 tagged = 0, unknown = 0;
	struct utsname name;
	struct btf *btf = kernel_btf_read();

	if (!btf || uname(&name) || strncmp(name.release, "6.18", 4) != 0) {
		tap_skip(1, "this is no 6.18 that shows its BTF");
		btf_free(btf);
		return;
	}
	for (u32 id = 1; id < btf_nr_types(btf); id++) {
		const struct btf_type *type = btf_type_by_id(btf, id);
		const char *tag = btf_string(btf, type->name_off), *function;

		if (btf_kind_of(type) != BTF_KIND_DECL_TAG || strcmp(tag, "bpf_kfunc") != 0)
			continue;
		function = btf_type_name(btf, type->type);
		tagged++;
		if (abi_kfunc_find(function) >= 0 || abi_kfunc_refused(function))
			continue;
		unknown++;
		tap_note("%s is in no table", function);
	}
	tap_ok(tagged > 100 && !unknown, "%u kernel functions of this kernel are known", tagged);
	btf_free(btf);
}

static void check_tables(void)
{
	u32 both = 0, wrong = 0;
	const char *name, *why;

	for (u32 i = 0; (name = abi_kfunc_refused_at(i, &why)); i++) {
		if (abi_kfunc_find(name) < 0)
			continue;
		both++;
		tap_note("%s is there, and refused", name);
	}
	tap_ok(!both, "no kernel function is there and refused");
	for (u32 id = 1; id <= HELPERS; id++) {
		const struct abi_helper *helper = abi_helper_find(id);

		if (helper->available != !helper->refused) {
			wrong++;
			tap_note("bpf_%s: available, or it is said why not", helper->name);
		}
	}
	tap_ok(!wrong, "each helper is there, or it is said why not");
}

int main(int argc, char **argv)
{
	if (argc < 2)
		tap_bail("usage: %s --write, or the path of docs/refused.md", argv[0]);
	if (!strcmp(argv[1], "--write")) {
		write_page(stdout);
		return 0;
	}
	check_tables();
	check_kernel();
	check_page(argv[1]);
	return tap_done();
}
