/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seccomp filter of a hive's processes: which system calls go straight to the kernel and which
 * ones reach the supervisor.
 */
#ifndef SKEP_GATE_FILTER_H
#define SKEP_GATE_FILTER_H

#include <linux/filter.h>
#include "base/types.h"

#define FILTER_MAX 48

struct filter_options {
	u64 notify_ip; /* what seccomp reports for the agent's notifying instruction; 0: there is
			  none */
	/*
	 * The same for the rt_sigreturn of the agent's signal restorer: not made, as if it had
	 * returned 0, so that the code behind it runs and makes the real one. 0: there is none.
	 */
	u64 restorer_ip;
	u32 handover; /* upper half of sendmsg's flags in the call that hands the listener over */
};

/* Writes the filter; returns its length, at most FILTER_MAX. */
u32 filter_build(struct sock_filter *ret_insns, const struct filter_options *options);

/*
 * Installs the filter on the calling thread, which must have no_new_privs: the listener's
 * descriptor, or -errno (-EBUSY: there is a listener already, this process lives in a hive). Makes
 * system calls only.
 */
int filter_install(const struct sock_filter *insns, u32 nr_insns);

/* Is the calling process under any filter? */
bool filter_is_around(void);

/*
 * In a process that is under the filter: does one that was there before, as container engines
 * install it, deny bpf(2) or perf_event_open(2)? Then it wins, and the supervisor is told.
 */
void filter_probe(void);

#endif
