/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that programs allocate: counted, owned by lists, trees and pointers; with hostile bytes
 * over everything that a process can write, and by several threads at once.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/tap.h"
#include "object_env.h"
#include "rt/lock.h"

#define KEYS   64
#define ROUNDS (UNDER_SANITIZER ? 4000 : 40000)

static struct object_env env;

static void test_counting(struct rt_vcpu *vcpu)
{
	u64 a = object_env_item(&env, 1, vcpu), b = object_env_item(&env, 2, vcpu), p;

	tap_ok(a && b && a != b, "two objects");
	tap_ok(rt_objects_in_use() == 2, "are in use");
	tap_ok(rt_object_check(env.item, false, a) == a, "one is what it is");
	tap_ok(!rt_object_check(env.item, false, a + 8) && !rt_object_check(env.item, true, a) &&
		       !rt_object_check(env.owner, false, a) &&
		       !rt_object_check(env.item, false, 0) &&
		       !rt_object_check(env.item, false, (u64)env.place) &&
		       !rt_object_check(env.item, false, ~0UL),
	       "and nothing else is");
	tap_ok(rt_object_acquire(a, vcpu), "one more reference");
	rt_object_drop(env.item, false, a, vcpu);
	tap_ok(rt_objects_in_use() == 2, "given back: it is still there");
	rt_object_drop(env.item, false, a, vcpu);
	tap_ok(rt_objects_in_use() == 1, "and the last one: it is not");
	tap_ok(!rt_object_acquire(a, vcpu), "then there are no more");
	p = rt_object_exchange(env.item, false, &env.place->item, b, vcpu);
	tap_ok(!p && env.place->item == b, "put into a value");
	p = rt_object_exchange(env.item, false, &env.place->item, 0, vcpu);
	tap_ok(p == b && !env.place->item, "and taken out");
	rt_object_drop(env.item, false, b, vcpu);
	tap_ok(!rt_objects_in_use(), "nothing is left");
	env.place->item = 0x1234567;
	p = rt_object_exchange(env.item, false, &env.place->item, 0, vcpu);
	tap_ok(!p && !env.place->item, "what is no object is nothing");
}

static void test_percpu(struct rt_vcpu *vcpu)
{
	u64 object = rt_object_new(env.owner, true, vcpu);
	const struct rt_object_class *c = &env.heap->class[env.owner->percpu_class];

	tap_ok(object && c->parts == RT_CONTROL->nr_vcpus &&
		       c->stride >= c->parts * sizeof(struct owner),
	       "an object for each vCPU");
	memset((void *)object, 0xff, (u64)c->room * c->parts);
	rt_object_drop(env.owner, true, object, vcpu);
	tap_ok(!rt_objects_in_use(), "its bytes are no fields");
}

/* One owner in another, as long as there is memory. */
static void test_chain(struct rt_vcpu *vcpu)
{
	u64 last = 0, owner, item;
	u32 nr = 0;

	for (; (owner = rt_object_new(env.owner, false, vcpu)); nr++) {
		((struct owner *)owner)->number = nr;
		if (last)
			rt_object_exchange(env.owner, false, &((struct owner *)owner)->child, last,
					   vcpu);
		item = object_env_item(&env, nr, vcpu);
		if (item)
			rt_list_push(env.listed, owner, listed_node(item), true, vcpu);
		last = owner;
	}
	tap_ok(nr > 20, "%u owners of each other, until there is no memory", nr);
	rt_object_drop(env.owner, false, last, vcpu);
	tap_ok(!rt_objects_in_use(), "all go with the last, as deep as they are");
}

/* The element's memory comes back when its vCPU was given back once. */
static void test_reuse(void)
{
	u32 rounds = env.heap->class[env.item->class].nr * 4, made = 0;

	for (u32 i = 0; i < rounds; i++) {
		struct rt_vcpu *vcpu = env_vcpu();
		u64 object = object_env_item(&env, i, vcpu);

		made += object != 0;
		if (object)
			rt_object_drop(env.item, false, object, vcpu);
		rt_vcpu_release(vcpu);
	}
	tap_ok(made == rounds, "memory is used again: %u objects in room for %u", made,
	       env.heap->class[env.item->class].nr);
}

