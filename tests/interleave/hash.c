/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash table under every interleaving: two or three participants on one bucket of a map of four
 * keys, each with an operation or two, one of whom may die before any of its accesses. Afterwards
 * there must be an order of the operations, one after the other, that explains all results and the
 * map; every element must be in exactly one place, and four keys must fit.
 */
#include <string.h>

#include "cases.h"
#include "harness/tap.h"
#include "rt/map/hash.h"
#include "unit/rt/map_env.h"

#define KEYS	    6 /* as many as have names: 0 … 5 */
#define OPS_MAX	    6
#define MAX_ENTRIES 4

enum kind {
	LOOK,
	FIND,
	PUT,
	DROP,
	TAKE,
	ENTER, /* the key's bucket is locked and unlocked */
	POP,   /* a free element is taken and given back */
	WALK,  /* all keys, one after the other: those that nobody changes are met once each */
	VISIT, /* the same, by hash_for_each() */
};

struct op {
	enum kind kind;
	u32 key, value; /* LOOK, FIND: value is unused */
	u64 flags;
};

struct hash_case {
	const char *name;
	u32 filled; /* keys 0 … filled - 1 are there, with the values 10, 11, … */
	struct op ops[3][3];
	u8 nr[3];
	u32 slots; /* vCPUs; 0: one for each */
	/*
	 * The map is for 8 keys. The third that is put in splits bucket 0, which has them all, and
	 * those with odd numbers leave.
	 */
	bool grows;
	/* An LRU map of two keys: which of them goes is not foretold. */
	bool evicts;
};

/* A value has two words, so that a torn one shows. */
struct value {
	u64 first, second;
};

static struct value value_of(u32 number)
{
	return (struct value){ number, ~(u64)number };
}

/* A result: 1 + -errno above, the value or 0 below; an operation that did not end has 0. */
static u64 result_of(long error, u64 value)
{
	return (u64)(1 - error) << 32 | value;
}

#define TORN  0xffffu
#define BEGUN (1ull << 31)

/* results[]: of each operation its result and which operations had ended when it began. */
struct run {
	const struct hash_case *test;
	struct rt_map *map;
	u32 keys[KEYS];
};

static u32 number_of(const struct value *value)
{
	return value->second == ~value->first ? (u32)value->first : TORN;
}

static void pop(struct run *run, struct rt_vcpu *vcpu)
{
	struct hash_slot *slot;
	bool fresh;

	if (!hash_enter(run->map, vcpu, &slot) && !hash_pop(run->map, slot, vcpu, &fresh))
		hash_push(run->map, slot, vcpu);
}

static void enter(struct run *run, const u32 *key, struct rt_vcpu *vcpu)
{
	u32 index = hash_key(run->map, key) & (run->map->nr_buckets - 1);

	if (!hash_bucket_lock(run->map, index, vcpu))
		hash_bucket_unlock(run->map, index);
}

static u32 max_entries(const struct hash_case *test)
{
	return test->grows ? 2 * MAX_ENTRIES : test->evicts ? MAX_ENTRIES / 2 : MAX_ENTRIES;
}

/* Does none of the participants put this key in or take it out? */
static bool is_steady(const struct hash_case *test, u32 key)
{
	for (u32 i = 0; i < 3; i++)
		for (u32 j = 0; j < test->nr[i]; j++) {
			const struct op *op = &test->ops[i][j];

			if (op->kind >= PUT && op->kind <= TAKE && op->key == key)
				return false;
		}
	return key < test->filled;
}

struct walk {
	const struct run *run;
	u8 seen[KEYS];
};

static u64 visit(void *arg, const void *key, void *value)
{
	struct walk *walk = arg;
	u32 number = (u32)explore_load(key, sizeof(number));

	for (u32 i = 0; i < KEYS; i++)
		walk->seen[i] += walk->run->keys[i] == number;
	return 0;
}

static long check_walk(const struct walk *walk)
{
	for (u32 i = 0; i < KEYS; i++)
		if (is_steady(walk->run->test, i) && walk->seen[i] != 1)
			return -EIO;
	return 0;
}

static long walk_keys(struct run *run, struct rt_vcpu *vcpu)
{
	struct walk walk = { .run = run };
	u32 key = 0, next;

	for (u32 nr = 0; nr < 2 * KEYS; nr++) {
		if (hash_next_key(run->map, nr ? &key : NULL, &next, vcpu))
			break;
		for (u32 i = 0; i < KEYS; i++)
			walk.seen[i] += run->keys[i] == next;
		key = next;
	}
	return check_walk(&walk);
}

