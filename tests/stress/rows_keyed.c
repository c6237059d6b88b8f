/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types with keys: each worker updates and deletes its own, alone or in batches, and looks at
 * everybody's. The words of a value say whose key it is and how often that was stored, so a torn or
 * a wrong value shows; whoever looks while the owner does nothing must see the last one.
 */
#include <errno.h>
#include <string.h>

#include "harness/tap.h"
#include "rt/batch.h"
#include "rt/map/hash.h"
#include "rt/map/shared.h"
#include "rt/storage.h"
#include "stress.h"
#include "unit/rt/map_env.h"

#define WORDS	  4 /* of a value */
#define VALUE_MAX (WORDS * STRESS_SLOTS)
#define BATCH_MAX 5
#define PATIENCE  200

struct key {
	u32 words[2];
};

static u32 number_of(u32 worker, u32 key)
{
	return worker * STRESS_KEYS + key;
}

static bool has(const struct stage *stage, u32 trait)
{
	return stage->row->traits & trait;
}

static struct key key_of(const struct stage *stage, u32 number)
{
	if (has(stage, ROW_PREFIX))
		return (struct key){ { 32, number } };
	/* An owner that is no task, which might be found to be dead. */
	if (rt_type_is_storage(stage->row->type))
		return (struct key){ { number, (u32)(RT_OWNER_OF_TEST >> 32) } };
	return (struct key){ { number, 0 } };
}

static u32 nr_copies(const struct stage *stage)
{
	return has(stage, ROW_PERCPU) ? stage->map->nr_vcpus : 1;
}

static void make_value(const struct stage *stage, u32 number, u64 version, u64 *value)
{
	for (u32 i = 0; i < WORDS * nr_copies(stage); i++)
		value[i] = (u64)(number + 1) << 40 | version;
}

/* Errors that change nothing: of a full map, and of a lock whose holder the machine lets wait. */
static bool is_full(long error)
{
	return error == -E2BIG || error == -ENOMEM || error == -ENOSPC;
}

static bool is_wait(long error)
{
	return error == -ETIMEDOUT || error == -EBUSY;
}

/*
 * All words of a value: their version if it is one of the two, or any mixture with `mixed`; ~0 if
 * it is another key's or torn.
 */
static u64 version_of(const struct stage *stage, u32 number, const u64 *value, bool mixed)
{
	u64 version = 0;

	for (u32 i = 0; i < WORDS * nr_copies(stage); i++) {
		if (i == 0 && has(stage, ROW_LOCKED))
			continue;
		/* Arrays begin with zeros. */
		if (value[i] && value[i] >> 40 != number + 1)
			return ~0ull;
		if (version && (value[i] & 0xffffffffff) != version && !mixed)
			return ~0ull;
		version = value[i] & 0xffffffffff;
	}
	return version;
}

static u64 flags_of(const struct stage *stage)
{
	return has(stage, ROW_LOCKED) ? BPF_F_LOCK : 0;
}

static void put_one(struct worker *worker, u32 key)
{
	struct stage *stage = worker->stage;
	struct shadow *shadow = worker->shadow;
	u32 number = number_of(worker->index, key);
	struct key bytes = key_of(stage, number);
	u64 value[VALUE_MAX], version = ++shadow->version;
	long error;

	make_value(stage, number, version, value);
	SHADOW_STORE(shadow->next[key], version);
	shadow_begin(shadow, key, key + 1);
	error = rt_map_copy_in(stage->map, &bytes, value, flags_of(stage), worker->vcpu);
	if (!error)
		SHADOW_STORE(shadow->now[key], version);
	shadow_end(shadow);
	if (error && !is_wait(error) &&
	    !(is_full(error) && (!shadow->now[key] || has(stage, ROW_EVICTS))))
		worker_error(worker, "an update gives an error", error);
}

