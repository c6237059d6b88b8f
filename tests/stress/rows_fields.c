/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Special fields of values: timers and work that somebody else calls, and objects that programs
 * own, in lists, trees and pointers.
 */
#include <errno.h>
#include <string.h>

#include "rt/async.h"
#include "rt/lock.h"
#include "rt/map/hash.h"
#include "rt/prog.h"
#include "rt/shared.h"
#include "stress.h"
#include "unit/rt/map_env.h"

struct timed {
	u64 number;
	struct rt_async timer, work;
};

static const struct rt_prog async_prog = { .id = 7 };

void timer_open(struct stage *stage)
{
	struct rt_map *map = stage->map;

	map->fields[0] = (struct rt_map_field){ .offset = offsetof(struct timed, timer),
						.size = sizeof(struct rt_async),
						.kind = RT_FIELD_TIMER };
	map->fields[1] = (struct rt_map_field){ .offset = offsetof(struct timed, work),
						.size = sizeof(struct rt_async),
						.kind = RT_FIELD_WORKQUEUE };
	map->nr_fields = 2;
	memset(&RT_SHARED->async, 0, sizeof(RT_SHARED->async));
}

static void start_async(struct worker *worker, struct timed *value)
{
	bool work = worker_random(worker, 2);
	struct rt_async *field = work ? &value->work : &value->timer;
	long error = work ? rt_work_init(field, worker->stage->map, 0)
			  : rt_timer_init(field, worker->stage->map, 1);

	if (error && error != -EBUSY)
		worker_error(worker, "a field cannot be made ready", error);
	error = rt_async_set_callback(field, worker->index + 1, worker->vcpu);
	if (!error)
		error = work ? rt_work_start(field, 0, worker->vcpu)
			     : rt_timer_start(field, worker_random(worker, 1000), 0, worker->vcpu);
	if (error)
		worker_error(worker, "it cannot be started", error);
}

/* One of the worker's own values, from birth to death. */
void timer_operate(struct worker *worker)
{
	struct rt_map *map = worker->stage->map;
	struct shadow *shadow = worker->shadow;
	u32 key = (u32)worker_random(worker, STRESS_KEYS), what = (u32)worker_random(worker, 8);
	u32 number = worker->index * STRESS_KEYS + key;
	const struct timed new = { .number = number };
	struct timed *value;
	long error = 0;

	worker->vcpu->prog = &async_prog;
	shadow_begin(shadow, key, key + 1);
	if (what < 2) {
		error = rt_map_update_elem(map, &number, &new, 0, worker->vcpu);
		if (!error)
			SHADOW_STORE(shadow->now[key], 1);
	} else if (what == 2) {
		error = rt_map_delete_elem(map, &number, worker->vcpu);
		if (!error)
			SHADOW_STORE(shadow->now[key], 0);
	} else {
		value = rt_map_lookup_elem(map, &number, worker->vcpu);
		if (!value != !shadow->now[key])
			worker_wrong(worker, "a key is missed, or found again");
		if (value && what < 7)
			start_async(worker, value);
		else if (value)
			rt_timer_cancel(&value->timer, worker->vcpu);
	}
	shadow_end(shadow);
	if (error && error != -ENOENT && error != -E2BIG && error != -ETIMEDOUT && error != -EBUSY)
		worker_error(worker, "an update or a deletion gives an error", error);
}

void timer_read_all(struct worker *worker)
{
	u32 number = (u32)worker_random(worker, STRESS_KEYS * worker->stage->nr_workers);

	rt_map_delete_elem(worker->stage->map, &number, worker->vcpu);
	rt_map_lookup_elem(worker->stage->map, &number, worker->vcpu);
}

/* Is it a state that the steps of one worker lead to? */
static bool is_sound(const struct rt_async *field, bool work, u32 nr_workers)
{
	u64 word = __atomic_load_n(&field->word, __ATOMIC_SEQ_CST);
	u32 prog = rt_async_prog(word), callback = rt_async_subprog(word);

	if (!word)
		return true;
	return word & RT_ASYNC_INIT && !(word & RT_ASYNC_WORK) == !work &&
	       (prog ? prog == async_prog.id && callback - 1 < nr_workers
		     : !callback && !(word & RT_ASYNC_STARTED));
}