static long visit_keys(struct run *run, struct rt_vcpu *vcpu)
{
	struct walk walk = { .run = run };

	hash_for_each(run->map, visit, &walk, vcpu)
		;
	return check_walk(&walk);
}

static u64 operate(struct run *run, const struct op *op, struct rt_vcpu *vcpu)
{
	const u32 *key = &run->keys[op->key];
	struct value value = value_of(op->value);
	long error;

	switch (op->kind) {
	case LOOK:
		error = hash_copy_out(run->map, key, &value, vcpu);
		return result_of(error, error ? 0 : number_of(&value));
	case FIND: return result_of(hash_find(run->map, key, vcpu) ? 0 : -ENOENT, 0);
	case PUT: return result_of(rt_map_update_elem(run->map, key, &value, op->flags, vcpu), 0);
	case DROP: return result_of(hash_delete(run->map, key, vcpu), 0);
	case ENTER: enter(run, key, vcpu); return result_of(0, 0);
	case POP: pop(run, vcpu); return result_of(0, 0);
	case WALK: return result_of(walk_keys(run, vcpu), 0);
	case VISIT: return result_of(visit_keys(run, vcpu), 0);
	default:
		error = hash_lookup_and_delete(run->map, key, &value, vcpu);
		return result_of(error, error ? 0 : number_of(&value));
	}
}

static void participate(void *arg, u32 thread)
{
	struct run *run = arg;
	struct rt_vcpu *vcpu = rt_vcpu_acquire(thread + 1);
	u64 *results = explore_results();

	for (u32 i = 0; vcpu && i < run->test->nr[thread]; i++) {
		u64 ended = 0;

		for (u32 j = 0; j < 9; j++)
			if (explore_results_of(j / 3)[2 * (j % 3)])
				ended |= 1u << j;
		results[2 * i + 1] = ended | BEGUN;
		explore_forget(1 + i);
		results[2 * i] = operate(run, &run->test->ops[thread][i], vcpu);
	}
	if (vcpu)
		rt_vcpu_release(vcpu);
}

/* The specification: what an operation does to the values of the keys, 0: not there. */
static u64 specified(const struct op *op, u32 *values, u32 room)
{
	u32 *value = &values[op->key], old = *value, nr = 0;

	for (u32 i = 0; i < KEYS; i++)
		nr += values[i] != 0;
	switch (op->kind) {
	case LOOK: return old ? result_of(0, old) : result_of(-ENOENT, 0);
	case FIND: return result_of(old ? 0 : -ENOENT, 0);
	case PUT:
		if (old && op->flags == BPF_NOEXIST)
			return result_of(-EEXIST, 0);
		if (!old && op->flags == BPF_EXIST)
			return result_of(-ENOENT, 0);
		if (!old && nr == room)
			return result_of(-E2BIG, 0);
		*value = op->value;
		return result_of(0, 0);
	case ENTER:
	case POP:
	case WALK:
	case VISIT: return result_of(0, 0);
	default:
		*value = 0;
		if (!old)
			return result_of(-ENOENT, 0);
		return result_of(0, op->kind == TAKE ? old : 0);
	}
}

/*
 * An insertion may find no free element while a deletion that made room has not given it back yet;
 * so may the kernel's.
 */
static bool explains(u64 specification, u64 seen, const struct op *op)
{
	return specification == seen ||
	       (op->kind == PUT && seen == result_of(-E2BIG, 0) && specification >> 32 == 1);
}

/* Is there an order of the operations not in `done` that goes on from values to final? */
static bool ordered(const struct run *run, u32 done, const u32 *values, const u32 *final)
{
	bool all = true;

	for (u32 i = 0; i < 9; i++) {
		u32 thread = i / 3, at = i % 3, next[KEYS];
		const u64 *result;
		u64 specification, before;

		if (at >= run->test->nr[thread] || done >> i & 1)
			continue;
		result = &explore_results_of(thread)[2 * at];
		if (!result[1])
			continue; /* it never began */
		before = result[1] & ~BEGUN;
		if (result[0])
			all = false;
		if ((before & done) != before || (at && !(done >> (i - 1) & 1)))
			continue;
		memcpy(next, values, sizeof(next));
		specification =
			specified(&run->test->ops[thread][at], next, max_entries(run->test));
		/* One that its participant's death cut off has been done, or not: see `all`. */
		if (result[0] && !explains(specification, result[0], &run->test->ops[thread][at]))
			continue;
		if (result[0] && specification != result[0])
			memcpy(next, values, sizeof(next));
		if (ordered(run, done | 1u << i, next, final))
			return true;
	}
	return all && !memcmp(values, final, KEYS * sizeof(*values));
}