static void drop_one(struct worker *worker, u32 key)
{
	struct stage *stage = worker->stage;
	struct shadow *shadow = worker->shadow;
	struct key bytes = key_of(stage, number_of(worker->index, key));
	u64 value[VALUE_MAX];
	bool take = worker_random(worker, 2) && !has(stage, ROW_PREFIX) &&
		    !rt_type_is_storage(stage->row->type);
	long error;

	SHADOW_STORE(shadow->next[key], 0);
	shadow_begin(shadow, key, key + 1);
	if (take)
		error = rt_map_lookup_and_delete(stage->map, &bytes, value, flags_of(stage),
						 worker->vcpu);
	else
		error = rt_map_delete_elem(stage->map, &bytes, worker->vcpu);
	if (is_wait(error)) {
		shadow_end(shadow);
		return;
	}
	if (error && (error != -ENOENT || (shadow->now[key] && !has(stage, ROW_EVICTS))))
		worker_error(worker, "a deletion gives an error", error);
	if (!error && !shadow->now[key])
		worker_wrong(worker, "a deletion finds what is not there");
	if (!error && take &&
	    version_of(stage, number_of(worker->index, key), value,
		       stage->deaths && has(stage, ROW_IN_PLACE)) == ~0ull)
		worker_wrong(worker, "what is taken out is torn");
	SHADOW_STORE(shadow->now[key], 0);
	shadow_end(shadow);
}

/* Another's key, or an own one. */
static void look_one(struct worker *worker)
{
	struct stage *stage = worker->stage;
	u32 whose = (u32)worker_random(worker, stage->nr_workers),
	    key = (u32)worker_random(worker, STRESS_KEYS), number = number_of(whose, key);
	struct shadow *owner = &stage->shadows[whose];
	struct key bytes = key_of(stage, number);
	u64 value[VALUE_MAX], before, version, seen = 0;
	long error;

	before = SHADOW_LOAD(owner->changes);
	version = SHADOW_LOAD(owner->now[key]);
	error = rt_map_copy_out(stage->map, &bytes, value, flags_of(stage), worker->vcpu);
	if (error && error != -ENOENT) {
		if (!is_wait(error))
			worker_error(worker, "a lookup gives an error", error);
		return;
	}
	if (!error)
		seen = version_of(stage, number, value,
				  has(stage, ROW_IN_PLACE) &&
					  (stage->deaths || !has(stage, ROW_LOCKED)));
	if (seen == ~0ull)
		worker_wrong(worker, "a value is torn or another key's");
	/* Was the owner idle all the time? */
	if (before % 2 || SHADOW_LOAD(owner->changes) != before || stage->hostile)
		return;
	if (has(stage, ROW_EVICTS) ? !error && seen != version : seen != version)
		worker_wrong(worker, error ? "a key is missed" : "an old value is seen");
}

/* What a program does: a pointer to the value, read word by word. */
static void find_one(struct worker *worker)
{
	struct stage *stage = worker->stage;
	struct key bytes =
		key_of(stage, (u32)worker_random(worker, STRESS_KEYS * stage->nr_workers));
	u64 value[WORDS];
	const struct rt_owner owner = { .number = (u64)bytes.words[1] << 32 | bytes.words[0] };
	void *found = rt_type_is_storage(stage->row->type)
			      ? rt_storage_find(stage->map, &owner, worker->vcpu)
			      : rt_map_lookup_elem(stage->map, &bytes, worker->vcpu);

	if (found)
		rt_shared_load(value, found, sizeof(value));
}

static u64 count_visit(void *arg, const void *key, void *value)
{
	++*(u32 *)arg;
	return 0;
}

static void walk(struct worker *worker)
{
	struct stage *stage = worker->stage;
	u32 nr = 0, most = 4 * stage->map->max_entries + 64;
	struct key key = { { 0 } }, next;
	bool any = false;

	while (nr < most &&
	       !rt_map_get_next_key(stage->map, any ? &key : NULL, &next, worker->vcpu)) {
		key = next;
		any = true;
		nr++;
	}
	nr = 0;
	rt_map_for_each(stage->map, count_visit, &nr, worker->vcpu);
}

/* Addresses in a batch are this process's own. */
static long io_read(void *arg, void *dst, u64 address, u64 size)
{
	memcpy(dst, (const void *)(uintptr_t)address, size);
	return 0;
}

static long io_write(void *arg, u64 address, const void *src, u64 size)
{
	memcpy((void *)(uintptr_t)address, src, size);
	return 0;
}

static long io_operate(void *arg, struct rt_elem *elem)
{
	return rt_elem_operate(elem, ((struct worker *)arg)->vcpu);
}

static long io_bucket(void *arg, const struct rt_map *map, struct rt_map_bucket *bucket)
{
	return rt_map_bucket_keys(map, bucket, ((struct worker *)arg)->vcpu);
}

