/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What operations on objects leave that were cut off at any of their instructions (death.h).
 * Whoever comes next, in the dead one's slot or in another, has to find a sound list and a sound
 * tree, and as many objects as have an owner.
 */
#include <stdlib.h>
#include <unistd.h>

#include "death.h"
#include "harness/tap.h"
#include "object_env.h"
#include "rt/lock.h"
#include "rt/shared.h"

#define SLOTS 2

static struct object_env env;

struct scenario {
	const char *name;
	void (*operate)(struct rt_vcpu *vcpu);
};

static void push(u64 key, bool front, struct rt_vcpu *vcpu)
{
	u64 object = object_env_item(&env, key, vcpu);

	if (!object_env_lock(&env, vcpu))
		_exit(1);
	rt_list_push(env.listed, (u64)env.place->head, listed_node(object), front, vcpu);
	object_env_unlock(&env);
}

static void add(u64 key, struct rt_vcpu *vcpu)
{
	u64 object = object_env_item(&env, key, vcpu);

	if (!object_env_lock(&env, vcpu))
		_exit(1);
	rt_tree_add(env.treed, (u64)env.place->root, treed_node(object), 1, vcpu);
	object_env_unlock(&env);
}

static void stash_owner(struct rt_vcpu *vcpu)
{
	u64 owner = rt_object_new(env.owner, false, vcpu), inner, item, old;

	inner = rt_object_new(env.owner, false, vcpu);
	item = object_env_item(&env, 77, vcpu);
	rt_list_push(env.listed, inner, listed_node(item), true, vcpu);
	rt_object_exchange(env.owner, false, &((struct owner *)owner)->child, inner, vcpu);
	old = rt_object_exchange(env.owner, false, &env.place->owner, owner, vcpu);
	if (old)
		rt_object_drop(env.owner, false, old, vcpu);
}

static void push_front(struct rt_vcpu *vcpu)
{
	push(9, true, vcpu);
}

static void push_back(struct rt_vcpu *vcpu)
{
	push(10, false, vcpu);
}

static void pop(struct rt_vcpu *vcpu, bool front)
{
	u64 node;

	if (!object_env_lock(&env, vcpu))
		_exit(1);
	node = rt_list_pop(env.listed, (u64)env.place->head, front, vcpu);
	object_env_unlock(&env);
	if (node)
		rt_object_drop(env.item, false, node - offsetof(struct item, list), vcpu);
}

static void pop_front(struct rt_vcpu *vcpu)
{
	pop(vcpu, true);
}

static void pop_back(struct rt_vcpu *vcpu)
{
	pop(vcpu, false);
}

static void add_low(struct rt_vcpu *vcpu)
{
	add(1, vcpu);
}

static void add_middle(struct rt_vcpu *vcpu)
{
	add(36, vcpu);
}

static void take_out(struct rt_vcpu *vcpu, u64 (*which)(const struct rt_object_type *, u64))
{
	u64 root = (u64)env.place->root, node;

	if (!object_env_lock(&env, vcpu))
		_exit(1);
	node = which(env.treed, root);
	node = node ? rt_tree_remove(env.treed, root, node, vcpu) : 0;
	object_env_unlock(&env);
	if (node)
		rt_object_drop(env.item, false, node - offsetof(struct item, tree), vcpu);
}

static void remove_first(struct rt_vcpu *vcpu)
{
	take_out(vcpu, rt_tree_first);
}

static void remove_top(struct rt_vcpu *vcpu)
{
	take_out(vcpu, rt_tree_root);
}

static void exchange(struct rt_vcpu *vcpu)
{
	u64 new = object_env_item(&env, 5, vcpu), old;

	old = rt_object_exchange(env.item, false, &env.place->item, new, vcpu);
	if (old)
		rt_object_drop(env.item, false, old, vcpu);
}

static void counted(struct rt_vcpu *vcpu)
{
	u64 object = object_env_item(&env, 50, vcpu);

	rt_object_acquire(object, vcpu);
	if (!object_env_lock(&env, vcpu))
		_exit(1);
	rt_list_push(env.listed, (u64)env.place->head, listed_node(object), true, vcpu);
	object_env_unlock(&env);
	rt_object_drop(env.item, false, object, vcpu);
}