static const char *contents(struct run *run, u32 *values, struct rt_vcpu *vcpu)
{
	for (u32 i = 0; i < KEYS; i++) {
		struct value value;

		values[i] = 0;
		if (hash_copy_out(run->map, &run->keys[i], &value, vcpu))
			continue;
		values[i] = number_of(&value);
		if (values[i] == TORN)
			return "a value is torn";
	}
	return NULL;
}

/* Every slot's next holder comes, and settles what a dead one left. */
static const char *examine_whole(struct run *run)
{
	struct rt_vcpu *vcpus[EXPLORE_THREADS_MAX + 1];
	u32 nr = 0, fits = 0, linked;
	const char *wrong;

	for (; nr < run->map->nr_vcpus; nr++)
		if (!(vcpus[nr] = rt_vcpu_acquire(50 + nr)))
			return "a vCPU is lost";
	for (u32 i = 0; i < KEYS; i++)
		hash_delete(run->map, &run->keys[i], vcpus[i % nr]);
	wrong = env_hash_check(run->map, &linked);
	for (u32 i = 0; i < KEYS; i++) {
		struct value value = value_of(i + 1);

		fits += rt_map_update_elem(run->map, &run->keys[i], &value, BPF_NOEXIST,
					   vcpus[i % nr]) == 0;
	}
	if (!wrong)
		wrong = env_hash_check(run->map, &linked);
	if (!wrong && fits != (run->test->grows || run->test->evicts ? KEYS : MAX_ENTRIES))
		wrong = "not exactly as many keys fit as the map is for";
	for (u32 i = 0; i < nr; i++)
		rt_vcpu_release(vcpus[i]);
	return wrong;
}

/* Each value is one that was put there, and what an operation says is possible. */
static const char *evicted_rightly(const struct run *run, const u32 *values)
{
	for (u32 i = 0; i < 9; i++) {
		u32 thread = i / 3, at = i % 3;
		const struct op *op = &run->test->ops[thread][at];
		const u64 *result;

		if (at >= run->test->nr[thread])
			continue;
		result = &explore_results_of(thread)[2 * at];
		if (result[0] && op->kind == PUT && result[0] != result_of(0, 0))
			return "a key does not find a place";
		if (result[0] >> 32 == 1 && op->kind == LOOK && (u32)result[0] < 10)
			return "a value is nobody's";
	}
	for (u32 i = 0; i < KEYS; i++)
		if (values[i] && values[i] != 10 + i && values[i] != 20 + i)
			return "a key has another one's value";
	return NULL;
}

static const char *examine(void *arg)
{
	struct run *run = arg;
	u32 initial[KEYS] = { 0 }, final[KEYS];
	struct rt_vcpu *vcpu = rt_vcpu_acquire(40);
	const char *wrong;

	if (!vcpu)
		return "no vCPU is to be had";
	for (u32 i = 0; i < run->test->filled; i++)
		initial[i] = 10 + i;
	wrong = contents(run, final, vcpu);
	rt_vcpu_release(vcpu);
	if (!wrong && run->test->evicts)
		wrong = evicted_rightly(run, final);
	else if (!wrong && !ordered(run, 0, initial, final))
		wrong = "no order of the operations explains it";
	return wrong ? wrong : examine_whole(run);
}

/* Keys of one bucket: chains are as long as can be. */
static void choose_keys(struct run *run)
{
	u32 nr = 0, mask = run->map->nr_buckets - 1;

	for (u32 key = 1; nr < KEYS; key++) {
		u32 bucket = run->test->grows ? nr % 2 * MAX_ENTRIES : 0;

		if ((hash_key(run->map, &key) & mask) == bucket)
			run->keys[nr++] = key;
	}
}

static void prepare(struct run *run, struct arena *arena)
{
	struct rt_vcpu *vcpu;

	run->map = env_map(arena, run->test->evicts ? BPF_MAP_TYPE_LRU_HASH : BPF_MAP_TYPE_HASH, 4,
			   sizeof(struct value), max_entries(run->test), 0);
	choose_keys(run);
	vcpu = rt_vcpu_acquire(40);
	for (u32 i = 0; i < run->test->filled; i++) {
		struct value value = value_of(10 + i);

		rt_map_update_elem(run->map, &run->keys[i], &value, 0, vcpu);
	}
	rt_vcpu_release(vcpu);
}

