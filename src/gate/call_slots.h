/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Call slots (agent/slot.h) as the supervisor gives them: a few for each process that asks, taken
 * back when it ends or executes a program. The supervisor alone says whose they are.
 */
#ifndef SKEP_GATE_CALL_SLOTS_H
#define SKEP_GATE_CALL_SLOTS_H

#include "agent/slot.h"
#include "base/types.h"

struct arena;
struct call_slots;

/* Zeroed slots for one process; NULL: there is no memory for them, or too many processes have some.
 */
struct call_slots *call_slots_new(struct arena *arena);
/* Their process is gone. Takes NULL, returns NULL. */
struct call_slots *call_slots_free(struct call_slots *slots);

/* The first one's address, the same in every process. */
u64 call_slots_address(const struct call_slots *slots);
/* NULL: there is no such slot. */
struct agent_slot *call_slots_at(struct call_slots *slots, u32 index);

#endif
