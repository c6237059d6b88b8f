/* SPDX-License-Identifier: BSD-2-Clause */
/* The scenarios of tests/unit/sys on the running kernel: it must answer what the tests demand of
 * skep. */
#include "scenario.h"

int main(void)
{
	struct world *world = world_kernel();

	if (!world) {
		tap_skip(1, "no kernel bpf(2) here");
		return tap_done();
	}
	scenario_all(world);
	return tap_done();
}
