/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The numbers by which agents know maps (rt/map_slot.h). A hive without room for the table serves
 * every call here.
 */
#include "sys/hive.h"

#include <fcntl.h>
#include "rt/elem.h"
#include "rt/map_slot.h"

void sys_slots_new(struct sys_hive *hive)
{
	struct rt_map_slots *slots = NULL;

	if (hive->options.arena)
		slots = arena_alloc(hive->options.arena, ARENA_CONTROL, sizeof(*slots), 64);
	RT_CONTROL->map_slots = slots;
}

static void take_slot(struct sys_map *map)
{
	struct rt_map_slots *slots = RT_CONTROL->map_slots;
	struct sys_hive *hive = map->hive;

	for (u32 i = 0; i < RT_MAP_SLOTS; i++) {
		struct rt_map_slot *slot = &slots->slots[hive->next_slot];

		hive->next_slot = (hive->next_slot + 1) % RT_MAP_SLOTS;
		if (slot->map || slot->generation >= RT_MAP_GENERATIONS)
			continue;
		map->slot = (u32)(slot - slots->slots);
		__atomic_store_n(&slot->map, map->rt, __ATOMIC_RELEASE);
		return;
	}
}

void sys_map_slot_retire(struct sys_map *map)
{
	struct rt_map_slot *slot;

	if (map->slot >= RT_MAP_SLOTS)
		return;
	slot = &RT_CONTROL->map_slots->slots[map->slot];
	__atomic_fetch_add(&slot->generation, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->map, NULL, __ATOMIC_RELEASE);
	map->slot = RT_MAP_SLOTS;
}

/* The slot of a map whose elements agents may reach; RT_MAP_SLOTS: they may not. */
static u32 slot_of(struct object *object)
{
	struct sys_map *map = object ? sys_map_of(object) : NULL;

	/* What an older kernel does not know only the supervisor refuses (profile.c). */
	if (!map || !(map->rt->state & RT_MAP_IN_PROCESS) || map->hive->options.kernel)
		return RT_MAP_SLOTS;
	if (map->slot >= RT_MAP_SLOTS)
		take_slot(map);
	return map->slot;
}

u64 sys_map_ticket(struct object *object, int access)
{
	struct rt_map_slots *slots = RT_CONTROL->map_slots;
	u32 rights = RT_ELEM_MAY_READ | RT_ELEM_MAY_WRITE, slot;

	if (!slots)
		return rt_ticket(0, 0, 0, 0);
	slot = slot_of(object);
	if (slot >= RT_MAP_SLOTS)
		return rt_ticket(0, 0, 0, slots->epoch);
	if ((access & O_ACCMODE) == O_RDONLY)
		rights = RT_ELEM_MAY_READ;
	else if ((access & O_ACCMODE) == O_WRONLY)
		rights = RT_ELEM_MAY_WRITE;
	return rt_ticket(rights, slot, slots->slots[slot].generation, slots->epoch);
}

void sys_tickets_end(void)
{
	struct rt_map_slots *slots = RT_CONTROL->map_slots;

	if (slots && slots->epoch < RT_DESCRIPTOR_EPOCHS)
		__atomic_fetch_add(&slots->epoch, 1, __ATOMIC_SEQ_CST);
}

void sys_tickets_stop(void)
{
	struct rt_map_slots *slots = RT_CONTROL->map_slots;

	if (slots)
		__atomic_store_n(&slots->epoch, RT_DESCRIPTOR_EPOCHS, __ATOMIC_SEQ_CST);
}
