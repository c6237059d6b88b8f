/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Workers are processes that work as fast as they can. Each is killed with SIGKILL at a random
 * moment; its record is compared with the map, and another one takes its place. Only deaths inside
 * an operation count.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/tap.h"
#include "stress.h"
#include "unit/rt/map_env.h"

#define PROCESSES 2

static void work_for_ever(struct stage *stage, u32 index, u64 seed)
{
	struct worker worker;

	rt_process_begin(false, 0);
	worker_open(&worker, stage, index, seed);
	for (;;)
		worker_step(&worker);
}

static pid_t start(struct stage *stage, u32 index, u64 seed)
{
	pid_t pid = fork();

	if (pid < 0)
		tap_bail("fork: %s", strerror(errno));
	if (pid == 0) {
		/* Whatever ends the test ends its workers. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work_for_ever(stage, index, seed);
	}
	return pid;
}

static void nap(u64 ns)
{
	struct timespec time = { .tv_nsec = (long)ns };

	nanosleep(&time, NULL);
}

/* Kills one worker and looks at what it left: did it die inside an operation? */
static bool kill_one(struct stage *stage, pid_t pid, u32 index)
{
	struct worker dead;
	bool inside;

	kill(pid, SIGKILL);
	if (waitpid(pid, NULL, 0) != pid)
		tap_bail("waitpid: %s", strerror(errno));
	worker_open(&dead, stage, index, 0);
	inside = SHADOW_LOAD(dead.shadow->inside);
	dead.vcpu = env_vcpu();
	stage->row->settle(&dead);
	SHADOW_STORE(dead.shadow->inside, 0);
	if (stage->row->attend)
		stage->row->attend(stage, dead.vcpu);
	rt_vcpu_release(dead.vcpu);
	return inside;
}

static void run(struct arena *arena, const struct row *row, u64 kills, u64 seed)
{
	pid_t pids[PROCESSES];
	struct stage stage;
	struct rt_vcpu *vcpu;
	u64 killed = 0, inside = 0, operations = 0, random = seed;

	stage_open(&stage, row, arena, PROCESSES);
	stage.deaths = true;
	for (u32 i = 0; i < PROCESSES; i++)
		pids[i] = start(&stage, i, seed + i);
	while (inside < kills && killed < 20 * kills + 100) {
		u32 index = (u32)(killed % PROCESSES);
		u64 before = SHADOW_LOAD(stage.shadows[index].operations);

		/* It has begun, whatever the machine has to do besides. */
		while (SHADOW_LOAD(stage.shadows[index].operations) == before)
			nap(1000);
		nap(env_random(&random) % 50000);
		inside += kill_one(&stage, pids[index], index);
		killed++;
		pids[index] = start(&stage, index, seed + killed + PROCESSES);
	}
	for (u32 i = 0; i < PROCESSES; i++) {
		inside += kill_one(&stage, pids[i], i);
		killed++;
	}
	vcpu = env_vcpu();
	row->finish(&stage, vcpu);
	rt_vcpu_release(vcpu);
	for (u32 i = 0; i < PROCESSES; i++)
		operations += stage.shadows[i].operations;
	tap_note("%s: %llu operations, %llu killed", row->name, (unsigned long long)operations,
		 (unsigned long long)killed);
	if (inside < kills)
		shadow_wrong(&stage.watcher, "not enough died inside an operation", inside);
	stage_report(&stage, "killed inside operations");
	tap_note("%llu deaths inside operations", (unsigned long long)inside);
	stage_close(&stage);
}

int stress_kill(struct arena *arena, const char *only, u64 kills, u64 seed)
{
	for (u32 i = 0; i < stress_nr_rows; i++)
		if (!only || strstr(stress_rows[i].name, only))
			run(arena, &stress_rows[i], kills, seed);
	return tap_done();
}
