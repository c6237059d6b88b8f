/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another process writes whatever it likes over the map's memory and the vCPUs' words while workers
 * do everything that reads. Values may then be anything; but nobody faults, nobody touches memory
 * outside the map (the pages around it are taken away), and every operation comes to an end.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/tap.h"
#include "rt/map/hash.h"
#include "rt/shared.h"
#include "stress.h"
#include "unit/rt/map_env.h"

#define READERS	   2
#define STEP_MAX_S 20 /* of CPU time, for one round of everything; most take microseconds */

/* Numbers that go through checks which random ones fail at once. */
static u64 nasty(u64 *random, const struct rt_map *map)
{
	u64 r = env_random(random), small = r >> 32;

	switch (r % 12) {
	case 0: return 0;
	case 1: return ~0ull;
	case 2: return small % (map->max_entries + map->nr_vcpus + 4);
	case 3: return (small % (map->max_entries + 4)) << 32 | small % 7;
	case 4: return map->max_entries;
	case 5: return 1ull << (small % 64);
	case 6: return small % map->data_size;
	case 7: return (u64)(uintptr_t)map->data + small % map->data_size;
	case 8: return 0x80000000u | (small & 0xff);
	default: return env_random(random);
	}
}

static void scribble(struct stage *stage, u64 seed)
{
	struct rt_map *map = stage->map;
	u8 *at = stage->memory;
	u64 size = stage->memory_size;
	u64 random = seed;

	for (;;) {
		u64 where = env_random(&random) % 16, value = nasty(&random, map);
		/* The first pages have what the rest hangs on. */
		u64 offset = env_random(&random) % (where < 8 && size > 8192 ? 8192 : size);

		if (where == 0)
			RT_SHARED->vcpus[value % RT_VCPU_MAX].word = nasty(&random, map);
		else if (where == 1)
			memset(at + (offset & ~7ul), (int)value, 64 < size - offset ? 64 : 8);
		else if (where % 2)
			*(volatile u64 *)(at + (offset & ~7ul)) = value;
		else
			*(volatile u32 *)(at + (offset & ~3ul)) = (u32)value;
	}
}

/* Leaves of the data segment only what the row may touch. */
static void fence_off(struct stage *stage, int protection)
{
	struct rt_map *map = stage->map;
	u8 *end = map->data + ALIGN_UP(map->data_size, 4096ul);

	if (rt_map_in_control(&(struct rt_map_spec){ .type = map->type, .flags = map->flags }) ||
	    stage->row->close)
		return;
	mprotect(end, 64ul << 20, protection);
	if ((u64)map->data > RT_DATA_BASE + RT_SHARED_SIZE)
		mprotect((void *)(RT_DATA_BASE + RT_SHARED_SIZE),
			 (u64)map->data - RT_DATA_BASE - RT_SHARED_SIZE, protection);
}

static double cpu_seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void read_much(struct stage *stage, u32 index, u64 operations, u64 seed)
{
	struct worker worker;
	struct shadow *shadow = &stage->shadows[index];

	rt_process_begin(false, 0);
	fence_off(stage, PROT_NONE);
	worker_open(&worker, stage, index, seed);
	for (u64 i = 0; i < operations; i++) {
		double begin = cpu_seconds(), end;

		worker.vcpu = rt_vcpu_acquire((u32)gettid());
		if (!worker.vcpu)
			continue;
		stage->row->read_all(&worker);
		stage->row->operate(&worker);
		rt_vcpu_release(worker.vcpu);
		shadow->operations++;
		end = cpu_seconds();
		if ((end - begin) * 1e6 > (double)shadow->slowest_us)
			shadow->slowest_us = (u64)((end - begin) * 1e6);
		if (end - begin > STEP_MAX_S)
			shadow_wrong(shadow, "an operation takes too long", i);
	}
}

static void run(struct arena *arena, const struct row *row, u64 operations, u64 seed)
{
	pid_t scribbler, readers[READERS];
	struct stage stage;
	u64 done = 0, slowest = 0;

	stage_open(&stage, row, arena, READERS);
	stage.hostile = true;
	scribbler = fork();
	if (scribbler == 0) {
		/* Whatever ends the test ends this. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		scribble(&stage, seed);
	}
	for (u32 i = 0; i < READERS; i++) {
		readers[i] = fork();
		if (readers[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			read_much(&stage, i, operations, seed);
			_exit(0);
		}
	}
	for (u32 i = 0; i < READERS; i++) {
		int status = 0;

		if (waitpid(readers[i], &status, 0) != readers[i] || status)
			shadow_wrong(&stage.watcher, "a reader ended with", (u32)status);
		done += stage.shadows[i].operations;
		if (slowest < stage.shadows[i].slowest_us)
			slowest = stage.shadows[i].slowest_us;
	}
	kill(scribbler, SIGKILL);
	waitpid(scribbler, NULL, 0);
	if (!done)
		shadow_wrong(&stage.watcher, "no round was done", 0);
	memset(RT_SHARED->vcpus, 0, sizeof(RT_SHARED->vcpus));
	memset((void *)RT_TRACE_BASE, 0, 16384);
	tap_note("%s: %llu rounds, the slowest %llu us", row->name, (unsigned long long)done,
		 (unsigned long long)slowest);
	stage_report(&stage, "hostile bytes");
	stage_close(&stage);
}

int stress_hostile(struct arena *arena, const char *only, u64 operations, u64 seed)
{
	for (u32 i = 0; i < stress_nr_rows; i++)
		if (!only || strstr(stress_rows[i].name, only))
			run(arena, &stress_rows[i], operations, seed);
	return tap_done();
}