/* What the supervisor does with what is due: here all of it, at once. */
void timer_attend(struct stage *stage, struct rt_vcpu *vcpu)
{
	struct rt_async_queue *queue = &RT_SHARED->async;

	__atomic_store_n(&queue->pending, 0, __ATOMIC_SEQ_CST);
	for (u32 i = 0; i < RT_ASYNC_QUEUE_SIZE; i++) {
		u64 address = __atomic_exchange_n(&queue->field[i], 0, __ATOMIC_SEQ_CST), word;
		struct rt_async *field = (struct rt_async *)address;
		bool timer = rt_map_is_value(stage->map,
					     (u8 *)(address - offsetof(struct timed, timer)));

		if (!address)
			continue;
		if (!timer &&
		    !rt_map_is_value(stage->map, (u8 *)(address - offsetof(struct timed, work)))) {
			shadow_wrong(&stage->watcher, "the table names what is no field", address);
			continue;
		}
		if (!is_sound(field, !timer, stage->nr_workers))
			shadow_wrong(&stage->watcher, "a field is torn", field->word);
		word = __atomic_load_n(&field->word, __ATOMIC_SEQ_CST);
		if (word & RT_ASYNC_STARTED)
			__atomic_compare_exchange_n(&field->word, &word, word & ~RT_ASYNC_STARTED,
						    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
}

/* What was in doubt goes: until the next death all is certain again. */
void timer_settle(struct worker *dead)
{
	struct stage *stage = dead->stage;
	struct shadow *shadow = dead->shadow;
	bool in_doubt = shadow->changes % 2;

	for (u32 key = 0; key < STRESS_KEYS; key++) {
		u32 number = dead->index * STRESS_KEYS + key;
		struct timed *value = rt_map_lookup_elem(stage->map, &number, dead->vcpu);
		long error = -EBUSY;

		if (value && (value->number != number ||
			      !is_sound(&value->timer, false, stage->nr_workers) ||
			      !is_sound(&value->work, true, stage->nr_workers)))
			shadow_wrong(shadow, "after a death: a value is torn", number);
		if (!in_doubt || key != shadow->from) {
			if (!value != !shadow->now[key])
				shadow_wrong(shadow, "after a death: a key is lost or came back",
					     number);
			continue;
		}
		for (u32 i = 0; i < 200 && error && error != -ENOENT; i++)
			error = rt_map_delete_elem(stage->map, &number, dead->vcpu);
		if (error && error != -ENOENT)
			shadow_wrong(shadow, "after a death: a deletion never ends", number);
		SHADOW_STORE(shadow->now[key], 0);
	}
	if (in_doubt)
		shadow_end(shadow);
}

/* With its element every timer ends; then the map is as any other. */
void timer_finish(struct stage *stage, struct rt_vcpu *vcpu)
{
	for (u32 number = 0; number < STRESS_WORKERS * STRESS_KEYS; number++)
		rt_map_delete_elem(stage->map, &number, vcpu);
	for (u32 i = 1; i <= hash_nr_elems(stage->map); i++) {
		const struct timed *value = (const void *)hash_value(stage->map, i, 0);

		if (value->timer.word || value->work.word)
			shadow_wrong(&stage->watcher, "at the end: one goes on without its element",
				     i);
	}
	keyed_finish(stage, vcpu);
}

#define HEAP_RANGE (64u << 10) /* bytes of each size class */

void objects_open(struct stage *stage)
{
	object_env_open(&stage->objects, stage->arena, HEAP_RANGE);
	stage->memory = (u8 *)stage->objects.heap->shared;
	stage->memory_size = stage->objects.size;
}

void objects_close(struct stage *stage)
{
	object_env_close(&stage->objects);
}

/* An item that was taken out: whose it was shows that it is whole. */
static void drop_item(struct worker *worker, u64 object)
{
	struct object_env *env = &worker->stage->objects;

	if (!object)
		return;
	if (((struct item *)object)->key >> 32 > worker->stage->nr_workers)
		worker_wrong(worker, "an object is torn");
	rt_object_drop(env->item, false, object, worker->vcpu);
}

/* The place's second pointer: an owner that has an item in its list and, often, another owner. */
static void put_owner(struct worker *worker)
{
	struct object_env *env = &worker->stage->objects;
	struct rt_vcpu *vcpu = worker->vcpu;
	u64 owner = rt_object_new(env->owner, false, vcpu), old;
	u64 item = object_env_item(env, worker->index, vcpu);

	if (!owner || !item) {
		drop_item(worker, item);
		if (owner)
			rt_object_drop(env->owner, false, owner, vcpu);
		return;
	}
	rt_list_push(env->listed, owner, listed_node(item), true, vcpu);
	if (!object_env_lock(env, vcpu)) {
		rt_object_drop(env->owner, false, owner, vcpu);
		return;
	}
	old = rt_object_exchange(env->owner, false, &env->place->owner, 0, vcpu);
	if (old && worker_random(worker, 4)) {
		old = rt_object_exchange(env->owner, false, &((struct owner *)owner)->child, old,
					 vcpu);
	}
	rt_object_exchange(env->owner, false, &env->place->owner, owner, vcpu);
	object_env_unlock(env);
	if (old)
		rt_object_drop(env->owner, false, old, vcpu);
}

static void change_graph(struct worker *worker, u32 what)
{
	struct object_env *env = &worker->stage->objects;
	struct rt_vcpu *vcpu = worker->vcpu;
	u64 item = what < 4 ? object_env_item(env,
					      (u64)worker->index << 32 | worker_random(worker, 32),
					      vcpu)
			    : 0;
	u64 node = 0;

	if (!object_env_lock(env, vcpu)) {
		drop_item(worker, item);
		return;
	}
	if (what < 2 && item)
		rt_list_push(env->listed, (u64)env->place->head, listed_node(item), what, vcpu);
	else if (what < 4 && item)
		rt_tree_add(env->treed, (u64)env->place->root, treed_node(item), 1, vcpu);
	else if (what < 7)
		node = rt_list_pop(env->listed, (u64)env->place->head, what % 2, vcpu);
	if (what >= 7) {
		node = what % 2 ? rt_tree_first(env->treed, (u64)env->place->root)
				: rt_tree_root(env->treed, (u64)env->place->root);
		if (node)
			node = rt_tree_remove(env->treed, (u64)env->place->root, node, vcpu);
	}
	object_env_unlock(env);
	if (node)
		drop_item(worker, node - (what < 7 ? offsetof(struct item, list)
						   : offsetof(struct item, tree)));
}

void objects_operate(struct worker *worker)
{
	struct object_env *env = &worker->stage->objects;
	u32 what = (u32)worker_random(worker, 14);

	object_env_program(worker->vcpu);
	if (what < 10)
		change_graph(worker, what);
	else if (what < 12)
		drop_item(worker,
			  rt_object_exchange(env->item, false, &env->place->item,
					     object_env_item(env, worker->index, worker->vcpu),
					     worker->vcpu));
	else if (what == 12)
		put_owner(worker);
	else if (worker_random(worker, 16) == 0)
		rt_object_end_field(&env->fields[worker_random(worker, 2)], env->place,
				    &env->place->lock, worker->vcpu);
}

/* Whatever the dead one was at, list, tree and owners are sound for who has the lock. */
void objects_settle(struct worker *dead)
{
	struct object_env *env = &dead->stage->objects;
	const char *wrong;
	u32 nr;

	object_env_program(dead->vcpu);
	if (!object_env_lock(env, dead->vcpu)) {
		shadow_wrong(dead->shadow, "after a death: the lock cannot be had", 0);
		return;
	}
	wrong = object_env_check(env, &nr);
	object_env_unlock(env);
	if (wrong)
		shadow_wrong(dead->shadow, wrong, nr);
}

void objects_finish(struct stage *stage, struct rt_vcpu *vcpu)
{
	struct object_env *env = &stage->objects;
	const char *wrong;
	u32 nr = 0;

	object_env_program(vcpu);
	rt_object_reclaim(vcpu);
	wrong = object_env_check(env, &nr);
	if (wrong)
		shadow_wrong(&stage->watcher, wrong, nr);
	if (rt_objects_in_use() != nr)
		shadow_wrong(&stage->watcher, "at the end: objects are lost",
			     rt_objects_in_use() - nr);
	object_env_clear(env, vcpu);
	rt_object_reclaim(vcpu);
	if (rt_objects_in_use())
		shadow_wrong(&stage->watcher, "at the end: objects are left", rt_objects_in_use());
}