static const struct hash_case tests[] = {
	{ .name = "look, replace",
	  .filled = 2,
	  .ops = { { { LOOK, 0, 0, 0 } }, { { PUT, 0, 20, 0 } } },
	  .nr = { 1, 1 } },
	{ .name = "look, delete and reuse its element",
	  .filled = 4,
	  .ops = { { { LOOK, 1, 0, 0 } }, { { DROP, 1, 0, 0 }, { PUT, 4, 20, 0 } } },
	  .nr = { 1, 2 } },
	{ .name = "look, its neighbour is deleted and reused",
	  .filled = 4,
	  .ops = { { { LOOK, 0, 0, 0 } }, { { DROP, 3, 0, 0 }, { PUT, 4, 20, 0 } } },
	  .nr = { 1, 2 } },
	{ .name = "look, replaced twice",
	  .filled = 1,
	  .ops = { { { LOOK, 0, 0, 0 } }, { { PUT, 0, 20, 0 }, { PUT, 0, 21, 0 } } },
	  .nr = { 1, 2 } },
	{ .name = "look twice, replace",
	  .filled = 1,
	  .ops = { { { LOOK, 0, 0, 0 }, { LOOK, 0, 0, 0 } }, { { PUT, 0, 20, 0 } } },
	  .nr = { 2, 1 } },
	{ .name = "insert, insert the same",
	  .filled = 1,
	  .ops = { { { PUT, 1, 20, BPF_NOEXIST } }, { { PUT, 1, 21, BPF_NOEXIST } } },
	  .nr = { 1, 1 } },
	{ .name = "replace, delete",
	  .filled = 2,
	  .ops = { { { PUT, 0, 20, BPF_EXIST } }, { { DROP, 0, 0, 0 } } },
	  .nr = { 1, 1 } },
	{ .name = "take, delete",
	  .filled = 3,
	  .ops = { { { TAKE, 1, 0, 0 } }, { { DROP, 1, 0, 0 } } },
	  .nr = { 1, 1 } },
	{ .name = "the last free element",
	  .filled = 3,
	  .ops = { { { PUT, 3, 20, 0 } }, { { PUT, 4, 21, 0 } } },
	  .nr = { 1, 1 } },
	{ .name = "delete, steal what it freed",
	  .filled = 4,
	  .ops = { { { DROP, 0, 0, 0 } }, { { PUT, 4, 21, 0 } } },
	  .nr = { 1, 1 } },
	{ .name = "replace, find, one vCPU for both",
	  .filled = 2,
	  .ops = { { { PUT, 0, 20, 0 } }, { { FIND, 0, 0, 0 }, { PUT, 1, 21, 0 } } },
	  .nr = { 1, 2 },
	  .slots = 1 },
	{ .name = "LRU: look, insert",
	  .filled = 2,
	  .ops = { { { LOOK, 1, 0, 0 } }, { { PUT, 2, 22, 0 } } },
	  .nr = { 1, 1 },
	  .evicts = true },
	{ .name = "LRU: look, replace",
	  .filled = 2,
	  .ops = { { { LOOK, 1, 0, 0 } }, { { PUT, 1, 21, 0 } } },
	  .nr = { 1, 1 },
	  .evicts = true },
	{ .name = "LRU: delete, delete the same",
	  .filled = 2,
	  .ops = { { { DROP, 1, 0, 0 } }, { { DROP, 1, 0, 0 } } },
	  .nr = { 1, 1 },
	  .evicts = true },
	{ .name = "look, its key leaves by a split",
	  .filled = 2,
	  .ops = { { { LOOK, 1, 0, 0 } }, { { PUT, 2, 20, 0 } } },
	  .nr = { 1, 1 },
	  .grows = true },
	{ .name = "look, its key stays in a split",
	  .filled = 2,
	  .ops = { { { LOOK, 0, 0, 0 } }, { { PUT, 3, 20, 0 } } },
	  .nr = { 1, 1 },
	  .grows = true },
	{ .name = "replace, split",
	  .filled = 2,
	  .ops = { { { PUT, 1, 20, 0 } }, { { PUT, 2, 21, 0 } } },
	  .nr = { 1, 1 },
	  .grows = true },
	{ .name = "visit, split",
	  .filled = 2,
	  .ops = { { { VISIT, 0, 0, 0 } }, { { PUT, 2, 20, 0 } } },
	  .nr = { 1, 1 },
	  .grows = true },
	{ .name = "walk, replace",
	  .filled = 3,
	  .ops = { { { WALK, 0, 0, 0 } }, { { PUT, 1, 20, 0 } } },
	  .nr = { 1, 1 } },
};

