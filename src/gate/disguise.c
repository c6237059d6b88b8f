/* SPDX-License-Identifier: BSD-2-Clause */
/* See disguise.h. */
#include "gate/disguise.h"

#include <sys/syscall.h>
#include "agent/protocol.h"
#include "rt/arena.h"

bool disguise_is_on(const struct seccomp_data *data)
{
	/* Of the agent's text seccomp shows only the instruction that asks the supervisor. */
	bool from_agent = data->instruction_pointer - RT_TEXT_BASE < RT_TEXT_SIZE;

	if (data->nr == AGENT_FOR_BPF)
		return from_agent || agent_is_command(data->args[0]);
	return from_agent && data->nr == AGENT_FOR_PERF_EVENT_OPEN;
}

struct seccomp_data disguise_off(const struct seccomp_data *data)
{
	struct seccomp_data real = *data;

	if (disguise_is_on(data))
		real.nr = data->nr == AGENT_FOR_BPF ? SYS_bpf : SYS_perf_event_open;
	return real;
}
