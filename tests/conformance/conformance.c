/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs case files on every engine and compares with what the file says. The kernel is one of the
 *engines, so a wrong expectation fails where the kernel can be asked.
 *
 * A case file:
 *	# a comment, whole lines only
 *	test: a name
 *	    instructions, as src/isa/asm.h says; $a, $b, $c stand for the columns of a table
 *	memory: 01 02 …          (at "map_value 0 + 0"; the rest is zero)
 *	packet: 01 02 …          (r1 is then a socket filter's context; R0 is 32 bits)
 *	gives: 0x5               (R0)
 *	memory after: 03 …       (its first bytes)
 *	table: a b gives         (one run for each of the rows that follow)
 *	    0x1 0x2 0x3
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/engine.h"
#include "harness/tap.h"
#include "isa/asm.h"

#define TEXT_MAX    16384
#define COLUMNS_MAX 4
#define ROWS_MAX    512

struct test_case {
	char name[128];
	char code[TEXT_MAX];
	u8 memory[ENGINE_MEMORY], packet[ENGINE_PACKET_MAX], after[ENGINE_MEMORY];
	u32 packet_size, after_size;
	bool has_result;
	u64 result;
	u32 nr_columns, nr_rows;
	char columns[COLUMNS_MAX][16];
	char cells[ROWS_MAX][COLUMNS_MAX][24];
};

static const char *file_name;

/* Replaces $name by the row's cell. */
static void substitute(const struct test_case *test, u32 row, char *code, u32 size)
{
	u32 used = 0;

	for (const char *at = test->code; *at && used < size - 32; at++) {
		bool replaced = false;

		for (u32 i = 0; *at == '$' && i < test->nr_columns; i++) {
			size_t length = strlen(test->columns[i]);

			if (strncmp(at + 1, test->columns[i], length) != 0)
				continue;
			used += (u32)snprintf(code + used, size - used, "%s", test->cells[row][i]);
			at += length;
			replaced = true;
			break;
		}
		if (!replaced)
			code[used++] = *at;
	}
	code[used] = 0;
}

static const char *cell_of(const struct test_case *test, u32 row, const char *column)
{
	for (u32 i = 0; i < test->nr_columns; i++)
		if (strcmp(test->columns[i], column) == 0)
			return test->cells[row][i];
	return NULL;
}

/* One row on one engine. Appends what went wrong to *problems. */
static bool run_row(const struct test_case *test, u32 row, enum engine engine, char *problem,
		    u32 problem_size)
{
	static struct engine_input input;
	static char code[TEXT_MAX], log[65536];
	struct engine_result result = { 0 };
	const char *cell = test->nr_columns ? cell_of(test, row, "gives") : NULL;
	u64 want = cell ? strtoull(cell, NULL, 0) : test->result;
	char error[128];
	int nr;

	substitute(test, row, code, sizeof(code));
	nr = isa_assemble(code, input.insns, ENGINE_INSNS_MAX, error, sizeof(error));
	if (nr < 0) {
		snprintf(problem, problem_size, "%s", error);
		return false;
	}
	input.nr_insns = (u32)nr;
	memcpy(input.memory, test->memory, sizeof(input.memory));
	memcpy(input.packet, test->packet, sizeof(input.packet));
	input.packet_size = test->packet_size;
	if (!engine_run(engine, &input, &result, log, sizeof(log))) {
		snprintf(problem, problem_size, "rejected: %.400s", log);
		return false;
	}
	if ((cell || test->has_result) && result.r0 != want) {
		snprintf(problem, problem_size, "row %u: R0 is %#llx, not %#llx", row + 1,
			 (unsigned long long)result.r0, (unsigned long long)want);
		return false;
	}
	for (u32 i = 0; i < test->after_size; i++) {
		if (result.memory[i] == test->after[i])
			continue;
		snprintf(problem, problem_size, "byte %u of the memory is %02x, not %02x", i,
			 result.memory[i], test->after[i]);
		return false;
	}
	return true;
}

static void run_case(const struct test_case *test)
{
	u32 rows = test->nr_columns ? test->nr_rows : 1;

	if (!rows || (!test->has_result && !test->after_size && !cell_of(test, 0, "gives")))
		tap_bail("%s: '%s' expects nothing", file_name, test->name);
	for (enum engine engine = 0; engine < ENGINES; engine++) {
		char problem[512] = "";
		u32 failed = 0;

		if (!engine_available(engine)) {
			tap_skip(1, "%s: no kernel to ask", test->name);
			continue;
		}
		for (u32 row = 0; row < rows; row++) {
			char why[512];

			if (run_row(test, row, engine, why, sizeof(why)))
				continue;
			if (!failed++)
				memcpy(problem, why, sizeof(problem));
		}
		if (!tap_ok(failed == 0, "%s: %s (%u)", engine_name(engine), test->name, rows))
			tap_note("%s: %u of %u failed; %s", file_name, failed, rows, problem);
	}
}

static u32 parse_bytes(const char *text, u8 *bytes, u32 max)
{
	u32 count = 0;
	char *end;

	while (count < max) {
		unsigned long byte = strtoul(text, &end, 16);

		if (end == text)
			return count;
		if (byte > 255)
			tap_bail("%s: %lx is no byte", file_name, byte);
		bytes[count++] = (u8)byte;
		text = end;
	}
	return count;
}

static void parse_columns(struct test_case *test, char *text)
{
	for (char *word = strtok(text, " \t\n"); word; word = strtok(NULL, " \t\n")) {
		if (test->nr_columns == COLUMNS_MAX)
			tap_bail("%s: too many columns", file_name);
		snprintf(test->columns[test->nr_columns++], sizeof(test->columns[0]), "%s", word);
	}
}

static void parse_row(struct test_case *test, char *text)
{
	u32 column = 0;

	for (char *word = strtok(text, " \t\n"); word; word = strtok(NULL, " \t\n")) {
		if (column == test->nr_columns || test->nr_rows == ROWS_MAX)
			tap_bail("%s: '%s' has too many rows or cells", file_name, test->name);
		snprintf(test->cells[test->nr_rows][column++], sizeof(test->cells[0][0]), "%s",
			 word);
	}
	if (column && column != test->nr_columns)
		tap_bail("%s: a short row in '%s'", file_name, test->name);
	test->nr_rows += column != 0;
}

/* "name: value": the value, or NULL. */
static char *value_of(char *line, const char *name)
{
	size_t length = strlen(name);

	return strncmp(line, name, length) == 0 && line[length] == ':' ? line + length + 1 : NULL;
}

static void run_file(const char *path)
{
	static struct test_case test;
	FILE *file = fopen(path, "re");
	char line[512], *value;
	bool open = false;

	file_name = path;
	if (!file)
		tap_bail("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if ((value = value_of(line, "test"))) {
			if (open)
				run_case(&test);
			memset(&test, 0, sizeof(test));
			snprintf(test.name, sizeof(test.name), "%.*s",
				 (int)strcspn(value + 1, "\n"), value + 1);
			open = true;
		} else if (!open) {
			tap_bail("%s: a line before the first test", path);
		} else if ((value = value_of(line, "memory after"))) {
			test.after_size = parse_bytes(value, test.after, sizeof(test.after));
		} else if ((value = value_of(line, "memory"))) {
			parse_bytes(value, test.memory, sizeof(test.memory));
		} else if ((value = value_of(line, "packet"))) {
			test.packet_size =
				parse_bytes(value, test.packet, sizeof(test.packet) - 16);
		} else if ((value = value_of(line, "gives"))) {
			test.has_result = true;
			test.result = strtoull(value, NULL, 0);
		} else if ((value = value_of(line, "table"))) {
			parse_columns(&test, value);
		} else if (test.nr_columns) {
			parse_row(&test, line);
		} else if (strlen(test.code) + strlen(line) < TEXT_MAX) {
			strcat(test.code, line);
		} else {
			tap_bail("%s: '%s' is too long", path, test.name);
		}
	}
	if (!open)
		tap_bail("%s: no test in it", path);
	run_case(&test);
	fclose(file);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		tap_bail("usage: test-conformance FILE…");
	engine_start();
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	engine_stop();
	return tap_done();
}
