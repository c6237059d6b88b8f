/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies from and to addresses that the application gave: a bad one is an error, not a fault (the
 * exception table, rt/x86_64/fault.h).
 */
#include "agent/agent.h"
#include "rt/x86_64/fault.h"

#define E_FAULT 14

long agent_copy_in(void *dst, u64 address, u64 size)
{
	return rt_fault_copy((u64)dst, address, size) ? -E_FAULT : 0;
}

long agent_copy_out(u64 address, const void *src, u64 size)
{
	return rt_fault_copy(address, (u64)src, size) ? -E_FAULT : 0;
}
