/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps by number, in the control segment: how an agent that remembers what a descriptor of its
 * process stands for knows that the map still is that map. A slot's generation is counted up when
 * its map ends, before the grace period for its memory begins: who holds a vCPU and reads first the
 * map, then the generation that it remembers, may use the map until it gives the vCPU back.
 *
 * The epoch is counted up when a process's descriptors changed behind its agent's back; what was
 * remembered in an earlier epoch counts no more.
 */
#ifndef SKEP_RT_MAP_SLOT_H
#define SKEP_RT_MAP_SLOT_H

#include "rt/map.h"

#define RT_MAP_SLOTS	     4096u
#define RT_MAP_GENERATIONS   (1u << 22)
#define RT_DESCRIPTOR_EPOCHS (1u << 22)

struct rt_map_slot {
	struct rt_map *map;
	u32 generation; /* RT_MAP_GENERATIONS: worn out, never used again */
	u32 unused;
};

struct rt_map_slots {
	u32 epoch; /* RT_DESCRIPTOR_EPOCHS: agents remember nothing any more in this hive */
	u32 unused;
	struct rt_map_slot slots[RT_MAP_SLOTS];
};

/*
 * What is remembered of a descriptor, one word:
 *   bits 0-1 kind, 2-3 RT_ELEM_MAY_*, 4-15 slot, 16-37 generation, 38-59 epoch
 */
enum rt_ticket_kind {
	RT_TICKET_NONE,	 /* nothing is known */
	RT_TICKET_SEEN,	 /* it was used once: worth asking about */
	RT_TICKET_ASKED, /* the rest is a number that tells one question from the next */
	RT_TICKET_KNOWN, /* access 0: it is to be served by the supervisor */
};

static inline u64 rt_ticket(u32 access, u32 slot, u32 generation, u32 epoch)
{
	return RT_TICKET_KNOWN | (u64)access << 2 | (u64)slot << 4 | (u64)generation << 16 |
	       (u64)epoch << 38;
}

static inline u32 rt_ticket_kind(u64 ticket)
{
	return ticket & 3;
}

static inline u32 rt_ticket_access(u64 ticket)
{
	return ticket >> 2 & 3;
}

static inline u32 rt_ticket_slot(u64 ticket)
{
	return ticket >> 4 & (RT_MAP_SLOTS - 1);
}

static inline u32 rt_ticket_generation(u64 ticket)
{
	return ticket >> 16 & (RT_MAP_GENERATIONS - 1);
}

static inline u32 rt_ticket_epoch(u64 ticket)
{
	return ticket >> 38 & (RT_DESCRIPTOR_EPOCHS - 1);
}

/* The map that a ticket names, if it still is that one. Use needs a vCPU, held since before. */
static inline const struct rt_map *rt_ticket_map(const struct rt_map_slots *slots, u64 ticket)
{
	const struct rt_map_slot *slot = &slots->slots[rt_ticket_slot(ticket)];
	const struct rt_map *map = __atomic_load_n(&slot->map, __ATOMIC_ACQUIRE);

	if (__atomic_load_n(&slot->generation, __ATOMIC_ACQUIRE) != rt_ticket_generation(ticket))
		return NULL;
	return map;
}

#endif
