/* SPDX-License-Identifier: BSD-2-Clause */
/* See jit.h: analysis, then passes until the code does not move any more. */
#include "jit/jit.h"

#include <cpuid.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "jit/x86_64/codegen.h"
#include "rt/prog.h"

#define PASSES_SHORT 12 /* then only long jumps are used, which cannot fail to come to rest */
#define PASSES_MAX   15
#define INT3	     0xcc

struct jit {
	struct emitter emitter; /* its labels */
	u32 nr_functions, nr_insns, enter;
	u32 functions[]; /* labels */
};

u32 jit_features(void)
{
	u32 a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & 1u << 8 ? JIT_BMI2 : 0;
}

static int run_passes(struct generator *generator, const char **ret_refusal)
{
	for (u32 pass = 0; pass < PASSES_MAX; pass++) {
		generator->emitter.only_long = pass >= PASSES_SHORT;
		codegen_program(generator);
		if (generator->emitter.no_memory)
			return -ENOMEM;
		if (generator->refusal) {
			*ret_refusal = generator->refusal;
			return -EOPNOTSUPP;
		}
		if (emit_pass_end(&generator->emitter))
			return 0;
	}
	*ret_refusal = "its jumps do not come to rest";
	return -EOPNOTSUPP;
}

int jit_compile(const struct jit_input *input, struct jit **ret_jit, const char **ret_refusal)
{
	const struct rt_prog *prog = input->prog;
	struct analysis analysis;
	struct generator generator = { .input = input, .analysis = &analysis };
	struct jit *jit;
	int error;

	*ret_refusal = NULL;
	*ret_jit = NULL;
	jit = base_zalloc(1, sizeof(*jit) + prog->nr_subprogs * sizeof(jit->functions[0]));
	if (!jit)
		return -ENOMEM;
	error = analysis_run(input, &analysis, ret_refusal);
	if (!error) {
		generator.function_labels = jit->functions;
		error = run_passes(&generator, ret_refusal);
		analysis_done(&analysis);
	}
	base_free(generator.colds);
	jit->emitter = generator.emitter;
	jit->enter = generator.enter;
	jit->nr_functions = prog->nr_subprogs;
	jit->nr_insns = prog->nr_insns;
	if (error)
		jit = jit_free(jit);
	*ret_jit = jit;
	return error;
}

struct jit *jit_free(struct jit *jit)
{
	if (jit)
		emit_done(&jit->emitter);
	return base_free(jit);
}

u32 jit_size(const struct jit *jit)
{
	return jit->emitter.size;
}

u32 jit_enter(const struct jit *jit)
{
	return jit->emitter.offsets[jit->enter];
}

u32 jit_function(const struct jit *jit, u32 subprog)
{
	return jit->emitter.offsets[jit->functions[subprog]];
}

int jit_copy(const struct jit *jit, u8 *out, u64 address)
{
	const struct emitter *emitter = &jit->emitter;

	memcpy(out, emitter->bytes, emitter->size);
	for (u32 i = 0; i < emitter->nr_relocations; i++) {
		const struct emit_relocation *relocation = &emitter->relocations[i];
		s64 distance = (s64)(relocation->target - (address + relocation->behind));
		s32 displacement = (s32)distance;

		if (displacement != distance) {
			memset(out, INT3, emitter->size);
			return -ERANGE;
		}
		memcpy(out + relocation->at, &displacement, sizeof(displacement));
	}
	return 0;
}