static void test_held(void)
{
	struct rt_vcpu *vcpu = env_vcpu();
	u64 object = object_env_item(&env, 1, vcpu), node;

	rt_object_acquire(object, vcpu);
	object_env_item(&env, 2, vcpu);
	node = listed_node(object_env_item(&env, 3, vcpu));
	object_env_lock(&env, vcpu);
	rt_list_push(env.listed, (u64)env.place->head, node, true, vcpu);
	object_env_unlock(&env);
	tap_ok(rt_objects_in_use() == 3, "a program that is ended in the middle has three objects");
	rt_vcpu_release(vcpu);
	vcpu = env_vcpu();
	rt_object_reclaim(vcpu);
	rt_object_enter(vcpu);
	tap_ok(rt_objects_in_use() == 1, "what it held is dropped, what it gave away is not");
	object_env_clear(&env, vcpu);
	tap_ok(!rt_objects_in_use(), "until its place goes");
	rt_vcpu_release(vcpu);
}

struct model {
	u64 key[KEYS];
	u32 nr;
};

static bool step_list(struct model *model, u64 *seed, struct rt_vcpu *vcpu)
{
	u64 dice = env_random(seed), node, key;
	bool front = dice & 1;
	u32 at;

	if (dice & 2 && model->nr < KEYS) {
		node = listed_node(object_env_item(&env, dice, vcpu));
		at = front ? 0 : model->nr;
		memmove(&model->key[at + 1], &model->key[at], (model->nr - at) * sizeof(u64));
		model->key[at] = dice;
		model->nr++;
		return !rt_list_push(env.listed, (u64)env.place->head, node, front, vcpu);
	}
	node = rt_list_peek(env.listed, (u64)env.place->head, front);
	if (node != rt_list_pop(env.listed, (u64)env.place->head, front, vcpu))
		return false;
	if (!node || !model->nr)
		return !node && !model->nr;
	at = front ? 0 : model->nr - 1;
	key = model->key[at];
	memmove(&model->key[at], &model->key[at + 1], (model->nr - at - 1) * sizeof(u64));
	model->nr--;
	dice = ((struct item *)(node - offsetof(struct item, list)))->key;
	rt_object_drop(env.item, false, node - offsetof(struct item, list), vcpu);
	return dice == key;
}

/* Some node of the tree, by a random way down; 0: it is empty. */
static u64 some_node(u64 *seed)
{
	u64 root = (u64)env.place->root, node = rt_tree_root(env.treed, root), next;
	u64 way = env_random(seed);

	for (u32 i = 0; node && i < way % 8; i++) {
		next = rt_tree_child(env.treed, root, node, way >> (8 + i) & 1);
		node = next ? next : node;
	}
	return node;
}

static bool step_tree(struct model *model, u64 *seed, struct rt_vcpu *vcpu)
{
	u64 dice = env_random(seed), root = (u64)env.place->root, object, node;

	if (dice & 1 && model->nr < KEYS) {
		object = object_env_item(&env, dice >> 32 & 31, vcpu);
		model->nr++;
		return !rt_tree_add(env.treed, root, treed_node(object), 1, vcpu);
	}
	node = dice & 2 ? rt_tree_first(env.treed, root) : some_node(seed);
	if (!node)
		return !model->nr;
	if (rt_tree_remove(env.treed, root, node, vcpu) != node ||
	    rt_tree_remove(env.treed, root, node, vcpu))
		return false;
	model->nr--;
	rt_object_drop(env.item, false, node - offsetof(struct item, tree), vcpu);
	return true;
}

static void test_model(const char *name, bool (*step)(struct model *, u64 *, struct rt_vcpu *))
{
	struct model model = { .nr = 0 };
	const char *wrong = NULL;
	u64 seed = 20260101;
	u32 i, count;

	for (i = 0; i < ROUNDS && !wrong; i++) {
		struct rt_vcpu *vcpu = env_vcpu();

		object_env_program(vcpu);
		if (!step(&model, &seed, vcpu))
			wrong = "a result";
		else if (i % 16 == 0)
			wrong = object_env_check(&env, &count);
		if (!wrong && i % 16 == 0 && count != model.nr)
			wrong = "the number of nodes";
		rt_vcpu_release(vcpu);
	}
	tap_ok(!wrong, "%s: %u random steps: %s", name, i, wrong ? wrong : "as the model says");
}

