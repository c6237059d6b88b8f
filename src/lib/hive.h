/* SPDX-License-Identifier: BSD-2-Clause */
/* What a caller of the library holds of a hive, for the files of this directory. */
#ifndef SKEP_LIB_HIVE_H
#define SKEP_LIB_HIVE_H

#include <skep/skep.h>
#include "agent/facade.h"
#include "base/types.h"
#include "gate/control.h"

#define EXPORT __attribute__((visibility("default")))

/* Ours if gate is set; another process's if is_remote; else the one that this process lives in. */
struct skep_hive {
	struct arena *arena;
	struct hook *hook;
	struct sys_hive *sys;
	struct gate *gate;
	struct agent_hive_info joined;
	bool is_remote;
	struct control_answer remote;
	void (*verified)(void *arg, const struct skep_verification *verification);
	void *verified_arg;
};

/* Does this process live in a hive? */
bool hive_is_around(struct agent_hive_info *ret_info);

/* A caller's options as this library knows them: 0, -EINVAL, -E2BIG. */
int hive_options(const struct skep_hive_options *opts, struct skep_hive_options *ret_options);

/* skep_hive_spawn() for a hive whose supervisor is another process. */
pid_t hive_spawn_remote(struct skep_hive *hive, char *const argv[], char *const envp[],
			unsigned flags);

#endif
