/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Native code for a loaded program (src/jit). A program without it is as good, but slower, so what
 * goes wrong here is told to the person behind the hive and is no error.
 */
#include "sys/prog_load.h"
#include "base/alloc.h"
#include "jit/install.h"
#include "rt/kfunc.h"

#include <errno.h>

static void say_why(struct sys_load *load, int error, const char *refusal)
{
	struct sys_hive *hive = load->call->hive;

	if (error == -EOPNOTSUPP)
		sys_say(hive, "program \"%.16s\" is interpreted: it has %s", load->prog->name,
			refusal);
	else
		sys_say(hive, "program \"%.16s\" is interpreted: no room for its native code",
			load->prog->name);
}

void sys_prog_compile(struct sys_load *load)
{
	const struct verify_output *output = &load->output;
	struct sys_prog *prog = load->prog;
	struct sys_hive *hive = load->call->hive;
	const struct rt_map **maps = base_zalloc(output->nr_used_maps, sizeof(*maps));
	struct jit_input input = { .prog = prog->rt,
				   .maps = maps,
				   .nr_maps = output->nr_used_maps,
				   .nr_vcpus = RT_CONTROL->nr_vcpus,
				   .helpers = rt_helpers,
				   .kfuncs = rt_kfuncs,
				   .features = jit_features() };
	const char *refusal = NULL;
	int error = maps ? 0 : -ENOMEM;

	for (u32 i = 0; i < output->nr_used_maps && !error; i++)
		maps[i] = ((const struct sys_map *)output->used_maps[i])->rt;
	if (!error)
		error = jit_install(hive->options.arena, &input, prog->rt, &refusal);
	base_free(maps);
	if (error)
		say_why(load, error, refusal);
}
