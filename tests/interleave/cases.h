/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two cores that are explored, and how far.
 */
#ifndef SKEP_TESTS_CASES_H
#define SKEP_TESTS_CASES_H

#include "explore.h"

struct case_budget {
	u32 buffer, deaths;
	u64 states_max;
	bool wide;	  /* also those with three participants */
	bool stop;	  /* at the first that fails */
	const char *only; /* NULL, or a part of the name of the cases to run */
};

void case_hash(const struct case_budget *budget);
void case_ring(const struct case_budget *budget);

/* Explores one scenario over this memory and the vCPUs' words, and reports it. */
void case_run(const char *core, const char *name, const struct explore_scenario *scenario,
	      void *memory, u64 size, const struct case_budget *budget);

#endif