static void test_refusals(struct rt_vcpu *vcpu)
{
	u64 object = object_env_item(&env, 1, vcpu), node = listed_node(object), other[2] = { 0 };

	rt_object_acquire(object, vcpu);
	object_env_program(vcpu);
	tap_ok(!rt_list_push(env.listed, (u64)env.place->head, node, true, vcpu), "into a list");
	tap_ok(rt_list_push(env.listed, (u64)env.place->head, node, true, vcpu) == -EINVAL,
	       "not twice");
	tap_ok(((struct item *)object)->list[2] && rt_objects_in_use() == 1,
	       "the second reference is given back");
	rt_object_drop_untyped(3305, vcpu);
	rt_object_drop_untyped((u64)env.place, vcpu);
	rt_object_drop_untyped(object + 8, vcpu);
	tap_ok(rt_objects_in_use() == 1, "what is no object is not dropped");
	tap_ok(!rt_tree_remove(env.treed, (u64)env.place->root, treed_node(object), vcpu),
	       "it is in no tree");
	tap_ok(!rt_list_peek(env.listed, (u64)other, true), "nor in another list");
	object_env_clear(&env, vcpu);
	tap_ok(!rt_objects_in_use(), "all gone");
}

static void scribble(u64 *seed)
{
	u64 *words = (u64 *)env.heap->shared, nr = env.size / 8;
	u64 forged[] = { env.heap->class[env.item->class].first,
			 env.heap->class[env.item->class].first +
				 env.heap->class[env.item->class].stride,
			 (u64)env.place,
			 0,
			 ~0UL,
			 RT_OBJECT_LIVE,
			 env_random(seed) };

	for (u32 i = 0; i < 64; i++) {
		u64 at = env_random(seed);

		/* Where something stands: headers, slots, the first objects; or anywhere. */
		if (at & 1)
			at = (env.heap->class[env.item->class].first - (u64)words) / 8 +
			     (at >> 8) % 2048;
		else if (at & 2)
			at = at >> 8 & 4095;
		else
			at >>= 8;
		words[at % nr] = forged[env_random(seed) % ARRAY_SIZE(forged)];
	}
	for (u32 i = 0; i < sizeof(*env.place) / 8; i++)
		if (env_random(seed) % 4 == 0)
			((u64 *)env.place)[i] = forged[env_random(seed) % ARRAY_SIZE(forged)];
	env.place->lock = 0;
}

/* A program's pointer is one that the data plane gave: it stays good whatever is written. */
static bool hostile_step(u64 *seed, struct rt_vcpu *vcpu)
{
	u64 head = (u64)env.place->head, root = (u64)env.place->root, object, node, other;

	object = object_env_item(&env, env_random(seed), vcpu);
	if (object && !rt_object_check(env.item, false, object))
		return false;
	switch (env_random(seed) % 6) {
	case 0:
		if (object)
			rt_list_push(env.listed, head, listed_node(object), env_random(seed) & 1,
				     vcpu);
		return true;
	case 1:
		if (object)
			rt_tree_add(env.treed, root, treed_node(object), 1, vcpu);
		return true;
	case 2:
		node = rt_list_pop(env.listed, head, env_random(seed) & 1, vcpu);
		other = node ? node - offsetof(struct item, list) : 0;
		break;
	case 3:
		node = some_node(seed);
		node = node ? rt_tree_remove(env.treed, root, node, vcpu) : 0;
		other = node ? node - offsetof(struct item, tree) : 0;
		break;
	case 4:
		other = rt_object_exchange(env.item, false, &env.place->item, object, vcpu);
		object = 0;
		break;
	default:
		for (u32 i = 0; i < ARRAY_SIZE(env.fields); i++)
			rt_object_end_field(&env.fields[i], env.place, NULL, vcpu);
		other = 0;
	}
	if (other && !rt_object_check(env.item, false, other))
		return false;
	if (other)
		memset((void *)other, 0x5a, sizeof(struct item));
	if (other)
		rt_object_drop(env.item, false, other, vcpu);
	if (object)
		rt_object_drop(env.item, false, object, vcpu);
	return true;
}

