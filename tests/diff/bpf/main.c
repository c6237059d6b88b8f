/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random sequences of bpf(2) calls, of all commands, sent to the running kernel and to src/sys.
 * Results and every byte that comes back are compared; the first difference is reduced to the calls
 * that it needs and printed.
 *
 * Usage: diff-bpf [--seed N] [--calls N] [--without FAMILY,...] [--all] [--client SKEP]
 *   --all: go on after a difference, and print each kind of it once
 *   --client SKEP: not what is linked in, but a process under `SKEP exec`
 */
#include "client.h"
#include "pair.h"
#include "harness/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPISODE 60

static struct pair pair;
static struct op ops[EPISODE];
static bool made[EPISODE]; /* a descriptor */
static struct outcome outcome;
static u32 differences;

/* Runs the operations that are kept; those left out still take the descriptor's number that they
 * took. */
static bool replay(const bool *kept, u32 nr)
{
	static struct op fill;
	const char *what = NULL;
	u32 i;

	pair_reset(&pair);
	for (i = 0; i < nr; i++) {
		if (!kept[i]) {
			fill.kind = OP_FILL;
			if (made[i])
				pair_run(&pair, &fill, &outcome);
			continue;
		}
		pair_run(&pair, &ops[i], &outcome);
		what = compare(&pair, &ops[i], &outcome);
	}
	return kept[nr - 1] && what;
}

static void print_bytes(const char *name, const u8 *data, u32 size)
{
	u32 i;

	while (size && !data[size - 1])
		size--;
	if (!size)
		return;
	printf("#     %s:", name);
	for (i = 0; i < size && i < 160; i++)
		printf("%s%02x", i % 4 ? "" : " ", data[i]);
	printf("%s\n", size > 160 ? " ..." : "");
}

static void print_op(const struct op *op)
{
	static const struct {
		const char *name;
		u32 at, size;
	} places[] = { { "attr", AT_ATTR, 320 },     { "key", AT_KEY, 16 },
		       { "value", AT_VALUE, 16 },    { "insns", AT_INSNS, 160 },
		       { "license", AT_LICENSE, 8 }, { "name", AT_NAME, 32 },
		       { "btf", AT_BTF, 160 },	     { "info", AT_INFO, 64 } };
	static const char *const kinds[] = { "",     "close", "perf_event_open", "fill", "dup",
					     "dup2", "send" };
	const struct abi_command *command = abi_command_find(op->cmd);
	u32 i;

	if (op->kind != OP_BPF) {
		printf("#   %s %d %d\n", kinds[op->kind], op->fd, op->onto);
		return;
	}
	printf("#   %s, command %u, size %u", command ? command->name : "?", op->cmd, op->size);
	if (op->id_of != NO_ID)
		printf(", id of %d", op->id_of);
	if (op->attr_at || op->attr_address)
		printf(", attributes at %#x or %#llx", op->attr_at,
		       (unsigned long long)op->attr_address);
	printf("%s\n", op->raw ? ", raw" : "");
	print_bytes("there", op->memory + op->attr_at,
		    op->attr_at > AT_KEY ? MEMORY_SIZE - op->attr_at : 0);
	for (i = 0; i < ARRAY_SIZE(places); i++)
		print_bytes(places[i].name, op->memory + places[i].at, places[i].size);
}

static void print_text(const char *name, const u8 *text)
{
	u32 size = AT_BTF - AT_LOG, i;

	if (!*text)
		return;
	printf("#   %s's log: ", name);
	for (i = 0; i < size && i < 600 && text[i]; i++)
		if (text[i] == '\n')
			printf("\n#       ");
		else
			putchar(text[i]);
	putchar('\n');
}

/* What each side says about a program, if it was not asked to. */
static void print_logs(const struct op *op)
{
	static char text[4096];
	const union abi_attr *attr = (const void *)(op->memory + AT_ATTR);
	u32 true_size;
	int side;

	if (op->kind != OP_BPF || op->cmd != BPF_PROG_LOAD || attr->load.log_level)
		return;
	for (side = 0; side < SIDES; side++) {
		pair_load(&pair, side, op, 1, text, sizeof(text), &true_size);
		print_text(side ? "skep" : "kernel", (const u8 *)text);
	}
}

static bool is_elem(u32 cmd)
{
	return (cmd >= BPF_MAP_LOOKUP_ELEM && cmd <= BPF_MAP_GET_NEXT_KEY) ||
	       cmd == BPF_MAP_LOOKUP_AND_DELETE_ELEM || cmd == BPF_MAP_FREEZE;
}

