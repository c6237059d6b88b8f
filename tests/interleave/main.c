/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interleave [--buffer N] [--deaths N] [--states N] [--wide] [PART]: explores the lock-free cores
 * of the data plane; without arguments what every test run has time for. PART is a part of the
 * names of the cases to be explored.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "harness/tap.h"
#include "rt/shared.h"
#include "rt/vcpu.h"

void case_run(const char *core, const char *name, const struct explore_scenario *scenario,
	      void *memory, u64 size, const struct case_budget *budget)
{
	static bool first = true;
	struct explore_options options = { .buffer = budget->buffer,
					   .deaths = budget->deaths,
					   .states_max = budget->states_max };
	struct explore_outcome outcome;

	if (budget->only && !strstr(name, budget->only) && !strstr(core, budget->only))
		return;
	/* From the vCPUs' words to the end of what is explored. */
	explore_memory((void *)RT_DATA_BASE, (u64)memory + size - RT_DATA_BASE);
	for (u32 i = 0; first && i < EXPLORE_THREADS_MAX; i++)
		explore_private(&RT_VCPUS[i], offsetof(struct rt_vcpu, task));
	first = false;
	outcome = explore(scenario, &options);
	tap_ok(!outcome.wrong && outcome.complete,
	       "%s: %s, %u stores wait, %u die: %llu states, %llu ends%s: %s", core, name,
	       options.buffer, options.deaths, (unsigned long long)outcome.states,
	       (unsigned long long)outcome.ends,
	       outcome.complete || outcome.wrong ? "" : ", not all",
	       outcome.wrong ? outcome.wrong : "as specified");
	if (budget->stop && outcome.wrong)
		exit(tap_done());
}

static void run(const struct case_budget *budget)
{
	case_hash(budget);
	case_ring(budget);
}

/* Strong order with a death, and weak order without. */
static void run_small(struct case_budget budget)
{
	budget.states_max = 20000000;
	budget.deaths = 1;
	run(&budget);
	budget.deaths = 0;
	budget.buffer = 2;
	run(&budget);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "buffer", 1, NULL, 'b' }, { "deaths", 1, NULL, 'd' }, { "states", 1, NULL, 's' },
		{ "wide", 0, NULL, 'w' },   { "stop", 0, NULL, 'x' },	{ 0 }
	};
	struct case_budget budget = { .states_max = 2000000000 };
	bool small = true;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'b': budget.buffer = (u32)atoi(optarg), small = false; break;
		case 'd': budget.deaths = (u32)atoi(optarg), small = false; break;
		case 's': budget.states_max = strtoull(optarg, NULL, 0); break;
		case 'w': budget.wide = true; break;
		case 'x': budget.stop = true; break;
		default: tap_bail("usage: see %s", __FILE__);
		}
	}
	if (budget.buffer > EXPLORE_BUFFER_MAX)
		tap_bail("at most %u stores can wait", EXPLORE_BUFFER_MAX);
	budget.only = argv[optind];
	if (small)
		run_small(budget);
	else
		run(&budget);
	return tap_done();
}
