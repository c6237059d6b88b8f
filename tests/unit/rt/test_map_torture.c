/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash maps under concurrency, in bounded numbers of operations: a lookup never misses a key that
 * is there all the time, nor sees another key's value; elements are neither lost nor doubled, by
 * threads and by processes, some of which are killed with SIGKILL in the middle of operations.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/tap.h"
#include "map_env.h"
#include "rt/map/hash.h"

#define STEADY 8   /* keys that are always there, replaced all the time */
#define CHURN  200 /* keys that come and go */
#define SLOTS  4

static u32 operations = UNDER_SANITIZER ? 20000 : 200000;

struct worker {
	pthread_t thread;
	struct rt_map *map;
	u64 seed;
	u32 nr;
	u32 missed, torn, unexpected;
	u32 *finished; /* shared: writers that ended */
	bool reader;
};

/* Values tell their key, so that a value of another key is recognised. */
static u64 value_of(u32 key, u32 salt)
{
	return (u64)key << 32 | salt;
}

static void churn_once(struct worker *worker, struct rt_vcpu *vcpu)
{
	u64 r = env_random(&worker->seed), value;
	u32 key = (u32)(r >> 32) % STEADY;
	long error;

	if (r % 3 == 0) {
		value = value_of(key, (u32)r);
		error = rt_map_update_elem(worker->map, &key, &value, BPF_EXIST, vcpu);
		worker->unexpected += error != 0;
		return;
	}
	key = STEADY + (u32)(r >> 32) % CHURN;
	value = value_of(key, (u32)r);
	if (r % 3 == 1)
		error = rt_map_update_elem(worker->map, &key, &value, 0, vcpu);
	else
		error = rt_map_delete_elem(worker->map, &key, vcpu);
	worker->unexpected += error != 0 && error != -ENOENT && error != -E2BIG;
}

static void look_once(struct worker *worker, struct rt_vcpu *vcpu)
{
	u64 r = env_random(&worker->seed), values[SLOTS] = { 0 }, *found;
	u32 key = (u32)(r >> 32) % (STEADY + CHURN);

	if (key < STEADY) {
		found = rt_map_lookup_elem(worker->map, &key, vcpu);
		worker->missed += !found;
		return;
	}
	if (rt_map_copy_out(worker->map, &key, values, 0, vcpu))
		return;
	/* Of a per-CPU type each slot has its value, which is 0 at first. */
	for (u32 i = 0; i < SLOTS; i++)
		worker->torn += values[i] && values[i] >> 32 != key;
}

