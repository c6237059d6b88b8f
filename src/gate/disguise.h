/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that reach the supervisor under another number, where a seccomp filter around the hive
 * denies their own (AGENT_FOR_BPF in agent/protocol.h).
 */
#ifndef SKEP_GATE_DISGUISE_H
#define SKEP_GATE_DISGUISE_H

#include <linux/seccomp.h>
#include "base/types.h"

/* Is the number another call's? */
bool disguise_is_on(const struct seccomp_data *data);

/* The call with its own number. */
struct seccomp_data disguise_off(const struct seccomp_data *data);

#endif
