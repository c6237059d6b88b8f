/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory is of the data segment; each process that has some also costs a descriptor of ours
 * (gate/process.c), so that there is a bound.
 */
#include "gate/call_slots.h"

#include "arena/arena.h"
#include "base/alloc.h"

#define PROCESSES_MAX 128
#define SIZE	      (AGENT_SLOTS * sizeof(struct agent_slot))

struct call_slots {
	struct arena *arena;
	struct agent_slot *slots;
};

static u32 nr_given;

struct call_slots *call_slots_new(struct arena *arena)
{
	struct call_slots *slots = nr_given < PROCESSES_MAX ? base_zalloc(1, sizeof(*slots)) : NULL;

	if (!slots)
		return NULL;
	slots->arena = arena;
	slots->slots = arena_alloc(arena, ARENA_DATA, SIZE, 4096);
	if (!slots->slots)
		return base_free(slots);
	nr_given++;
	return slots;
}

struct call_slots *call_slots_free(struct call_slots *slots)
{
	if (!slots)
		return NULL;
	arena_release(slots->arena, ARENA_DATA, slots->slots, SIZE);
	nr_given--;
	return base_free(slots);
}

u64 call_slots_address(const struct call_slots *slots)
{
	return (u64)slots->slots;
}

struct agent_slot *call_slots_at(struct call_slots *slots, u32 index)
{
	return index < AGENT_SLOTS ? &slots->slots[index] : NULL;
}
