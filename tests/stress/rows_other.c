/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stack traces, Bloom filters, storage that belongs to nobody, and maps of sockets as their one
 * writer sees them and as programs do.
 */
#include <errno.h>
#include <string.h>

#include "rt/map/shared.h"
#include "rt/redirect.h"
#include "rt/stack.h"
#include "stress.h"
#include "unit/rt/map_env.h"

#define DEPTH  8  /* addresses in a value */
#define STACKS 96 /* different ones of each worker */
#define BLOOMS 400

/* A stack's addresses follow each other; the first says whose it is and which. */
static void make_stack(u64 worker, u64 which, u64 *ips)
{
	for (u32 i = 0; i < DEPTH; i++)
		ips[i] = (worker + 1) << 32 | which << 8 | i;
}

static bool is_whole(const struct stage *stage, const u64 *ips)
{
	if ((ips[0] >> 32) - 1 >= stage->nr_workers + 1 || (ips[0] & 0xff))
		return false;
	for (u32 i = 1; i < DEPTH; i++)
		if (ips[i] != ips[0] + i)
			return false;
	return true;
}

static void keep(struct worker *worker)
{
	u64 ips[DEPTH], flags = worker_random(worker, 4) * BPF_F_FAST_STACK_CMP;
	long id;

	make_stack(worker->index, worker_random(worker, STACKS), ips);
	id = rt_stack_store(worker->stage->map, ips, DEPTH,
			    flags & (BPF_F_FAST_STACK_CMP | BPF_F_REUSE_STACKID), worker->vcpu);
	if (id < 0 && id != -EEXIST && id != -ENOMEM && id != -EBUSY)
		worker_error(worker, "keeping a stack gives an error", id);
}

static void look(struct worker *worker, bool take)
{
	u32 id = (u32)worker_random(worker, worker->stage->map->nr_buckets);
	u64 ips[DEPTH];
	long error;

	if (take)
		error = rt_map_lookup_and_delete(worker->stage->map, &id, ips, 0, worker->vcpu);
	else
		error = rt_map_copy_out(worker->stage->map, &id, ips, 0, worker->vcpu);
	if (error && error != -ENOENT && error != -EBUSY)
		worker_error(worker, "a stack's lookup gives an error", error);
	if (!error && !is_whole(worker->stage, ips))
		worker_wrong(worker, "a stack is torn");
}

void stack_operate(struct worker *worker)
{
	u32 what = (u32)worker_random(worker, 8);

	if (what < 4)
		keep(worker);
	else
		look(worker, what < 6);
}

void stack_read_all(struct worker *worker)
{
	u32 key, next, nr = 0;

	while (nr < 256 &&
	       !rt_map_get_next_key(worker->stage->map, nr ? &key : NULL, &next, worker->vcpu)) {
		key = next;
		nr++;
	}
	look(worker, false);
	look(worker, true);
	keep(worker);
}

void stack_settle(struct worker *dead)
{
	struct stage *stage = dead->stage;
	u64 ips[DEPTH];

	for (u32 id = 0; id < stage->map->nr_buckets; id++) {
		long error = -EBUSY;

		for (u32 i = 0; i < 200 && error == -EBUSY; i++)
			error = rt_map_copy_out(stage->map, &id, ips, 0, dead->vcpu);
		if (error == -EBUSY)
			shadow_wrong(dead->shadow, "after a death: a bucket stays locked", id);
		if (!error && !is_whole(stage, ips))
			shadow_wrong(dead->shadow, "after a death: a stack is torn", ips[0]);
	}
}

/* All go, and as many fit as before: a death may leave a count that is one too low. */
void stack_finish(struct stage *stage, struct rt_vcpu *vcpu)
{
	u64 ips[DEPTH];
	u32 nr = 0;

	for (u32 id = 0; id < stage->map->nr_buckets; id++)
		rt_map_delete_elem(stage->map, &id, vcpu);
	for (u64 which = 0; which < 4096; which++) {
		make_stack(STRESS_WORKERS, which, ips);
		rt_stack_store(stage->map, ips, DEPTH, 0, vcpu);
	}
	for (u32 id = 0; id < stage->map->nr_buckets; id++)
		nr += rt_map_copy_out(stage->map, &id, ips, 0, vcpu) == 0;
	if (nr < stage->map->max_entries || (!stage->deaths && nr != stage->map->max_entries))
		shadow_wrong(&stage->watcher, "at the end: not as many stacks fit", nr);
}

static u64 bloom_value(u64 worker, u64 number)
{
	return (worker + 1) << 32 | number % BLOOMS;
}

void bloom_operate(struct worker *worker)
{
	struct shadow *shadow = worker->shadow;
	u64 value = bloom_value(worker->index, shadow->puts);

	if (rt_map_push_elem(worker->stage->map, &value, 0, worker->vcpu))
		worker_wrong(worker, "a value cannot be put in");
	SHADOW_STORE(shadow->puts, shadow->puts + 1);
	for (u32 i = 0; i < 8; i++) {
		u32 whose = (u32)worker_random(worker, worker->stage->nr_workers);
		u64 nr = SHADOW_LOAD(worker->stage->shadows[whose].puts);

		value = nr ? bloom_value(whose, worker_random(worker, nr)) : 0;
		if (nr && rt_map_peek_elem(worker->stage->map, &value, worker->vcpu))
			worker_wrong(worker, "a value is missed");
	}
}

