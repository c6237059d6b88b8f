/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Death at every instruction of an operation on objects: a child does it and is single-stepped, the
 * shared memory is kept after each instruction that changed it, and each of these states is put
 * back and examined as the one that a SIGKILL leaves. Whoever comes next, in the dead one's slot or
 * in another, has to find a sound list and a sound tree, and as many objects as have an owner.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/tap.h"
#include "object_env.h"
#include "rt/lock.h"
#include "rt/shared.h"

#define STEPS_MAX  200000
#define STATES_MAX 4096
#define SLOTS	   2
#define AREAS	   8

static struct object_env env;
static u32 *done; /* shared: the child's operation has ended */

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

/* The shared memory that an operation may change. */
static struct {
	u8 *at;
	u64 size;
} areas[AREAS];
static u32 nr_areas;

static void add_area(void *at, u64 size)
{
	if (nr_areas == AREAS)
		tap_bail("too many areas");
	areas[nr_areas].at = at;
	areas[nr_areas++].size = size;
}

static void find_areas(void)
{
	const struct rt_object_class *items = &env.heap->class[env.item->class];
	const struct rt_object_class *owners = &env.heap->class[env.owner->class];

	add_area(env.heap->shared, offsetof(struct rt_object_shared, slots[SLOTS]));
	add_area((void *)items->bitmap, 8);
	add_area((void *)items->summary, 8);
	add_area((void *)owners->bitmap, 8);
	add_area((void *)owners->summary, 8);
	/* The first objects are all that there are. */
	add_area(rt_object_header_of(items->first), 24ul * items->stride);
	add_area(rt_object_header_of(owners->first), 8ul * owners->stride);
	add_area(env.place, sizeof(*env.place));
}

static u64 state_size(void)
{
	u64 size = sizeof(RT_SHARED->vcpus[0]) * SLOTS;

	for (u32 i = 0; i < nr_areas; i++)
		size += areas[i].size;
	return size;
}

static void save(u8 *state)
{
	memcpy(state, RT_SHARED->vcpus, sizeof(RT_SHARED->vcpus[0]) * SLOTS);
	state += sizeof(RT_SHARED->vcpus[0]) * SLOTS;
	for (u32 i = 0; i < nr_areas; state += areas[i++].size)
		memcpy(state, areas[i].at, areas[i].size);
}

static void restore(const u8 *state)
{
	memcpy(RT_SHARED->vcpus, state, sizeof(RT_SHARED->vcpus[0]) * SLOTS);
	state += sizeof(RT_SHARED->vcpus[0]) * SLOTS;
	for (u32 i = 0; i < nr_areas; state += areas[i++].size)
		memcpy(areas[i].at, state, areas[i].size);
}

static struct rt_vcpu *take_slot(u32 index)
{
	struct rt_vcpu *held[RT_VCPU_MAX], *found = NULL;
	u32 nr = 0;

	while (!found) {
		struct rt_vcpu *vcpu = env_vcpu();

		if (vcpu->index == index)
			found = vcpu;
		else
			held[nr++] = vcpu;
	}
	while (nr)
		rt_vcpu_release(held[--nr]);
	object_env_program(found);
	return found;
}

static u8 *states[STATES_MAX];
static u32 nr_states, nr_steps;

static void keep_state(void)
{
	u64 size = state_size();
	u8 *state = malloc(size);

	save(state);
	if (nr_states && !memcmp(state, states[nr_states - 1], size))
		free(state);
	else if (nr_states == STATES_MAX)
		tap_bail("too many states");
	else
		states[nr_states++] = state;
}

static void child(const struct scenario *scenario)
{
	struct rt_vcpu *vcpu;

	rt_process_begin(false, 0);
	vcpu = take_slot(0);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	scenario->operate(vcpu);
	__atomic_store_n(done, 1, __ATOMIC_SEQ_CST);
	_exit(0);
}

static void record(const struct scenario *scenario)
{
	pid_t pid;
	int status;

	*done = 0;
	pid = fork();
	if (pid == 0)
		child(scenario);
	waitpid(pid, &status, 0);
	for (nr_steps = 0; !*done && nr_steps < STEPS_MAX; nr_steps++) {
		keep_state();
		ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			tap_bail("%s: the child ended: %x", scenario->name, (unsigned)status);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
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
	const char *wrong = NULL;
	u32 before = nr_states;
	u8 *start = malloc(state_size());

	save(start);
	nr_states = 0;
	record(scenario);
	for (u32 i = 0; i < nr_states * SLOTS && !wrong; i++) {
		restore(states[i / SLOTS]);
		wrong = examine(i % SLOTS);
		if (wrong)
			tap_note("state %u of %u, examined from slot %u", i / SLOTS, nr_states,
				 i % SLOTS);
	}
	tap_ok(!wrong && *done && nr_states > before,
	       "%s: killed after each of %u instructions, %u states: %s", scenario->name, nr_steps,
	       nr_states, wrong ? wrong : "nothing lost, nothing torn");
	while (nr_states)
		free(states[--nr_states]);
	restore(start);
	free(start);
}

int main(void)
{
	struct rt_vcpu *vcpu;

	object_env_new(&env, SLOTS, 4096);
	done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
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
