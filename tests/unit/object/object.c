/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ids and references: ids go upwards, are found and walked, and go with the last reference; the
 * last user is told apart from the last reference.
 */
#include "object/object.h"
#include "harness/tap.h"

#include <errno.h>
#include <stdlib.h>

static u32 released, emptied, gate_released;

static void release(struct object *object)
{
	released++;
	free(object);
}

static void last_user(struct object *object)
{
	emptied++;
}

static void gate_release(struct object *object)
{
	gate_released++;
}

static struct object *make(struct object_table *table, enum object_kind kind)
{
	struct object *object = calloc(1, sizeof(*object));

	if (!object || object_init(table, object, kind, release))
		tap_bail("no object");
	return object;
}

static void test_ids(void)
{
	struct object_table *table = object_table_new();
	struct object *objects[200], *found;
	u32 i, id, walked = 0;

	for (i = 0; i < 200; i++)
		objects[i] = make(table, i % 2 ? OBJECT_MAP : OBJECT_PROG);
	tap_is(objects[0]->id, 1, "programs count from 1");
	tap_is(objects[1]->id, 1, "maps by themselves");
	tap_is(objects[199]->id, 100, "and upwards");
	for (i = 0; i < 200; i += 4)
		object_unref(objects[i]);
	tap_is(released, 50, "dropped references release");
	for (id = 0; (id = object_next_id(table, OBJECT_PROG, id));)
		walked++;
	tap_is(walked, 50, "the walk meets what is left");
	tap_is(object_next_id(table, OBJECT_PROG, 0), 2, "beginning with the first that lives");
	tap_is(object_next_id(table, OBJECT_PROG, 0xffffffff), 0, "nothing after the largest id");
	tap_ok(!object_by_id(table, OBJECT_PROG, 1), "a freed id is gone");
	found = object_by_id(table, OBJECT_PROG, 2);
	tap_ok(found == objects[2] && found->references == 2, "by id gives a new reference");
	object_unref(found);
	found = make(table, OBJECT_PROG);
	tap_is(found->id, 101, "freed ids are not used again");
	object_unref(found);
	tap_is(object_next_id(table, OBJECT_BTF, 0), 0, "no BTF yet");
	for (i = 0; i < 200; i++)
		if (i % 4)
			object_unref(objects[i]);
	tap_is(released, 201, "all are released");
	object_table_free(table);
}

static void test_reserved(void)
{
	struct object_table *table = object_table_new();
	struct object *first, *second = calloc(1, sizeof(*second)),
			      *third = calloc(1, sizeof(*third));

	object_reserve_ids(table, OBJECT_BTF, 3);
	first = make(table, OBJECT_BTF);
	tap_is(first->id, 4, "reserved ids are not given out");
	tap_is(object_init_as(table, second, OBJECT_BTF, 1, release), 0, "but taken");
	tap_is(second->id, 1, "as asked");
	tap_is(object_init_as(table, third, OBJECT_BTF, 1, release), -EEXIST, "once");
	tap_is(object_next_id(table, OBJECT_BTF, 0), 1, "the walk meets it first");
	free(third);
	object_unref(first);
	object_unref(second);
	object_table_free(table);
}

static void test_users(void)
{
	struct object_table *table = object_table_new();
	struct object *object = make(table, OBJECT_MAP);

	released = 0;
	object->last_user = last_user;
	object->gate_release = gate_release;
	object_user_ref(object);
	object_user_ref(object);
	object_user_unref(object);
	tap_is(emptied, 0, "one user is left");
	object_user_unref(object);
	tap_is(emptied, 1, "the last user has gone");
	tap_is(released, 0, "a reference is left");
	object_unref(object);
	tap_ok(released == 1 && gate_released == 1, "now it is released, by the gate too");
	object_unref(NULL);
	object_user_unref(NULL);
	object = make(table, OBJECT_PERF);
	tap_is(object->id, 0, "a perf event has no id");
	object_unref(object);
	object = make(table, OBJECT_LINK);
	object_table_free(table);
	object_unref(object);
	tap_is(released, 3, "an object may outlive its table");
}

int main(void)
{
	test_ids();
	test_reserved();
	test_users();
	return tap_done();
}