void bloom_settle(struct worker *dead)
{
	for (u64 i = 0; i < dead->shadow->puts && i < BLOOMS; i++) {
		u64 value = bloom_value(dead->index, i);

		if (rt_map_peek_elem(dead->stage->map, &value, dead->vcpu))
			shadow_wrong(dead->shadow, "after a death: a value is missed", i);
	}
}

void bloom_read_all(struct worker *worker)
{
	bloom_operate(worker);
}

void owned_operate(struct worker *worker)
{
	u64 words[4] = { worker->index, 1, 2, 3 };
	void *value = rt_map_storage(worker->stage->map, worker->vcpu);

	if (worker_random(worker, 2))
		rt_shared_store(value, words, sizeof(words));
	else
		rt_shared_load(words, value, sizeof(words));
}

void owned_read_all(struct worker *worker)
{
	owned_operate(worker);
}

/* A socket's place in control says here whose key it is and how often that was stored. */
static u64 sock_number(u32 number, u64 version)
{
	return (u64)(number + 1) << 16 | (version & 0xffff);
}

static u64 sock_at(const struct stage *stage, u32 number, struct rt_vcpu *vcpu)
{
	const void *sock = rt_map_lookup_elem(stage->map, &number, vcpu);

	return sock ? rt_sock_number(sock) : 0;
}

static void sock_change(struct worker *worker, u32 key)
{
	struct shadow *shadow = worker->shadow;
	u32 number = worker->index * STRESS_KEYS + key;
	bool drop = worker_random(worker, 2);
	u64 value = 0, out;
	long error;

	/* Never one whose number is 0. */
	if (!drop)
		value = sock_number(number, ++shadow->version);
	SHADOW_STORE(shadow->next[key], value);
	shadow_begin(shadow, key, key + 1);
	if (drop)
		error = rt_map_lookup_and_delete(worker->stage->map, &number, &out, 0,
						 worker->vcpu);
	else
		error = rt_map_copy_in(worker->stage->map, &number, &value, 0, worker->vcpu);
	if (!error || (drop && error == -ENOENT))
		SHADOW_STORE(shadow->now[key], value);
	shadow_end(shadow);
	if (error && !(drop && error == -ENOENT) && error != -E2BIG && error != -ETIMEDOUT &&
	    error != -EBUSY)
		worker_error(worker, "a change gives an error", error);
}

static void sock_look(struct worker *worker)
{
	struct stage *stage = worker->stage;
	u32 whose = (u32)worker_random(worker, stage->nr_workers),
	    key = (u32)worker_random(worker, STRESS_KEYS), number = whose * STRESS_KEYS + key;
	struct shadow *owner = &stage->shadows[whose];
	u64 before = SHADOW_LOAD(owner->changes), value = SHADOW_LOAD(owner->now[key]);
	u64 seen = sock_at(stage, number, worker->vcpu);

	if (seen && seen >> 16 != number + 1)
		worker_wrong(worker, "a socket is another key's");
	if (before % 2 == 0 && SHADOW_LOAD(owner->changes) == before && seen != value)
		worker_wrong(worker, seen ? "an old socket is seen" : "a key is missed");
}

void sock_operate(struct worker *worker)
{
	if (worker_random(worker, 4) == 0)
		sock_change(worker, (u32)worker_random(worker, STRESS_KEYS));
	else
		sock_look(worker);
}

void sock_read_all(struct worker *worker)
{
	u32 key, next, nr = 0;

	while (nr < 256 &&
	       !rt_map_get_next_key(worker->stage->map, nr ? &key : NULL, &next, worker->vcpu)) {
		key = next;
		nr++;
	}
	sock_look(worker);
}

void sock_settle(struct worker *dead)
{
	struct stage *stage = dead->stage;
	struct shadow *shadow = dead->shadow;
	bool in_doubt = shadow->changes % 2;

	for (u32 key = 0; key < STRESS_KEYS; key++) {
		u32 number = dead->index * STRESS_KEYS + key;
		u64 seen = sock_at(stage, number, dead->vcpu), out;
		long error = -EBUSY;

		if (!in_doubt || key != shadow->from) {
			if (seen != shadow->now[key])
				shadow_wrong(shadow, "after a death: not the last socket", number);
			continue;
		}
		if (seen != shadow->now[key] && seen != shadow->next[key])
			shadow_wrong(shadow, "after a death: a socket is torn", number);
		/* What was journalled may yet happen: so it goes. */
		for (u32 i = 0; i < 200 && error && error != -ENOENT; i++)
			error = rt_map_lookup_and_delete(stage->map, &number, &out, 0, dead->vcpu);
		if (error && error != -ENOENT)
			shadow_wrong(shadow, "after a death: a change never ends", number);
		SHADOW_STORE(shadow->now[key], 0);
	}
	if (in_doubt)
		shadow_end(shadow);
}

void sock_finish(struct stage *stage, struct rt_vcpu *vcpu)
{
	u32 fits = 0, linked = 0;
	u64 value;

	if (!(stage->row->traits & ROW_HASH))
		return;
	for (u32 number = 0; number < STRESS_WORKERS * STRESS_KEYS; number++)
		rt_map_lookup_and_delete(stage->map, &number, &value, 0, vcpu);
	for (u32 number = 1000; number < 1000 + 4 * stage->map->max_entries; number++) {
		value = sock_number(number, 1);
		fits += rt_map_copy_in(stage->map, &number, &value, 0, vcpu) == 0;
	}
	if (fits != stage->map->max_entries)
		shadow_wrong(&stage->watcher, "at the end: not as many keys fit as must", fits);
	if (!env_hash_check(stage->map, &linked) && linked != fits)
		shadow_wrong(&stage->watcher, "at the end: not all keys are linked", linked);
}
