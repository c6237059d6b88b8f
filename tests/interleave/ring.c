/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring under every interleaving: producers that reserve, write and commit or discard, and a
 * consumer that takes what there is and goes to sleep when there is nothing, on a ring of 64 bytes.
 * Every committed record arrives once, whole and in its producer's order; a discarded one never
 * does; a consumer that sleeps is woken; a record whose producer died does not stop the others.
 */
#include <string.h>

#include "cases.h"
#include "rt/map.h"
#include "rt/ring.h"
#include "rt/vcpu.h"
#include "unit/rt/map_env.h"

#define SIZE 64u

struct ring_case {
	const char *name;
	u64 position; /* where both ends begin */
	/* Of each producer its records: 'c' to commit, 'd' to discard, 'o' out of room is fine. */
	const char *records[2];
	u32 words; /* of a record's payload */
};

struct run {
	const struct ring_case *test;
	struct rt_ring ring;
	u32 nr_producers;
};

/* A producer's results: how many records it has committed, and one bit for each without room. */
enum { COMMITTED, NO_ROOM };
/* The consumer's: what it has got, number after number, and whether a wake-up went missing. */
enum { NR_GOT, ASLEEP, GOT };
#define GOT_MAX 8

static u64 number_of(u32 producer, u32 record)
{
	return (u64)(producer + 1) << 8 | record;
}

static void produce(struct run *run, u32 number)
{
	const char *records = run->test->records[number];
	struct rt_vcpu *vcpu = rt_vcpu_acquire(number + 1);
	u64 *results = explore_results();

	for (u32 i = 0; vcpu && records[i]; i++) {
		u64 *sample;

		explore_forget(1 + i);
		sample = rt_ring_reserve(&run->ring, run->test->words * 8, vcpu);

		if (!sample) {
			results[NO_ROOM] |= 1u << i;
			continue;
		}
		for (u32 j = 0; j < run->test->words; j++)
			explore_store(&sample[j], number_of(number, i), 8, __ATOMIC_RELEASE);
		rt_ring_commit(sample, 0, records[i] == 'd');
		results[COMMITTED] |= 1u << i;
	}
	if (vcpu)
		rt_vcpu_release(vcpu);
}

/* Takes the oldest record: false when there is none. */
static bool consume(struct run *run, u64 *results)
{
	const u64 *sample;
	u64 number;
	u32 length;

	sample = rt_ring_peek(&run->ring, &length);
	if (!sample)
		return false;
	number = explore_load(sample, 8);
	for (u32 j = 1; j < run->test->words; j++)
		if (explore_load(&sample[j], 8) != number)
			number = 0;
	if (length != run->test->words * 8)
		number = 0;
	if (results[NR_GOT] < GOT_MAX)
		results[GOT + results[NR_GOT]++] = number;
	rt_ring_consume(&run->ring, sample, length);
	return true;
}

/* As the supervisor does it for a client: it asks once more before it sleeps. */
static void consumer(struct run *run)
{
	struct rt_ring_producer *page = rt_ring_producer(&run->ring);
	u64 *results = explore_results();

	for (;;) {
		u32 seen;

		do
			explore_forget(100);
		while (consume(run, results));
		explore_forget(101);
		seen = (u32)explore_load(&page->wakeups, 4);
		/* Sleeping is a system call, which does not begin before the stores have ended. */
		explore_sleep(&page->reserved, ~0u);
		if (rt_ring_readable(&run->ring))
			continue;
		if (!explore_sleep(&page->wakeups, seen))
			break;
	}
	results[ASLEEP] = rt_ring_readable(&run->ring);
	explore_forget(102);
	/* The death of a process wakes the supervisor. */
	rt_ring_reap(&run->ring);
	while (consume(run, results))
		;
}

static void participate(void *arg, u32 thread)
{
	struct run *run = arg;

	if (thread < run->nr_producers)
		produce(run, thread);
	else
		consumer(run);
}

