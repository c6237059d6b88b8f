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
	scenario_attr(world);
	scenario_map_create(world);
	scenario_map_elem(world);
	scenario_map_batch(world);
	scenario_btf(world);
	scenario_prog_load(world);
	scenario_log(world);
	scenario_map_objects(world);
	scenario_prologue(world);
	scenario_info(world);
	scenario_link(world);
	scenario_test_run(world);
	scenario_misc(world);
	return tap_done();
}
