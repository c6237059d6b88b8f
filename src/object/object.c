/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See object.h. Ids of a kind are handed out upwards and begin again at 1 after 2^31 - 1, as the
 * kernel's; a sorted array a kind answers "by id" and "next id" with a binary search, and since new
 * ids are the largest, entering one is an append.
 */
#include "object/object.h"
#include "base/alloc.h"

#include <errno.h>
#include <string.h>

#define ID_MAX 0x7fffffffu

struct ids {
	struct object **objects; /* by id, ascending */
	u32 nr, room, last_id;
};

struct object_table {
	struct ids kinds[OBJECT_KINDS];
};

struct object_table *object_table_new(void)
{
	return base_zalloc(1, sizeof(struct object_table));
}

struct object_table *object_table_free(struct object_table *table)
{
	u32 kind, i;

	if (!table)
		return NULL;
	for (kind = 0; kind < OBJECT_KINDS; kind++) {
		/* Objects may live on in somebody's hand: they lose their id. */
		for (i = 0; i < table->kinds[kind].nr; i++)
			table->kinds[kind].objects[i]->table = NULL;
		base_free(table->kinds[kind].objects);
	}
	base_free(table);
	return NULL;
}

/* Index of the first object whose id is at least id. */
static u32 lower_bound(const struct ids *ids, u32 id)
{
	u32 low = 0, high = ids->nr, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (ids->objects[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int reserve_room(struct ids *ids)
{
	struct object **objects;
	u32 room;

	if (ids->nr < ids->room)
		return 0;
	room = ids->room ? ids->room * 2 : 64;
	objects = base_realloc(ids->objects, room, sizeof(*objects));
	if (!objects)
		return -ENOMEM;
	ids->objects = objects;
	ids->room = room;
	return 0;
}

static void enter(struct object_table *table, struct object *object, u32 id)
{
	struct ids *ids = &table->kinds[object->kind];
	u32 at = lower_bound(ids, id);

	memmove(&ids->objects[at + 1], &ids->objects[at], (ids->nr - at) * sizeof(*ids->objects));
	ids->objects[at] = object;
	ids->nr++;
	object->id = id;
	object->table = table;
}

static u32 after(u32 id)
{
	return id < ID_MAX ? id + 1 : 1;
}

static int give_id(struct object_table *table, struct object *object)
{
	struct ids *ids = &table->kinds[object->kind];
	u32 id, at;

	if (reserve_room(ids))
		return -ENOMEM;
	id = after(ids->last_id);
	for (at = lower_bound(ids, id); at < ids->nr && ids->objects[at]->id == id; at++)
		id = after(id); /* only after the first wrap */
	ids->last_id = id;
	enter(table, object, id);
	return 0;
}

static void init(struct object *object, enum object_kind kind, void (*release)(struct object *))
{
	object->kind = kind;
	object->id = 0;
	object->references = 1;
	object->release = release;
	object->table = NULL;
}

void object_reserve_ids(struct object_table *table, enum object_kind kind, u32 id)
{
	table->kinds[kind].last_id = id;
}

int object_init_as(struct object_table *table, struct object *object, enum object_kind kind, u32 id,
		   void (*release)(struct object *))
{
	struct ids *ids = &table->kinds[kind];
	u32 at = lower_bound(ids, id);

	init(object, kind, release);
	if (at < ids->nr && ids->objects[at]->id == id)
		return -EEXIST;
	if (reserve_room(ids))
		return -ENOMEM;
	enter(table, object, id);
	return 0;
}

int object_init(struct object_table *table, struct object *object, enum object_kind kind,
		void (*release)(struct object *))
{
	init(object, kind, release);
	return kind < OBJECT_PERF ? give_id(table, object) : 0;
}

static void take_id(struct object *object)
{
	struct ids *ids;
	u32 at;

	if (!object->table)
		return;
	ids = &object->table->kinds[object->kind];
	at = lower_bound(ids, object->id);
	ids->nr--;
	memmove(&ids->objects[at], &ids->objects[at + 1], (ids->nr - at) * sizeof(*ids->objects));
	object->table = NULL;
}

struct object *object_ref(struct object *object)
{
	object->references++;
	return object;
}

struct object *object_unref(struct object *object)
{
	if (!object)
		return NULL;
	if (object->references == 1 && object->last_reference)
		object->last_reference(object);
	if (--object->references)
		return NULL;
	take_id(object);
	if (object->gate_release)
		object->gate_release(object);
	object->release(object);
	return NULL;
}

void object_user_ref(struct object *object)
{
	object_ref(object);
	if (!object->users++ && object->first_user)
		object->first_user(object);
}

void object_user_unref(struct object *object)
{
	if (!object)
		return;
	if (!--object->users && object->last_user)
		object->last_user(object);
	object_unref(object);
}

struct object *object_by_id(struct object_table *table, enum object_kind kind, u32 id)
{
	struct ids *ids = &table->kinds[kind];
	u32 at = lower_bound(ids, id);

	return at < ids->nr && ids->objects[at]->id == id ? object_ref(ids->objects[at]) : NULL;
}

u32 object_next_id(struct object_table *table, enum object_kind kind, u32 start)
{
	struct ids *ids = &table->kinds[kind];
	u32 at;

	if (start >= ID_MAX)
		return 0;
	at = lower_bound(ids, start + 1);
	return at < ids->nr ? ids->objects[at]->id : 0;
}
