/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The door: runs the stages in the kernel's order (the first complaint is the one that clients
 * see), then hands the result over. Owns the environment of one verification.
 */
#include "verify/verify.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "abi/context.h"
#include "verify/backtrack.h"
#include "verify/btf_info.h"
#include "verify/btf_ptr.h"
#include "verify/cfg.h"
#include "verify/env.h"
#include "verify/diagnose.h"
#include "verify/explore.h"
#include "verify/fixup.h"
#include "verify/live_regs.h"
#include "verify/fastcall.h"
#include "verify/live_stack.h"
#include "verify/loops.h"
#include "verify/program.h"
#include "verify/scc.h"
#include "verify/shown.h"
#include "verify/prune.h"

static struct verify_env *env_free(struct verify_env *env)
{
	if (!env)
		return NULL;
	explore_done(env);
	pool_done(&env->states);
	base_free(env->insns);
	base_free(env->aux);
	base_free(env->async);
	base_free(env->line_info);
	base_free(env->func_info);
	base_free(env->postorder);
	base_free(env->place);
	base_free(env->first_pred);
	base_free(env->preds);
	base_free(env->back_registers);
	base_free(env);
	return NULL;
}

static struct verify_env *env_new(const struct verify_input *input)
{
	struct verify_env *env = base_zalloc(1, sizeof(*env));

	if (!env)
		return NULL;
	env->input = input;
	env->nr_insns = input->nr_insns;
	env->ctx = abi_ctx_find(input->prog_type);
	env->kernel_btf = input->kernel_btf;
	env->allow_ptr_leaks = env->allow_uninit_stack = env->capable = input->privileged;
	env->precise_now = !env->capable;
	env->strict_alignment =
		(input->prog_flags & (BPF_F_STRICT_ALIGNMENT | BPF_F_ANY_ALIGNMENT)) ==
		BPF_F_STRICT_ALIGNMENT;
	env->sleepable = input->prog_flags & BPF_F_SLEEPABLE;
	env->test_state_freq = input->prog_flags & BPF_F_TEST_STATE_FREQ;
	env->max_insns = input->test_max_insns ? input->test_max_insns : INSNS_PROCESSED_MAX;
	env->insns = base_zalloc(input->nr_insns, sizeof(*env->insns));
	env->aux = base_zalloc(input->nr_insns + 1, sizeof(*env->aux));
	if (!env->insns || !env->aux)
		return env_free(env);
	memcpy(env->insns, input->insns, input->nr_insns * sizeof(*env->insns));
	for (u32 i = 0; i < env->nr_insns; i++)
		env->aux[i].orig_idx = i;
	return env;
}

static int run_stages(struct verify_env *env)
{
	static int (*const stages[])(struct verify_env *) = {
		program_read_fd_array,
		btf_info_read_funcs,
		program_find_subprogs,
		program_check_subprogs,
		btf_info_check,
		program_resolve_constants,
		cfg_check,
		cfg_order,
		fastcall_find,
		scc_find,
		btf_ptr_check_attach,
		live_regs_compute,
		backtrack_prepare,
		explore_program,
		fastcall_remove,
		program_check_stack_depth,
	};

	for (u32 i = 0; i < ARRAY_SIZE(stages); i++) {
		int err = stages[i](env);

		if (err)
			return err;
	}
	return 0;
}

static void log_statistics(struct verify_env *env, u64 start_ns, bool accepted)
{
	struct timespec now;

	if (env->input->log.level & LOG_STATS) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		verbose(env, "verification time %llu usec\n",
			((unsigned long long)now.tv_sec * 1000000000ULL + now.tv_nsec - start_ns) /
				1000);
		verbose(env, "stack depth ");
		for (u32 i = 0; i < env->nr_subprogs; i++)
			verbose(env, "%s%u", i ? "+" : "",
				accepted ? env->subprog[i].shown_stack
					 : env->subprog[i].stack_depth);
		/* The kernel adds a function for exceptions. */
		verbose(env, "%s\n", accepted && env->throws && !env->exception_cb ? "+0" : "");
	}
	verbose(env,
		"processed %u insns (limit %d) max_states_per_insn %u total_states %u peak_states "
		"%u "
		"mark_read %u\n",
		env->insns_processed, INSNS_PROCESSED_MAX, env->max_states_per_insn,
		env->total_states, env->peak_states, 0u);
}

