/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hive is put together here, from the bottom up: arena, events, bpf(2), the doors. A process that
 * lives in a hive already cannot found another one below it (a filter chain has one listener): it
 * joins that one, and then spawning and serving are what they are everywhere, fork and wait. Hives
 * whose supervisor is another process are in named.c.
 */
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <skep/skep.h>
#include "abi/profile.h"
#include "agent/facade.h"
#include "arena/arena.h"
#include "base/alloc.h"
#include "gate/gate.h"
#include "hook/hook.h"
#include "rt/vcpu.h"
#include "lib/hive.h"
#include "sys/sys.h"
#include "verify/verify.h"

_Static_assert(SKEP_SPAWN_CLIENT == GATE_SPAWN_CLIENT, "the public flag is passed on as it is");

extern char **environ;

bool hive_is_around(struct agent_hive_info *ret_info)
{
	memset(ret_info, 0, sizeof(*ret_info));
	return syscall(SYS_bpf, AGENT_HIVE_INFO, ret_info, sizeof(*ret_info)) == 0;
}

static unsigned convert(const struct verify_diagnosis *diagnosis, struct skep_cause *to)
{
	if (!diagnosis)
		return 0;
	for (u32 i = 0; i < diagnosis->nr_causes; i++) {
		const struct verify_cause *from = &diagnosis->causes[i];

		to[i] = (struct skep_cause){
			.insn = from->insn,
			.text = from->text,
			.value = from->value,
			.source = from->source,
			.file = from->file,
			.line = from->line,
		};
	}
	return diagnosis->nr_causes;
}

static void verified(void *arg, const struct sys_verification *from)
{
	const struct skep_hive *hive = arg;
	struct skep_cause causes[VERIFY_CAUSES_MAX];
	struct skep_verification to = {
		.sz = sizeof(to),
		.name = from->name,
		.error = from->error,
		.insns = from->insns,
		.states = from->states,
		.peak_states = from->peak_states,
		.memory = from->memory,
		.causes = causes,
		.nr_causes = convert(from->diagnosis, causes),
	};

	hive->verified(hive->verified_arg, &to);
}

/* For whoever looks for the engine behind a result: SKEP_JIT=off, the interpreter runs all. */
static bool wants_interpreter(void)
{
	const char *jit = getenv("SKEP_JIT");

	return jit && !strcmp(jit, "off");
}

static int found(struct skep_hive *hive, const struct skep_hive_options *opts)
{
	struct sys_hive_options sys = { .attach_ops = &hook_attach_ops,
					.interpret = wants_interpreter(),
					.message = opts->message,
					.message_arg = opts->message_arg };
	struct gate_options gate = { .message = opts->message,
				     .message_arg = opts->message_arg,
				     .name = opts->name,
				     .state = opts->state,
				     .save_every_s = opts->save_every_s };
	const char *message = NULL;
	int error = arena_new(NULL, &hive->arena, &message);

	if (error) {
		if (message && opts->message)
			opts->message(opts->message_arg, message);
		return error;
	}
	hive->hook = hook_new(hive->arena);
	if (!hive->hook)
		return -ENOMEM;
	if (opts->message)
		hook_set_message(hive->hook, opts->message, opts->message_arg);
	if (opts->kernel)
		sys.kernel = abi_profile_find(opts->kernel)->version;
	hive->verified = opts->verified;
	hive->verified_arg = opts->verified_arg;
	if (opts->verified) {
		sys.verified = verified;
		sys.verified_arg = hive;
	}
	sys.arena = hive->arena;
	sys.attach_arg = hive->hook;
	hive->sys = sys_hive_new(&sys);
	if (!hive->sys)
		return -ENOMEM;
	gate.arena = hive->arena;
	gate.hook = hive->hook;
	gate.sys = hive->sys;
	return gate_new(&gate, &hive->gate);
}

int hive_options(const struct skep_hive_options *opts, struct skep_hive_options *ret_options)
{
	*ret_options = (struct skep_hive_options){ .sz = sizeof(*ret_options) };
	if (opts && opts->sz < sizeof(size_t))
		return -EINVAL;
	/* A caller built with a newer header may set what this library does not know: refused
	 * unless zero. */
	for (size_t i = sizeof(*ret_options); opts && i < opts->sz; i++)
		if (((const char *)opts)[i])
			return -E2BIG;
	if (opts)
		memcpy(ret_options, opts,
		       opts->sz < sizeof(*ret_options) ? opts->sz : sizeof(*ret_options));
	return 0;
}

EXPORT const char *const *skep_kernels(void)
{
	static const char *names[16];

	for (u32 i = 0; i + 1 < ARRAY_SIZE(names) && abi_profile_at(i); i++)
		names[i] = abi_profile_at(i)->name;
	return names;
}

EXPORT int skep_hive_new(const struct skep_hive_options *opts, struct skep_hive **ret_hive)
{
	struct skep_hive_options known;
	struct skep_hive *hive;
	int error = hive_options(opts, &known);

	if (error)
		return error;
	if (known.name && !registry_name_valid(known.name))
		return -EINVAL;
	if (known.kernel && !abi_profile_find(known.kernel))
		return -EINVAL;
	hive = base_zalloc(1, sizeof(*hive));
	if (!hive)
		return -ENOMEM;
	if (!hive_is_around(&hive->joined))
		error = found(hive, &known);
	else if (known.name || known.kernel)
		error = -EBUSY;
	if (error) {
		skep_hive_free(hive);
		return error;
	}
	*ret_hive = hive;
	return 0;
}

/*
 * Processes that go on without the hive may be in the middle of a program: nothing of it is given
 * back before they are out. A thread that is stopped there (by a debugger) is not waited for longer
 * than this.
 */
#define GRACE_MS 1000

static void wait_for_grace(void)
{
	struct rt_grace grace;

	rt_grace_begin(&grace);
	for (u32 i = 0; i < GRACE_MS && !rt_grace_over(&grace); i++)
		usleep(1000);
}

EXPORT struct skep_hive *skep_hive_free(struct skep_hive *hive)
{
	if (!hive)
		return NULL;
	gate_free(hive->gate);
	if (hive->arena)
		wait_for_grace();
	sys_hive_free(hive->sys);
	hook_free(hive->hook);
	arena_free(hive->arena);
	return base_free(hive);
}

EXPORT pid_t skep_hive_spawn(struct skep_hive *hive, char *const argv[], char *const envp[],
			     unsigned flags)
{
	pid_t pid;
	int error;

	if (!argv || !argv[0] || flags & ~SKEP_SPAWN_CLIENT)
		return -EINVAL;
	if (hive->gate)
		return gate_spawn(hive->gate, argv, envp, flags);
	if (hive->is_remote)
		return hive_spawn_remote(hive, argv, envp, flags);
	error = posix_spawnp(&pid, argv[0], NULL, NULL, argv, envp ? envp : environ);
	return error ? -error : pid;
}

EXPORT int skep_hive_serve(struct skep_hive *hive, pid_t pid, int *ret_status)
{
	if (hive->gate)
		return gate_serve(hive->gate, pid, ret_status);
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

EXPORT const char *skep_hive_facade(const struct skep_hive *hive)
{
	if (hive->is_remote)
		return hive->remote.path;
	return hive->gate ? gate_facade_dir(hive->gate) : hive->joined.facade_dir;
}