static const struct hash_case wide[] = {
	{ .name = "LRU: insert, delete",
	  .filled = 2,
	  .ops = { { { PUT, 2, 22, 0 } }, { { DROP, 1, 0, 0 } } },
	  .nr = { 1, 1 },
	  .evicts = true },
	{ .name = "LRU: insert, replace",
	  .filled = 2,
	  .ops = { { { PUT, 2, 22, 0 } }, { { PUT, 1, 21, 0 } } },
	  .nr = { 1, 1 },
	  .evicts = true },
	{ .name = "LRU: delete and insert, look",
	  .filled = 2,
	  .ops = { { { DROP, 0, 0, 0 }, { PUT, 2, 22, 0 } }, { { LOOK, 1, 0, 0 } } },
	  .nr = { 2, 1 },
	  .evicts = true },
	{ .name = "walk, split",
	  .filled = 2,
	  .ops = { { { WALK, 0, 0, 0 } }, { { PUT, 2, 20, 0 } } },
	  .nr = { 1, 1 },
	  .grows = true },
	{ .name = "delete and insert, split",
	  .filled = 2,
	  .ops = { { { DROP, 1, 0, 0 }, { PUT, 3, 20, 0 } }, { { PUT, 2, 21, 0 } } },
	  .nr = { 2, 1 },
	  .grows = true },
	{ .name = "split twice at once",
	  .filled = 2,
	  .ops = { { { PUT, 2, 20, 0 } }, { { PUT, 3, 21, 0 } } },
	  .nr = { 1, 1 },
	  .grows = true },
	{ .name = "look, split, delete what leaves",
	  .filled = 2,
	  .ops = { { { LOOK, 1, 0, 0 } }, { { PUT, 2, 20, 0 } }, { { DROP, 1, 0, 0 } } },
	  .nr = { 1, 1, 1 },
	  .grows = true },
	{ .name = "look, replace, delete",
	  .filled = 2,
	  .ops = { { { LOOK, 0, 0, 0 } }, { { PUT, 0, 20, 0 } }, { { DROP, 1, 0, 0 } } },
	  .nr = { 1, 1, 1 } },
	{ .name = "find, delete, insert what was freed",
	  .filled = 4,
	  .ops = { { { FIND, 0, 0, 0 } }, { { DROP, 2, 0, 0 } }, { { PUT, 4, 20, 0 } } },
	  .nr = { 1, 1, 1 } },
	{ .name = "insert the last, its bucket is entered, an element is looked for",
	  .filled = 3,
	  .ops = { { { PUT, 3, 20, 0 } }, { { ENTER, 0, 0, 0 } }, { { POP, 0, 0, 0 } } },
	  .nr = { 1, 1, 1 } },
	{ .name = "replace, its bucket is entered, an element is looked for",
	  .filled = 4,
	  .ops = { { { PUT, 3, 20, 0 } }, { { ENTER, 0, 0, 0 } }, { { POP, 0, 0, 0 } } },
	  .nr = { 1, 1, 1 } },
	{ .name = "delete, its bucket is entered, an element is looked for",
	  .filled = 4,
	  .ops = { { { DROP, 3, 0, 0 } }, { { ENTER, 0, 0, 0 } }, { { POP, 0, 0, 0 } } },
	  .nr = { 1, 1, 1 } },
};

static void explore_one(const struct hash_case *test, const struct case_budget *budget)
{
	u32 nr = test->nr[2] ? 3 : 2;
	struct arena *arena = env_new(test->slots ? test->slots : nr);
	struct run run = { .test = test };
	const struct explore_scenario scenario = {
		.nr_threads = nr, .run = participate, .examine = examine, .arg = &run
	};

	prepare(&run, arena);
	case_run("hash", test->name, &scenario, run.map->data, run.map->data_size, budget);
	arena_free(arena);
}

void case_hash(const struct case_budget *budget)
{
	for (u32 i = 0; i < ARRAY_SIZE(tests); i++)
		explore_one(&tests[i], budget);
	for (u32 i = 0; budget->wide && i < ARRAY_SIZE(wide); i++)
		explore_one(&wide[i], budget);
}