static long run_batch(struct worker *worker, u32 cmd, void *keys, u64 *values, u32 *count)
{
	static _Thread_local u8 key_room[16 * 1024], value_room[VALUE_MAX * 8];
	static _Thread_local u32 token[4];
	struct rt_batch batch = { .cmd = cmd,
				  .access = RT_ELEM_MAY_READ | RT_ELEM_MAY_WRITE,
				  .map = worker->stage->map,
				  .out_batch = (u64)token,
				  .keys = (u64)keys,
				  .values = (u64)values,
				  .count_address = (u64)count,
				  .count = *count,
				  .key_room = key_room,
				  .value_room = value_room,
				  .keys_room = sizeof(key_room) };
	const struct rt_batch_io io = { { io_read, io_write, worker }, io_operate, io_bucket };
	long error = rt_batch_check(&batch);

	return error ? error : rt_batch_run(&batch, &io);
}

static void change_batch(struct worker *worker, bool drop)
{
	struct stage *stage = worker->stage;
	struct shadow *shadow = worker->shadow;
	u32 from = (u32)worker_random(worker, STRESS_KEYS - BATCH_MAX),
	    nr = 1 + (u32)worker_random(worker, BATCH_MAX), keys[BATCH_MAX] = { 0 }, done = nr;
	u64 values[BATCH_MAX * WORDS];
	long error;

	for (u32 i = 0; i < nr; i++) {
		u64 version = drop ? 0 : ++shadow->version;

		keys[i] = number_of(worker->index, from + i);
		make_value(stage, keys[i], version, values + (u64)i * WORDS);
		SHADOW_STORE(shadow->next[from + i], version);
	}
	shadow_begin(shadow, from, from + nr);
	error = run_batch(worker, drop ? BPF_MAP_DELETE_BATCH : BPF_MAP_UPDATE_BATCH, keys, values,
			  &done);
	for (u32 i = 0; i < done && i < nr; i++)
		SHADOW_STORE(shadow->now[from + i], shadow->next[from + i]);
	shadow_end(shadow);
	if (error && !is_full(error) && !is_wait(error) && !(drop && error == -ENOENT))
		worker_error(worker, "a batch gives an error", error);
}

static void look_batch(struct worker *worker)
{
	struct stage *stage = worker->stage;
	u32 keys[2 * STRESS_KEYS * STRESS_WORKERS], count = ARRAY_SIZE(keys);
	u64 values[ARRAY_SIZE(keys) * WORDS];
	long error = run_batch(worker, BPF_MAP_LOOKUP_BATCH, keys, values, &count);

	if (error && error != -ENOENT && error != -ENOSPC && error != -EAGAIN && !is_wait(error))
		worker_error(worker, "a batch of lookups gives an error", error);
	for (u32 i = 0; i < count && i < ARRAY_SIZE(keys); i++)
		if (version_of(stage, keys[i], values + (u64)i * WORDS, has(stage, ROW_IN_PLACE)) ==
		    ~0ull)
			worker_wrong(worker, "a batch has a value that is torn or another key's");
}

void keyed_operate(struct worker *worker)
{
	struct stage *stage = worker->stage;
	u32 key = (u32)worker_random(worker, STRESS_KEYS), what = (u32)worker_random(worker, 16);

	if (what < 2 && has(stage, ROW_BATCHES))
		change_batch(worker, what && has(stage, ROW_DELETES));
	else if (what == 2 && has(stage, ROW_BATCHES))
		look_batch(worker);
	else if (what < 6)
		put_one(worker, key);
	else if (what < 9 && has(stage, ROW_DELETES))
		drop_one(worker, key);
	else if (what < 14)
		look_one(worker);
	else if (what == 14)
		find_one(worker);
	else if (worker_random(worker, 16) == 0)
		walk(worker);
}

void keyed_read_all(struct worker *worker)
{
	look_one(worker);
	find_one(worker);
	walk(worker);
	if (has(worker->stage, ROW_BATCHES))
		look_batch(worker);
}

/*
 * What a death has cut off is made whole, so that until the next one nothing else may be torn. A
 * deletion that was journalled is done by whoever comes to its bucket first: here and now.
 */