static int fill_output(struct verify_env *env, const struct verify_shown *shown,
		       struct verify_output *output)
{
	*output = (struct verify_output){
		.insns = env->insns,
		.shown = *shown,
		.nr_insns = env->nr_insns,
		.nr_subprogs = env->nr_subprogs,
		.nr_used_maps = env->nr_maps,
		.max_ctx_offset = env->max_ctx_offset,
		.max_rdonly_access = env->max_rdonly_access,
		.max_rdwr_access = env->max_rdwr_access,
		.tail_calls = env->subprog[0].tail_call_reachable,
		.reads_maps = env->reads_maps,
		.exception_callback = env->exception_cb,
		.throws = env->throws,
	};
	env->insns = NULL;
	output->async = env->async;
	output->nr_async = env->nr_async;
	env->async = NULL;
	output->subprogs = base_zalloc(env->nr_subprogs, sizeof(*output->subprogs));
	output->used_maps = base_zalloc(env->nr_maps + 1, sizeof(*output->used_maps));
	if (!output->subprogs || !output->used_maps) {
		verify_output_done(output);
		return -ENOMEM;
	}
	for (u32 i = 0; i < env->nr_subprogs; i++) {
		output->subprogs[i].start = env->subprog[i].start;
		output->subprogs[i].stack_depth = env->subprog[i].stack_depth;
		output->subprogs[i].type_id = (u32)env->subprog[i].type_id;
		output->subprogs[i].unreliable = env->subprog[i].unreliable;
		output->subprogs[i].changes_packet = env->subprog[i].changes_packet;
		output->subprogs[i].might_sleep = env->subprog[i].might_sleep;
	}
	for (u32 i = 0; i < env->nr_maps; i++)
		output->used_maps[i] = env->maps[i]->handle;
	return 0;
}

static void set_counters(const struct verify_env *env, const struct base_account *account,
			 struct verify_output *output)
{
	output->verified_insns = env->insns_processed;
	output->max_states_per_insn = env->max_states_per_insn;
	output->total_states = env->total_states;
	output->peak_states = env->peak_states;
	output->memory = account->peak;
}

/* With an environment that is freed here. */
static int run_with(struct verify_env *env, struct base_account *account,
		    struct verify_output *ret_output)
{
	struct verify_shown shown = { 0 };
	struct timespec start;
	size_t limit;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &start);
	err = run_stages(env);
	if (err)
		diagnose_program(env);
	/* From here on it only gets less, but for what is said and handed out. */
	limit = account->limit;
	account->limit = 0;
	if (account->over_limit)
		verbose(env, "verifying takes more than %zu KiB of memory\n", limit >> 10);
	if (!err)
		err = fixup_program(env, &shown);
	log_statistics(env, (u64)start.tv_sec * 1000000000ULL + start.tv_nsec, !err);
	if (!err)
		err = fill_output(env, &shown, ret_output);
	else
		verify_shown_done(&shown);
	/* A log that lost text would be worse than no program. */
	if (!err && env->log.out_of_memory) {
		verify_output_done(ret_output);
		err = -ENOMEM;
	}
	log_finish(env);
	set_counters(env, account, ret_output);
	env_free(env);
	return err;
}

int verify_program(const struct verify_input *input, struct verify_output *ret_output)
{
	struct base_account account = {
		.limit = input->memory_max ? input->memory_max : VERIFY_MEMORY_MAX,
	};
	struct base_account *before;
	struct verify_env *env;
	int err = -ENOMEM;

	memset(ret_output, 0, sizeof(*ret_output));
	if (input->ret_diagnosis)
		memset(input->ret_diagnosis, 0, sizeof(*input->ret_diagnosis));
	if (!input->nr_insns || input->nr_insns > INSNS_PROCESSED_MAX)
		return -E2BIG;
	if (!abi_ctx_find(input->prog_type))
		return -EINVAL;
	before = base_account_set(&account);
	env = env_new(input);
	if (env) {
		/* A caller that keeps states brings their memory. */
		struct pool *callers = state_memory();

		if (!callers)
			state_memory_set(&env->states);
		err = run_with(env, &account, ret_output);
		state_memory_set(callers);
	}
	base_account_set(before);
	return err;
}

int verify_attach(const struct verify_input *input, const struct verify_subprog *main)
{
	struct verify_env *env = base_zalloc(1, sizeof(*env));
	int err;

	if (!env)
		return -ENOMEM;
	env->input = input;
	env->sleepable = input->prog_flags & BPF_F_SLEEPABLE;
	env->nr_subprogs = 1;
	env->subprog[0].changes_packet = main->changes_packet;
	env->subprog[0].might_sleep = main->might_sleep;
	env->nr_func_info = input->nr_func_info;
	if (env->nr_func_info)
		env->func_info = base_memdup(input->func_info, sizeof(*env->func_info));
	err = env->nr_func_info && !env->func_info ? -ENOMEM : btf_ptr_check_attach(env);
	log_finish(env);
	env_free(env);
	return err;
}

void verify_output_done(struct verify_output *output)
{
	base_free(output->insns);
	base_free(output->subprogs);
	base_free(output->async);
	base_free(output->used_maps);
	verify_shown_done(&output->shown);
	memset(output, 0, sizeof(*output));
}