static void clear(struct rt_vcpu *vcpu)
{
	object_env_clear(&env, vcpu);
}

static const struct scenario scenarios[] = {
	{ "push to the front", push_front },
	{ "push to the back", push_back },
	{ "pop from the front", pop_front },
	{ "pop from the back", pop_back },
	{ "add on the left", add_low },
	{ "add in the middle", add_middle },
	{ "remove the first", remove_first },
	{ "remove the top", remove_top },
	{ "exchange", exchange },
	{ "one more reference", counted },
	{ "owners of owners", stash_owner },
	{ "the value goes", clear },
};

static void find_areas(void)
{
	const struct rt_object_class *items = &env.heap->class[env.item->class];
	const struct rt_object_class *owners = &env.heap->class[env.owner->class];

	death_add_area(RT_SHARED->vcpus, sizeof(RT_SHARED->vcpus[0]) * SLOTS);
	death_add_area(env.heap->shared, offsetof(struct rt_object_shared, slots[SLOTS]));
	death_add_area((void *)items->bitmap, 8);
	death_add_area((void *)items->summary, 8);
	death_add_area((void *)owners->bitmap, 8);
	death_add_area((void *)owners->summary, 8);
	/* The first objects are all that there are. */
	death_add_area(rt_object_header_of(items->first), 24ul * items->stride);
	death_add_area(rt_object_header_of(owners->first), 8ul * owners->stride);
	death_add_area(env.place, sizeof(*env.place));
}

static struct rt_vcpu *take_slot(u32 index)
{
	struct rt_vcpu *vcpu = death_take_slot(index);

	object_env_program(vcpu);
	return vcpu;
}

static void operate(const void *arg, struct rt_vcpu *vcpu)
{
	const struct scenario *scenario = arg;

	object_env_program(vcpu);
	scenario->operate(vcpu);
}

static const char *examine(u32 slot)
{
	struct rt_vcpu *vcpu = take_slot(slot);
	const char *wrong;
	u32 objects;

	/* Others go on at once, before anybody tidies up. */
	if (!object_env_lock(&env, vcpu))
		return "the lock is stuck";
	wrong = object_env_check(&env, &objects);
	object_env_unlock(&env);
	if (!wrong)
		push(60, true, vcpu);
	if (!wrong)
		add(61, vcpu);
	if (!wrong)
		exchange(vcpu);
	rt_object_reclaim(vcpu);
	rt_object_enter(vcpu);
	if (!wrong)
		wrong = object_env_check(&env, &objects);
	if (!wrong && rt_objects_in_use() != objects) {
		tap_note("%u in use, %u have an owner", (u32)rt_objects_in_use(), objects);
		wrong = "an object is lost";
	}
	if (!wrong)
		object_env_clear(&env, vcpu);
	if (!wrong && rt_objects_in_use())
		wrong = "an object stays";
	rt_vcpu_release(vcpu);
	return wrong;
}

static void run(const struct scenario *scenario)
{
	static struct death_history history;
	const char *wrong = NULL;
	u8 *start = death_save();

	death_record(&history, scenario->name, 0, operate, scenario);
	for (u32 i = 0; i < history.nr * SLOTS && !wrong; i++) {
		death_restore(history.states[i / SLOTS]);
		wrong = examine(i % SLOTS);
		if (wrong)
			tap_note("state %u of %u, examined from slot %u", i / SLOTS, history.nr,
				 i % SLOTS);
	}
	tap_ok(!wrong && history.ended && history.nr,
	       "%s: killed after each of %u instructions, %u states: %s", scenario->name,
	       history.steps, history.nr, wrong ? wrong : "nothing lost, nothing torn");
	death_forget(&history);
	death_restore(start);
	free(start);
}

int main(void)
{
	struct rt_vcpu *vcpu;

	object_env_new(&env, SLOTS, 4096);
	find_areas();
	vcpu = take_slot(0);
	for (u64 i = 1; i <= 3; i++)
		push(i, false, vcpu);
	for (u64 i = 1; i <= 7; i++)
		add(i * 10, vcpu);
	exchange(vcpu);
	stash_owner(vcpu);
	rt_vcpu_release(vcpu);
	for (u32 i = 0; i < ARRAY_SIZE(scenarios); i++)
		run(&scenarios[i]);
	arena_free(env.arena);
	return tap_done();
}