static void settle_doubt(struct worker *dead, u32 key)
{
	struct stage *stage = dead->stage;
	struct shadow *shadow = dead->shadow;
	u32 number = number_of(dead->index, key);
	struct key bytes = key_of(stage, number);
	u64 value[VALUE_MAX], version = ++shadow->version;
	bool may_go = has(stage, ROW_EVICTS) || !shadow->next[key];
	long error = -EBUSY;

	make_value(stage, number, version, value);
	for (u32 i = 0; i < PATIENCE && is_wait(error); i++)
		error = rt_map_copy_in(stage->map, &bytes, value, BPF_EXIST | flags_of(stage),
				       dead->vcpu);
	if (error && !(error == -ENOENT && may_go))
		shadow_wrong(shadow, "after a death: an update never ends well", number);
	SHADOW_STORE(shadow->now[key], error ? 0 : version);
}

/* What must be there, and what an operation that was cut off may have left. */
static void settle_key(struct worker *dead, u32 key, bool in_doubt)
{
	struct stage *stage = dead->stage;
	struct shadow *shadow = dead->shadow;
	u32 number = number_of(dead->index, key);
	struct key bytes = key_of(stage, number);
	u64 value[VALUE_MAX], seen = 0;
	bool mixed = in_doubt && has(stage, ROW_IN_PLACE);
	long error = -1;

	for (u32 i = 0; i < PATIENCE && error && error != -ENOENT; i++)
		error = rt_map_copy_out(stage->map, &bytes, value, flags_of(stage), dead->vcpu);
	if (error && error != -ENOENT) {
		shadow_wrong(shadow, "after a death: a lookup never ends well", number);
		return;
	}
	if (!error)
		seen = version_of(stage, number, value, mixed);
	if (seen == ~0ull)
		shadow_wrong(shadow, "after a death: a value is torn or another key's", number);
	else if (!(error && has(stage, ROW_EVICTS)) && seen != shadow->now[key] &&
		 !(in_doubt && (mixed || seen == shadow->next[key])))
		shadow_wrong(shadow,
			     error ? "after a death: a key is lost"
				   : "after a death: not the last value",
			     number);
	SHADOW_STORE(shadow->now[key], error ? 0 : seen);
	if (in_doubt && !error)
		settle_doubt(dead, key);
}

void keyed_settle(struct worker *dead)
{
	struct shadow *shadow = dead->shadow;
	bool in_doubt = shadow->changes % 2;

	for (u32 key = 0; key < STRESS_KEYS; key++)
		settle_key(dead, key, in_doubt && key >= shadow->from && key < shadow->to);
	if (in_doubt)
		shadow_end(shadow);
}

/*
 * Every key goes, then exactly as many fit as the map is for, and no element is lost or doubled. In
 * a map that evicts all fit; up to a half of its elements may lie free, in batches of vCPUs, or
 * those of the other vCPUs.
 */
void keyed_finish(struct stage *stage, struct rt_vcpu *vcpu)
{
	u32 fits = 0, linked, most = 4 * stage->map->max_entries, least = stage->map->max_entries;
	u64 value[VALUE_MAX] = { 0 };
	const char *wrong;

	if (!has(stage, ROW_HASH))
		return;
	for (u32 number = 0; number < STRESS_WORKERS * STRESS_KEYS; number++) {
		struct key key = key_of(stage, number);

		rt_map_delete_elem(stage->map, &key, vcpu);
	}
	for (u32 number = 1000; number < 1000 + most; number++) {
		struct key key = key_of(stage, number);

		fits += rt_map_copy_in(stage->map, &key, value, BPF_NOEXIST, vcpu) == 0;
	}
	if (fits != (has(stage, ROW_EVICTS) ? most : stage->map->max_entries))
		shadow_wrong(&stage->watcher, "at the end: not as many keys fit as must", fits);
	if (has(stage, ROW_EVICTS))
		least /= stage->map->flags & BPF_F_NO_COMMON_LRU ? stage->map->nr_vcpus : 2;
	wrong = env_hash_check(stage->map, &linked);
	if (wrong && strcmp(wrong, "a journal is open") != 0)
		shadow_wrong(&stage->watcher, wrong, 0);
	else if (!wrong && linked < least)
		shadow_wrong(&stage->watcher, "at the end: not all keys are linked", linked);
}
