/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spin locks in map values: whoever has one keeps others out; a holder that died does not; a
 * program that cannot have it ends. Copies of values leave the lock alone, and BPF_F_LOCK takes it.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/tap.h"
#include "map_env.h"
#include "rt/helper.h"
#include "rt/lock.h"

#define ROUNDS 20000

struct value {
	u64 a;
	u32 lock, c;
};

static struct arena *arena;

static struct rt_map *locked_map(u32 type)
{
	struct rt_map *map = env_map(arena, type, 4, sizeof(struct value), 4, 0);

	map->nr_fields = 1;
	map->fields[0].offset = map->lock_offset = offsetof(struct value, lock);
	map->fields[0].size = 4;
	map->has_lock = true;
	return map;
}

static void take(u32 *lock, struct rt_vcpu *vcpu)
{
	vcpu->aborted = false;
	rt_helpers[BPF_FUNC_spin_lock]((u64)lock, 0, 0, 0, 0, vcpu);
}

static void give_back(u32 *lock, struct rt_vcpu *vcpu)
{
	rt_helpers[BPF_FUNC_spin_unlock]((u64)lock, 0, 0, 0, 0, vcpu);
}

#define same(got, want, what) tap_ok((long)(got) == (long)(want), "%s: %s", name, what)

static void test_copies(u32 type, const char *name, struct rt_vcpu *vcpu)
{
	struct rt_map *map = locked_map(type);
	struct value in = { 1, 0xffffffff, 3 }, out = { 0 }, *there;
	u32 key = 1, lock;

	same(rt_map_update_elem(map, &key, &in, BPF_ANY, vcpu), 0, "a value is stored");
	there = rt_map_lookup_elem(map, &key, vcpu);
	tap_ok(there && !there->lock && there->a == 1 && there->c == 3,
	       "%s: but for its lock, which is free", name);
	take(&there->lock, vcpu);
	lock = there->lock;
	tap_ok(lock && !vcpu->aborted, "%s: a program takes it", name);
	same(rt_map_copy_out(map, &key, &out, 0, vcpu), 0, "the value is read");
	tap_ok(out.a == 1 && !out.lock && out.c == 3, "%s: without the lock's word", name);
	same(rt_map_copy_out(map, &key, &out, BPF_F_LOCK, vcpu), -EDEADLK,
	     "not with the lock, which this thread has");
	same(rt_map_copy_in(map, &key, &in, BPF_F_LOCK, vcpu), -EDEADLK, "nor is it written so");
	give_back(&there->lock, vcpu);
	in.a = 7;
	same(rt_map_copy_in(map, &key, &in, BPF_F_LOCK, vcpu), 0, "written in place");
	tap_ok(there->a == 7 && !there->lock, "%s: and the lock is free again", name);
	same(rt_map_copy_out(map, &key, &out, BPF_F_LOCK, vcpu), 0, "read");
	same(out.a, 7, "what was written");
	same(rt_map_copy_in(map, &key, &in, BPF_F_LOCK | BPF_NOEXIST, vcpu), -EEXIST,
	     "other flags count, too");
	same(rt_map_copy_in(map, &key, &in, BPF_F_LOCK | 8, vcpu), -EINVAL, "unknown ones do");
	map->has_lock = false;
	same(rt_map_copy_in(map, &key, &in, BPF_F_LOCK, vcpu), -EINVAL, "a value without a lock");
	same(rt_map_copy_out(map, &key, &out, BPF_F_LOCK, vcpu), -EINVAL, "is not read so");
	env_map_free(arena, map);
}

static void test_twice(struct value *value, struct rt_vcpu *vcpu)
{
	take(&value->lock, vcpu);
	take(&value->lock, vcpu);
	tap_ok(vcpu->aborted, "a thread that has the lock already is ended");
	give_back(&value->lock, vcpu);
	take(&value->lock, vcpu);
	tap_ok(!vcpu->aborted, "and has it when it was given back");
	give_back(&value->lock, vcpu);
}

static void hold_and_wait(struct value *value, int ready)
{
	struct rt_vcpu *vcpu;

	rt_process_begin(false, 0);
	vcpu = env_vcpu();
	take(&value->lock, vcpu);
	value->a = 5;
	if (write(ready, "", 1) == 1)
		pause();
	_exit(1);
}

static void test_death(struct value *value, struct rt_vcpu *vcpu)
{
	int ends[2];
	char byte;
	pid_t pid;

	if (pipe(ends))
		tap_bail("no pipe");
	pid = fork();
	if (!pid)
		hold_and_wait(value, ends[1]);
	close(ends[1]);
	tap_ok(pid > 0 && read(ends[0], &byte, 1) == 1 && value->lock, "another process has it");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	take(&value->lock, vcpu);
	tap_ok(!vcpu->aborted && value->lock == rt_lock_token(vcpu), "killed, it has it no more");
	give_back(&value->lock, vcpu);
	close(ends[0]);
}

static void *count(void *arg)
{
	struct value *value = arg;
	struct rt_vcpu *vcpu = env_vcpu();
	u64 aborted = 0;

	for (u32 i = 0; i < ROUNDS; i++) {
		take(&value->lock, vcpu);
		if (vcpu->aborted) {
			aborted++;
			continue;
		}
		__atomic_store_n(&value->a, __atomic_load_n(&value->a, __ATOMIC_RELAXED) + 1,
				 __ATOMIC_RELAXED);
		give_back(&value->lock, vcpu);
	}
	rt_vcpu_release(vcpu);
	return (void *)aborted;
}

static void test_threads(struct value *value)
{
	pthread_t threads[2];
	u64 aborted = 0;

	value->a = 0;
	for (u32 i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, count, value))
			tap_bail("no thread");
	for (u32 i = 0; i < 2; i++) {
		void *result;

		pthread_join(threads[i], &result);
		aborted += (u64)result;
	}
	tap_is(value->a + aborted, 2 * ROUNDS, "two threads count together");
}

int main(void)
{
	struct value zero = { 0 }, *value;
	struct rt_vcpu *vcpu;
	struct rt_map *map;
	u32 key = 0;

	arena = env_new(4);
	vcpu = env_vcpu();
	test_copies(BPF_MAP_TYPE_ARRAY, "array", vcpu);
	test_copies(BPF_MAP_TYPE_HASH, "hash", vcpu);
	map = locked_map(BPF_MAP_TYPE_HASH);
	rt_map_update_elem(map, &key, &zero, BPF_ANY, vcpu);
	value = rt_map_lookup_elem(map, &key, vcpu);
	test_twice(value, vcpu);
	test_death(value, vcpu);
	rt_vcpu_release(vcpu);
	test_threads(value);
	env_map_free(arena, map);
	arena_free(arena);
	return tap_done();
}
