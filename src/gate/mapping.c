/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See mapping.h. In /proc/PID/maps a process's mapping of an object is one of the arena's file
 * outside of the arena's place.
 */
#include "gate/mapping.h"

#include <errno.h>
#include <stdio.h>
#include "base/alloc.h"
#include "rt/arena.h"

struct mapping {
	struct mapping *next;
	struct object *object;
	u64 start, end; /* in the arena */
	bool orphan;	/* when it was looked at the last time, no descriptor was left */
};

int mapping_add(struct mapping **list, struct object *object, u64 address, u64 size)
{
	struct mapping *mapping;

	for (mapping = *list; mapping && mapping->object != object; mapping = mapping->next)
		;
	if (!mapping) {
		mapping = base_zalloc(1, sizeof(*mapping));
		if (!mapping)
			return -ENOMEM;
		mapping->object = object_ref(object);
		mapping->start = address;
		mapping->next = *list;
		*list = mapping;
	}
	mapping->orphan = false;
	if (address < mapping->start)
		mapping->start = address;
	if (address + size > mapping->end)
		mapping->end = address + size;
	return 0;
}

static void drop(struct mapping **link)
{
	struct mapping *mapping = *link;

	*link = mapping->next;
	object_unref(mapping->object);
	base_free(mapping);
}

void mapping_drop_all(struct mapping **list)
{
	while (*list)
		drop(list);
}

/* One line of /proc/PID/maps. */
struct area {
	u64 start, end, offset, inode;
	unsigned major, minor;
};

static bool read_area(FILE *maps, struct area *ret_area)
{
	char line[512];

	/* Of a path that is longer the rest is another line, which is no area. */
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%llx-%llx %*4s %llx %x:%x %llu",
			   (unsigned long long *)&ret_area->start,
			   (unsigned long long *)&ret_area->end,
			   (unsigned long long *)&ret_area->offset, &ret_area->major,
			   &ret_area->minor, (unsigned long long *)&ret_area->inode) == 6)
			return true;
	return false;
}

static bool in_arena(const struct area *area)
{
	return area->start >= RT_ARENA_BASE && area->start < RT_ARENA_BASE + RT_ARENA_SIZE;
}

/* False only if it is certain that the process has no page of it mapped anywhere else. */
static bool is_mapped(const struct mapping *mapping, FILE *maps)
{
	struct area own = { 0 }, area;
	u64 from, to;

	rewind(maps);
	while (read_area(maps, &area))
		if (in_arena(&area) && area.start <= mapping->start && mapping->start < area.end)
			own = area;
	if (!own.inode)
		return true;
	from = own.offset + (mapping->start - own.start);
	to = from + (mapping->end - mapping->start);
	rewind(maps);
	while (read_area(maps, &area))
		if (!in_arena(&area) && area.inode == own.inode && area.major == own.major &&
		    area.minor == own.minor && area.offset < to &&
		    area.offset + (area.end - area.start) > from)
			return true;
	return false;
}

bool mapping_sweep(struct mapping **list, pid_t pid)
{
	struct mapping **link = list;
	FILE *maps = NULL;
	char path[32];
	bool again = false;

	while (*link) {
		struct mapping *mapping = *link;
		bool known = mapping->orphan;

		mapping->orphan = !mapping->object->users;
		if (mapping->orphan && known && !maps) {
			snprintf(path, sizeof(path), "/proc/%d/maps", pid);
			maps = fopen(path, "re");
		}
		if (mapping->orphan && known && maps && !is_mapped(mapping, maps)) {
			drop(link);
			continue;
		}
		again |= mapping->orphan;
		link = &mapping->next;
	}
	if (maps)
		fclose(maps);
	return again;
}
