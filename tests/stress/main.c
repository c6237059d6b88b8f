/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stress kill    [--kills N] [--seed N] [ROW]
 * stress mixed   [--operations N] [--threads N] [--processes N] [--seed N] [ROW]
 * stress hostile [--operations N] [--seed N] [ROW]
 *
 * ROW is a part of the names of the rows to be run. The numbers are those of each row.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "harness/tap.h"
#include "stress.h"
#include "unit/rt/map_env.h"

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "kills", 1, NULL, 'k' },   { "operations", 1, NULL, 'o' },
		{ "threads", 1, NULL, 't' }, { "processes", 1, NULL, 'p' },
		{ "seed", 1, NULL, 's' },    { 0 }
	};
	u64 kills = 25, operations = UNDER_SANITIZER ? 4000 : 40000, seed = 1;
	u32 threads = 4, processes = 1;
	struct arena *arena;
	const char *command, *only;
	int option, status = 1;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'k': kills = strtoull(optarg, NULL, 0); break;
		case 'o': operations = strtoull(optarg, NULL, 0); break;
		case 't': threads = (u32)atoi(optarg); break;
		case 'p': processes = (u32)atoi(optarg); break;
		case 's': seed = strtoull(optarg, NULL, 0); break;
		default: return 2;
		}
	}
	if (optind >= argc)
		tap_bail("kill, mixed or hostile?");
	command = argv[optind];
	only = argv[optind + 1];
	arena = env_new(STRESS_SLOTS);
	if (!strcmp(command, "kill"))
		status = stress_kill(arena, only, kills, seed);
	else if (!strcmp(command, "mixed"))
		status = stress_mixed(arena, only, operations, threads, processes, seed);
	else if (!strcmp(command, "hostile"))
		status = stress_hostile(arena, only, operations, seed);
	else
		tap_bail("kill, mixed or hostile?");
	arena_free(arena);
	return status;
}