static const char *examine_producer(const struct run *run, u32 number, const u64 *got)
{
	const u64 *results = explore_results_of(number);
	const char *records = run->test->records[number];
	bool dead = explore_is_dead(number);
	u32 at = 0;

	for (u32 i = 0; records[i]; i++) {
		bool committed = results[COMMITTED] >> i & 1;

		while (at < got[NR_GOT] && got[GOT + at] >> 8 != number + 1)
			at++;
		if (at < got[NR_GOT] && got[GOT + at] == number_of(number, i)) {
			if (records[i] == 'd')
				return "a discarded record arrived";
			if (!committed && !dead)
				return "a record arrived that was not committed";
			at++;
		} else if (committed && records[i] != 'd') {
			return "a record is lost, doubled or out of order";
		}
	}
	while (at < got[NR_GOT] && got[GOT + at] >> 8 != number + 1)
		at++;
	return at < got[NR_GOT] ? "a record arrived twice" : NULL;
}

static const char *examine(void *arg)
{
	struct run *run = arg;
	u64 got[GOT + GOT_MAX];
	const char *wrong = NULL;
	struct rt_vcpu *vcpu;
	bool dead = false;
	u64 *sample;

	memcpy(got, explore_results_of(run->nr_producers), sizeof(got));
	for (u32 i = 0; i < run->nr_producers; i++)
		dead |= explore_is_dead(i);
	if (explore_is_dead(run->nr_producers)) {
		/* Another consumer goes on where it was; what it had in hand comes again. */
		got[NR_GOT] = 0;
		rt_ring_reap(&run->ring);
		while (consume(run, got))
			;
	} else if (got[ASLEEP] && !dead) {
		return "the consumer sleeps and there is a record";
	}
	for (u32 i = 0; i < got[NR_GOT]; i++)
		if (!got[GOT + i])
			return "a record is torn";
	for (u32 i = 0; i < run->nr_producers && !wrong && !explore_is_dead(run->nr_producers); i++)
		wrong = examine_producer(run, i, got);
	if (wrong)
		return wrong;
	/* All the room is there again. */
	vcpu = rt_vcpu_acquire(50);
	sample = vcpu ? rt_ring_reserve(&run->ring, SIZE - 16, vcpu) : NULL;
	if (vcpu)
		rt_vcpu_release(vcpu);
	return sample ? NULL : "the ring has lost room";
}

static const struct ring_case tests[] = {
	{ "two producers", 0, { "c", "c" }, 1 },
	{ "commit and discard, over the end", 40, { "c", "d" }, 2 },
	{ "one producer, two records", 48, { "cc", NULL }, 1 },
	{ "more than there is room for", 24, { "ccc", NULL }, 2 },
};

static const struct ring_case wide[] = {
	{ "two producers, three records", 40, { "cd", "c" }, 2 },
	{ "two producers, no room", 40, { "cc", "c" }, 3 },
};

static void explore_one(const struct ring_case *test, const struct case_budget *budget)
{
	struct arena *arena = env_new(2);
	u8 *memory = arena_alloc(arena, ARENA_DATA, 3 * RT_RING_PAGE, RT_RING_PAGE);
	struct run run = { .test = test,
			   .ring = { .memory = memory, .mask = SIZE - 1 },
			   .nr_producers = test->records[1] ? 2 : 1 };
	const struct explore_scenario scenario = { .nr_threads = run.nr_producers + 1,
						   .run = participate,
						   .examine = examine,
						   .arg = &run };

	rt_ring_consumer(&run.ring)->position = test->position;
	rt_ring_producer(&run.ring)->position = test->position;
	rt_ring_producer(&run.ring)->pending = test->position;
	case_run("ring", test->name, &scenario, memory, 3 * RT_RING_PAGE, budget);
	arena_free(arena);
}

void case_ring(const struct case_budget *budget)
{
	for (u32 i = 0; i < ARRAY_SIZE(tests); i++)
		explore_one(&tests[i], budget);
	for (u32 i = 0; budget->wide && i < ARRAY_SIZE(wide); i++)
		explore_one(&wide[i], budget);
}