/* What is not the heap's or the place's nobody touches. */
static void test_hostile(void)
{
	u64 seed = 4242, before[64], *guard = arena_alloc(env.arena, ARENA_DATA, 4096, 4096);
	bool good = true;
	u32 i;

	memset(guard, 0xa5, 4096);
	memcpy(before, guard, sizeof(before));
	alarm(300); /* an endless loop, not a slow machine */
	for (i = 0; i < ROUNDS / 4 && good; i++) {
		struct rt_vcpu *vcpu = env_vcpu();

		object_env_program(vcpu);
		if (i % 4 == 0)
			scribble(&seed);
		good = hostile_step(&seed, vcpu);
		if (i % 64 == 0)
			rt_object_reclaim(vcpu);
		rt_vcpu_release(vcpu);
	}
	alarm(0);
	tap_ok(good, "hostile bytes: %u steps, every pointer leads to an object", i);
	tap_ok(!memcmp(before, guard, sizeof(before)), "... and nothing else was written");
}

static void *work(void *arg)
{
	u64 seed = (u64)arg;

	for (u32 i = 0; i < ROUNDS / 4; i++) {
		struct rt_vcpu *vcpu = env_vcpu();
		u64 object = object_env_item(&env, env_random(&seed), vcpu), old;

		object_env_program(vcpu);
		old = rt_object_exchange(env.item, false, &env.place->item, object, vcpu);
		if (old)
			rt_object_drop(env.item, false, old, vcpu);
		object = object_env_item(&env, env_random(&seed) % 32, vcpu);
		if (object && object_env_lock(&env, vcpu)) {
			if (i % 2)
				rt_tree_add(env.treed, (u64)env.place->root, treed_node(object), 1,
					    vcpu);
			else
				rt_list_push(env.listed, (u64)env.place->head, listed_node(object),
					     i % 4, vcpu);
			old = 0;
			if (env_random(&seed) & 1)
				old = rt_graph_take(env.treed, env.place->root, true, vcpu);
			else
				old = rt_graph_take(env.listed, env.place->head, false, vcpu);
			object_env_unlock(&env);
			if (old)
				rt_object_drop(env.item, false, old, vcpu);
		} else if (object) {
			rt_object_drop(env.item, false, object, vcpu);
		}
		rt_vcpu_release(vcpu);
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t thread[3];
	struct rt_vcpu *vcpu;
	const char *wrong;
	u32 count;

	for (u64 i = 0; i < ARRAY_SIZE(thread); i++)
		if (pthread_create(&thread[i], NULL, work, (void *)(i + 1)))
			tap_bail("no thread");
	for (u32 i = 0; i < ARRAY_SIZE(thread); i++)
		pthread_join(thread[i], NULL);
	wrong = object_env_check(&env, &count);
	tap_ok(!wrong, "three threads: %s", wrong ? wrong : "list and tree are sound");
	tap_ok(rt_objects_in_use() == count, "%u objects are in use, %u have an owner",
	       (u32)rt_objects_in_use(), count);
	vcpu = env_vcpu();
	object_env_clear(&env, vcpu);
	tap_ok(!rt_objects_in_use(), "nothing is lost");
	rt_vcpu_release(vcpu);
}

int main(void)
{
	struct rt_vcpu *vcpu;

	object_env_new(&env, 4, 64u << 10);
	vcpu = env_vcpu();
	test_counting(vcpu);
	test_percpu(vcpu);
	test_chain(vcpu);
	rt_vcpu_release(vcpu);
	vcpu = env_vcpu();
	test_refusals(vcpu);
	rt_vcpu_release(vcpu);
	test_reuse();
	test_held();
	test_model("list", step_list);
	vcpu = env_vcpu();
	object_env_clear(&env, vcpu);
	rt_vcpu_release(vcpu);
	test_model("tree", step_tree);
	vcpu = env_vcpu();
	object_env_clear(&env, vcpu);
	tap_ok(!rt_objects_in_use(), "the model's objects are gone");
	rt_vcpu_release(vcpu);
	test_threads();
	test_hostile(); /* nothing can be said of the heap after it */
	arena_free(env.arena);
	return tap_done();
}
