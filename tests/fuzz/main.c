/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target over a corpus and over seeded mutants of it: fuzz-NAME RUNS FILE...
 * A file whose name ends in ".hex" holds an input in each line.
 * Then each input is tried with one allocation after the other failing.
 * An input that is being tried is kept in memory; when the target crashes, its seed and number are
 * what the last line of output says, and the same arguments crash again.
 */
#include "fuzz.h"
#include "base/alloc.h"
#include "base/types.h"
#include "harness/tap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX    65536
#define FAILURES_MAX 40 /* of an input's allocations */

struct input {
	u8 *data;
	u32 size;
};

static struct input *inputs;
static u32 nr_inputs;
static u64 state = 1;
static volatile u32 run;

static u32 draw(u32 below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return below ? (u32)(state >> 33) % below : 0;
}

static void on_alarm(int sig)
{
	static const char text[] = "Bail out! an input took longer than 20 seconds\n";

	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

static struct input *add_input(u32 size)
{
	struct input *input;

	inputs = realloc(inputs, (nr_inputs + 1) * sizeof(*inputs));
	if (!inputs)
		tap_bail("no memory");
	input = &inputs[nr_inputs++];
	input->data = malloc(size + 1);
	input->size = size;
	if (!input->data)
		tap_bail("no memory");
	return input;
}

static u8 digit_of(char c)
{
	return (u8)(c >= 'a' ? c - 'a' + 10 : c - '0');
}

static void read_lines(FILE *file)
{
	static char line[2 * INPUT_MAX + 2];

	while (fgets(line, sizeof(line), file)) {
		struct input *input = add_input((u32)strspn(line, "0123456789abcdef") / 2);

		for (u32 i = 0; i < input->size; i++)
			input->data[i] =
				(u8)(digit_of(line[2 * i]) << 4 | digit_of(line[2 * i + 1]));
	}
}

static void read_file(const char *path)
{
	static u8 data[INPUT_MAX];
	FILE *file = fopen(path, "rb");
	size_t length = strlen(path), size;

	if (!file)
		tap_bail("%s: cannot be read", path);
	if (length > 4 && !strcmp(path + length - 4, ".hex")) {
		read_lines(file);
	} else {
		size = fread(data, 1, sizeof(data), file);
		memcpy(add_input((u32)size)->data, data, size);
	}
	fclose(file);
}

/* One change: a bit, a byte, a word of interest, a piece moved, cut off or taken from another
 * input. */
static u32 mutate(u8 *data, u32 size)
{
	static const u32 words[] = { 0,		 1,	     2,		4,	8,
				     0x7f,	 0xff,	     0x7fff,	0xffff, 0x10000,
				     0x7fffffff, 0x80000000, 0xffffffff };
	u32 at = draw(size), length, word, from;
	const struct input *other;

	switch (draw(6)) {
	case 0: data[at] ^= (u8)(1 << draw(8)); break;
	case 1: data[at] = (u8)draw(256); break;
	case 2:
		word = words[draw(ARRAY_SIZE(words))];
		memcpy(data + at, &word, size - at < 4 ? size - at : 4);
		break;
	case 3:
		from = draw(size);
		length = draw(64);
		if (from + length <= size && at + length <= size)
			memmove(data + at, data + from, length);
		break;
	case 4: return at ? at : size;
	default:
		other = &inputs[draw(nr_inputs)];
		from = draw(other->size);
		length = draw(other->size - from);
		if (at + length > INPUT_MAX)
			length = INPUT_MAX - at;
		memcpy(data + at, other->data + from, length);
		return at + length > size ? at + length : size;
	}
	return size;
}

/* Every allocation of every input fails once. */
static void fail_allocations(void)
{
	u32 i, n, failed = 0;
	bool fired = true;

	for (i = 0; i < nr_inputs; i++)
		for (n = 0, fired = true; n < FAILURES_MAX && fired; n++) {
			alarm(20);
			base_alloc_fail_after(n);
			LLVMFuzzerTestOneInput(inputs[i].data, inputs[i].size);
			fired = base_alloc_fail_after(-1);
			failed += fired;
		}
	tap_ok(failed || !fired, "%u allocations failed, one at a time", failed);
}

int main(int argc, char **argv)
{
	u32 runs = argc > 1 ? (u32)atoi(argv[1]) : 0, changes, size;
	u8 *data = malloc(INPUT_MAX);
	int i;

	for (i = 2; i < argc; i++)
		read_file(argv[i]);
	if (!nr_inputs || !data)
		tap_bail("usage: %s RUNS FILE...", argv[0]);
	signal(SIGALRM, on_alarm);
	for (i = 0; i < (int)nr_inputs; i++) {
		alarm(20);
		LLVMFuzzerTestOneInput(inputs[i].data, inputs[i].size);
	}
	tap_ok(true, "%u inputs of the corpus", nr_inputs);
	for (run = 0; run < runs; run++) {
		const struct input *input;

		state = run + 1;
		draw(2);
		input = &inputs[draw(nr_inputs)];
		size = input->size;
		memcpy(data, input->data, size);
		for (changes = 1 + draw(6); changes && size; changes--)
			size = mutate(data, size);
		alarm(20);
		LLVMFuzzerTestOneInput(data, size);
	}
	fail_allocations();
	alarm(0);
	tap_ok(run == runs, "%u mutants", runs);
	for (i = 0; i < (int)nr_inputs; i++)
		free(inputs[i].data);
	free(inputs);
	free(data);
	return tap_done();
}