static void print_difference(const struct op *op, const char *what)
{
	const union abi_attr *attr = (const void *)(op->memory + AT_ATTR);
	u32 i;

	if (op->kind == OP_BPF && is_elem(op->cmd))
		printf("#   map of type %u, flags %#x, %u entries\n",
		       pair.slots[attr->elem.map_fd % FDS].type,
		       pair.slots[attr->elem.map_fd % FDS].flags,
		       pair.slots[attr->elem.map_fd % FDS].max_entries);
	printf("# %s differ: kernel %ld, skep %ld\n", what, outcome.results[0], outcome.results[1]);
	print_logs(op);
	for (i = 0; i < MEMORY_SIZE; i++)
		if (outcome.memory[0][i] != outcome.memory[1][i]) {
			printf("#   first at %#x: kernel %02x, skep %02x\n", i,
			       outcome.memory[0][i], outcome.memory[1][i]);
			print_bytes("kernel", outcome.memory[0] + (i & ~7u), 64);
			print_bytes("skep", outcome.memory[1] + (i & ~7u), 64);
			print_text("kernel", outcome.memory[0] + AT_LOG);
			print_text("skep", outcome.memory[1] + AT_LOG);
			break;
		}
}

/* The same command with the same pair of results is the same kind of difference. */
static bool is_new(const struct op *op)
{
	static struct {
		u32 cmd, type;
		long results[SIDES];
	} seen[512];
	static u32 nr;
	const union abi_attr *attr = (const void *)(op->memory + AT_ATTR);
	u32 type = op->cmd == BPF_MAP_CREATE || op->cmd == BPF_PROG_LOAD ? attr->map_type : 0, i;
	bool fds = gives_fd(op->cmd);
	long kernel = fds && outcome.results[0] > 0 ? 1 : outcome.results[0];
	long skep = fds && outcome.results[1] > 0 ? 1 : outcome.results[1];

	for (i = 0; i < nr; i++)
		if (seen[i].cmd == op->cmd && seen[i].results[0] == kernel &&
		    seen[i].type == type && seen[i].results[1] == skep)
			return false;
	if (nr == ARRAY_SIZE(seen))
		return false;
	seen[nr].cmd = op->cmd;
	seen[nr].type = type;
	seen[nr].results[0] = kernel;
	seen[nr++].results[1] = skep;
	return true;
}

static void reduce(u64 seed, u32 nr)
{
	static struct outcome last;
	bool kept[EPISODE];
	u32 i;

	last = outcome;
	memset(kept, true, sizeof(kept));
	if (!replay(kept, nr)) {
		outcome = last;
		print_difference(&ops[nr - 1], "once, not when done again: results");
		print_op(&ops[nr - 1]);
		return;
	}
	for (i = nr - 1; i-- > 0;) {
		kept[i] = false;
		if (!replay(kept, nr))
			kept[i] = true;
	}
	replay(kept, nr);
	printf("# seed %llu, reduced:\n", (unsigned long long)seed);
	for (i = 0; i < nr; i++)
		if (kept[i])
			print_op(&ops[i]);
	print_difference(&ops[nr - 1], "results or memory");
	fflush(stdout);
}

/* One sequence from nothing: the number of calls, fewer than a full one after a difference. */
static u32 episode(u64 seed)
{
	u32 i;

	pair_reset(&pair);
	generate_seed(seed);
	for (i = 0; i < EPISODE; i++) {
		generate(&pair, &ops[i]);
		pair_run(&pair, &ops[i], &outcome);
		made[i] = op_gives_fd(&ops[i]) && outcome.results[0] >= FIRST_FD &&
			  outcome.results[0] == outcome.results[1];
		if (!compare(&pair, &ops[i], &outcome)) {
			if (pair.parted)
				return i + 1;
			continue;
		}
		differences++;
		if (is_new(&ops[i]))
			reduce(seed, i + 1);
		return i + 1;
	}
	return EPISODE;
}

int main(int argc, char **argv)
{
	u64 seed = 1, first, calls = 60000, done = 0;
	const char *skep = NULL;
	bool all = false;
	int i;

	if (argc == 4 && !strcmp(argv[1], "--serve"))
		return client_serve(argv[2], argv[3]);
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--all"))
			all = true;
		else if (i + 1 < argc && !strcmp(argv[i], "--seed"))
			seed = strtoull(argv[++i], NULL, 0);
		else if (i + 1 < argc && !strcmp(argv[i], "--calls"))
			calls = strtoull(argv[++i], NULL, 0);
		else if (i + 1 < argc && !strcmp(argv[i], "--client"))
			skep = argv[++i];
		else if (i + 1 < argc && !strcmp(argv[i], "--without") &&
			 generate_leave_out(argv[i + 1]))
			i++;
		else
			tap_bail("usage: %s [--seed N] [--calls N] [--without FAMILY,...] [--all] "
				 "[--client SKEP]",
				 argv[0]);
	}
	if (skep)
		generate_for_client();
	if (!pair_init(&pair, skep)) {
		tap_skip(1, "no kernel bpf(2) to compare with");
		return tap_done();
	}
	generate_probe(&pair);
	for (first = seed; done < calls && (all || !differences); seed++)
		done += episode(seed);
	compare_report();
	tap_ok(!differences, "%llu calls from seed %llu: %u differences", (unsigned long long)done,
	       (unsigned long long)first, differences);
	tap_is(pair_done(&pair), 0, "nothing is left");
	return tap_done();
}