static void *work(void *arg)
{
	struct worker *worker = arg;

	for (u32 i = 0; worker->reader ? __atomic_load_n(worker->finished, __ATOMIC_ACQUIRE) < 2
				       : i < worker->nr;
	     i++) {
		struct rt_vcpu *vcpu = rt_vcpu_acquire((u32)gettid());

		if (!vcpu)
			continue;
		for (u32 j = 0; j < 16; j++) {
			if (worker->reader)
				look_once(worker, vcpu);
			else
				churn_once(worker, vcpu);
		}
		rt_vcpu_release(vcpu);
	}
	if (!worker->reader)
		__atomic_fetch_add(worker->finished, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void fill_steady(struct rt_map *map, struct rt_vcpu *vcpu)
{
	for (u32 key = 0; key < STEADY; key++) {
		u64 value = value_of(key, 0);

		rt_map_update_elem(map, &key, &value, 0, vcpu);
	}
}

/* max_entries: small maps have long chains and are full most of the time. */
static void test_threads(struct arena *arena, u32 type, u32 max_entries)
{
	struct rt_map *map = env_map(arena, type, 4, 8, max_entries, 0);
	struct worker workers[4] = { 0 };
	struct rt_vcpu *vcpu = env_vcpu();
	u32 finished = 0, linked, missed = 0, torn = 0, unexpected = 0;
	const char *wrong;

	fill_steady(map, vcpu);
	rt_vcpu_release(vcpu);
	for (u32 i = 0; i < 4; i++) {
		workers[i] = (struct worker){ .map = map,
					      .seed = i,
					      .nr = operations / 16,
					      .finished = &finished,
					      .reader = i >= 2 };
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	for (u32 i = 0; i < 4; i++) {
		pthread_join(workers[i].thread, NULL);
		missed += workers[i].missed;
		torn += workers[i].torn;
		unexpected += workers[i].unexpected;
	}
	tap_is(missed, 0, "threads: no lookup missed a key that was always there");
	tap_is(torn, 0, "threads: no value of another key");
	tap_is(unexpected, 0, "threads: no unexpected error");
	wrong = env_hash_check(map, &linked);
	tap_ok(!wrong, "threads: type %u, max %u: every element in its place: %s", type,
	       max_entries, wrong ? wrong : "yes");
	tap_ok(linked >= STEADY && linked <= max_entries, "threads: %u keys", linked);
	env_map_free(arena, map);
}

/* Elements in cells of dead slots count as free: all keys must fit again. */
static void check_capacity(struct rt_map *map, struct rt_vcpu *vcpu)
{
	u32 key, linked, fits = 0;
	const char *wrong = env_hash_check(map, &linked);

	/* An open journal of a dead slot is nothing wrong: it is settled by the next who comes. */
	for (key = 0; key < STEADY + CHURN; key++)
		rt_map_delete_elem(map, &key, vcpu);
	for (key = 1000; key < 1000 + 2 * map->max_entries; key++)
		fits += rt_map_update_elem(map, &key, &(u64){ key }, BPF_NOEXIST, vcpu) == 0;
	tap_is(fits, map->max_entries, "killed: exactly max_entries keys fit afterwards");
	for (key = 1000; key < 1000 + 2 * map->max_entries; key++)
		rt_map_delete_elem(map, &key, vcpu);
	wrong = env_hash_check(map, &linked);
	tap_ok((!wrong || !strcmp(wrong, "a journal is open")) && linked == 0,
	       "killed: then it is empty: %s", wrong ? wrong : "yes");
}

static void child(struct rt_map *map, u32 number)
{
	struct worker worker = { .map = map, .seed = number, .nr = ~0u };

	rt_process_begin(false, 0);
	for (;;) {
		struct rt_vcpu *vcpu = rt_vcpu_acquire((u32)gettid());

		if (!vcpu)
			continue;
		for (u32 i = 0; i < 16; i++)
			churn_once(&worker, vcpu);
		rt_vcpu_release(vcpu);
	}
}

/* Children that work as fast as they can are killed at random moments, others take their places. */
static void test_killed(struct arena *arena, u32 type, u32 max_entries, u32 rounds)
{
	struct rt_map *map = env_map(arena, type, 4, 8, max_entries, 0);
	struct rt_vcpu *vcpu = env_vcpu();
	u64 seed = max_entries;
	u32 steady = 0;

	fill_steady(map, vcpu);
	rt_vcpu_release(vcpu);
	for (u32 i = 0; i < rounds; i++) {
		pid_t pids[3];

		for (u32 j = 0; j < 3; j++) {
			pids[j] = fork();
			if (pids[j] == 0)
				child(map, i * 3 + j);
		}
		usleep((useconds_t)(500 + env_random(&seed) % 3000));
		for (u32 j = 0; j < 3; j++)
			kill(pids[j], SIGKILL);
		for (u32 j = 0; j < 3; j++)
			waitpid(pids[j], NULL, 0);
	}
	vcpu = env_vcpu();
	for (u32 key = 0; key < STEADY; key++)
		steady += rt_map_lookup_elem(map, &key, vcpu) != NULL;
	tap_is(steady, STEADY, "killed: the steady keys are there");
	check_capacity(map, vcpu);
	rt_vcpu_release(vcpu);
	env_map_free(arena, map);
}

/* Writers fill a map of 10^6, whose buckets split all the while, with keys of their own each. */
static void *fill_own(void *arg)
{
	struct worker *worker = arg;
	struct rt_vcpu *vcpu = env_vcpu();

	for (u32 i = 0; i < worker->nr; i++) {
		u32 key = CHURN + STEADY + worker->nr * (u32)worker->seed + i;
		u64 value = value_of(key, i);

		worker->unexpected += rt_map_update_elem(worker->map, &key, &value, 0, vcpu) != 0;
		/* Elements that were used before come again. */
		if (i % 4 == 0)
			worker->unexpected += rt_map_delete_elem(worker->map, &key, vcpu) != 0;
	}
	rt_vcpu_release(vcpu);
	__atomic_fetch_add(worker->finished, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void test_growing(struct arena *arena)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_HASH, 4, 8, 1000000, 0);
	struct worker workers[SLOTS - 1] = { 0 };
	struct rt_vcpu *vcpu = env_vcpu();
	u32 finished = 0, linked, unexpected = 0, want;
	const char *wrong;

	fill_steady(map, vcpu);
	rt_vcpu_release(vcpu);
	for (u32 i = 0; i < ARRAY_SIZE(workers); i++) {
		workers[i] = (struct worker){ .map = map,
					      .seed = i,
					      .nr = operations / 8,
					      .finished = &finished,
					      .reader = i == 2 };
		pthread_create(&workers[i].thread, NULL, i == 2 ? work : fill_own, &workers[i]);
	}
	for (u32 i = 0; i < ARRAY_SIZE(workers); i++) {
		pthread_join(workers[i].thread, NULL);
		unexpected += workers[i].unexpected;
	}
	want = STEADY + 2 * (operations / 8 - (operations / 8 + 3) / 4);
	wrong = env_hash_check(map, &linked);
	tap_is(linked, want, "growing: all keys are there");
	tap_ok(!wrong, "growing: every element in its place: %s", wrong ? wrong : "yes");
	tap_is(workers[2].missed, 0, "growing: no key missed");
	tap_is(unexpected, 0, "growing: no unexpected error");
	env_map_free(arena, map);
}

/* A thread that is stopped while it holds a bucket costs others a bounded wait, not their life. */
static void test_stopped(struct arena *arena)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_HASH, 4, 8, 4, 0);
	int pipes[2];
	pid_t pid;
	struct rt_vcpu *vcpu;
	u32 key = 3, bucket = hash_key(map, &key) & (map->nr_buckets - 1);
	u64 value = 1;
	char byte;

	if (pipe(pipes))
		tap_bail("pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		rt_process_begin(false, 0);
		vcpu = env_vcpu();
		hash_bucket_lock(map, bucket, vcpu);
		if (write(pipes[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(pipes[0], &byte, 1) != 1)
		tap_bail("read: %s", strerror(errno));
	vcpu = env_vcpu();
	tap_is(rt_map_update_elem(map, &key, &value, 0, vcpu), -ETIMEDOUT, "stopped: bounded wait");
	tap_ok(!rt_map_lookup_elem(map, &key, vcpu), "stopped: lookups do not wait");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tap_is(rt_map_update_elem(map, &key, &value, 0, vcpu), 0, "stopped, then dead: taken over");
	hash_bucket_lock(map, bucket, vcpu);
	tap_is(rt_map_update_elem(map, &key, &value, 0, vcpu), -EDEADLK, "one's own lock");
	tap_ok(rt_map_lookup_elem(map, &key, vcpu) != NULL, "one's own lock: lookups go");
	hash_bucket_unlock(map, bucket);
	tap_is(rt_map_update_elem(map, &key, &value, 0, vcpu), 0, "one's own lock given back");
	rt_vcpu_release(vcpu);
	close(pipes[0]);
	close(pipes[1]);
	env_map_free(arena, map);
}

static struct worker interrupted; /* what the signal handler works with */
static u32 nr_signals;

/* What a traced program's signal handler sets off: an event in the middle of another one. */
static void on_signal(int number)
{
	int saved = errno;
	struct rt_vcpu *vcpu = rt_vcpu_acquire((u32)gettid());

	if (vcpu) {
		for (u32 i = 0; i < 4; i++) {
			u64 r = env_random(&interrupted.seed), value;
			u32 key = (u32)(r >> 32) % (STEADY + CHURN);
			long error;

			value = value_of(key, (u32)r);
			if (key < STEADY || r % 2)
				error = rt_map_update_elem(interrupted.map, &key, &value, 0, vcpu);
			else
				error = rt_map_delete_elem(interrupted.map, &key, vcpu);
			interrupted.unexpected += error != 0 && error != -ENOENT &&
						  error != -E2BIG && error != -EDEADLK;
			look_once(&interrupted, vcpu);
		}
		rt_vcpu_release(vcpu);
	}
	nr_signals++;
	errno = saved;
}

/* Every interrupted operation goes on as if nothing had been; the interrupting one may get
 * -EDEADLK. */
static void test_signals(struct arena *arena)
{
	struct rt_map *map = env_map(arena, BPF_MAP_TYPE_HASH, 4, 8, 100, 0);
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct itimerval often = { .it_interval.tv_usec = 100, .it_value.tv_usec = 100 },
			 never = { 0 };
	struct worker worker = { .map = map, .seed = 3 };
	struct rt_vcpu *vcpu = env_vcpu();
	u32 linked;
	const char *wrong;

	fill_steady(map, vcpu);
	interrupted = (struct worker){ .map = map, .seed = 4 };
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (u32 i = 0; i < 50000000 && nr_signals < 500; i++) {
		churn_once(&worker, vcpu);
		look_once(&worker, vcpu);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	rt_vcpu_release(vcpu);
	wrong = env_hash_check(map, &linked);
	tap_ok(!wrong, "signals: %u in the middle of operations: every element in its place: %s",
	       nr_signals, wrong ? wrong : "yes");
	tap_is(interrupted.missed + worker.missed, 0, "signals: no key missed");
	tap_is(interrupted.torn + worker.torn, 0, "signals: no value of another key");
	tap_is(interrupted.unexpected + worker.unexpected, 0, "signals: no unexpected error");
	env_map_free(arena, map);
}

int main(void)
{
	struct arena *arena = env_new(SLOTS);
	u32 rounds = UNDER_SANITIZER ? 20 : 100;

	test_threads(arena, BPF_MAP_TYPE_HASH, 16);
	test_threads(arena, BPF_MAP_TYPE_HASH, 100);
	test_threads(arena, BPF_MAP_TYPE_HASH, 1000);
	test_threads(arena, BPF_MAP_TYPE_PERCPU_HASH, 100);
	test_growing(arena);
	test_killed(arena, BPF_MAP_TYPE_HASH, 16, rounds);
	test_killed(arena, BPF_MAP_TYPE_HASH, 300, rounds);
	test_killed(arena, BPF_MAP_TYPE_PERCPU_HASH, 100, rounds);
	test_stopped(arena);
	test_signals(arena);
	arena_free(arena);
	return tap_done();
}
